/** The inventory as a module: what it needs, and what it brings. */

import type { ItemId } from '../cmdb/item.ts';
import type { SiteSettings } from '../cmdb/sites.ts';
import { DomainError, StartError } from '../errors.ts';
import type { Job } from '../jobs/jobs.ts';
import type { House, Module, Opened } from '../module.ts';
import type { Trx } from '../store/open.ts';
import { stamp } from '../time.ts';
import { causesIn, type InventoryDiff } from './diff.ts';
import { exportJob } from './export-job.ts';
import { exportEndpoints } from './export-routes.ts';
import { groupEndpoints } from './group-routes.ts';
import { configuredWords, faultIn, groupsOf } from './groups.ts';
import { type InventorySettings, openInventory } from './inventory.ts';
import { inventoryEndpoints } from './routes.ts';
import { inventorySettings } from './settings.ts';
import { deleteVersionsBefore, keepVersion } from './store.ts';

/** Who the machine of the service is: the hash that its own scripts send, and its item, if it has one. */
export interface Here {
  controller: string | undefined;
  item(): Promise<ItemId | undefined>;
}

/** What others need of the inventory besides. */
export interface OpenedInventory extends Opened {
  /** What was told under a version, byte for byte. Throws `not_found`. */
  told(version: string): Promise<Buffer>;
  /** What two versions differ by; null where one of them is not kept. */
  difference(before: string | null, after: string | null): Promise<InventoryDiff | null>;
  /** Keeps a version until then, if it is still there. */
  keep(trx: Trx, version: string, until: string): Promise<void>;
}

export function inventoryModule(here: Here): Module<typeof inventorySettings, OpenedInventory> {
  return {
    name: 'inventory',
    settings: inventorySettings,
    open(house: House, settings: InventorySettings): OpenedInventory {
      const { store, cmdb, clock } = house;
      refuseConfigured(settings.groups);
      const inventory = openInventory({
        store,
        settings,
        siteSettings: cmdb.settings.sites as SiteSettings,
        clock,
        here,
      });
      const told = async (version: string) => (await inventory.told(version, { include: [], isHere: false })).body;
      const kept = (version: string) =>
        told(version).catch((error: unknown) => {
          if (error instanceof DomainError && error.code === 'not_found') return undefined;
          throw error;
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
        endpoints: [
          ...inventoryEndpoints(inventory, store, cmdb.timeZone),
          ...exportEndpoints(inventory, store),
          ...groupEndpoints(store, settings, clock),
        ],
        jobs: [prune, ...(settings.export ? [exportJob(inventory, store, settings.export)] : [])],
        told,
        async difference(before, after) {
          if (before === null || after === null) return null;
          const [from, to] = [await kept(before), await kept(after)];
          return from && to ? causesIn(JSON.parse(from.toString('utf8')), JSON.parse(to.toString('utf8'))) : null;
        },
        keep: keepVersion,
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
