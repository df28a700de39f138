"""Writes down each hook of a run as Ansible calls it, one line of JSON each, into the file that REFERENCE_LOG names."""

DOCUMENTATION = """
name: reference
type: notification
short_description: What the tests compare with
description: It shares no code with the plugin that is tested.
"""

import json
import os

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "reference"
    CALLBACK_NEEDS_ENABLED = True

    def write(self, hook, **what):
        with open(os.environ["REFERENCE_LOG"], "a") as file:
            file.write(json.dumps({"hook": hook, **what}) + "\n")

    def result(self, hook, result, **what):
        task = result._task
        self.write(
            hook,
            host=result._host.get_name(),
            task=task.get_name(),
            task_id=task._uuid,
            action=task.action,
            changed=bool(result._result.get("changed")),
            **what,
        )

    def v2_playbook_on_start(self, playbook):
        self.write("start")

    def v2_playbook_on_play_start(self, play):
        self.write("play", name=play.get_name(), play_id=play._uuid)

    def v2_playbook_on_task_start(self, task, is_conditional):
        self.write("task", name=task.get_name(), task_id=task._uuid, handler=False)

    def v2_playbook_on_handler_task_start(self, task):
        self.write("task", name=task.get_name(), task_id=task._uuid, handler=True)

    def v2_runner_on_ok(self, result):
        self.result("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.result("failed", result, ignored=bool(ignore_errors))

    def v2_runner_on_unreachable(self, result):
        self.result("unreachable", result)

    def v2_runner_on_skipped(self, result):
        self.result("skipped", result)

    def v2_runner_item_on_ok(self, result):
        self.result("item_ok", result)

    def v2_runner_item_on_failed(self, result):
        self.result("item_failed", result)

    def v2_runner_item_on_skipped(self, result):
        self.result("item_skipped", result)

    def v2_runner_retry(self, result):
        self.result("retry", result)
