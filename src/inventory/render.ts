/** Hosts and groups → the JSON that Ansible reads. The whole is put together out of pieces that are made once. */

import { createHash } from 'node:crypto';
import { turn } from '../store/turn.ts';
import type { Group } from './groups.ts';
import type { Host } from './host.ts';
import { observedGroupName } from './names.ts';
import { written } from './safe.ts';

export interface Rendered {
  /** `<revision>-<12 of the SHA-256 of the content>`. */
  version: string;
  contentHash: string;
  body: Buffer;
}

export interface RenderInput {
  hosts: readonly Host[];
  /** Names of hosts whose address is another's as well, so that they have none. */
  lost: ReadonlySet<string>;
  groups: readonly Group[];
  /** Variables of a site's group. */
  siteVars: ReadonlyMap<string, Record<string, unknown>>;
  revision: number;
  /** The item that is the very machine on which Ansible runs. */
  localItem: string | undefined;
}

const local = ',"ansible_connection":"local","ansible_python_interpreter":"{{ ansible_playbook_python }}"';
/** As long as a version can be; replaced once the hash of everything else is known. */
const versionMark = '\u0000version\u0000';

/** The whole inventory, or the part of it that is asked for. Gives the event loop its turns. */
export async function render({ hosts, lost, groups, siteVars, revision, localItem }: RenderInput): Promise<Rendered> {
  const ordered = hosts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  await turn();
  const members = new Map<string, string[]>();
  const join = (group: string, host: string) => {
    const list = members.get(group);
    if (list) list.push(host);
    else members.set(group, [host]);
  };
  const hostvars: string[] = [];
  for (const [count, host] of ordered.entries()) {
    const address = host.address && !lost.has(host.name) ? host.address.value : undefined;
    const name = JSON.stringify(host.name);
    const told = host.isAddressWritten ? address : { __ansible_unsafe: address };
    const first = address === undefined ? '' : `"ansible_host":${JSON.stringify(told)},`;
    const isLocal = host.ci_id === localItem && !host.hasConnection;
    hostvars.push(`${name}:{${first}${host.variables}${isLocal ? local : ''}}`);
    for (const group of host.groups) join(group, name);
    if (address === undefined && !host.isReachedOtherwise) join('no_address', name);
    if (count % 512 === 0) await turn();
  }
  const parts = groupParts(groups, siteVars, members);
  await turn();
  // Megabytes: each is made once, and turned into bytes once.
  const [upToVersion, rest] = parts.join(',').split(versionMark) as [string, string];
  const before = Buffer.from(`{"_meta":{"hostvars":{${hostvars.join(',')}}},${upToVersion}`);
  await turn();
  const after = Buffer.from(`${rest}}`);
  const contentHash = createHash('sha256').update(before).update(after).digest('hex').slice(0, 12);
  await turn();
  const version = `${revision}-${contentHash}`;
  return { version, contentHash, body: Buffer.concat([before, Buffer.from(version), after]) };
}

function groupParts(
  groups: readonly Group[],
  siteVars: ReadonlyMap<string, Record<string, unknown>>,
  members: ReadonlyMap<string, readonly string[]>,
): string[] {
  const described = new Map(groups.map((group) => [group.group_name, group]));
  const sites = new Map([...siteVars].map(([site, vars]) => [observedGroupName('site', site), vars]));
  const children = groups.flatMap((group) => group.children);
  const names = [...new Set([...described.keys(), ...members.keys(), ...children, ...sites.keys()])]
    .filter((name) => name !== 'all')
    .sort();
  const { rollcall_inventory_version: _, ...allVars } = described.get('all')?.vars ?? {};
  const all = groupVars(allVars);
  const version = `"rollcall_inventory_version":"${versionMark}"`;
  const parts = [
    `"all":{"hosts":[],"vars":{${[version, ...all].join(',')}}${childrenPart(described.get('all')?.children)}}`,
  ];
  for (const name of names) {
    const group = described.get(name);
    const vars = groupVars({ ...sites.get(name), ...group?.vars });
    const varsPart = vars.length > 0 ? `,"vars":{${vars.join(',')}}` : '';
    parts.push(
      `${JSON.stringify(name)}:{"hosts":[${(members.get(name) ?? []).join(',')}]${varsPart}${childrenPart(group?.children)}}`,
    );
  }
  return parts;
}

function childrenPart(children: readonly string[] | undefined): string {
  return children && children.length > 0 ? `,"children":${JSON.stringify(children)}` : '';
}

/** A priority that is no whole number makes Ansible refuse the whole inventory. */
function groupVars(vars: Record<string, unknown>): string[] {
  return Object.entries(vars)
    .filter(
      ([name, value]) =>
        !name.startsWith('__ansible') && (name !== 'ansible_group_priority' || Number.isInteger(value)),
    )
    .map(([name, value]) => `${JSON.stringify(name.toWellFormed())}:${JSON.stringify(written(value))}`);
}
