# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

"""
Reports what ansible-playbook did to Rollcall. One file, which works copied or linked to anywhere.

It keeps results in memory while a play runs and posts them from Ansible's main thread only: at the
next play's start, at the end, and within a long play at a task's start. Each call is written to the
spool before it is sent, and taken out once the service has it. So what ends this process, or the
service, ends no finished play's results: the next run delivers them. All calls may be repeated.

It has no thread: Ansible forks for every task, and a fork amid a look-up of a name may hang.
"""

from __future__ import annotations

DOCUMENTATION = """
name: rollcall
type: notification
short_description: Reports the results of playbooks to Rollcall
version_added: 0.1.0
author: Rollcall contributors
description:
  - Sends Rollcall which playbook ran when, from which commit and with which inventory, and what each task did to each
    host, after each play. Facts that the playbook gathers go along, by a list of keys.
  - It never fails or holds up a playbook. While the service is down, the calls are kept in a folder, and the next run
    (or C(rollcall spool flush)) delivers them. It waits for a service that is slow or does not answer for 10 s in the
    whole run, on a CI runner for 30 s.
  - Task arguments, loop items, labels, extra variables, output and results as such are never sent, and nothing of a
    task with C(no_log) but its name and its outcome. The message of a task that failed is, as Ansible shows it.
  - Address and token are found as the inventory script of Rollcall finds them, so that nothing needs to be set where
    that works. After the options below come C(~/.config/rollcall) (written by C(rollcall login)) and the token of the
    checkout that this file lies in.
requirements:
  - enabling it in C(callbacks_enabled)
options:
  url:
    description: Address of the service. C(http://127.0.0.1:7373) where nothing says otherwise.
    type: str
    env: [{name: ROLLCALL_URL}]
    ini: [{section: rollcall, key: url}]
  token:
    description: The token itself. It has no place in ansible.cfg.
    type: str
    secret: true
    env: [{name: ROLLCALL_TOKEN}]
  token_file:
    description: A file that holds the token.
    type: path
    env: [{name: ROLLCALL_TOKEN_FILE}]
    ini: [{section: rollcall, key: token_file}]
  token_command:
    description: A command that prints the token.
    type: str
    env: [{name: ROLLCALL_TOKEN_COMMAND}]
  ca:
    description: File with the certificates to trust, for https.
    type: path
    env: [{name: ROLLCALL_CA}]
    ini: [{section: rollcall, key: ca}]
  spool_dir:
    description: Where calls wait for the service. C(~/.local/state/rollcall/spool) where nothing is set.
    type: path
    env: [{name: ROLLCALL_SPOOL_DIR}]
    ini: [{section: rollcall, key: spool_dir}]
  change_ref:
    description: The issue or pull request that this run is for, as C(owner/repo#123). In a pull request's run on
      GitHub Actions it is found without this.
    type: str
    env: [{name: ROLLCALL_CHANGE_REF}]
  facts:
    description: Facts to send besides the usual ones, by their names in C(ansible_facts).
    type: list
    elements: str
    default: []
    env: [{name: ROLLCALL_FACTS}]
    ini: [{section: rollcall, key: facts}]
  diffs:
    description: Whether to send what C(--diff) shows, up to 16 KiB a result. Files hold secrets.
    type: bool
    default: false
    env: [{name: ROLLCALL_DIFFS}]
    ini: [{section: rollcall, key: diffs}]
"""

EXAMPLES = """
# ansible.cfg
[defaults]
callbacks_enabled = rollcall.cmdb.rollcall

[rollcall]
url = https://cmdb.example.org
token_file = ~/.config/rollcall/ansible.token
"""

import atexit
import contextlib
import fcntl
import functools
import getpass
import gzip
import hashlib
import http.client
import io
import json
import os
import re
import socket
import stat
import subprocess
import sys
import time
import urllib.parse
import uuid
from datetime import datetime, timezone

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as ansible_version

SHIM_VERSION = "0.1.0"
DEFAULT_URL = "http://127.0.0.1:7373"

# A play is posted within, once it has as many results or as old ones.
PART_RESULTS = 5000
PART_SECONDS = 30
PART_BYTES = 8 * 1024 * 1024

TEXT_BYTES = 4096
ITEMS_TEXT_BYTES = 16 * 1024
MOST_ITEMS = 10_000
DIFF_BYTES = 16 * 1024

CONNECT_SECONDS = 2
# 10 s are promised; a busy machine wakes us a little late.
PATIENCE_SECONDS = 9.5
CI_PATIENCE_SECONDS = 29.5
# What a service that answers may take, of the time that the run has taken.
FREE_SHARE = 0.03
# How long the spool is delivered from at one time, by a service that answers.
DELIVERY_SECONDS = 1
LAST_DELIVERY_SECONDS = 5
GIT_SECONDS = 1
SPOOL_BYTES = 64 * 1024 * 1024
DRAFT_SECONDS = 86400

CHANGE_REF = re.compile(r"[\w.-]+/[\w.-]+#\d+", re.ASCII)
COUNTS = ("ok", "changed", "failures", "unreachable", "skipped", "rescued", "ignored")
# As Ansible itself counts in its recap.
COUNTED_AS = {
    "ok": ("ok",),
    "changed": ("ok", "changed"),
    "failed": ("failures",),
    "unreachable": ("unreachable",),
    "skipped": ("skipped",),
    "ignored": ("ok", "ignored"),
}

FACT_MODULES = {
    prefix + name for prefix in ("", "ansible.builtin.", "ansible.legacy.") for name in ("setup", "gather_facts")
}
FACTS = """
    distribution distribution_version distribution_release os_family kernel architecture
    processor_vcpus processor_cores processor_count processor_nproc memtotal_mb
    all_ipv4_addresses all_ipv6_addresses default_ipv4 default_ipv6 hostname nodename fqdn domain
    machine_id product_uuid product_serial product_name system_vendor
    virtualization_role virtualization_type virtualization_tech_guest uptime_seconds python_version service_mgr
    ssh_host_key_ed25519_public ssh_host_key_ed25519_public_keytype ssh_host_key_ecdsa_public
    ssh_host_key_ecdsa_public_keytype ssh_host_key_rsa_public ssh_host_key_rsa_public_keytype
""".split()


class Failure(Exception):
    """Something is set wrongly; the message is for the operator."""


class Outage(Exception):
    """The service did not take the call now. The message goes on after "Rollcall at URL"."""

    def __init__(self, message, passing=True, alone=False):
        super().__init__(message)
        self.passing = passing
        self.alone = alone  # it may be this call that it cannot take


class Refusal(Exception):
    """The service never takes this call."""


def guarded(hook):
    """No fault of ours leaves a hook: in some threads of Ansible one would hang the playbook."""

    @functools.wraps(hook)
    def call(self, *args, **kwargs):
        if self.run or hook.__name__ == "v2_playbook_on_start":
            try:
                hook(self, *args, **kwargs)
            except Exception as error:
                self.fault(hook.__name__, error)

    return call


# --- what happens in a run ---


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "rollcall.cmdb.rollcall"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.faulty = False
        self.run = None
        self.pid = None
        self.totals = {}

    @guarded
    def v2_playbook_on_start(self, playbook):
        if not self.pid:
            self.pid = os.getpid()
            atexit.register(self.at_exit)
        try:
            service = Service(self.get_option)
            folder = self.get_option("spool_dir") or user_folder("XDG_STATE_HOME", "~/.local/state", "spool")
            self.run = Run(playbook, service, folder, self.get_option("change_ref"))
        except Failure as failure:
            self.say(f"Rollcall is told nothing of this run: {failure}")
            return
        self.more_facts = self.get_option("facts")
        self.diffs = self.get_option("diffs")

    @guarded
    def v2_playbook_on_play_start(self, play):
        # Each batch of a play with "serial" is announced as if it were the play.
        if self.run.play and self.run.play.play_id == play._uuid:
            self.run.post_if_due()
            return
        self.run.begin_play(play)

    @guarded
    def v2_playbook_on_task_start(self, task, is_conditional):
        self.run.begin_task(task, handler=False)

    @guarded
    def v2_playbook_on_handler_task_start(self, task):
        self.run.begin_task(task, handler=True)

    @guarded
    def v2_runner_on_start(self, host, task):
        self.run.started[host.name, task._uuid] = time.time()

    @guarded
    def v2_runner_on_ok(self, result):
        self.record(result, "changed" if result.is_changed() else "ok")

    @guarded
    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.record(result, "ignored" if ignore_errors else "failed")

    @guarded
    def v2_runner_on_unreachable(self, result):
        self.record(result, "unreachable")

    @guarded
    def v2_runner_on_skipped(self, result):
        self.record(result, "skipped")

    @guarded
    def v2_runner_item_on_ok(self, result):
        self.record_item(result, "changed" if result.is_changed() else "ok")

    @guarded
    def v2_runner_item_on_failed(self, result):
        self.record_item(result, "failed")

    @guarded
    def v2_runner_item_on_skipped(self, result):
        self.record_item(result, "skipped")

    @guarded
    def v2_runner_retry(self, result):
        attempts = self.run.attempts.setdefault(key_of(result), [])
        if len(attempts) < MOST_ITEMS:
            attempt = {"n": len(attempts) + 1, "at": stamp(time.time())}
            # An attempt may also be one that succeeded, and is made again by "until".
            data = of(result, "result")
            if data.get("failed") or data.get("rc") or data.get("failed_when_result"):
                add(attempt, msg=message(result))
            attempts.append(attempt)

    @guarded
    def v2_playbook_on_stats(self, stats):
        hosts = {}
        for host in stats.processed:
            totals = stats.summarize(host)
            # They go on counting over the playbooks of one command line.
            before = self.totals.get(host, {})
            counts = {key: totals[key] - before.get(key, 0) for key in COUNTS}
            if host not in self.totals or any(counts.values()):
                hosts[host] = counts
            self.totals[host] = totals
        outcome = "ok"
        if any(counts["unreachable"] for counts in hosts.values()):
            outcome = "unreachable"
        if any(counts["failures"] for counts in hosts.values()):
            outcome = "failed"
        self.end(outcome, hosts, waits=True)

    def at_exit(self):
        """Ansible says nothing at Ctrl-C, or where it gives up between plays; here it has not said its goodbye."""
        if self.run and os.getpid() == self.pid:
            try:
                self.end("interrupted", self.run.counts, waits=False)
            except Exception as error:
                self.fault("at_exit", error)
            except KeyboardInterrupt:
                pass

    def end(self, outcome, hosts, waits):
        run = self.run
        run.end(outcome, hosts, waits)
        self.run = None
        sentence = run.summary()
        if sentence:
            self.say(sentence)

    def record(self, result, status):
        run, host, task = self.run, of(result, "host").name, of(result, "task")
        key = host, task._uuid
        known = run.task_of(task)
        more = {}
        if status in ("failed", "ignored", "unreachable"):
            add(more, msg=message(result))
        elif known.gathers:
            self.take_facts(result)
        # In a loop it holds the template, where a version does not fill it in.
        if known.delegates and task.delegate_to and "{{" not in task.delegate_to:
            more["delegated_to"] = task.delegate_to
        if self.diffs:
            add(more, diff=self.diff_of(result))
        if key in run.items:
            more["items"] = run.items.pop(key)
        if key in run.attempts:
            more["attempts"] = run.attempts.pop(key)
        run.results.append((*key, status, run.started.pop(key, known.started), time.time(), more))

    def record_item(self, result, status):
        items = self.run.items.setdefault(key_of(result), [])
        if len(items) < MOST_ITEMS:
            item = {"n": len(items) + 1, "status": status}
            if status == "failed" and sum(len(other.get("msg", "")) for other in items) < ITEMS_TEXT_BYTES:
                add(item, msg=message(result))
            items.append(item)
        if status in ("ok", "changed") and self.run.task_of(of(result, "task")).gathers:
            self.take_facts(result)

    def take_facts(self, result):
        task = of(result, "task")
        facts = facts_of(of(result, "result").get("ansible_facts"), self.more_facts)
        if facts:
            host = task.delegate_to if task.delegate_to and task.delegate_facts else of(result, "host").name
            self.run.facts.append((host, facts))

    def diff_of(self, result):
        if is_censored(result):
            return None
        data = of(result, "result")
        diffs = [one.get("diff") for one in [data, *(data.get("results") or [])] if isinstance(one, dict)]
        text = "".join(self._get_diff(diff) for diff in diffs if diff)
        return cut(re.sub(r"\x1b\[[0-9;]*m", "", text), DIFF_BYTES)

    def fault(self, where, error):
        if self.faulty:
            return
        self.faulty = True
        line = error.__traceback__
        while line.tb_next:
            line = line.tb_next
        # What an exception says may hold anything.
        what = f"{type(error).__name__} in {where}, line {line.tb_lineno}"
        self.say(f"Rollcall's callback plugin failed ({what}): not all results of this run are recorded")

    def say(self, sentence):
        self._display.warning(" ".join("".join(c if c.isprintable() else " " for c in sentence).split()))


def of(result, name):
    """
    Its host, task or result. From ansible-core 2.19 on without the underscore; the class is asked,
    because asking the object for its result makes a whole copy of that.
    """
    return getattr(result, name) if hasattr(type(result), name) else getattr(result, "_" + name)


def key_of(result):
    return of(result, "host").name, of(result, "task")._uuid


def is_censored(result):
    data = of(result, "result")
    return bool(of(result, "task").no_log or data.get("_ansible_no_log") or "censored" in data)


def message(result):
    if is_censored(result):
        return None
    msg = of(result, "result").get("msg", "")
    return cut(msg if isinstance(msg, str) else json.dumps(msg, default=str))


def facts_of(gathered, more):
    """Of all that was gathered, what is named here: there are environments and custom facts among it."""
    if not isinstance(gathered, dict):
        return {}

    def fact(name):
        return gathered.get("ansible_" + name)

    facts = {name: fact(name) for name in (*FACTS, *more) if fact(name) is not None}
    if isinstance(fact("date_time"), dict):
        facts.setdefault("date_time", {"epoch": fact("date_time").get("epoch")})
    interfaces = {}
    for name in fact("interfaces") or []:
        interface = fact(name.replace("-", "_"))
        if isinstance(interface, dict) and interface.get("macaddress"):
            interfaces[name] = {key: interface.get(key) for key in ("macaddress", "type", "active")}
            interfaces[name]["addresses"] = addresses_on(interface)
    if interfaces:
        facts["interfaces"] = interfaces
    return facts


def addresses_on(interface):
    first = interface.get("ipv4")
    entries = [first if isinstance(first, dict) else None]
    for more in ("ipv4_secondaries", "ipv6"):
        entries += interface.get(more) if isinstance(interface.get(more), list) else []
    return [entry["address"] for entry in entries if isinstance(entry, dict) and entry.get("address")]


def add(row, **values):
    """An optional key is left out where there is nothing to say."""
    row.update((key, value) for key, value in values.items() if value is not None and value != "")


def cut(text, most=TEXT_BYTES):
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Play:
    def __init__(self, play, number):
        self.play_id = play._uuid
        self.number = number
        self.name = cut(play.get_name().strip())
        self.started = time.time()
        self.parts = 0


class Task:
    """What is the same for all hosts: Ansible looks up each of these anew, through all that the task lies in."""

    def __init__(self, task, handler, checkout):
        self.task_id = task._uuid
        self.started = time.time()
        self.gathers = task.action in FACT_MODULES
        self.delegates = task.delegate_to is not None
        path, _, line = (task.get_path() or "").rpartition(":")
        self.row = {
            "task_id": task._uuid,
            # As it starts, it bears the name that is on the screen.
            "name": cut(task.get_name().strip()),
            "action": getattr(task, "resolved_action", None) or task.action,
            "path": checkout.within(path) if path else None,
            "line": int(line) if line.isdigit() else None,
            "tags": sorted({cut(str(tag), 200) for tag in task.tags})[:1000],
            "handler": handler,
        }


class Run:
    """One playbook: what is held of it, and how it becomes calls."""

    def __init__(self, playbook, service, folder, change_ref):
        self.run_id = str(uuid.uuid4())
        self.began = time.time()
        self.origin, self.ci = origin()
        self.spool = Spool(folder, service, self.began, self.run_id, self.ci)
        self.change_ref = change_ref or ref_of_ci()
        self.path = os.path.abspath(playbook._file_name)
        self.checkout = Checkout(self.path)
        self.playbook = self.checkout.within(playbook._file_name)

        self.announced = False
        self.inventory = None
        self.play = None
        self.plays = self.posted = 0
        self.posted_at = time.monotonic()
        self.tasks = {}
        self.counts = {}
        self.hold_nothing()

    def hold_nothing(self):
        self.results, self.facts = [], []
        self.started, self.items, self.attempts = {}, {}, {}

    def begin_play(self, play):
        self.end_play(finished=True)
        self.plays += 1
        self.play = Play(play, self.plays)
        self.inventory = getattr(play.get_variable_manager(), "_inventory", None)
        self.announce()
        self.spool.deliver(DELIVERY_SECONDS)

    def begin_task(self, task, handler):
        self.post_if_due()
        if task._uuid not in self.tasks:
            self.tasks[task._uuid] = Task(task, handler, self.checkout)

    def task_of(self, task):
        if task._uuid not in self.tasks:
            self.begin_task(task, handler=False)
        return self.tasks[task._uuid]

    def post_if_due(self):
        if len(self.results) >= PART_RESULTS or (self.results and time.monotonic() - self.posted_at >= PART_SECONDS):
            self.post(finished=False)
            self.spool.deliver(DELIVERY_SECONDS)

    def end_play(self, finished):
        if self.play:
            self.post(finished)
            self.play = None
            self.hold_nothing()

    def end(self, outcome, hosts, waits):
        self.end_play(finished=outcome != "interrupted")
        self.announce()
        self.spool.put("/stats", {"finished_at": stamp(time.time()), "outcome": outcome, "hosts": hosts})
        self.spool.deliver(LAST_DELIVERY_SECONDS, last=True, waits=waits and self.ci)
        self.spool.settle()

    def post(self, finished):
        """Writes what is held of the play as parts. Nothing is let go of before it is written."""
        play, parts, posted = self.play, self.play.parts, self.posted
        rows = [self.row(posted + number, *result) for number, result in enumerate(self.results, 1)]
        facts = [self.with_id({"host": host, "facts": facts}) for host, facts in self.facts]
        while rows or facts or (finished and parts == play.parts):
            count = full_part(rows)
            now, rows = rows[:count], rows[count:]
            parts += 1
            body = {"number": play.number, "name": play.name, "started_at": stamp(play.started)}
            if finished and not rows:
                body["finished_at"] = stamp(time.time())
            body["tasks"] = [self.tasks[task_id].row for task_id in dict.fromkeys(row["task_id"] for row in now)]
            body["results"] = now
            if facts:
                body["facts"], facts = facts, []
            self.spool.put(f"/plays/{play.play_id}/parts/{parts}", body)
        play.parts = parts
        for host, _, status, *_ in self.results:
            counts = self.counts.setdefault(host, dict.fromkeys(COUNTS, 0))
            for counted in COUNTED_AS[status]:
                counts[counted] += 1
        self.posted += len(self.results)
        self.posted_at = time.monotonic()
        self.results, self.facts = [], []

    def row(self, number, host, task_id, status, started, ended, more):
        duration = max(0, round((ended - started) * 1000))
        row = {"n": number, "task_id": task_id, "host": host, "status": status}
        return self.with_id({**row, "started_at": stamp(started), "duration_ms": duration, **more})

    def with_id(self, row):
        """The id that the inventory gave this host, read as it stands there: nothing is templated for it."""
        host = self.inventory.hosts.get(row["host"]) if self.inventory else None
        given = host.vars.get("rollcall") if host else None
        ci_id = given.get("id") if isinstance(given, dict) else None
        if isinstance(ci_id, str):
            row["ci_id"] = ci_id
        return row

    def announce(self):
        if self.announced:
            return
        words = context.CLIARGS
        everyone = self.inventory.groups.get("all") if self.inventory else None
        version = everyone.vars.get("rollcall_inventory_version") if everyone else None
        body = {"playbook": self.playbook, "path": self.path, "started_at": stamp(self.began)}
        body.update(ansible_version=ansible_version, shim_version=SHIM_VERSION, user=user_name())
        body.update(controller=socket.gethostname(), origin=self.origin)
        body.update(check=bool(words.get("check")), diff=bool(words.get("diff")))
        body["limit"] = cut(words["subset"]) if words.get("subset") else None
        body["tags"] = [cut(tag) for tag in words.get("tags") or () if tag != "all"]
        body["skip_tags"] = [cut(tag) for tag in words.get("skip_tags") or ()]
        start = time.monotonic()
        body["git"] = self.checkout.state()
        self.spool.waited += time.monotonic() - start
        # The service refuses any other, and all that stands beside it.
        body["change_ref"] = self.change_ref if CHANGE_REF.fullmatch(self.change_ref or "") else None
        body["inventory_version"] = version if isinstance(version, str) else None
        self.spool.put("", body)
        self.announced = True

    def summary(self):
        """One sentence, where not all has arrived."""
        spool, said = self.spool, []
        rollcall = f"Rollcall at {spool.service.url}"
        waiting, lost = spool.waiting()
        if waiting or lost:
            said.append(f"{rollcall} {spool.trouble or 'did not take all in the time there is'}")
        if waiting:
            said.append(f"{calls(waiting)} with the results of {self.playbook} wait in {spool.folder} for the next run")
            if self.ci:
                said[-1] += f", and are lost with this CI runner unless that folder is kept (run {self.run_id})"
        if lost:
            why = f"{spool.folder} could not be written ({spool.unwritable})"
            said.append(f"{calls(lost)} of run {self.run_id} of {self.playbook} are lost: {why}")
        if spool.refused:
            why, kept = spool.refused[0]
            said.append(f"{rollcall} refused {calls(len(spool.refused))} ({why}), {kept}")
        if spool.dropped:
            bound = f"which is kept to {SPOOL_BYTES // 1024 // 1024} MiB"
            said.append(f"{calls(spool.dropped)} were dropped, as the oldest, from {spool.folder}, {bound}")
        if self.change_ref and not CHANGE_REF.fullmatch(self.change_ref):
            said.append("ROLLCALL_CHANGE_REF is left out: it is not of the form owner/repo#123")
        return "; ".join(said)


def calls(count):
    return "1 call" if count == 1 else f"{count} calls"


def full_part(rows):
    """How many of these rows go into one part."""
    size = 0
    for count, row in enumerate(rows[:PART_RESULTS]):
        items = row.get("items", ())
        size += 250 + len(row.get("msg", "")) + len(row.get("diff", "")) + 30 * len(items)
        size += sum(len(item.get("msg", "")) for item in items)
        if count and size > PART_BYTES:
            return count
    return PART_RESULTS


# --- where a run comes from ---


def origin():
    """What started this run, and whether that is a CI runner: a machine that may be thrown away right after."""
    env = os.environ.get
    if env("GITHUB_ACTIONS") == "true":
        url = f"{env('GITHUB_SERVER_URL')}/{env('GITHUB_REPOSITORY')}/actions/runs/{env('GITHUB_RUN_ID')}"
        return {"kind": "github-actions", "url": url}, True
    if env("GITLAB_CI"):
        return {"kind": "gitlab-ci", "url": env("CI_JOB_URL")}, True
    if env("AWX_HOST") and env("JOB_ID"):
        return {"kind": "awx", "url": f"{env('AWX_HOST')}/#/jobs/playbook/{env('JOB_ID')}/output"}, True
    # Semaphore tells a playbook of itself in extra variables alone; its folders are named like no other.
    if env("SEMAPHORE_TASK_DETAILS_ID") or re.search(r"/repository_\d+(_template_\d+)?$", env("PWD") or ""):
        return {"kind": "semaphore", "url": env("SEMAPHORE_TASK_DETAILS_URL")}, False
    if env("CI"):
        return {"kind": "ci", "url": env("BUILD_URL")}, True
    if any(os.isatty(descriptor) for descriptor in (0, 1, 2)):
        return {"kind": "terminal", "url": None}, False
    if env("INVOCATION_ID") and not env("TERM"):
        return {"kind": "systemd", "url": None}, False
    return {"kind": "other" if env("TERM") else "cron", "url": None}, False


def ref_of_ci():
    pull = re.fullmatch(r"refs/pull/(\d+)/\w+", os.environ.get("GITHUB_REF", ""))
    return f"{os.environ.get('GITHUB_REPOSITORY')}#{pull[1]}" if pull else None


def user_name():
    try:
        return getpass.getuser()
    except Exception:  # a user without a name; what is raised depends on the version
        return str(os.getuid())


class Checkout:
    """The git repository that the playbook lies in. Asked as the run starts, read when it is announced."""

    def __init__(self, path):
        folder = os.path.dirname(path)
        while not os.path.exists(os.path.join(folder, ".git")):
            folder, below = os.path.dirname(folder), folder
            if folder == below:
                folder = None
                break
        self.folder = folder
        self.status = self.ask("status", "--porcelain=v2", "--branch", "--untracked-files=no") if folder else None
        self.remote = self.ask("config", "--get", "remote.origin.url") if folder else None

    def ask(self, *words):
        try:
            return subprocess.Popen(
                ["git", "-C", self.folder, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            )
        except OSError:
            return None

    def within(self, path):
        """A path as it stands in the repository, so that it is the same wherever that is checked out."""
        whole = os.path.abspath(path)
        inside = self.folder and whole.startswith(os.path.join(self.folder, ""))
        return cut(os.path.relpath(whole, self.folder) if inside else path)

    def state(self):
        env = os.environ.get
        end = time.monotonic() + GIT_SECONDS
        status, remote = answer(self.status, end), answer(self.remote, end)
        head = dict(re.findall(r"^# branch\.(oid|head) (.+)$", status or "", re.MULTILINE))
        commit = head.get("oid") or env("GITHUB_SHA") or env("CI_COMMIT_SHA") or env("PROJECT_REVISION")
        if not commit:
            return None
        branch = head.get("head")
        if branch in (None, "(detached)"):
            branch = env("GITHUB_HEAD_REF") or env("GITHUB_REF_NAME") or env("CI_COMMIT_REF_NAME")
        return {
            # An address may hold a password.
            "repo": re.sub(r"^(\w+://)[^/@]*@", r"\1", remote.strip()) if remote else None,
            "commit": None if commit == "(initial)" else commit,
            "branch": branch or None,
            "dirty": bool(re.search(r"^[^#]", status, re.MULTILINE)) if status else None,
        }


def answer(process, end):
    """What it printed, if it ends well and in time."""
    if not process:
        return None
    try:
        output, _ = process.communicate(timeout=max(0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        # Its end is not waited for: it may hang in the kernel, or have started what holds its output open.
        process.kill()
        return None
    return output.decode("utf-8", "replace") if process.returncode == 0 else None


# --- the spool ---


class Spool:
    """
    The calls that the service does not have yet, one file each: a line of JSON (where the call goes),
    then its body, packed by gzip. The names sort in the order of the calls.

    Whoever sends a file has it locked, and deletes it after that; the kernel frees the lock of a
    process that is killed. What the service will never take is kept under a name that says so.
    """

    def __init__(self, folder, service, began, run_id, ci):
        self.folder = folder
        self.service = service
        self.base = f"/api/v1/runs/{run_id}"
        self.prefix = f"{re.sub('[-:]', '', stamp(began))}-{run_id[:8]}-"
        # What waits for another service is none of this one's business.
        self.suffix = f"-{hashlib.sha256(service.url.encode()).hexdigest()[:8]}.call"
        self.calls = 0
        self.unwritten, self.unwritable, self.lost = {}, "", 0
        self.unsynced = []
        self.patience = CI_PATIENCE_SECONDS if ci else PATIENCE_SECONDS
        self.longest = self.patience / 2
        self.began, self.waited, self.answered = time.monotonic(), 0, 0
        self.down, self.doubtful, self.passing, self.trouble = False, False, True, ""
        self.refused, self.dropped = [], 0

    def put(self, path, body):
        head = {"rollcall_call": 1, "service": self.service.url, "method": "PUT", "path": self.base + path}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str)
        data = json.dumps(head).encode() + b"\n" + gzip.compress(text.encode("utf-8", "replace"), 6)
        self.calls += 1
        name = f"{self.prefix}{self.calls:06d}{self.suffix}"
        draft = os.path.join(self.folder, name + ".draft")
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                with open(handle, "wb") as file:
                    file.write(data)
                os.rename(draft, os.path.join(self.folder, name))
            except OSError:
                os.unlink(draft)
                raise
            self.unsynced.append(name)
        except OSError as error:
            self.unwritten[name] = data
            self.unwritable = (error.strerror or str(error)).lower()
            while sum(len(other) for other in self.unwritten.values()) > SPOOL_BYTES:
                del self.unwritten[min(self.unwritten)]
                self.lost += 1
        if self.down:
            self.settle()

    def left(self):
        """How long it may still wait in this run, for whatever that is."""
        free = FREE_SHARE * (time.monotonic() - self.began)
        return self.patience - self.waited - max(0, self.answered - free)

    def deliver(self, seconds, last=False, waits=False):
        """Sends what waits, in order, for that long. A service that failed is asked once more at last."""
        if self.down and not last:
            return
        start = time.monotonic()
        self.deadline = start + self.left()
        self.down = False
        try:
            for name in self.names():
                if time.monotonic() >= start + seconds or self.down:
                    break
                self.send(name)
        finally:
            took = time.monotonic() - start
            if self.down:
                self.waited += took
            else:
                self.answered += took
        if not self.down:
            return
        self.settle()
        while waits and self.passing and self.left() > CONNECT_SECONDS:
            self.waited += CONNECT_SECONDS
            time.sleep(CONNECT_SECONDS)
            self.deliver(seconds, last=True)
            waits = self.down

    def names(self):
        try:
            there = [name for name in os.listdir(self.folder) if name.endswith(self.suffix)]
        except OSError:
            there = []
        return sorted([*there, *self.unwritten])

    def send(self, name):
        if name in self.unwritten:
            if self.call(name, self.unwritten[name]):
                self.unwritten.pop(name, None)
            return
        with self.locked(name) as file:
            if file and self.call(name, file.read()):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self.folder, name))

    @contextlib.contextmanager
    def locked(self, name):
        """The file; none where somebody else is sending it, or has sent it."""
        try:
            path = os.path.join(self.folder, name)
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            yield None
            return
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            mine = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Without a link it is gone.
                mine = mine and os.fstat(handle).st_nlink
            except OSError:
                mine = False
            yield file if mine else None

    def call(self, name, data):
        """Whether the service has it now."""
        # Until it has answered: Ctrl-C may end the waiting.
        self.down = True
        try:
            head, _, body = data.partition(b"\n")
            self.service.put(json.loads(head)["path"], body, min(self.longest, self.deadline - time.monotonic()))
        except Outage as outage:
            self.trouble, self.passing = str(outage), outage.passing
            # One call that breaks the service does not keep back all others.
            self.down = not outage.alone or self.doubtful
            self.doubtful = outage.alone
            return False
        except Refusal as refusal:
            self.set_aside(name, str(refusal))
        except (ValueError, KeyError):
            self.set_aside(name, "it is damaged")
        except KeyboardInterrupt:
            self.patience = 0
            raise
        self.down = self.doubtful = False
        return True

    def set_aside(self, name, why):
        self.down = False
        path = os.path.join(self.folder, name)
        try:
            os.rename(path, path + ".refused")
            self.refused.append((why, f"kept as {path}.refused"))
        except OSError:
            self.refused.append((why, "kept nowhere"))

    def settle(self):
        """Makes what waits outlast a power cut, and the whole no larger than it may be."""
        start = time.monotonic()
        with contextlib.suppress(OSError):
            waiting = [name for name in self.unsynced if os.path.exists(os.path.join(self.folder, name))]
            for path in [os.path.join(self.folder, name) for name in waiting] + [self.folder] * bool(waiting):
                handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
            self.unsynced = []
            self.shorten()
        self.waited += time.monotonic() - start

    def shorten(self):
        files = sorted((entry for entry in os.scandir(self.folder) if ".call" in entry.name), key=lambda e: e.name)
        sizes = {entry.path: entry.stat(follow_symlinks=False) for entry in files}
        size = sum(status.st_size for status in sizes.values())
        for path, status in sizes.items():
            left_over = path.endswith(".draft") and status.st_mtime < time.time() - DRAFT_SECONDS
            if left_over or size > SPOOL_BYTES:
                os.unlink(path)
                size -= status.st_size
                self.dropped += not left_over

    def waiting(self):
        """How many calls of this run are in the spool and go nowhere now, and how many are nowhere."""
        waiting = 0
        for name in self.names():
            if name.startswith(self.prefix) and name not in self.unwritten:
                with self.locked(name) as file:
                    waiting += file is not None
        return waiting, len(self.unwritten) + self.lost


# --- the call ---


class Service:
    """Where it is, who we are to it, and how it takes a call."""

    def __init__(self, option):
        self.option = option
        self.login = user_folder("XDG_CONFIG_HOME", "~/.config")
        self.url, self.host, self.port = address(option("url") or self.login_url() or DEFAULT_URL)
        self.parts = urllib.parse.urlsplit(self.url)
        self.tls = self.trust() if self.parts.scheme == "https" else None
        self.token = ""
        self.addresses = []

    def put(self, path, body, seconds):
        """Returns once the service has it. In no more than so many seconds, whatever that does."""
        end = time.monotonic() + seconds
        if seconds <= 0:
            raise Outage("did not answer in time")
        if not self.token:
            self.token = self.find_token(seconds)
        head = (
            f"PUT {self.parts.path}{path} HTTP/1.1\r\nHost: {self.parts.netloc}\r\n"
            f"Authorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n"
            f"Accept: application/json\r\nUser-Agent: rollcall-callback/{SHIM_VERSION}\r\nConnection: close\r\n\r\n"
        )
        try:
            with self.connected(end) as peer:
                # It may answer, and hang up, before it has read all.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    peer.settimeout(left(end))
                    peer.sendall(head.encode() + body)
                received = everything(peer, end)
        except TimeoutError:
            raise Outage("cannot be reached in time") from None
        except OSError as error:
            reason = getattr(error, "verify_message", "") or error.strerror or type(error).__name__
            raise Outage(f"cannot be reached ({str(reason).lower()})") from None
        self.judge(received, left(end) <= MOMENT)

    def connected(self, end):
        if not self.addresses:
            self.addresses = addresses_of(self.host, left(end))
        for number, one in enumerate(self.addresses, 1):
            try:
                peer = socket.create_connection((one, self.port), timeout=min(CONNECT_SECONDS, left(end)))
                break
            except OSError:
                if number == len(self.addresses):
                    raise
        if not self.tls:
            return peer
        peer.settimeout(min(CONNECT_SECONDS, left(end)))
        try:
            return self.tls.wrap_socket(peer, server_hostname=self.host)
        except BaseException:
            peer.close()
            raise

    def judge(self, received, late):
        response = http.client.HTTPResponse(Received(received))
        try:
            response.begin()
            body = response.read()
            whole = response.headers.get_content_type().endswith("json") and json.loads(body)
        except http.client.RemoteDisconnected:
            raise Outage("did not answer in time" if late else "broke off its answer") from None
        except http.client.HTTPException:
            raise Outage("did not answer in full in time" if late else "broke off its answer") from None
        except ValueError:
            whole = None
        status = response.status
        said = whole.get("detail") if isinstance(whole, dict) else None
        detail = f": {said[:200].rstrip('.')}" if isinstance(said, str) else ""
        if status in (401, 403):
            raise Outage(f"does not accept the token from {self.token_from} ({status}{detail})", passing=False)
        if status in (408, 429) or status >= 500:
            raise Outage(f"answers {status}{detail}", alone=status == 500)
        if status >= 400 and (isinstance(whole, dict) or status == 413):
            raise Refusal(f"{status}{detail}")
        if not 200 <= status < 300 or not isinstance(whole, dict):
            raise Outage(f"answers {status} with {response.headers.get_content_type()}, which is not its own", False)

    def login_url(self):
        return read_text(os.path.join(self.login, "url"))

    def trust(self):
        import ssl

        named = self.option("ca")
        try:
            trusted = ssl.create_default_context(cafile=named or None)
        except (OSError, ValueError) as error:
            raise Failure(f"no certificates can be read from {named} ({error})") from None
        if named:
            # Python 3.13 also asks for extensions that a home-made authority often lacks; the signature,
            # the dates and the name are verified all the same.
            trusted.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        return trusted

    def find_token(self, seconds):
        token, self.token_from = self.named_token(seconds) or self.found_token()
        if not re.fullmatch(r"[!-~]+", token):
            raise Outage(f"is told nothing, because what {self.token_from} holds is no token", passing=False)
        return token

    def named_token(self, seconds):
        """One that is named goes to whatever address is in force."""
        path = self.option("token_file")
        if self.option("token"):
            return self.option("token").strip(), "ROLLCALL_TOKEN"
        if path and os.environ.get("ROLLCALL_TOKEN_FILE"):
            return read_text(path), path
        if self.option("token_command"):
            return printed_by(self.option("token_command"), seconds), "ROLLCALL_TOKEN_COMMAND"
        return (read_text(path), path) if path else None

    def found_token(self):
        """One that is found goes only where it was made for."""
        path = os.path.join(self.login, "token")
        login_url = self.login_url()
        if os.path.lexists(path) and login_url and address(login_url)[0] == self.url:
            return read_text(path), path
        here = os.path.realpath(__file__).split(os.sep)
        data = os.environ.get("ROLLCALL_DATA")
        if not data and here[-4:-1] == ["ansible", "plugins", "callback"]:
            data = os.path.join(os.sep, *here[:-4], "data")
        if data and is_loopback(self.host):
            path = os.path.join(os.path.abspath(os.path.expanduser(data)), "ansible.token")
            if os.path.lexists(path):
                return read_text(path), path
        raise Outage(
            'is told nothing, because no token for it was found: set ROLLCALL_TOKEN_FILE, or run "rollcall login"',
            passing=False,
        )


MOMENT = 0.01


def left(end):
    """Never 0, which would mean no limit, or not to wait at all."""
    return max(MOMENT, end - time.monotonic())


def everything(peer, end):
    """All it says until it hangs up, or the time is over."""
    received = bytearray()
    with contextlib.suppress(OSError):
        while time.monotonic() < end and len(received) < PART_BYTES:
            peer.settimeout(left(end))
            piece = peer.recv(65536)
            if not piece:
                break
            received += piece
    return bytes(received)


class Received:
    """What was received, in the form in which http.client reads an answer."""

    def __init__(self, received):
        self.received = received

    def makefile(self, *_):
        return io.BytesIO(self.received)


def addresses_of(host, seconds):
    """In a process of its own: a look-up can take minutes, and cannot be ended from inside."""
    if host == "localhost":
        return ["127.0.0.1", "::1"]
    if re.fullmatch(r"[\d.]+|.*:.*", host):
        return [host]
    program = "import socket,sys\nfor a in socket.getaddrinfo(sys.argv[1], 80, 0, socket.SOCK_STREAM): print(a[4][0])"
    try:
        found = subprocess.run(
            [sys.executable, "-I", "-S", "-c", program, host],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=min(CONNECT_SECONDS, seconds),
            check=False,
        ).stdout.split()
    except subprocess.TimeoutExpired:
        raise Outage("is not found: no name server answered in time") from None
    if not found:
        raise Outage("is not found: no such host name")
    return list(dict.fromkeys(found))


def address(text):
    """The address in its one form, its host and its port. It is not repeated: it may hold a password."""
    wrong = "its address is none of a service, which looks like https://cmdb.example.org:7373"
    try:
        parts = urllib.parse.urlsplit(text.strip())
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Failure(wrong) from None
    plain = re.fullmatch(r"[!-~]+", (parts.hostname or " ") + parts.path)
    if (
        parts.scheme not in ("http", "https")
        or not plain
        or parts.query
        or parts.fragment
        or parts.username is not None
    ):
        raise Failure(wrong)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown_port = "" if parts.port is None or port == (443 if parts.scheme == "https" else 80) else f":{port}"
    return f"{parts.scheme}://{host}{shown_port}{parts.path.rstrip('/')}", parts.hostname, port


def is_loopback(host):
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def user_folder(variable, usual, *below):
    base = os.environ.get(variable, "")
    if not os.path.isabs(base):
        base = os.path.expanduser(usual)
    # A user without a home has no such folder: one below a file, never one called "~" in the working directory.
    return os.path.join(base if os.path.isabs(base) else os.devnull, "rollcall", *below)


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4096).strip()
    except OSError:
        return ""


def printed_by(command, seconds):
    # No stdin and a session of its own: one that would ask for a password fails, and can be ended whole.
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        # As with git, its end is not waited for.
        os.killpg(process.pid, 9)
        return ""
    return output.decode(errors="replace").strip() if process.returncode == 0 else ""
