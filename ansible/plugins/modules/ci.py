#!/usr/bin/python
# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ci
short_description: Register, describe, retire or hide a configuration item of Rollcall
version_added: 0.1.0
author: Rollcall contributors
description:
  - Says something of an item. What the task leaves out stands as it is; what it says of an item in one run is added to
    what it said in another.
  - An item that is there by that name is written to. One that is not, or is retired or hidden, is registered, and so
    brought back, unless O(ci_status) says C(retired) as well.
  - A task speaks for the person behind its token, or for the kind of source that O(managed_by) names. What another
    source outranks is a warning, and stands in RV(shadowed).
options:
  name:
    description: The name of the item. With O(ci_id) it is the name that it gets.
    type: str
    aliases: [ci_name]
  ci_id:
    description: The id of the item.
    type: str
  state:
    description:
      - C(present) registers or writes, C(absent) hides the item. A source that still sees it brings a hidden one back.
      - To retire one, say C(ci_status=retired). It then leaves the inventory, and is found as before.
    type: str
    choices: [present, absent]
    default: present
  ci_type:
    description: The type, such as C(virtual_machine). It also tells items of one name apart.
    type: str
  site_id:
    description: The site, such as C(site-home). It also tells items of one name apart. One that is new is made.
    type: str
  ci_status:
    description: One of C(planned), C(active), C(running), C(stopped), C(paused), C(maintenance), C(retired), or a word
      that Proxmox has for the state of a guest.
    type: str
  environment:
    description: The environment, such as C(prod).
    type: str
  role:
    description: What it is for.
    type: str
  criticality:
    description: How much hangs on it.
    type: str
  owner:
    description: Whose it is.
    type: str
  notes:
    description: Anything else.
    type: str
  tags:
    description: Tags, in place of those that the same speaker gave before. Those of others stay.
    type: list
    elements: str
  technical_specs:
    description: Figures and facts with units in their names, such as C(memory_mb). A key of C(null) is taken back.
    type: dict
  ansible:
    description: What concerns Ansible, any of C(name), C(enabled), C(host), C(user), C(port), C(connection), C(groups)
      and C(vars). Texts in C(vars) reach Ansible as an operator's own, and may hold templates and vault values; write
      templates with C(!unsafe) here, or they are filled in before they are sent.
    type: dict
  managed_by:
    description: The kind of source that this task speaks for, C(terraform), C(proxmox-api), C(ansible) or C(import).
    type: str
  terraform_resource_id:
    description: Its id in Terraform, such as C(pve1/qemu/102).
    type: str
  external_id:
    description: The source's own key for it.
    type: str
  take_back:
    description: Words to take back, by the names of options here, such as C(owner). What others say counts again.
    type: list
    elements: str
    choices: [ci_type, site_id, environment, role, criticality, owner, notes, tags, technical_specs, ansible,
      terraform_resource_id, external_id]
    default: []
extends_documentation_fragment:
  - rollcall.cmdb.service.module
attributes:
  check_mode:
    description: The service says what the task would come to, and keeps nothing of it.
    support: full
  diff_mode:
    description: Shows the item before and after.
    support: full
"""

EXAMPLES = r"""
- name: Register the machine that was just made
  rollcall.cmdb.ci:
    name: app-1
    ci_type: virtual_machine
    site_id: site-home
    ci_status: active
    technical_specs: {cpu_cores: 2, memory_mb: 4096}
    ansible: {host: 10.0.0.21, groups: [webservers]}
    change_ref: acme/infra#42
  delegate_to: localhost

- name: Say who answers for each host of the play
  rollcall.cmdb.ci:
    ci_id: "{{ rollcall.id }}"
    owner: alice
    take_back: [notes]
  delegate_to: localhost

- name: Retire it
  rollcall.cmdb.ci: {name: app-1, ci_status: retired}
  delegate_to: localhost

- name: Hide what was registered by mistake
  rollcall.cmdb.ci: {name: ap-1, state: absent}
  delegate_to: localhost
"""

RETURN = r"""
ci:
  description: The item as it is then, or in check mode as it would be; null where none was there to be hidden.
  returned: success
  type: dict
  sample: {ci_id: 019c8f0e-7b5a-7c1e-9a55-0d5a0b4b8f10, ci_name: app-1, ci_status: active, site_id: site-home}
created:
  description: Whether it was not known before.
  returned: success
  type: bool
shadowed:
  description: What the task said and another source outranks, with what is in force instead.
  returned: success
  type: list
  elements: dict
  sample: [{pointer: /technical_specs/cpu_cores, value: 4, by: "proxmox-api:home", rule: "proxmox-api before manual"}]
"""

from ansible_collections.rollcall.cmdb.plugins.module_utils.service import Refusal
from ansible_collections.rollcall.cmdb.plugins.module_utils.task import Task, item_path, standing

TEXTS = (
    "ci_type",
    "site_id",
    "ci_status",
    "environment",
    "role",
    "criticality",
    "owner",
    "notes",
    "managed_by",
    "terraform_resource_id",
    "external_id",
)
SAID = (*TEXTS, "tags", "technical_specs", "ansible")
NOT_TAKEN_BACK = ("ci_status", "managed_by")


def main():
    options = {
        "name": {"type": "str", "aliases": ["ci_name"]},
        "ci_id": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        **{name: {"type": "str"} for name in TEXTS},
        "tags": {"type": "list", "elements": "str"},
        "technical_specs": {"type": "dict"},
        "ansible": {"type": "dict"},
        "take_back": {
            "type": "list",
            "elements": "str",
            "choices": [name for name in SAID if name not in NOT_TAKEN_BACK],
            "default": [],
        },
    }
    task = Task(options, required_one_of=[("name", "ci_id")])
    task.run(hide if task.params["state"] == "absent" else say)


def say(task):
    found, body = find(task), body_of(task.params)
    if found and (found["ci_status"] != "retired" or body.get("ci_status") == "retired" or task.params["ci_id"]):
        _, after = task.write("PUT", item_path(found["ci_id"]), body=body)
        return told(task, found, after)
    if found:
        # It is this one that is brought back, and not made anew where items without a site go.
        body = {"ci_type": found["ci_type"], "site_id": found["site_id"], **body}
    # It may well be known by another name.
    try:
        status, foreseen = task.write("POST", "/ci", body=body, rehearsed=True)
    except Refusal:
        # For good: what could be of several items waits in the service until a person says of which.
        if not task.module.check_mode:
            task.write("POST", "/ci", body=body)
        raise
    before = None if status == 201 else task.read(item_path(foreseen["ci_id"]))
    after = foreseen if task.module.check_mode else task.write("POST", "/ci", body=body)[1]
    return told(task, before, after)


def hide(task):
    found = find(task)
    if not found or found["deleted_at"]:
        return task.result(None, None, ci=found, created=False, shadowed=[])
    _, after = task.write("DELETE", item_path(found["ci_id"]))
    return task.result(standing(found), standing(after), ci=after, created=False, shadowed=[])


def told(task, before, after):
    shadowed = after.get("shadowed", [])
    for shadow in shadowed:
        task.module.warn(f"{after['ci_name']}{shadow['pointer']} stays {shadow['value']!r}: {shadow['by']} outranks it")
    return task.result(standing(before), standing(after), ci=after, created=before is None, shadowed=shadowed)


def find(task):
    """The item that is meant, retired ones too; none where the name is not known."""
    params = task.params
    narrow = {key: params[key] for key in ("ci_type", "site_id")}
    try:
        if params["ci_id"]:
            return task.read(item_path(params["ci_id"]))
        return task.read("/ci/by-name/" + item_path(params["name"])[len("/ci/") :], narrow)
    except Refusal as refusal:
        if refusal.status == 404 and not params["ci_id"]:
            return None
        raise


def body_of(params):
    body = {key: params[key] for key in SAID if params[key] is not None}
    if params["name"]:
        body["ci_name"] = params["name"]
    body.update(dict.fromkeys(params["take_back"]))
    return body


if __name__ == "__main__":
    main()
