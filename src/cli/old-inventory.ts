/**
 * An inventory as `ansible-inventory` tells it, turned into hosts and groups of Rollcall, such that Ansible is told
 * the same by Rollcall afterwards. Pure.
 */

import { isIP } from 'node:net';
import { StartError } from '../errors.ts';
import { literalOf, parseExactly } from '../json.ts';

type Vars = Record<string, unknown>;

export interface OldHost {
  name: string;
  /** Those that it is in directly, but for `all` and `ungrouped`. */
  groups: string[];
  vars: Vars;
  /** Variables that it has in the old inventory from files, which are stronger there than a group is here. */
  lifted: string[];
}

export interface OldGroup {
  name: string;
  vars: Vars;
  children: string[];
}

export interface OldInventory {
  hosts: OldHost[];
  groups: OldGroup[];
  /** Hosts that are in no group. */
  ungrouped: string[];
}

interface ToldGroup {
  hosts?: string[];
  children?: string[];
  vars?: Vars;
}

const reserved = new Set(['_meta', 'all', 'ungrouped']);

/** `listed` is what `--list` prints, `exported` what `--list --export` does. */
export function readOldInventory(listed: string, exported: string): OldInventory {
  const merged = hostvarsIn(told(listed));
  const own = told(exported);
  const ownVars = hostvarsIn(own);
  const toldGroups = new Map(Object.entries(own).filter(([name]) => name !== '_meta') as [string, ToldGroup][]);
  const groupsOfHost = new Map<string, string[]>();
  for (const [name, { hosts = [] }] of toldGroups)
    for (const host of hosts) {
      const list = groupsOfHost.get(host) ?? [];
      if (!reserved.has(name)) list.push(name);
      groupsOfHost.set(host, list);
    }
  const children = [...toldGroups].flatMap(([, group]) => group.children ?? []);
  const names = [...new Set([...toldGroups.keys(), ...children])].filter((name) => name !== 'ungrouped').sort();
  const groups = names.map((name) => {
    const { vars = {}, children: below = [] } = toldGroups.get(name) ?? {};
    return { name, vars, children: name === 'all' ? [] : below };
  });
  const order = mergeOrder(groups);
  const hosts = [...groupsOfHost].sort(byName).map(([name, memberOf]) => {
    const first = ownVars[name] ?? {};
    const is = Object.assign({}, ...order(memberOf).map((group) => group.vars), first) as Vars;
    delete is.ansible_group_priority;
    // What comes out otherwise than it was stands at the host itself: files of variables beat the inventory's own.
    const corrections = Object.entries(merged[name] ?? {}).filter(
      ([key, value]) => !Object.hasOwn(is, key) || !isSame(is[key], value),
    );
    return {
      name,
      groups: memberOf.sort(),
      vars: { ...first, ...Object.fromEntries(corrections) },
      lifted: corrections.map(([key]) => key).filter((key) => !Object.hasOwn(first, key)),
    };
  });
  const ungrouped = hosts.filter((host) => host.groups.length === 0).map((host) => host.name);
  return {
    hosts,
    groups: groups.filter(({ name, vars }) => name !== 'all' || Object.keys(vars).length > 0),
    ungrouped,
  };
}

/** The item of a host, in the words of the API. */
export function itemOf({ name, groups, vars }: Pick<OldHost, 'name' | 'groups' | 'vars'>, site: string | undefined) {
  const words: Vars = { name };
  // Reached by its name so far, and so from now on, whatever address is found.
  if (!addressVariables.some((key) => Object.hasOwn(vars, key)) && isHostName(name)) words.host = name;
  const rest: Vars = {};
  for (const [key, value] of Object.entries(vars)) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field?.takes(value) && value !== name) words[field.key] = value;
    // To the API a null would be no word.
    else rest[key] = value === null ? literalOf('null') : value;
  }
  return {
    ci_type: 'machine',
    ci_name: name,
    ...(site === undefined ? {} : { site_id: site }),
    ansible: { ...words, groups, vars: rest },
  };
}

/** What of a group is said: nothing where it has nothing, so that another source may say it. */
export function groupSaid({ name, vars, children }: OldGroup) {
  return {
    group_name: name,
    ...(Object.keys(vars).length > 0 ? { vars } : {}),
    ...(children.length > 0 ? { children } : {}),
  };
}

const hostName = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const text = (form: RegExp) => (value: unknown) => typeof value === 'string' && form.test(value);

const addressVariables = ['ansible_host', 'ansible_ssh_host'];

function isHostName(value: unknown): boolean {
  return typeof value === 'string' && (isIP(value) !== 0 || hostName.test(value));
}

/** The variables that have a field of their own, with the values that fit there. */
const fields: Readonly<Record<string, { key: string; takes: (value: unknown) => boolean }>> = {
  ansible_host: { key: 'host', takes: isHostName },
  ansible_port: {
    key: 'port',
    takes: (value) => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536,
  },
  ansible_user: { key: 'user', takes: text(/^[\w.@\\-]+$/) },
  ansible_connection: { key: 'connection', takes: text(/^[\w.]{1,100}$/) },
};

function told(text: string): Record<string, unknown> {
  try {
    return parseExactly(text, literalOf) as Record<string, unknown>;
  } catch (cause) {
    throw new StartError(`What ansible-inventory prints is not JSON: ${(cause as Error).message.slice(0, 200)}.`, {
      cause,
    });
  }
}

function hostvarsIn(inventory: Record<string, unknown>): Record<string, Vars> {
  return (inventory._meta as { hostvars?: Record<string, Vars> } | undefined)?.hostvars ?? {};
}

/** The groups that a host has variables of, in the order in which Ansible merges them: by depth, priority and name. */
function mergeOrder(groups: readonly OldGroup[]): (memberOf: readonly string[]) => OldGroup[] {
  const byNameOf = new Map(groups.map((group) => [group.name, group]));
  const parents = new Map<string, string[]>();
  for (const { name, children } of groups)
    for (const child of children) parents.set(child, [...(parents.get(child) ?? []), name]);
  const depths = new Map<string, number>([['all', 0]]);
  const depthOf = (name: string): number => {
    let depth = depths.get(name);
    if (depth === undefined) {
      depth = 1 + Math.max(0, ...(parents.get(name) ?? []).map(depthOf));
      depths.set(name, depth);
    }
    return depth;
  };
  const known = new Map<string, OldGroup[]>();
  return (memberOf) => {
    const key = JSON.stringify(memberOf);
    let ordered = known.get(key);
    if (!ordered) {
      const found = new Set(['all']);
      const waiting = [...memberOf];
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        if (found.has(name)) continue;
        found.add(name);
        waiting.push(...(parents.get(name) ?? []));
      }
      ordered = [...found]
        .flatMap((name) => byNameOf.get(name) ?? [])
        .sort(
          (a, b) => depthOf(a.name) - depthOf(b.name) || priorityOf(a) - priorityOf(b) || (a.name < b.name ? -1 : 1),
        );
      known.set(key, ordered);
    }
    return ordered;
  };
}

function priorityOf({ vars: { ansible_group_priority: priority } }: OldGroup): number {
  return Number.isInteger(priority) ? (priority as number) : 1;
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
