/** Results of playbooks as a module: what it needs, and what it brings. */

import type { Static } from 'typebox';
import type { House, Module, Opened } from '../module.ts';
import type { Trx } from '../store/open.ts';
import type { ToldDifference } from './history/blame.ts';
import { historyEndpoints } from './history/routes.ts';
import { openIngest } from './ingest.ts';
import { runJobs } from './jobs.ts';
import { ingestEndpoints } from './routes.ts';
import { runsSettings } from './settings.ts';

/** What runs need of the inventory. */
export interface InventoryOfRuns {
  /** What Ansible was told under a version, byte for byte. Throws `not_found`. */
  told(version: string): Promise<Buffer>;
  /** What two versions differ by; null where one of them is not kept. */
  difference(before: string | null, after: string | null): Promise<ToldDifference | null>;
  /** Keeps a version that was served until then. */
  keep(trx: Trx, version: string, until: string): Promise<void>;
}

export function runsModule(inventory: InventoryOfRuns): Module<typeof runsSettings> {
  return {
    name: 'runs',
    settings: runsSettings,
    open({ store, cmdb, clock, log }: House, settings: Static<typeof runsSettings>): Opened {
      const ingest = openIngest({ store, cmdb, clock, log, settings, keepInventory: inventory.keep });
      return {
        endpoints: [
          ...ingestEndpoints(ingest, store),
          ...historyEndpoints({
            store,
            clock,
            timeZone: cmdb.timeZone,
            toldInventory: inventory.told,
            differenceOfTold: inventory.difference,
          }),
        ],
        jobs: runJobs(store, clock, settings),
      };
    },
  };
}
