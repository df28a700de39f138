/** Refused writes are kept for 30 days. */

import { setAlerts } from '../store/alerts.ts';
import type { Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import { countRefusals, deleteRefusalsBefore } from './store.ts';

const keptHours = 30 * 24;
const alertHours = 24;

/** Deletes what is old, and says whether writes were refused within a day: those who sent them may not know. */
export function pruneRefusalsJob(store: Store, clock: Clock) {
  return {
    name: 'prune-refusals',
    schedule: '10 * * * *',
    async run() {
      const now = clock();
      const recent = await countRefusals(store.read, stamp(now.subtract({ hours: alertHours })));
      const standing = new Map(
        recent > 0
          ? [['api', `Writes were refused within the last day; "rollcall doctor" and GET /api/v1/refusals say which.`]]
          : [],
      );
      const deleted = await store.write(async (trx) => {
        await setAlerts(trx, 'refused_writes', standing, stamp(now));
        return await deleteRefusalsBefore(trx, stamp(now.subtract({ hours: keptHours })));
      });
      return { deleted, recent };
    },
  };
}
