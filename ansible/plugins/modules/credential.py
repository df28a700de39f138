#!/usr/bin/python
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: credential
short_description: Record a credential in Rollcall, or say that it was rotated
version_added: 0.1.0
author: Rollcall contributors
description:
  - Rollcall knows of a credential what it is called, when it has to be rotated and who uses it. The secret itself is
    never sent; what looks like one is refused.
  - The token needs the scope C(credentials:write).
options:
  name:
    description: What it is called; with C(state=rotated) its id does as well.
    type: str
    required: true
  state:
    description: C(present) records it, or alters what is recorded of one of that name and type. C(rotated) says that
      there is a new secret, which closes its issue, and counts from now when it is due next.
    type: str
    choices: [present, rotated]
    default: present
  type:
    description: A word of your own by which policies name it, such as C(ssh_key) or C(api_token).
    type: str
  owner:
    description: Whose it is, an address or a name.
    type: str
  vaultwarden_item:
    description: Its item in the vault, the id or the exact name.
    type: str
  lifecycle_state:
    description: What has become of it.
    type: str
    choices: [planned, active, rotating, compromised, retired]
  rotation_period_days:
    description: How many days one is used.
    type: int
  next_rotation_due:
    description: A date such as C(2027-01-31); counted from its last rotation and its period unless given.
    type: str
  expires_at:
    description: When it ends by itself, as a certificate does.
    type: str
  notes:
    description: What people should know of it.
    type: str
  runbook_url:
    description: Where it is described how it is rotated.
    type: str
  used_by:
    description: Items that use it, which are added to those that are known.
    type: list
    elements: dict
    suboptions:
      ci:
        description: The name or the id of the item.
        type: str
        required: true
      role:
        description: As what it uses it, such as C(deploy).
        type: str
  note:
    description: With C(state=rotated), what was done; it stands in the issue.
    type: str
extends_documentation_fragment:
  - rollcall.cmdb.service.module
attributes:
  check_mode:
    description: The service says what the task would come to, and keeps nothing of it.
    support: full
  diff_mode:
    description: Shows what is recorded before and after.
    support: full
"""

EXAMPLES = r"""
- name: Record a key and who uses it
  rollcall.cmdb.credential:
    name: deploy key
    type: ssh_key
    owner: ann@example.org
    vaultwarden_item: infra/deploy-key
    rotation_period_days: 180
    used_by: [{ci: web-1, role: deploy}, {ci: web-2, role: deploy}]
  delegate_to: localhost
  run_once: true

- name: Say that there is a new one
  rollcall.cmdb.credential:
    name: deploy key
    state: rotated
    note: by the playbook rotate.yml
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
credential:
  description: What is recorded then, or in check mode would be.
  returned: success
  type: dict
  sample: {credential_name: deploy key, next_rotation_due: "2027-05-26", days_left: 180, urgency: none}
"""

import urllib.parse

from ansible_collections.rollcall.cmdb.plugins.module_utils.task import Task

KEYS = {
    "type": "credential_type",
    "owner": "owner_email",
    "vaultwarden_item": "vaultwarden_item_id",
    "lifecycle_state": "lifecycle_state",
    "rotation_period_days": "rotation_period_days",
    "next_rotation_due": "next_rotation_due",
    "expires_at": "expires_at",
    "notes": "notes",
    "runbook_url": "runbook_url",
}
ROTATED = ("expires_at", "next_rotation_due", "note")


def main():
    user = {"ci": {"type": "str", "required": True}, "role": {"type": "str"}}
    options = {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "rotated"], "default": "present"},
        "type": {"type": "str"},
        "owner": {"type": "str"},
        "vaultwarden_item": {"type": "str"},
        "lifecycle_state": {
            "type": "str",
            "choices": ["planned", "active", "rotating", "compromised", "retired"],
        },
        "rotation_period_days": {"type": "int"},
        "next_rotation_due": {"type": "str"},
        "expires_at": {"type": "str"},
        "notes": {"type": "str"},
        "runbook_url": {"type": "str"},
        "used_by": {"type": "list", "elements": "dict", "options": user},
        "note": {"type": "str"},
    }
    Task(options, required_if=[("state", "present", ["type"])]).run(credential)


def credential(task):
    params = task.params
    if params["state"] == "rotated":
        path = "/credentials/" + urllib.parse.quote(params["name"], safe="")
        before = task.read(path)
        body = {key: params[key] for key in ROTATED if params[key] is not None}
        _, after = task.write("POST", path + "/rotated", body=body)
        # Two within one second are two all the same.
        return {**task.result(standing(before), standing(after), credential=after), "changed": True}
    named = {"credential_name": params["name"]}
    body = {**named, **{key: params[option] for option, key in KEYS.items() if params[option] is not None}}
    if params["used_by"] is not None:
        body["associations"] = [{"ci_name": user["ci"], "role": user["role"]} for user in params["used_by"]]
    known = task.read("/credentials", named)["items"]
    before = next((one for one in known if one["lifecycle_state"] != "retired"), None)
    users = used_by(task, before)
    _, after = task.write("POST", "/credentials", body=body)
    now = added(users, body) if task.module.check_mode else used_by(task, after)
    return task.result({**standing(before), **users}, {**standing(after), **now}, credential=after)


def standing(one):
    """What is recorded, without what follows from it and from the day that it is."""
    passing = ("updated_at", "days_left", "urgency", "issue")
    return {key: value for key, value in (one or {}).items() if key not in passing}


def used_by(task, one):
    """By name, as what items use it."""
    if one is None:
        return {"used_by": {}}
    rows = task.read(f"/credentials/{one['credential_id']}/associations", {"limit": 1000})["items"]
    return {"used_by": {row["ci_name"]: row["role"] for row in rows}}


def added(users, body):
    """As it would be, by the names that were said."""
    said = {user["ci_name"]: user["role"] for user in body.get("associations", [])}
    return {"used_by": {**users["used_by"], **said}}


if __name__ == "__main__":
    main()
