/**
 * Names of hosts and groups as Ansible takes them. Host and group names become file names in every version, and
 * templates in older ones, so what was observed is held to a strict form; what an operator chose is kept as written.
 */

import type { HostNames, NameAsk } from '../cmdb/names.ts';

const hostForm = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const reservedHosts = new Set(['all', 'ungrouped', '_meta', 'localhost', '127.0.0.1', '::1']);

/** Prefixes of the groups that are made of observed data. */
export const groupPrefixes = [
  'site',
  'type',
  'status',
  'node',
  'pool',
  'os',
  'tag',
  'env',
  'role',
  'managed_by',
] as const;
export type GroupPrefix = (typeof groupPrefixes)[number];

/** Groups that tell how playbooks went on a host. */
export const groupsOfRuns = [
  'last_run_failed',
  'last_run_unreachable',
  'last_run_changed',
  'never_configured',
  'stale',
] as const;

/** Groups that are made of results, and of what is missing. */
const resultGroups = [...groupsOfRuns, 'drifted', 'no_address'] as const;

const observedGroup = new RegExp(`^(${groupPrefixes.join('|')})_[a-z0-9_]+$`);

/** Whether observed data may make a host of this name. */
export function isHostName(name: string): boolean {
  return hostForm.test(name) && !name.includes('..') && !reservedHosts.has(name.toLowerCase());
}

/** Whether an operator may choose a group of this name: written exactly so, as Ansible's own patterns can address it. */
export function isOperatorGroupName(name: string): boolean {
  return (
    name.length > 0 &&
    name.length <= 253 &&
    !name.includes('..') &&
    !/[/\\{}[\],:&!~*?@\s\p{Cc}]/u.test(name) &&
    name.isWellFormed() &&
    name !== '_meta'
  );
}

/** Whether an operator may choose a host of this name; `localhost` too, which then is what was meant. */
export function isOperatorHostName(name: string): boolean {
  return isOperatorGroupName(name) && !name.startsWith('-') && name !== 'all' && name !== 'ungrouped';
}

/** The group of an observed value: a prefix, and letters, digits and underscores of the value. */
export function observedGroupName(prefix: GroupPrefix, value: string): string {
  const folded = value
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  return `${prefix}_${folded.slice(0, 200) || 'x'}`;
}

function isReservedGroupName(name: string): boolean {
  return observedGroup.test(name) || (resultGroups as readonly string[]).includes(name);
}

/** How items get their names, given the groups that the configuration names. */
export function hostNames(configuredGroups: ReadonlySet<string>, followRenames: boolean): HostNames {
  return {
    followRenames,
    isGroup: (name) => configuredGroups.has(name) || isReservedGroupName(name),
    mayBeChosen: isOperatorHostName,
    *candidates({ ci_id, ci_name, site_id, vmid }: NameAsk) {
      if (isHostName(ci_name)) yield ci_name;
      if (vmid !== null && isHostName(`${ci_name}-${vmid}`)) yield `${ci_name}-${vmid}`;
      if (isHostName(`${ci_name}.${site_id}`)) yield `${ci_name}.${site_id}`;
      yield `ci-${ci_id.slice(-8)}`;
      yield `ci-${ci_id}`;
    },
  };
}
