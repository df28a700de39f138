# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the plugins on the controller have in common."""

from __future__ import annotations

from ansible import constants as C  # noqa: N812 - as everywhere in Ansible
from ansible_collections.rollcall.cmdb.plugins.module_utils.service import SETTINGS, Service, section_of


def service_for(given):
    """The service by what is said here, else by the environment, else by the ansible.cfg that is in force."""
    named = {key: given[key] for key in SETTINGS if given.get(key) is not None}
    return Service(
        {key: str(value) for key, value in named.items()}, section_of(C.CONFIG_FILE) if C.CONFIG_FILE else {}
    )
