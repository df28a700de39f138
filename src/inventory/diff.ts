/** What differs between two inventories as they were told. Pure. */

import { groupsOfRuns } from './names.ts';

interface Told {
  _meta: { hostvars: Record<string, Record<string, unknown>> };
  [group: string]: unknown;
}
interface ToldGroup {
  hosts?: string[];
  vars?: Record<string, unknown>;
  children?: string[];
}

export interface InventoryDiff {
  hosts: {
    added: string[];
    removed: string[];
    changed: { name: string; variables: { name: string; before: unknown; after: unknown }[] }[];
  };
  groups: {
    added: string[];
    removed: string[];
    changed: {
      name: string;
      joined: string[];
      left: string[];
      variables: { name: string; before: unknown; after: unknown }[];
    }[];
  };
}

export function diffOf(before: unknown, after: unknown): InventoryDiff {
  const [from, to] = [before as Told, after as Told];
  const hostsFrom = from._meta.hostvars;
  const hostsTo = to._meta.hostvars;
  const groupsFrom = groupsIn(from);
  const groupsTo = groupsIn(to);
  const changedHosts = common(hostsFrom, hostsTo).map((name) => ({
    name,
    variables: variablesDiff(plain(hostsFrom[name]), plain(hostsTo[name])),
  }));
  const changedGroups = common(groupsFrom, groupsTo).map((name) => {
    const [a, b] = [groupsFrom[name] as ToldGroup, groupsTo[name] as ToldGroup];
    return {
      name,
      joined: without(membersOf(b), membersOf(a)),
      left: without(membersOf(a), membersOf(b)),
      variables: variablesDiff(plain(a.vars ?? {}), plain(b.vars ?? {})),
    };
  });
  return {
    hosts: {
      added: without(Object.keys(hostsTo), Object.keys(hostsFrom)),
      removed: without(Object.keys(hostsFrom), Object.keys(hostsTo)),
      changed: changedHosts.filter((host) => host.variables.length > 0),
    },
    groups: {
      added: without(Object.keys(groupsTo), Object.keys(groupsFrom)),
      removed: without(Object.keys(groupsFrom), Object.keys(groupsTo)),
      changed: changedGroups.filter((group) => group.joined.length + group.left.length + group.variables.length > 0),
    },
  };
}

/**
 * What of two inventories may be why a run went otherwise: a group that only one of them has is an empty one of the
 * other, and how runs went before is no cause.
 */
export function causesIn(before: unknown, after: unknown): InventoryDiff {
  const [from, to] = [before as Told, after as Told];
  const none = Object.fromEntries([...Object.keys(from), ...Object.keys(to)].map((name) => [name, {}]));
  const { hosts, groups } = diffOf({ ...none, ...from }, { ...none, ...to });
  const isCause = ({ name }: { name: string }) => !(groupsOfRuns as readonly string[]).includes(name);
  return { hosts, groups: { ...groups, changed: groups.changed.filter(isCause) } };
}

function groupsIn(told: Told): Record<string, ToldGroup> {
  const { _meta, ...groups } = told;
  return groups as Record<string, ToldGroup>;
}

/** The version says itself that it differs. */
function variablesDiff(before: Record<string, unknown>, after: Record<string, unknown>) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names
    .filter(
      (name) => name !== 'rollcall_inventory_version' && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
    )
    .map((name) => ({ name, before: before[name] ?? null, after: after[name] ?? null }));
}

/** Nested variables one level down, and values without their marks: as a person reads them. */
function plain(vars: Record<string, unknown> | undefined): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(vars ?? {})) {
    const bare = unmarked(value);
    if (name === 'rollcall' && typeof bare === 'object' && bare !== null) {
      for (const [key, inner] of Object.entries(bare)) out[`rollcall.${key}`] = inner;
    } else out[name] = bare;
  }
  return out;
}

function unmarked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmarked);
  if (typeof value !== 'object' || value === null) return value;
  if ('__ansible_unsafe' in value) return value.__ansible_unsafe;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unmarked(inner)]));
}

function membersOf(group: ToldGroup): string[] {
  return [...(group.hosts ?? []), ...(group.children ?? []).map((child) => `group ${child}`)];
}

function common(a: object, b: object): string[] {
  return Object.keys(a)
    .filter((key) => Object.hasOwn(b, key))
    .sort();
}

function without(list: readonly string[], other: readonly string[]): string[] {
  const known = new Set(other);
  return list.filter((entry) => !known.has(entry)).sort();
}
