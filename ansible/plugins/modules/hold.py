#!/usr/bin/python
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: hold
short_description: Hold a configuration item of Rollcall in maintenance, or release it
version_added: 0.1.0
author: Rollcall contributors
description:
  - A held item is in maintenance and out of the inventory from the next time that Ansible reads it; the run that holds
    it goes on with it.
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
  state:
    description: C(present) holds it, C(absent) releases it.
    type: str
    choices: [present, absent]
    default: present
  reason:
    description: Why it is held, which is needed, or why it is released.
    type: str
  until:
    description: When the hold ends by itself, a time such as C(2027-01-31T22:00), or a span from now such as C(2h). A
      span is counted anew each time, so that a task that says one is changed each time.
    type: str
extends_documentation_fragment:
  - rollcall.cmdb.service.module
attributes:
  check_mode:
    description: The service says what the task would come to, and keeps nothing of it.
    support: full
  diff_mode:
    description: Shows the hold before and after.
    support: full
"""

EXAMPLES = r"""
- name: Work on a machine without anyone else's plays in the way
  hosts: db-1
  tasks:
    - name: Hold it
      rollcall.cmdb.hold:
        ci: "{{ rollcall.id }}"
        reason: new disk
        until: 4h
      delegate_to: localhost

    - name: Move the data
      ansible.builtin.command: /usr/local/sbin/move-data

    - name: Release it
      rollcall.cmdb.hold: {ci: "{{ rollcall.id }}", state: absent, reason: the disk is in}
      delegate_to: localhost
"""

RETURN = r"""
hold:
  description: The hold as it is then, or in check mode as it would be; null where it is not held.
  returned: success
  type: dict
  sample: {reason: new disk, by: "manual:alice", until: "2027-01-31T22:00:00.000Z"}
ci:
  description: The item.
  returned: success
  type: dict
  sample: {ci_id: 019c8f0e-7b5a-7c1e-9a55-0d5a0b4b8f10, ci_name: db-1, ci_status: maintenance, site_id: site-home}
"""

from ansible_collections.rollcall.cmdb.plugins.module_utils.task import Task, item_path


def main():
    options = {
        "ci": {"type": "str", "required": True},
        "ci_type": {"type": "str"},
        "site_id": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "reason": {"type": "str"},
        "until": {"type": "str"},
    }
    Task(options, required_if=[("state", "present", ["reason"])]).run(hold)


def hold(task):
    params = task.params
    before = task.read(item_path(params["ci"]), {key: params[key] for key in ("ci_type", "site_id")})
    path = item_path(before["ci_id"], "hold")
    if params["state"] == "present":
        body = {key: params[key] for key in ("reason", "until") if params[key] is not None}
        _, after = task.write("PUT", path, body=body)
    else:
        _, after = task.write("DELETE", path, {"reason": params["reason"]})
    return task.result(before["hold"], after["hold"], hold=after["hold"], ci=after)


if __name__ == "__main__":
    main()
