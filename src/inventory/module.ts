/** The inventory as a module: what it needs, and what it brings. */

import type { ItemId } from '../cmdb/item.ts';
import type { SiteSettings } from '../cmdb/sites.ts';
import { StartError } from '../errors.ts';
import type { Job } from '../jobs/jobs.ts';
import type { House, Module, Opened } from '../module.ts';
import { stamp } from '../time.ts';
import { groupEndpoints } from './group-routes.ts';
import { configuredWords, faultIn, groupsOf } from './groups.ts';
import { type InventorySettings, openInventory } from './inventory.ts';
import { inventoryEndpoints } from './routes.ts';
import { inventorySettings } from './settings.ts';
import { deleteVersionsBefore } from './store.ts';

/** Who the machine of the service is: the hash that its own scripts send, and its item, if it has one. */
export interface Here {
  controller: string | undefined;
  item(): Promise<ItemId | undefined>;
}

export function inventoryModule(here: Here): Module<typeof inventorySettings> {
  return {
    name: 'inventory',
    settings: inventorySettings,
    open(house: House, settings: InventorySettings): Opened {
      const { store, cmdb, clock } = house;
      refuseConfigured(settings.groups);
      const inventory = openInventory({
        store,
        settings,
        siteSettings: cmdb.settings.sites as SiteSettings,
        clock,
        here,
      });
      const prune: Job = {
        name: 'prune-inventory',
        schedule: '40 * * * *',
        async run() {
          await inventory.touch();
          const now = clock();
          const before = stamp(now.subtract({ hours: 24 * settings.keep_days }));
          const deleted = await store.write((trx) => deleteVersionsBefore(trx, before, stamp(now)));
          return { deleted };
        },
      };
      return {
        endpoints: [...inventoryEndpoints(inventory, store, cmdb.timeZone), ...groupEndpoints(store, settings, clock)],
        jobs: [prune],
        close: () => inventory.close(),
      };
    },
  };
}

/** Ansible refuses an inventory with a fault in its groups as a whole, so such a configuration does not start. */
function refuseConfigured(groups: InventorySettings['groups']): void {
  const fault = faultIn(groupsOf(configuredWords(groups)));
  if (fault) throw new StartError(`inventory.groups.${fault.group}: ${fault.detail}.`);
}
