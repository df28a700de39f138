/** Groups: those that operators name, out of the configuration, the API and imports, and those made of observed data. */

import type { Static } from 'typebox';
import type { Item } from '../cmdb/item.ts';
import type { Activity } from '../cmdb/store/activity.ts';
import { type Match, type Matcher, matcherOf } from './match.ts';
import { type GroupPrefix, type groupsOfRuns, isOperatorGroupName, observedGroupName } from './names.ts';
import type { groupSchema } from './settings.ts';

/** What one source says of a group; 'rollcall.yml', 'api', or an import. */
export interface GroupWord {
  group_name: string;
  source: string;
  vars: Record<string, unknown> | null;
  children: string[] | null;
  match: Match | null;
}

export interface Group {
  group_name: string;
  vars: Record<string, unknown>;
  children: string[];
  match: Match | null;
  /** Who had the word on each of the three. */
  said_by: { vars: string | null; children: string | null; match: string | null };
}

/** What rollcall.yml says of groups. */
export function configuredWords(groups: Readonly<Record<string, Static<typeof groupSchema>>>): GroupWord[] {
  return Object.entries(groups).map(([group_name, { vars, children, match }]) => ({
    group_name,
    source: 'rollcall.yml',
    vars: vars ?? null,
    children: children ?? null,
    match: match ?? null,
  }));
}

const order = (source: string) => (source === 'rollcall.yml' ? 0 : source === 'api' ? 1 : 2);

/** Per key: the configuration beats the API, which beats an import; among imports the first by name. */
export function groupsOf(words: readonly GroupWord[]): Group[] {
  const byName = new Map<string, GroupWord[]>();
  for (const word of words) byName.set(word.group_name, [...(byName.get(word.group_name) ?? []), word]);
  return [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group_name, said]) => {
      const ranked = said.toSorted((a, b) => order(a.source) - order(b.source) || (a.source < b.source ? -1 : 1));
      const vars = ranked.find((word) => word.vars !== null);
      const children = ranked.find((word) => word.children !== null);
      const match = ranked.find((word) => word.match !== null);
      return {
        group_name,
        vars: vars?.vars ?? {},
        children: children?.children ?? [],
        match: match?.match ?? null,
        said_by: { vars: vars?.source ?? null, children: children?.source ?? null, match: match?.source ?? null },
      };
    });
}

/** A circle of children, as the names along it; Ansible refuses an inventory that has one. */
export function circleIn(groups: readonly Pick<Group, 'group_name' | 'children'>[]): string[] | undefined {
  const children = new Map(groups.map((group) => [group.group_name, group.children]));
  const done = new Set<string>();
  const walk = (name: string, path: string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const child of children.get(name) ?? []) {
      const circle = walk(child, [...path, name]);
      if (circle) return circle;
    }
    done.add(name);
    return undefined;
  };
  for (const { group_name } of groups) {
    const circle = walk(group_name, []);
    if (circle) return circle;
  }
  return undefined;
}

/** The first thing in groups for which Ansible would refuse them, or could not address them. */
export function faultIn(
  groups: readonly Pick<Group, 'group_name' | 'children'>[],
): { group: string; key: 'name' | 'children'; detail: string } | undefined {
  for (const { group_name: group, children } of groups) {
    if (!isOperatorGroupName(group)) {
      return {
        group,
        key: 'name',
        detail: 'a group name has no spaces, slashes, braces, control or pattern characters',
      };
    }
    const child = children.find((name) => name === 'all' || name === 'ungrouped' || !isOperatorGroupName(name));
    if (child !== undefined) return { group, key: 'children', detail: `${JSON.stringify(child)} cannot be a child` };
  }
  const circle = circleIn(groups);
  if (!circle) return undefined;
  return { group: circle[0] as string, key: 'children', detail: `the children close a circle, ${circle.join(' → ')}` };
}

/** The same groups without the children that close a circle. */
export function withoutCircles(groups: readonly Group[]): Group[] {
  const kept = groups.map((group) => ({
    ...group,
    children: group.children.filter((child) => child !== 'all' && child !== group.group_name),
  }));
  for (let circle = circleIn(kept); circle; circle = circleIn(kept)) {
    const [parent, child] = circle.slice(-2);
    const group = kept.find((one) => one.group_name === parent) as Group;
    group.children = group.children.filter((name) => name !== child);
  }
  return kept;
}

export interface Membership {
  group: string;
  /** What put the host there, in words. */
  rule: string;
}

export interface GroupRules {
  matching: readonly { group: string; source: string; matches: Matcher }[];
  /** Groups whose variables, or those of a group above, say by which address their hosts are reached. */
  addressing: ReadonlySet<string>;
}

/** The variables by which Ansible reaches a host. */
export const addressVariables = ['ansible_host', 'ansible_ssh_host'] as const;

export function groupRulesOf(groups: readonly Group[]): GroupRules {
  return {
    matching: groups.flatMap((group) =>
      group.match
        ? [{ group: group.group_name, source: group.said_by.match as string, matches: matcherOf(group.match) }]
        : [],
    ),
    addressing: addressingAmong(groups),
  };
}

function addressingAmong(groups: readonly Group[]): Set<string> {
  const children = new Map(groups.map((group) => [group.group_name, group.children]));
  const found = new Set<string>();
  const waiting = groups
    .filter(({ vars }) => addressVariables.some((name) => Object.hasOwn(vars, name)))
    .map(({ group_name }) => group_name);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    waiting.push(...(children.get(name) ?? []));
  }
  return found;
}

/** The groups that a host is in, each with what put it there; one that has two reasons has the first. */
export function membershipsOf(item: Item, rules: GroupRules, activity?: Activity): Membership[] {
  const found = new Map<string, string>();
  const add = (group: string, rule: string) => {
    if (!found.has(group)) found.set(group, rule);
  };
  const observe = (prefix: GroupPrefix, value: unknown, rule: string) => {
    if (typeof value === 'string' && value !== '') add(observedGroupName(prefix, value), `${rule} is ${value}`);
  };
  for (const group of item.ansible.groups ?? []) add(group, 'ansible.groups names it');
  for (const { group, source, matches } of rules.matching) if (matches(item)) add(group, `fits its match in ${source}`);
  observe('site', item.site_id, 'site_id');
  observe('type', item.ci_type, 'ci_type');
  observe('status', item.ci_status, 'ci_status');
  observe('node', item.technical_specs.node, 'technical_specs.node');
  observe('pool', item.technical_specs.pool, 'technical_specs.pool');
  observe('os', item.technical_specs.os, 'technical_specs.os');
  observe('env', item.environment, 'environment');
  observe('role', item.role, 'role');
  observe('managed_by', item.managed_by, 'managed_by');
  for (const tag of item.tags) observe('tag', tag, 'a tag');
  for (const [group, rule] of resultGroupsOf(activity)) add(group, rule);
  return [...found].map(([group, rule]) => ({ group, rule }));
}

/** The groups that tell how playbooks went on a host. */
function resultGroupsOf(activity: Activity | undefined): [(typeof groupsOfRuns)[number], string][] {
  const found: [(typeof groupsOfRuns)[number], string][] = [];
  const { last_configured_at = null, last_run_outcome = null, failing = 0, stale_since = null } = activity ?? {};
  if (failing > 0) found.push(['last_run_failed', `the last run of ${failing} of its playbooks failed`]);
  if (last_run_outcome === 'unreachable') found.push(['last_run_unreachable', 'its last run did not reach it']);
  if (last_run_outcome === 'changed') found.push(['last_run_changed', 'its last run changed something']);
  if (last_configured_at === null) found.push(['never_configured', 'no run went well on it yet']);
  if (stale_since !== null) found.push(['stale', `the last run that went well on it was on ${last_configured_at}`]);
  return found;
}
