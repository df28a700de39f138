# GNU General Public License v3.0 or later (see https://www.gnu.org/licenses/gpl-3.0.txt)

"""How the service is named: for plugins, and (as service.module) for modules."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  url:
    description: Address of the service. C(http://127.0.0.1:7373) where nothing says otherwise.
    type: str
    env: [{name: ROLLCALL_URL}]
    ini: [{section: rollcall, key: url}]
  token:
    description:
      - The token itself. It has no place in ansible.cfg, nor in a file that is shared.
      - Of the three ways to name a token those count that stand nearest, in this file or call, then in the
        environment, then in ansible.cfg; after these the one in C(~/.config/rollcall) (written by C(rollcall login)),
        and last that of the checkout that this plugin lies in.
    type: str
    secret: true
    env: [{name: ROLLCALL_TOKEN}]
  token_file:
    description: A file that holds the token.
    type: str
    env: [{name: ROLLCALL_TOKEN_FILE}]
    ini: [{section: rollcall, key: token_file}]
  token_command:
    description: A command that prints the token, such as C(bw get password rollcall).
    type: str
    env: [{name: ROLLCALL_TOKEN_COMMAND}]
  ca:
    description: File with the certificates to trust, for https.
    type: str
    env: [{name: ROLLCALL_CA}]
    ini: [{section: rollcall, key: ca}]
  timeout:
    description: How long to wait for a whole answer, in seconds or as C(30s) or C(1m). C(10s) unless set.
    type: str
    env: [{name: ROLLCALL_TIMEOUT}]
    ini: [{section: rollcall, key: timeout}]
"""

    MODULE = r"""
options:
  url:
    description:
      - Address of the service. C(http://127.0.0.1:7373) where nothing says otherwise.
      - Like the other settings here it is also found in the environment (C(ROLLCALL_URL) and so on), then in
        C([rollcall]) of the ansible.cfg that Ansible reads.
    type: str
  token:
    description:
      - A token with the scopes C(ci:read) and C(ci:write); C(rollcall token create) makes one. The one that the service
        made for Ansible reads only.
      - Of the three ways to name a token those count that stand nearest, in the task, then in the environment, then in
        ansible.cfg (C(token_file) alone); after these the one in C(~/.config/rollcall) (written by C(rollcall login)).
    type: str
  token_file:
    description: A file that holds the token.
    type: str
  token_command:
    description: A command that prints the token, such as C(bw get password rollcall).
    type: str
  ca:
    description: File with the certificates to trust, for https.
    type: str
  timeout:
    description: How long to wait for a whole answer, in seconds or as C(30s) or C(1m). C(10s) unless set.
    type: str
  change_ref:
    description: The issue or pull request that this is done for, as C(owner/repo#123); C(ROLLCALL_CHANGE_REF) unless
      set. It stands in the history of what was changed.
    type: str
notes:
  - C(module_defaults) sets these for all modules of the collection, as C(group/rollcall.cmdb.all).
  - It speaks to the service, not to the machine that the play is about; so it is run on the controller, by
    C(delegate_to=localhost) or C(connection=local).
"""
