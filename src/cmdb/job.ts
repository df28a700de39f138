/** The heart's scheduled work: what time alone changes is done every five minutes, and after each pass. */

import type { Job } from '../jobs/jobs.ts';
import type { Store } from '../store/open.ts';
import type { Clock } from '../time.ts';
import type { Cmdb } from './cmdb.ts';
import { sweep } from './sweep.ts';

export function sweepJob(cmdb: Cmdb, store: Store, clock: Clock): Job {
  return {
    name: 'sweep',
    schedule: '*/5 * * * *',
    quiet: true,
    isDueAtStart: () => Promise.resolve(true),
    run: () => sweep(cmdb, store, clock),
  };
}

/**
 * The heart, which answers a pass once what time alone changes has followed it, in a transaction of its own. One that
 * says what the last one said, and misses nothing, leaves that to the clock.
 */
export function sweptAfterPasses(cmdb: Cmdb, sweepNow: () => Promise<void>): Cmdb {
  return {
    ...cmdb,
    async pass(body, caller) {
      const result = await cmdb.pass(body, caller);
      if (!body.dry_run) await sweepNow();
      return result;
    },
    async read(source, batch, reading) {
      const result = await cmdb.read(source, batch, reading);
      if (!reading.dryRun) await sweepNow();
      return result;
    },
    async readAgain(source, again) {
      const result = await cmdb.readAgain(source, again);
      if (result && result.absent > 0) await sweepNow();
      return result;
    },
  };
}
