"""
ansible-playbook with a stopwatch: `python3 timed.py FILE WORDS…` runs it as it is, and writes into FILE what the
callback plugin took of it, in seconds.

Ansible hands each event to one plugin after the other. Here it does so twice, by its own code: to all others, and,
timed, to the plugin alone. So Ansible's own work for the plugin is in the figure: the copy that it makes of each
result for each plugin, and the finding of the hook. So are the plugin's import, Ansible's reading of its
documentation and options, and all that the plugin waits for.

Not in it: what the plugin's memory costs Python's garbage collector elsewhere, and the processor that the service
takes while Ansible goes on.
"""

import contextlib
import json
import resource
import sys
import threading
import time

from ansible.cli.playbook import main
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import PluginLoader

NAME = "rollcall.cmdb.rollcall"
FILE = "plugins/callback/rollcall.py"

took = {"load": 0.0, "start": 0.0, "results": 0.0, "posts": 0.0, "processor": 0.0}
# Two threads of Ansible send events.
turn = threading.RLock()


class Stopwatch:
    """
    The processor's time is asked before and after the clock: it is a call to the kernel, at which a process of some
    task, if one waits, goes first. A stopwatch around nothing would else show milliseconds.
    """

    def __init__(self, part):
        self.part = part

    def __enter__(self):
        self.processor = time.thread_time()
        self.began = time.perf_counter()

    def __exit__(self, *_):
        took[self.part] += time.perf_counter() - self.began
        took["processor"] += time.thread_time() - self.processor


def is_ours(plugin):
    return getattr(plugin, "CALLBACK_NAME", "") == NAME


def part_of(event):
    if event == "v2_playbook_on_start":
        return "start"
    return "posts" if event in ("v2_playbook_on_play_start", "v2_playbook_on_stats") else "results"


def timed_where(applies, method):
    def call(*args, **kwargs):
        with Stopwatch("load") if applies(*args, **kwargs) else contextlib.nullcontext():
            return method(*args, **kwargs)

    return call


def is_of_our_file(*args, **kwargs):
    return any(str(arg).endswith(FILE) for arg in (*args, *kwargs.values()))


def twice(send_callback):
    def call(self, event, *args, **kwargs):
        with turn:
            plugins, screen = self._callback_plugins, getattr(self, "_stdout_callback", None)
            ours = [plugin for plugin in plugins if is_ours(plugin)]
            try:
                self._callback_plugins = [plugin for plugin in plugins if plugin not in ours]
                send_callback(self, event, *args, **kwargs)
                # Up to ansible-core 2.18 the plugin that prints is not among the others.
                self._callback_plugins, self._stdout_callback = ours, Nobody
                with Stopwatch(part_of(event)):
                    send_callback(self, event, *args, **kwargs)
            finally:
                self._callback_plugins, self._stdout_callback = plugins, screen

    return call


class Nobody:
    disabled = True


TaskQueueManager.send_callback = twice(TaskQueueManager.send_callback)
PluginLoader._load_module_source = timed_where(is_of_our_file, PluginLoader._load_module_source)
PluginLoader._load_config_defs = timed_where(is_of_our_file, PluginLoader._load_config_defs)
CallbackBase.set_options = timed_where(lambda plugin, *_, **__: is_ours(plugin), CallbackBase.set_options)

file, *words = sys.argv[1:]
try:
    main(["ansible-playbook", *words])
finally:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    took["whole"] = sum(one.ru_utime + one.ru_stime for one in used)
    with open(file, "w") as report:
        json.dump(took, report)
