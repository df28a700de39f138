/** What an import left out, and what it does or would do, for people who never saw one. No value of a secret. */

import type { Fault } from '../errors.ts';
import { literalIn } from '../json.ts';
import type { ShownChange } from './change.ts';
import type { Client } from './client.ts';
import type { InventoryCopy } from './inventory-copy.ts';
import type { Places } from './inventory-places.ts';
import type { OldInventory } from './old-inventory.ts';
import { counted, print, shown, styled } from './output.ts';
import { isSecret } from './plain-secrets.ts';

export interface LeftOut {
  /** Without what was left out. */
  inventory: OldInventory;
  copy: InventoryCopy;
  warnings: readonly string[];
  secrets: { of: 'host' | 'group'; name: string; path: string }[];
  places: Places;
}

export interface ImportPass {
  pass_id: string;
  source: string;
  outcome: string;
  why: string | null;
  missing: number;
  waiting: number[];
  outcomes: { index: number; ci_id: string | null; outcome: string }[];
  changes: (ShownChange & { ci_id: string })[];
  errors: { index: number; errors: Fault[] }[];
  group_changes: { group_name: string; action: string; before: Values; after: Values }[];
  group_shadows: { group_name: string; key: string; by: string }[];
}

type Values = Record<string, unknown>;
type HostShown = OldInventory['hosts'][number];

interface KnownItem {
  ci_id: string;
  ci_name: string;
  ci_type: string;
  discovered_by: string | null;
  technical_specs: { addresses?: string[] };
}

/** The names of groups that Rollcall makes of what is observed, and of results. */
const ownGroup =
  /^(?:(?:site|type|status|node|pool|os|tag|env|role|managed_by)_[a-z0-9_]+|last_run_(?:failed|unreachable|changed)|never_configured|stale|drifted|no_address)$/;

export function printLeftOut(source: string, left: LeftOut, withSecrets: boolean): void {
  const { inventory, copy, warnings, secrets, places } = left;
  print(`${source}: ${counted(inventory.hosts.length, 'host')} and ${counted(inventory.groups.length, 'group')}.`);
  for (const warning of warnings) print(`Ansible says: ${shown(warning)}`);
  const variables = copy.encrypted.flatMap(({ path, beside }) => (beside ? [`${path}  →  ${beside}`] : []));
  const others = copy.encrypted.flatMap(({ path, beside }) => (beside ? [] : [path]));
  section(
    'Encrypted as a whole, and not read. Put each beside your playbooks, where Ansible goes on reading it:',
    variables,
  );
  section('Encrypted as a whole, and not read:', others);
  section(
    'Not read, since a plugin makes hosts of another system of it. Go on giving it to Ansible with another -i:',
    copy.foreign.map(({ path, plugin }) => `${path}  (${plugin})`),
  );
  section(
    withSecrets
      ? 'Secrets in plain text, which are taken in as you said:'
      : 'Secrets in plain text, which are left out. Encrypt them with "ansible-vault encrypt_string", or take them in with --with-plain-secrets:',
    secrets.map(({ of, name, path }) => {
      const place = places.ofVariable(of, name, path);
      return `${path} of ${of} ${name}${place === undefined ? '' : `  ${place}`}`;
    }),
  );
  section(
    'Kept at the host itself, so that it has the value it had (Ansible reads group_vars after the inventory, whatever the group):',
    inventory.hosts.filter((host) => host.lifted.length > 0).map(({ name, lifted }) => `${name}: ${lifted.join(', ')}`),
  );
  const { ungrouped } = inventory;
  if (ungrouped.length > 0)
    print(
      `In no group of yours: ${shown(ungrouped)}. In Rollcall each host is in some group, so that the pattern "ungrouped" finds none.`,
    );
  const shared = inventory.groups.filter(({ name }) => ownGroup.test(name)).map(({ name }) => name);
  if (shared.length > 0)
    print(`Called as groups that Rollcall makes of what it knows, whose hosts are in them as well: ${shown(shared)}.`);
  if ([...inventory.hosts, ...inventory.groups].some(({ vars }) => Object.hasOwn(vars, 'rollcall')))
    print('The variable "rollcall" is what Rollcall says of each host; yours of that name is not told to Ansible.');
}

export async function printPass(
  client: Client,
  pass: ImportPass,
  { inventory }: LeftOut,
  isFirst: boolean,
): Promise<void> {
  const ofItem = new Map(pass.changes.map((change) => [change.ci_id, change]));
  const isKnown = (outcome: string) => outcome === 'updated' || outcome === 'unchanged';
  const met = isFirst ? pass.outcomes.filter(({ outcome }) => isKnown(outcome)) : [];
  const known = met.length === 0 ? [] : (await client.list<KnownItem>('/ci')).items;
  const knownItems = new Map(known.map((item) => [item.ci_id, item]));
  print('');
  for (const { index, ci_id, outcome } of pass.outcomes) {
    const host = inventory.hosts[index];
    if (!host) continue;
    const name = shown(host.name);
    const change = ofItem.get(ci_id ?? '');
    if (change) ofItem.delete(ci_id ?? '');
    if (outcome === 'created') print(`${styled('green', `+ ${name}`)}  new${describedHost(host)}`);
    else if (outcome === 'waiting')
      print(`${styled('red', `? ${name}`)}  ambiguous: it could be one of several, and waits until you say which`);
    else if (isFirst || change) {
      const item = knownItems.get(ci_id ?? '');
      const by = item?.discovered_by ? `, discovered by ${item.discovered_by}` : '';
      const is = item ? `  matches ${item.ci_type} ${shown(item.ci_name)}${by}` : '';
      print(`${styled('yellow', `~ ${name}`)}${is}`);
      const differing = item && differingAddress(host, item);
      if (differing !== undefined) print(`    address  ${differing}`);
      if (change) printValues(change.before, withoutOwnName(change.after, host.name));
    }
  }
  for (const { ci_name, action, before, after } of ofItem.values()) {
    const isGone = action === 'missing' || action === 'retired';
    print(isGone ? styled('red', `- ${shown(ci_name)}  withdrawn: no longer in the inventory`) : `~ ${shown(ci_name)}`);
    if (!isGone) printValues(before, after);
  }
  printGroups(pass);
  print(summaryOf(pass, isFirst));
  if (pass.outcome === 'suspicious') print(`Held: ${pass.why}.`);
}

function printGroups({ group_changes, group_shadows }: ImportPass): void {
  for (const { group_name, action, before, after } of group_changes) {
    if (action === 'created') print(`${styled('green', `+ group ${shown(group_name)}`)}  new${describedGroup(after)}`);
    else if (action === 'deleted') print(styled('red', `- group ${shown(group_name)}  no longer in the inventory`));
    else {
      print(styled('yellow', `~ group ${shown(group_name)}`));
      printValues(...byVariable(before, after));
    }
  }
  for (const { group_name, key, by } of group_shadows)
    print(`  the ${key} of group ${shown(group_name)} are those that ${by} says, and not the ones here`);
}

function section(title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  print(title);
  for (const line of lines) print(`  ${shown(line)}`);
}

function describedHost({ groups, vars }: HostShown): string {
  const { ansible_host: address, ...others } = vars;
  const count = Object.keys(others).length;
  const parts = [
    ...(typeof address === 'string' ? [`at ${shown(address)}`] : []),
    ...(groups.length > 0 ? [`in ${shown(groups)}`] : []),
    ...(count > 0 ? [counted(count, 'variable')] : []),
  ];
  return parts.length > 0 ? `: ${parts.join('; ')}` : '';
}

function describedGroup(after: Values): string {
  const count = Object.keys((after.vars as Values | undefined) ?? {}).length;
  const children = Array.isArray(after.children) ? (after.children as string[]) : [];
  const parts = [
    ...(children.length > 0 ? [`with the groups ${shown(children)}`] : []),
    ...(count > 0 ? [counted(count, 'variable')] : []),
  ];
  return parts.length > 0 ? `: ${parts.join('; ')}` : '';
}

/** What discovery found, where what the inventory says is none of it. */
function differingAddress({ vars }: HostShown, { technical_specs: { addresses = [] } }: KnownItem): string | undefined {
  const found = addresses.map((one) => one.replace(/\/\d+$/, ''));
  const address = vars.ansible_host ?? vars.ansible_ssh_host;
  if (found.length === 0 || (typeof address === 'string' && found.includes(address))) return undefined;
  const here = address === undefined ? 'reached by its name here, as before' : `${shown(address)} here`;
  return `${here}; ${shown(found)} was found`;
}

/** That it is reached by its name is said with the address. */
function withoutOwnName({ 'ansible.host': host, ...others }: Values, name: string): Values {
  return host === undefined || host === name ? others : { ...others, 'ansible.host': host };
}

const follows = new Set([
  'generation',
  'discovered_by',
  'lifecycle',
  'absence',
  'ansible_name_by',
  'ansible_name_from',
]);

function printValues(before: Values, after: Values): void {
  const names = Object.keys(after).filter((name) => !follows.has(name));
  const width = Math.max(0, ...names.map((name) => shown(name).length));
  for (const name of names.sort())
    print(`    ${shown(name).padEnd(width)}  ${valueShown(name, before[name])} → ${valueShown(name, after[name])}`);
}

/** The variables of a group one by one, those that differ. */
function byVariable(before: Values, after: Values): [Values, Values] {
  const [was, is] = [before, after].map(({ vars, ...others }) => {
    const each = Object.entries((vars as Values | undefined) ?? {}).map(([name, value]) => [`vars.${name}`, value]);
    return { ...others, ...Object.fromEntries(each) } as Values;
  }) as [Values, Values];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(
    (name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]),
  );
  return [was, is].map((values) => Object.fromEntries(names.map((name) => [name, values[name]]))) as [Values, Values];
}

/** A secret is said to be one; and what is encrypted, to be so. */
function valueShown(path: string, value: unknown): string {
  const hidden = (name: string, inner: unknown): unknown => {
    if (isSecret(name, inner)) return '(secret)';
    if (Array.isArray(inner)) return inner.map((entry: unknown) => hidden('', entry));
    if (typeof inner !== 'object' || inner === null) return inner;
    if ('__ansible_vault' in inner) return '(encrypted)';
    if ('__ansible_unsafe' in inner) return inner.__ansible_unsafe;
    const literal = literalIn(inner);
    if (literal !== undefined) return literal;
    return Object.fromEntries(Object.entries(inner).map(([key, one]) => [key, hidden(key, one)]));
  };
  return shown(hidden(path.split('.').at(-1) as string, value));
}

function summaryOf(pass: ImportPass, isFirst: boolean): string {
  const count = (...outcomes: string[]) => pass.outcomes.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const hosts = [
    [count('created'), 'new'],
    [isFirst ? count('updated', 'unchanged') : 0, 'matched'],
    [isFirst ? 0 : count('updated'), 'changed'],
    [isFirst ? 0 : count('unchanged'), 'unchanged'],
    [count('waiting'), 'ambiguous'],
    [pass.missing, 'withdrawn'],
  ] as const;
  const groups = [
    [pass.group_changes.filter(({ action }) => action === 'created').length, 'new'],
    [pass.group_changes.filter(({ action }) => action === 'updated').length, 'changed'],
    [pass.group_changes.filter(({ action }) => action === 'deleted').length, 'gone'],
  ] as const;
  const words = (counts: typeof hosts | typeof groups) =>
    counts.flatMap(([number, word]) => (number > 0 ? [`${number} ${word}`] : [])).join(', ') || 'nothing changes';
  return `Hosts: ${words(hosts)}. Groups: ${words(groups)}.`;
}
