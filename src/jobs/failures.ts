/** A job that fails again and again needs a person: that is an alert, until it no longer fails. */

import { setAlerts } from '../store/alerts.ts';
import type { Trx } from '../store/open.ts';
import type { Stamp } from '../time.ts';
import type { JobRun } from './jobs.ts';
import { failuresInARow } from './store.ts';

const alertAfterFailures = 3;
const alertKind = 'job_failed';

/** Begins and ends the alert, after the run was kept. One that was interrupted changes nothing. */
export async function noteHowItWent(trx: Trx, { job, outcome }: JobRun, at: Stamp): Promise<void> {
  if (outcome === 'interrupted') return;
  const failures = outcome === 'failed' ? await failuresInARow(trx, job) : 0;
  if (outcome === 'failed' && failures < alertAfterFailures) return;
  const words = `The job ${job} failed ${failures} times in a row; "rollcall jobs log ${job}" says why.`;
  await setAlerts(trx, alertKind, new Map(failures > 0 ? [[job, words]] : []), at, new Set([job]));
}
