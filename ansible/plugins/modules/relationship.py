#!/usr/bin/python
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: relationship
short_description: Say what a configuration item of Rollcall is to another one
version_added: 0.1.0
author: Rollcall contributors
description:
  - Says for the person behind the token that an item depends on, runs on, connects to or is a member of another one, or
    takes that back. A relationship stands while anyone says so.
options:
  ci:
    description: The name or the id of the item. The variable C(rollcall.id) of a host is its id.
    type: str
    required: true
  ci_type:
    description: The type of the item, where several bear the name.
    type: str
  site_id:
    description: The site of the item, where several bear the name.
    type: str
  type:
    description: C(depends_on), C(runs_on), C(connects_to), C(member_of), or a word of your own in lower case with
      underscores.
    type: str
    required: true
  target:
    description: The name or the id of the other item. A name is found at the item's own site first.
    type: str
    required: true
  strength:
    description: How much hangs on it.
    type: str
    choices: [critical, strong, weak]
    default: strong
  note:
    description: Anything else.
    type: str
  state:
    description: C(present) says so, C(absent) takes it back. What only others say stays, which is a warning.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - rollcall.cmdb.service.module
attributes:
  check_mode:
    description: The service says what the task would come to, and keeps nothing of it.
    support: full
  diff_mode:
    description: Shows who says so, and how, before and after.
    support: full
"""

EXAMPLES = r"""
- name: Say what the web servers cannot do without
  rollcall.cmdb.relationship:
    ci: "{{ rollcall.id }}"
    type: depends_on
    target: db-1
    strength: critical
    note: sessions
  delegate_to: localhost

- name: Take it back
  rollcall.cmdb.relationship: {ci: web-1, type: depends_on, target: db-1, state: absent}
  delegate_to: localhost
"""

RETURN = r"""
relationship:
  description: The relationship as this token's name says it then, or in check mode would say it; null once taken back.
  returned: success
  type: dict
  sample: {relationship_type: depends_on, relationship_strength: critical, direction: out, ci_name: db-1,
    source: "manual:alice", note: sessions}
still_said_by:
  description: The sources by which it stands all the same.
  returned: when it was taken back
  type: list
  elements: str
"""

from ansible_collections.rollcall.cmdb.plugins.module_utils.service import Refusal
from ansible_collections.rollcall.cmdb.plugins.module_utils.task import Task, item_path


def main():
    options = {
        "ci": {"type": "str", "required": True},
        "ci_type": {"type": "str"},
        "site_id": {"type": "str"},
        "type": {"type": "str", "required": True},
        "target": {"type": "str", "required": True},
        "strength": {"type": "str", "choices": ["critical", "strong", "weak"], "default": "strong"},
        "note": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    task = Task(options)
    task.run(take_back if task.params["state"] == "absent" else say)


def say(task):
    params = task.params
    before = rows(task)
    body = {"relationship_strength": params["strength"], "note": params["note"]}
    _, after = task.write("PUT", path_of(params), narrow(params), body)
    former = next((row for row in before if all(row[key] == after[key] for key in ("ci_id", "source"))), None)
    return task.result(former, after, relationship=after)


def take_back(task):
    before = rows(task)
    try:
        _, told = task.write("DELETE", path_of(task.params), narrow(task.params))
    except Refusal as refusal:
        others = refusal.problem.get("said_by")
        if others:
            task.module.warn(str(refusal))
        elif refusal.status != 404:
            raise
        return task.result(None, None, relationship=None, still_said_by=others or [])
    others = told["still_said_by"]
    taken = [row for row in before if row["ci_id"] == told["ci_id"] and row["source"] not in others]
    # A name that no item bears yet is said, and has no row.
    return task.result(taken[0] if taken else told, None, relationship=None, still_said_by=others)


def rows(task):
    """What is said so far, by all."""
    query = {**narrow(task.params), "relationship_types": task.params["type"], "direction": "out", "limit": 1000}
    return task.read(item_path(task.params["ci"], "relationships"), query)["items"]


def path_of(params):
    return item_path(params["ci"], "relationships", params["type"], params["target"])


def narrow(params):
    return {key: params[key] for key in ("ci_type", "site_id")}


if __name__ == "__main__":
    main()
