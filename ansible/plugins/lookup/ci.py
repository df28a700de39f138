# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

"""All that Rollcall knows of an item, where the few variables of the inventory are not enough."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ci
short_description: A configuration item of Rollcall, with all its data
version_added: 0.1.0
author: Rollcall contributors
description:
  - Answers one item for each term, whole, as C(GET /api/v1/ci/{ci_id}) does. The inventory gives each host a few of
    these values only, since Ansible pays for each of them in every run.
  - It asks the service each time that it is evaluated, on the controller. Keep the answer with C(set_fact) where it is
    used often.
options:
  _terms:
    description: Names of items, or their ids. The variable C(rollcall.id) of a host is its id.
    required: true
  ci_type:
    description: The type of the item, where several bear the name.
    type: str
  site_id:
    description: The site of the item, where several bear the name.
    type: str
extends_documentation_fragment:
  - rollcall.cmdb.service
"""

EXAMPLES = r"""
- name: Say what there is under the host
  ansible.builtin.debug:
    msg: "{{ ci.technical_specs.memory_mb }} MB on {{ ci.technical_specs.node }}, owned by {{ ci.owner }}"
  vars:
    ci: "{{ lookup('rollcall.cmdb.ci', rollcall.id) }}"

- name: Say where the databases stand
  ansible.builtin.debug:
    msg: "{{ query('rollcall.cmdb.ci', 'db-1', 'db-2') | map(attribute='site_id') | unique }}"

- name: One of several that bear a name
  ansible.builtin.debug:
    msg: "{{ lookup('rollcall.cmdb.ci', 'web-1', site_id='site-ranch').ci_id }}"
"""

RETURN = r"""
_raw:
  description:
    - The items in the order of the terms, each with every key, null where nothing is known.
    - Where they come from, an item's own text may be anybody's. It is data, and never run as a template.
  type: list
  elements: dict
  sample:
    - ci_id: 019c8f0e-7b5a-7c1e-9a55-0d5a0b4b8f10
      ci_name: web-1
      ci_status: running
      ci_type: virtual_machine
      owner: alice
      site_id: site-home
      technical_specs: {cpu_cores: 2, memory_mb: 4096, node: pve1, vmid: 102}
"""

import urllib.parse

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.rollcall.cmdb.plugins.module_utils.service import Failure
from ansible_collections.rollcall.cmdb.plugins.plugin_utils.controller import service_for


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        self.set_options(var_options=variables, direct=kwargs)
        narrow = {key: self.get_option(key) for key in ("ci_type", "site_id")}
        try:
            service = service_for(kwargs)
            return [service.call("GET", f"/ci/{named(term)}", narrow)[1] for term in terms]
        except Failure as failure:
            raise AnsibleLookupError(str(failure)) from None


def named(term):
    if not isinstance(term, str) or not term.strip():
        raise Failure(f"A name or an id of an item is asked for, not {term!r}")
    return urllib.parse.quote(term.strip(), safe="")
