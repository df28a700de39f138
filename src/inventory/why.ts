/** Why a host is served or not, which rule gave each group, and where its address came from. Pure. */

import type { Item } from '../cmdb/item.ts';
import type { Activity } from '../cmdb/store/activity.ts';
import { type AddressWord, addressOf, type shareOut } from './address.ts';
import { addressVariables, type Membership, membershipsOf } from './groups.ts';
import type { HostRules } from './host.ts';
import { servingOf } from './served.ts';

export interface Why {
  ci_id: string;
  ci_name: string;
  name: string | null;
  named_by: string;
  served: boolean;
  reason: string;
  /** `shared_with` names other hosts that have it; it may then be withheld from this one. */
  address: { value: string; from: string; shared_with: string[]; withheld: boolean } | null;
  groups: { group: string; rule: string }[];
}

export function whyOf(
  item: Item,
  words: readonly AddressWord[],
  rules: HostRules,
  activity: Activity | undefined,
  { shared, lost }: ReturnType<typeof shareOut>,
): Why {
  const serving = servingOf(item, rules.serving);
  const groups = membershipsOf(item, rules.groups, activity);
  const address = addressWritten(item, groups, rules) ?? addressOf(item, words, rules.preferred[item.site_id] ?? []);
  return {
    ci_id: item.ci_id,
    ci_name: item.ci_name,
    name: item.ansible_name,
    named_by: namedBy(item),
    served: serving.served,
    reason:
      serving.why +
      (!serving.served && serving.unless ? `; asked for with include=${serving.unless} it is served` : ''),
    address: address
      ? {
          value: address.value,
          from: address.from,
          shared_with:
            shared.find((one) => one.address === address.value)?.hosts.filter((name) => name !== item.ansible_name) ??
            [],
          withheld: lost.has(item.ansible_name ?? ''),
        }
      : null,
    groups,
  };
}

/** Where the operator gives it as a variable, nothing that was found is told. */
function addressWritten(
  { ansible }: Item,
  groups: readonly Membership[],
  rules: HostRules,
): { value: string; from: string } | undefined {
  const name = addressVariables.find((variable) => ansible.vars && variable in ansible.vars);
  const value = name && ansible.vars?.[name];
  if (name) return { value: typeof value === 'string' ? value : JSON.stringify(value), from: `its variable ${name}` };
  const group = ['all', ...groups.map((membership) => membership.group)].find((one) =>
    rules.groups.addressing.has(one),
  );
  if (ansible.host !== undefined || group === undefined) return undefined;
  return { value: 'as its group says', from: `a variable of the group ${group}, or of one above it` };
}

function namedBy(item: Item): string {
  if (item.ansible_name === null) return 'it has no name in the inventory';
  const { ansible_name_by: by, ansible_name_from: asked } = item;
  if (by === 'people' && asked !== null && asked !== item.ansible_name)
    return `a person or an import asked for ${asked}, which was taken, or gave way to the name of what it goes on for`;
  if (by === 'people') return 'a person or an import chose the name';
  return item.ansible_name === item.ci_name
    ? 'the name of the item'
    : `its own name ${item.ci_name} was taken, or is none that Ansible can address`;
}
