# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the modules have in common: their settings, the item that a task names, and what came of it."""

from __future__ import annotations

import os
import urllib.parse

from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible_collections.rollcall.cmdb.plugins.module_utils.service import Failure, Service, section_of

SERVICE = {
    "url": {"type": "str"},
    "token": {"type": "str", "no_log": True},
    "token_file": {"type": "str", "no_log": False},
    "token_command": {"type": "str", "no_log": False},
    "ca": {"type": "str"},
    "timeout": {"type": "str"},
    "change_ref": {"type": "str", "fallback": (env_fallback, ["ROLLCALL_CHANGE_REF"])},
}
# What is seen of an item stands beside it: it is no change of it.
PASSING = ("last_seen_at", "last_discovered_at", "last_configured_at", "updated_at", "shadowed")


class Task:
    """One task of a playbook, and the service that it speaks to."""

    def __init__(self, options, **rules):
        self.module = AnsibleModule({**options, **SERVICE}, supports_check_mode=True, **rules)
        self.params = self.module.params
        self.service = None

    def run(self, work):
        """Does what the task asks, and ends the module by what that answers or by the reason why it cannot be."""
        try:
            self.service = Service(self.params, ansible_cfg())
            result = work(self)
        except Failure as failure:
            self.module.fail_json(msg=str(failure))
        self.module.exit_json(**result)

    def read(self, path, query=None):
        return self.service.call("GET", path, query)[1]

    def write(self, method, path, query=None, body=None, rehearsed=False):
        """Status and content of the answer. In check mode nothing is kept of it."""
        dry_run = "true" if rehearsed or self.module.check_mode else None
        query = {**(query or {}), "dry_run": dry_run}
        return self.service.call(method, path, query, body, self.params["change_ref"])

    def result(self, before, after, **more):
        """Changed is what differs; `before` and `after` are shown where the task is run with --diff."""
        return {"changed": before != after, "diff": {"before": before or {}, "after": after or {}}, **more}


def item_path(name_or_id, *below):
    return "/".join(["/ci", *(urllib.parse.quote(str(part), safe="") for part in (name_or_id, *below))])


def standing(item):
    """What an item is, without what is merely seen of it."""
    return {key: value for key, value in item.items() if key not in PASSING} if item else item


def ansible_cfg():
    """[rollcall] of the one file that Ansible itself reads: a module is not told which, but is run where Ansible is."""
    for path in cfg_candidates():
        if os.path.exists(path) and os.access(path, os.R_OK) and not os.path.isdir(path):
            return section_of(path)
    return {}


def cfg_candidates():
    named = os.environ.get("ANSIBLE_CONFIG")
    if named:
        named = os.path.abspath(os.path.expanduser(os.path.expandvars(named)))
        yield os.path.join(named, "ansible.cfg") if os.path.isdir(named) else named
    try:
        # As Ansible does: where all may write, anyone could have put it there.
        if not os.stat(os.getcwd()).st_mode & 0o002:
            yield os.path.join(os.getcwd(), "ansible.cfg")
    except OSError:
        pass
    yield os.path.expanduser("~/.ansible.cfg")
    yield "/etc/ansible/ansible.cfg"
