/**
 * The inventory as a folder of files that works without the service: for the day on which it does not run. Ansible
 * reads of it what the service told, with every mark.
 */

import { readFileSync } from 'node:fs';
import type { WrittenFile } from '../folder.ts';
import { parseExactly } from '../json.ts';
import { literalNumber, taggedForAnsible, writeYaml } from '../yaml.ts';
import type { Exported } from './export-files.ts';
import { textFiles } from './export-files.ts';
import type { InventoryJson } from './exports.ts';

const statics = new URL('../../ansible/static/', import.meta.url);

/** `body` is the inventory as it was told, in bytes. */
export function bundleOf(body: Buffer, version: string, exported: Exported): WrittenFile[] {
  const text = body.toString('utf8');
  const file = (path: string, content: string, isExecutable = false) => ({ path, content, isExecutable });
  return [
    file('README.md', readFileSync(new URL('README.md', statics), 'utf8')),
    file(
      'hosts.yml',
      `# The inventory ${version}, exported by Rollcall.\n${yamlOf(parseExactly(text, literalNumber) as InventoryJson)}`,
    ),
    file('script/inventory.json', text),
    file('script/inventory.py', readFileSync(new URL('inventory.py', statics), 'utf8'), true),
    ...textFiles.map(({ format, write }) => file(format, write(version, exported))),
  ];
}

/**
 * Each group stands for itself, as it does in JSON: below `all` it would be a child of that.
 * https://docs.ansible.com/ansible/latest/collections/ansible/builtin/yaml_inventory.html
 */
function yamlOf({ _meta, ...groups }: InventoryJson): string {
  const named = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, null]));
  const tagged = (vars: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, taggedForAnsible(value)]));
  const hostvars = Object.entries(_meta.hostvars).map(([host, vars]) => [host, tagged(vars)]);
  const described = Object.entries(groups).map(([group, { hosts = [], children = [], vars = {} }]) => [
    group,
    {
      hosts: group === 'all' ? Object.fromEntries(hostvars) : named(hosts),
      ...(Object.keys(vars).length === 0 ? {} : { vars: tagged(vars) }),
      ...(children.length === 0 ? {} : { children: named(children) }),
    },
  ]);
  return writeYaml(Object.fromEntries(described));
}
