/** Who is served, and why or why not. Pure. */

import type { Item } from '../cmdb/item.ts';
import { kindOf } from '../cmdb/kinds.ts';
import type { Site } from '../cmdb/store/sites.ts';
import type { Matcher } from './match.ts';

export const servedTypes: ReadonlySet<string> = new Set([
  'virtual_machine',
  'lxc_container',
  'physical_server',
  'network_device',
  'machine',
]);

export const offTag = 'no-ansible';

export interface ServingRules {
  notServed: readonly Matcher[];
  sites: ReadonlyMap<string, Site>;
}

/** Served always, never, or only when asked for with `include`. */
export type Serving = { served: true; why: string } | { served: false; why: string; unless?: 'held' | 'stopped' };

export function servingOf(item: Item, rules: ServingRules): Serving {
  const no = (why: string): Serving => ({ served: false, why });
  if (item.deleted_at) return no(`it was deleted on ${item.deleted_at}`);
  if (!servedTypes.has(item.ci_type)) return no(`items of type ${item.ci_type} are not hosts`);
  if (item.ansible_name === null) return no('it has no name in the inventory');
  if (isTemplate(item)) return no('it is a template');
  const { enabled } = item.ansible;
  if (enabled === false) return no('ansible.enabled is false');
  if (enabled !== true) {
    if (isHypervisor(item)) return no('it is a hypervisor node, and ansible.enabled is not true');
    if (item.tags.includes(offTag)) return no(`it has the tag ${offTag}`);
    const rule = rules.notServed.findIndex((matches) => matches(item));
    if (rule >= 0) return no(`it fits entry ${rule + 1} of inventory.not_served`);
    const site = rules.sites.get(item.site_id);
    if (site?.new_hosts === 'hold' && isNewAt(item, site)) {
      return no(
        `new_hosts of ${site.site_id} is hold, and it was found after that; set ansible.enabled to true to serve it`,
      );
    }
  }
  switch (item.ci_status) {
    case 'running':
    case 'active':
      return { served: true, why: `it is ${item.ci_status}` };
    case 'maintenance':
      return item.power === 'stopped' && item.stop_confirmed
        ? { served: false, why: 'it is held, and stopped' }
        : { served: false, why: `it is held: ${item.hold?.reason ?? ''}`, unless: 'held' };
    case 'stopped':
      return item.stop_confirmed
        ? { served: false, why: 'it is stopped', unless: 'stopped' }
        : { served: true, why: 'it is stopped, but was not yet seen so for half an hour' };
    default:
      return no(`it is ${item.ci_status}`);
  }
}

function isTemplate(item: Item): boolean {
  const { template } = item.technical_specs;
  return template === true || template === 1;
}

function isHypervisor(item: Item): boolean {
  return item.ci_type === 'physical_server' && kindOf(item.winners.ci_type?.source ?? '') === 'proxmox-api';
}

/** A host that people speak of is none that was merely found. */
function isNewAt(item: Item, site: Site): boolean {
  const isClaimed = Object.values(item.winners).some(
    ({ source }) => source.startsWith('manual:') || source.startsWith('import:'),
  );
  return !isClaimed && site.new_hosts_since !== null && item.created_at > site.new_hosts_since;
}
