/** Alerts in the log too: a line when one begins, and one when it is over. */

import type { Logger } from '../log.ts';
import { type Alert, standingAlerts } from '../store/alerts.ts';
import type { Store } from '../store/open.ts';
import type { Job } from './jobs.ts';

/** What stood before this process is told once more. */
export function alertLogJob(store: Store, log: Logger): Job {
  let told = new Map<string, Alert>();
  return {
    name: 'log-alerts',
    schedule: '* * * * *',
    quiet: true,
    isDueAtStart: () => Promise.resolve(true),
    async run() {
      const standing = new Map((await standingAlerts(store.read)).map((alert) => [keyOf(alert), alert]));
      const begun = [...standing].filter(([key]) => !told.has(key));
      const over = [...told].filter(([key]) => !standing.has(key));
      for (const [, { kind, subject, since, what_to_do }] of begun)
        log.warn({ alert: kind, subject, since, what_to_do }, 'an alert stands');
      for (const [, { kind, subject, since }] of over) log.info({ alert: kind, subject, since }, 'an alert is over');
      told = standing;
      return { begun: begun.length, over: over.length };
    },
  };
}

/** One that ended and came back is another one. */
function keyOf({ kind, subject, since }: Alert): string {
  return `${kind} ${subject} ${since}`;
}
