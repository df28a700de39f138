/** What time does to runs: one that never ended is given up, old results go, and hosts become stale. */

import type { Static } from 'typebox';
import { notConfiguredSince, storeActivity } from '../cmdb/store/activity.ts';
import type { Job } from '../jobs/jobs.ts';
import type { Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import type { runsSettings } from './settings.ts';
import {
  countMissingTotals,
  deleteOutcomesBefore,
  deletePlays,
  deleteResults,
  failingPlaybooks,
  interruptRuns,
  runsToPrune,
} from './store.ts';

const runsAtOnce = 100;
const resultsAtOnce = 5000;
const silentHours = 24;

export function runJobs(store: Store, clock: Clock, settings: Static<typeof runsSettings>): Job[] {
  const ago = (hours: number) => stamp(clock().subtract({ hours }));

  async function pruneRun(runNo: number): Promise<number> {
    await store.write((trx) => countMissingTotals(trx, runNo));
    let deleted = 0;
    for (;;) {
      const some = await store.write((trx) => deleteResults(trx, runNo, resultsAtOnce));
      deleted += some;
      if (some < resultsAtOnce) break;
    }
    await store.write((trx) => deletePlays(trx, runNo, stamp(clock())));
    return deleted;
  }

  return [
    {
      name: 'follow-runs',
      schedule: '25 * * * *',
      async run() {
        const interrupted = await store.write((trx) => interruptRuns(trx, ago(silentHours)));
        const before = ago(24 * settings.stale_days);
        const stale = await store.write(async (trx) => {
          const items = await notConfiguredSince(trx, before);
          await storeActivity(trx, new Map(items.map((id) => [id, { stale_since: stamp(clock()) }])));
          return items.length;
        });
        return { interrupted, stale };
      },
    },
    {
      name: 'prune-runs',
      schedule: '50 3 * * *',
      async run() {
        const before = ago(24 * settings.keep_days);
        let [runs, results] = [0, 0];
        for (;;) {
          const old = await runsToPrune(store.read, before, runsAtOnce);
          for (const runNo of old) results += await pruneRun(runNo);
          runs += old.length;
          if (old.length < runsAtOnce) break;
        }
        await store.write(async (trx) => {
          const items = await deleteOutcomesBefore(trx, before);
          const failing = await failingPlaybooks(trx, items);
          await storeActivity(trx, new Map(items.map((id) => [id, { failing: failing.get(id) ?? 0 }])));
        });
        return { runs, results };
      },
    },
  ];
}
