/** What is kept of a run: one write as it begins, and one as it ends. */

import type { ReadDb, Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import { noteHowItWent } from './failures.ts';
import type { JobRun } from './jobs.ts';
import { takeLease } from './lease.ts';
import { deleteLease, newestRuns, pruneRuns, storeRun } from './store.ts';

const keptRuns = 200;
const keptHours = 30 * 24;

/** Keeps it and takes the lease for it; or does neither, and answers the run that has the lease. */
export async function keepBeginning(
  { write }: Store,
  lease: string,
  run: JobRun,
  clock: Clock,
): Promise<string | undefined> {
  let holder: string | undefined;
  const isHeld = new Error('held');
  try {
    await write(async (trx) => {
      // First, since a lease is of a run that is kept.
      await storeRun(trx, run);
      holder = await takeLease(trx, lease, run.id, clock);
      if (holder !== undefined) throw isHeld;
    });
  } catch (error) {
    if (error !== isHeld) throw error;
  }
  return holder;
}

/** Keeps how it went, gives the lease back, begins and ends the alert of a job that fails, and forgets old runs. */
export async function keepEnd({ write }: Store, lease: string, run: JobRun, now: Temporal.Instant): Promise<void> {
  await write(async (trx) => {
    await storeRun(trx, run);
    await deleteLease(trx, lease, run.id);
    await noteHowItWent(trx, run, stamp(now));
    await pruneRuns(trx, run.job, stamp(now.subtract({ hours: keptHours })), keptRuns);
  });
}

/** Of a quiet run: it changed something or failed, or is the first that went well after one that did not. */
export async function isWorthKeeping(db: ReadDb, { job, outcome, counts }: JobRun): Promise<boolean> {
  if (outcome !== 'good' || Object.values(counts).some((count) => count !== 0)) return true;
  const last = (await newestRuns(db, 'ended')).get(job);
  return last !== undefined && last.outcome !== 'good';
}
