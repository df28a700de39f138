/** The files of text that tools near Ansible read, each with a line that says what it is. Pure. */

import { type ExportedHost, type HostFacts, hostsFile, knownHosts, sshConfig } from './exports.ts';

export interface Exported {
  hosts: readonly ExportedHost[];
  /** How many hosts have a name that no other tool could take. */
  unnameable: number;
  facts: ReadonlyMap<string, HostFacts>;
}

export interface TextFile {
  format: string;
  summary: string;
  write: (version: string, exported: Exported) => string;
}

export const textFiles: readonly TextFile[] = [
  textFile('ssh_config', 'Hosts as ssh reads them: put Include with its path into ~/.ssh/config', ({ hosts }) =>
    sshConfig(hosts),
  ),
  textFile(
    'known_hosts',
    'Host keys as facts told them; those from before a rebuild are not among them',
    ({ hosts, facts }) => knownHosts(hosts, facts),
  ),
  textFile('hosts', 'Addresses and names, as /etc/hosts holds them', ({ hosts, facts }) => hostsFile(hosts, facts)),
];

function textFile(format: string, summary: string, linesOf: (exported: Exported) => string): TextFile {
  return {
    format,
    summary,
    write(version, exported) {
      const { unnameable } = exported;
      const left = unnameable === 0 ? [] : [`# Left out, for their names: ${unnameable}.`];
      const parts = [`# ${format} of the inventory ${version}, made by Rollcall.`, ...left, linesOf(exported)];
      return `${parts.filter((part) => part !== '').join('\n')}\n`;
    },
  };
}
