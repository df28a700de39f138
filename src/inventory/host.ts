/** One item as a host: its name, its groups, and its variables as a piece of JSON that is made once. Pure. */

import type { Item } from '../cmdb/item.ts';
import { kindOf } from '../cmdb/kinds.ts';
import type { Activity } from '../cmdb/store/activity.ts';
import { type Address, type AddressWord, addressOf } from './address.ts';
import { addressVariables, type GroupRules, membershipsOf } from './groups.ts';
import { isAddress, observed, written } from './safe.ts';
import { type Serving, type ServingRules, servingOf } from './served.ts';

export interface HostRules {
  serving: ServingRules;
  groups: GroupRules;
  /** Further keys of each host's `rollcall` variable. */
  hostvars: readonly string[];
  /** By site, the networks in order of preference. */
  preferred: Readonly<Record<string, readonly string[]>>;
}

export interface Host {
  ci_id: string;
  name: string;
  site_id: string;
  ci_status: string;
  serving: Serving;
  groups: readonly string[];
  address: Address | undefined;
  /** The address stands in a file that the operator wrote: it is his text, and no source's data. */
  isAddressWritten: boolean;
  isRunning: boolean;
  /** The host's variables but for its address: JSON, without the braces around it. */
  variables: string;
  /**
   * No address is given out, and none is missing: an import has the host reached by its own name, or the operator gives the
   * address as a variable, of the host or of a group.
   */
  isReachedOtherwise: boolean;
  /** The operator chose a connection, so none is chosen for him. */
  hasConnection: boolean;
}

/** An item as a host; undefined for one that could be in no answer, whatever is asked. */
export function hostOf(
  item: Item,
  words: readonly AddressWord[],
  rules: HostRules,
  activity: Activity | undefined,
): Host | undefined {
  const serving = servingOf(item, rules.serving);
  if (item.ansible_name === null || (!serving.served && !serving.unless)) return undefined;
  const { ansible } = item;
  const vars: Record<string, unknown> = { rollcall: aboutItem(item, rules.hostvars) };
  if (ansible.user !== undefined) vars.ansible_user = written(ansible.user);
  if (ansible.port !== undefined) vars.ansible_port = ansible.port;
  if (ansible.connection !== undefined) vars.ansible_connection = ansible.connection;
  for (const [name, value] of Object.entries(ansible.vars ?? {})) {
    if (name !== 'rollcall' && !name.startsWith('__ansible')) vars[name.toWellFormed()] = written(value);
  }
  const groups = membershipsOf(item, rules.groups, activity).map((membership) => membership.group);
  // Through the API others speak as people, of what they found.
  const isImported = kindOf(item.winners['ansible.host']?.source ?? '') === 'import';
  const isReachedOtherwise =
    (isImported && ansible.host === item.ansible_name) ||
    addressVariables.some((name) => name in vars) ||
    (ansible.host === undefined && ['all', ...groups].some((group) => rules.groups.addressing.has(group)));
  return {
    ci_id: item.ci_id,
    name: item.ansible_name,
    site_id: item.site_id,
    ci_status: item.ci_status,
    serving,
    groups,
    address: isReachedOtherwise ? undefined : addressOf(item, words, rules.preferred[item.site_id] ?? []),
    isAddressWritten: isImported && ansible.host !== undefined && isAddress(ansible.host),
    isRunning: item.power === 'running',
    variables: JSON.stringify(vars).slice(1, -1),
    isReachedOtherwise,
    hasConnection: 'ansible_connection' in vars,
  };
}

/** What every play can know of a host without asking: few values, since Ansible pays for each. */
function aboutItem(item: Item, further: readonly string[]): Record<string, unknown> {
  const { node, vmid, os, os_version } = item.technical_specs;
  const about: Record<string, unknown> = {
    id: item.ci_id,
    type: item.ci_type,
    site: item.site_id,
    status: item.ci_status,
    environment: item.environment,
    role: item.role,
    tags: item.tags,
    node,
    vmid,
    os,
    os_version,
  };
  for (const key of further)
    about[key] =
      key in item.technical_specs ? item.technical_specs[key] : (item as unknown as Record<string, unknown>)[key];
  return observed(about) as Record<string, unknown>;
}
