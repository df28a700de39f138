/** Clusters that were read once and are in the settings no more: what they said stands until a person withdraws it. */

import type { Job } from '../jobs/jobs.ts';
import { setAlerts } from '../store/alerts.ts';
import type { Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import { listClusters, standingCluster } from './store.ts';

const kind = 'source_not_configured';
export const watchJobName = 'proxmox-sources';

export function watchJob(store: Store, clock: Clock, sources: readonly string[]): Job {
  return {
    name: watchJobName,
    schedule: '7 * * * *',
    quiet: true,
    isDueAtStart: () => Promise.resolve(true),
    async run() {
      const standing = new Map<string, string>();
      for (const { source } of await listClusters(store.read)) {
        if (sources.includes(source) || !(await standingCluster(store, source))) continue;
        standing.set(
          source,
          `${source} is no longer in the settings, and what it said stands. Withdraw it with "rollcall sources withdraw ${source}", or put the cluster back.`,
        );
      }
      await store.write((trx) => setAlerts(trx, kind, standing, stamp(clock())));
      return { unconfigured: standing.size };
    },
  };
}
