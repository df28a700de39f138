/** What runs when: each job on its own clock, never twice at once, with a line in the log for each run. */

import schedule from 'node-schedule';
import { type Static, Type } from 'typebox';
import type { Logger } from '../log.ts';
import { setAlerts } from '../store/alerts.ts';
import type { Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';

/** Scheduled work that can be called by hand as well: running it twice does what running it once does. */
export interface Job {
  name: string;
  /** When it runs unless told otherwise: cron's five fields. */
  schedule: string;
  /** Whether it was missed while the service was not running. */
  isDueAtStart?(): Promise<boolean>;
  /** Answers what it did, as counts for the log. */
  run(): Promise<Record<string, number>>;
}

export const jobsSettings = Type.Record(
  Type.String(),
  Type.Object(
    { schedule: Type.String({ description: "cron's five fields, or off" }) },
    { additionalProperties: false },
  ),
  { default: {}, description: 'by name of the job' },
);

export interface Jobs {
  run(name: string): Promise<Record<string, number>>;
  close(): Promise<void>;
}

const soonMilliseconds = 5000;
const alertAfterFailures = 3;

/** Starts the clocks of the jobs. A job of an unknown name in the settings was refused before. */
export function openJobs(
  jobs: readonly Job[],
  settings: Static<typeof jobsSettings>,
  store: Store,
  clock: Clock,
  log: Logger,
): Jobs {
  const running = new Map<string, Promise<Record<string, number>>>();
  const failures = new Map<string, number>();

  function run(job: Job): Promise<Record<string, number>> {
    const under = running.get(job.name);
    if (under) return under;
    const began = performance.now();
    const work = job
      .run()
      .then(async (counts) => {
        log.info({ job: job.name, ...counts, milliseconds: Math.round(performance.now() - began) }, 'ran a job');
        if (failures.delete(job.name)) await alertFailures();
        return counts;
      })
      .catch(async (error: unknown) => {
        log.error({ job: job.name, err: error }, 'a job failed');
        failures.set(job.name, (failures.get(job.name) ?? 0) + 1);
        await alertFailures().catch(() => undefined);
        throw error;
      })
      .finally(() => running.delete(job.name));
    running.set(job.name, work);
    return work;
  }

  async function alertFailures(): Promise<void> {
    const often = [...failures].filter(([, count]) => count >= alertAfterFailures);
    const standing = new Map(
      often.map(([name, count]) => [name, `The job ${name} failed ${count} times; the log says why.`]),
    );
    await store.write((trx) => setAlerts(trx, 'job_failed', standing, stamp(clock())));
  }

  const start = (job: Job) => void run(job).catch(() => undefined);
  const clocks = jobs.flatMap((job) => {
    const when = settings[job.name]?.schedule ?? job.schedule;
    return when === 'off' ? [] : [schedule.scheduleJob(job.name, when, () => start(job))];
  });
  const soon = setTimeout(() => {
    for (const job of jobs) {
      if (settings[job.name]?.schedule === 'off') continue;
      void job.isDueAtStart?.().then(
        (isDue) => isDue && start(job),
        () => undefined,
      );
    }
  }, soonMilliseconds).unref();

  return {
    async run(name) {
      const job = jobs.find((one) => one.name === name);
      if (!job) throw new Error(`There is no job ${name}.`);
      return await run(job);
    },
    async close() {
      clearTimeout(soon);
      for (const timer of clocks) timer?.cancel();
      await Promise.allSettled(running.values());
    },
  };
}
