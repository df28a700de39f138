# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

"""
The inventory of Rollcall as an inventory plugin. Which hosts there are, in which groups and with which
variables is the service's to say; this hands it over, and adds what the operator composes of it.
"""

from __future__ import annotations

DOCUMENTATION = r"""
name: rollcall
short_description: Hosts, groups and variables from Rollcall
version_added: 0.1.0
author: Rollcall contributors
description:
  - Takes the inventory as the service makes it, groups and variables included, as the script C(inventory.py) does too.
    This one can also C(compose) variables and groups of it, and cache it as other inventory plugins do.
  - The file must be named C(rollcall.yml) or C(rollcall.yaml), with whatever before, such as C(home.rollcall.yml).
  - What any source observed of a machine reaches Ansible as data, never as a template. What an operator wrote in
    Rollcall may hold templates and vault values.
  - Where there is no true inventory (the service is down, the token is refused, a setting is wrong), every command ends
    with exit 1 and one sentence, with no setting of yours; other inventory plugins leave a warning and no hosts. It
    keeps no last good copy; with C(cache) on, it does not ask at all for C(cache_timeout) seconds.
  - Each expression in C(compose), C(groups) and C(keyed_groups) costs close to a millisecond for each host. Groups that
    the service has made already (C(site_*), C(type_*), C(tag_*) and so on) cost nothing.
options:
  plugin:
    description: Says that the file is for this plugin.
    required: true
    choices: [rollcall.cmdb.rollcall]
  site:
    description: Only the hosts of this site.
    type: str
    env: [{name: ROLLCALL_SITE}]
    ini: [{section: rollcall, key: site}]
  include:
    description: Also hosts that are held or stopped, which are left out otherwise.
    type: list
    elements: str
    choices: [held, stopped]
    env: [{name: ROLLCALL_INCLUDE}]
    ini: [{section: rollcall, key: include}]
extends_documentation_fragment:
  - rollcall.cmdb.service
  - constructed
  - inventory_cache
"""

EXAMPLES = r"""
# rollcall.yml: all there is, from where the other parts of Rollcall find it too.
#   ansible-inventory -i rollcall.yml --graph
plugin: rollcall.cmdb.rollcall

# ranch.rollcall.yml: one site, with hosts in maintenance, groups of one's own, and an answer that is kept for an hour.
plugin: rollcall.cmdb.rollcall
url: https://cmdb.example.org
token_file: ~/.config/rollcall/ansible.token
site: site-ranch
include: [held]
compose:
  memory_note: rollcall.os ~ ' on ' ~ rollcall.node
groups:
  on_pve1: rollcall.node == 'pve1'
keyed_groups:
  - key: rollcall.os_version
    prefix: release
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/rollcall/inventory
cache_timeout: 3600
"""

import difflib
import hashlib
import socket

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.rollcall.cmdb.plugins.module_utils.service import Failure
from ansible_collections.rollcall.cmdb.plugins.plugin_utils.controller import service_for

try:
    # From ansible-core 2.19 on a string is a template only where it is said to be one.
    from ansible.parsing.vault import EncryptedString
    from ansible.template import trust_as_template

    def data(text):
        return text

    def vaulted(ciphertext, _loader):
        return EncryptedString(ciphertext=ciphertext)

except ImportError:
    from ansible.parsing.yaml.objects import AnsibleVaultEncryptedUnicode
    from ansible.utils.unsafe_proxy import wrap_var as data

    def trust_as_template(text):
        return text

    def vaulted(ciphertext, loader):
        value = AnsibleVaultEncryptedUnicode(ciphertext)
        value.vault = loader._vault
        return value


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "rollcall.cmdb.rollcall"

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith(("rollcall.yml", "rollcall.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        try:
            config = self._read_config_data(path)
            self.check_keys(config)
            self.take(self.answer(config, path, cache))
            self.compose()
        except AnsibleParserError:
            # No YAML, or a file of another plugin: that one may want to read it.
            raise
        except (Failure, AnsibleError) as failure:
            refuse(inventory, one_line(f"{path}: {failure}"))

    def check_keys(self, config):
        for key in config:
            if key not in self._options:
                near = difflib.get_close_matches(str(key), self._options, 1)
                raise Failure(f"there is no setting {key}" + (f"; did you mean {near[0]}?" if near else ""))

    def answer(self, config, path, may_read_cache):
        """The service's answer as it came: a cache keeps that, and marks are read again each time."""
        service = service_for(config)
        query = {"site_id": self.get_option("site"), "include": ",".join(self.get_option("include") or [])}
        controller = controller_hash()
        question = [service.url, query, controller]
        key = self.get_cache_key(path)
        if may_read_cache and self.get_option("cache"):
            kept = self._cache.get(key)
            # One that was asked otherwise is none: the file may have been edited since, or be read elsewhere.
            if isinstance(kept, dict) and kept.get("question") == question:
                return service.parsed(kept["answer"])
        headers = {"X-Rollcall-Controller": controller} if controller else {}
        text = service.text("GET", "/inventory", query, headers=headers)[1].decode()
        content = sound(service.parsed(text))
        if self.get_option("cache"):
            self._cache[key] = {"question": question, "answer": text}
        return content

    def take(self, content):
        hostvars = content.pop("_meta")["hostvars"]
        for name, group in content.items():
            given = self.inventory.add_group(name)
            for host in group.get("hosts", ()):
                self.inventory.add_host(host, given)
            for variable, value in group.get("vars", {}).items():
                self.inventory.set_variable(given, variable, self.read(value))
            for child in group.get("children", ()):
                self.inventory.add_child(given, self.inventory.add_group(child))
        for host, variables in hostvars.items():
            for variable, value in variables.items():
                self.inventory.set_variable(host, variable, self.read(value))

    def read(self, value):
        """What is marked is data or a vault value; other text is what an operator wrote, and may be a template."""
        if isinstance(value, str):
            return trust_as_template(value)
        if isinstance(value, list):
            return [self.read(one) for one in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("__ansible_unsafe"), str):
            return data(value["__ansible_unsafe"])
        if isinstance(value.get("__ansible_vault"), str):
            return vaulted(value["__ansible_vault"], self.loader)
        return {data(key): self.read(one) for key, one in value.items()}

    def compose(self):
        strict = self.get_option("strict")
        composed, groups, keyed = (self.get_option(name) for name in ("compose", "groups", "keyed_groups"))
        if not composed and not groups and not keyed:
            return
        for host in list(self.inventory.hosts):
            variables = self.inventory.get_host(host).get_vars()
            self._set_composite_vars(composed, variables, host, strict)
            variables = self.inventory.get_host(host).get_vars()
            self._add_host_to_composed_groups(groups, variables, host, strict)
            self._add_host_to_keyed_groups(keyed, variables, host, strict)


def sound(content):
    """Of what is no whole inventory Ansible would take all that comes before the fault."""
    meta = content.get("_meta") if isinstance(content, dict) else None
    hostvars = meta.get("hostvars") if isinstance(meta, dict) else None
    if not isinstance(hostvars, dict) or "all" not in content:
        raise Failure("Rollcall answers with JSON that is not an inventory")
    groups = [group for name, group in content.items() if name != "_meta"]
    kinds = (("hosts", list), ("children", list), ("vars", dict))
    if not all(isinstance(variables, dict) for variables in hostvars.values()) or not all(
        isinstance(group, dict) and all(isinstance(group.get(key, kind()), kind) for key, kind in kinds)
        for group in groups
    ):
        raise Failure("Rollcall answers with an inventory that is not sound")
    return content


def refuse(inventory, sentence):
    """
    Ansible makes a warning of whatever a plugin raises, and goes on with no hosts, exit 0. So the inventory itself
    is made one that it cannot take: it fails as that is put in order, with exit 1, and says this sentence.
    """

    def reconcile_inventory():
        raise AnsibleError(sentence)

    inventory.reconcile_inventory = reconcile_inventory
    # Should that be called otherwise in a later version: no group may contain "all".
    inventory.add_child(inventory.add_group("rollcall_unavailable"), "all")


def controller_hash():
    """Tells the service whether this is the very machine it runs on; as the inventory script does."""
    boot, name = text_of("/proc/sys/kernel/random/boot_id"), socket.gethostname()
    if not boot or not name:
        return ""
    return hashlib.sha256(f"{boot}\n{name}\n{text_of('/etc/machine-id')}".encode()).hexdigest()


def text_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4096).strip()
    except OSError:
        return ""


def one_line(text):
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
