"""A connection to a machine that is switched off."""

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: gone
short_description: A machine that is switched off
description: Nothing answers.
"""


class Connection(ConnectionBase):
    transport = "gone"
    has_pipelining = False

    def _connect(self):
        raise AnsibleConnectionFailure("No route to host")

    def exec_command(self, cmd, in_data=None, sudoable=True):
        raise AnsibleConnectionFailure("No route to host")

    def put_file(self, in_path, out_path):
        raise AnsibleConnectionFailure("No route to host")

    def fetch_file(self, in_path, out_path):
        raise AnsibleConnectionFailure("No route to host")

    def close(self):
        pass
