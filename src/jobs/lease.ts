/**
 * Who may run something now. A lease is a row that is taken in the one writer's transaction, prolonged while its run goes
 * on, and free by itself soon after the run's process was killed: so nothing is run twice at once, in however many
 * processes.
 */

import type { Trx } from '../store/open.ts';
import { type Clock, millisecondsOf, type Stamp, stamp } from '../time.ts';
import { findLease, interruptRun, type Lease, prolongLease, storeLease } from './store.ts';

const leaseMilliseconds = 60_000;
export const prolongEveryMilliseconds = 20_000;

/** Takes it for a run that is kept already; or answers the run that has it. */
export async function takeLease(trx: Trx, name: string, run: string, clock: Clock): Promise<string | undefined> {
  const now = clock();
  const lease = await findLease(trx, name);
  if (lease && isHeld(lease, now)) return lease.holder;
  if (lease)
    await interruptRun(trx, lease.holder, 'It was not heard of any more, and another run took over.', stamp(now));
  await storeLease(trx, name, { holder: run, until: untilOf(now) });
  return undefined;
}

/** Answers false where another run has taken over. */
export async function keepLease(trx: Trx, name: string, run: string, clock: Clock): Promise<boolean> {
  return await prolongLease(trx, name, { holder: run, until: untilOf(clock()) });
}

/** One with more time left than is ever given is from before the clock was set back, and holds nobody up. */
function isHeld({ until }: Lease, now: Temporal.Instant): boolean {
  const left = millisecondsOf(until) - now.epochMilliseconds;
  return left > 0 && left <= leaseMilliseconds;
}

function untilOf(now: Temporal.Instant): Stamp {
  return stamp(now.add({ milliseconds: leaseMilliseconds }));
}
