/** Results of playbooks as a module: what it needs, and what it brings. */

import type { Static } from 'typebox';
import type { House, Module, Opened } from '../module.ts';
import { historyEndpoints } from './history/routes.ts';
import { openIngest } from './ingest.ts';
import type { InventoryOfRuns } from './inventory.ts';
import { runJobs } from './jobs.ts';
import { ingestEndpoints } from './routes.ts';
import { runsSettings } from './settings.ts';

export function runsModule(inventory: InventoryOfRuns): Module<typeof runsSettings> {
  return {
    name: 'runs',
    settings: runsSettings,
    open({ store, cmdb, clock, log }: House, settings: Static<typeof runsSettings>): Opened {
      const ingest = openIngest({ store, cmdb, clock, log, settings, inventory });
      return {
        endpoints: [
          ...ingestEndpoints(ingest, store),
          ...historyEndpoints({
            store,
            clock,
            timeZone: cmdb.timeZone,
            inventory,
          }),
        ],
        jobs: runJobs(store, clock, settings),
      };
    },
  };
}
