/** What runs when: each job on its own clock, never twice at once, with a line in the log for each run. */

import schedule from 'node-schedule';
import { type Static, Type } from 'typebox';
import { StartError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { listStanding, setAlerts } from '../store/alerts.ts';
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
  /** Starts the clocks. Without it a job runs only when it is asked to. */
  start(): void;
  run(name: string): Promise<Record<string, number>>;
  /**
   * Runs it for what was done up to now: after the run that is under way, and once for all who ask meanwhile. Does not
   * throw; how it went is in the log.
   */
  follow(name: string): Promise<void>;
  close(): Promise<void>;
}

export interface JobParts {
  settings: Static<typeof jobsSettings>;
  /** The zone of the schedules. */
  timeZone: string;
  store: Store;
  clock: Clock;
  log: Logger;
}

const soonMilliseconds = 5000;
const alertAfterFailures = 3;
const alertKind = 'job_failed';

/** Throws StartError where the settings name a job that is none, or a schedule that never comes. */
export function openJobs(jobs: readonly Job[], { settings, timeZone, store, clock, log }: JobParts): Jobs {
  const names = jobs.map((job) => job.name);
  const unknown = Object.keys(settings).filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new StartError(`jobs: there is no job ${unknown.join(', ')}; known are ${names.join(', ')}.`);
  const scheduleOf = (job: Job) => settings[job.name]?.schedule ?? job.schedule;
  const scheduled = jobs.filter((job) => scheduleOf(job) !== 'off');
  for (const job of scheduled) refuseSchedule(job.name, scheduleOf(job));

  const running = new Map<string, Promise<Record<string, number>>>();
  let counted: Promise<Map<string, number>> | undefined;
  /** By job, how often it failed since it last did not; an alert from before this start stands for the most of it. */
  const failuresOf = () => {
    counted ??= listStanding(store.read, alertKind).then(
      (standing) => new Map(standing.map((name) => [name, alertAfterFailures])),
    );
    return counted;
  };

  function run(job: Job): Promise<Record<string, number>> {
    const under = running.get(job.name);
    if (under) return under;
    const work = runNow(job).finally(() => running.delete(job.name));
    running.set(job.name, work);
    return work;
  }

  const following = new Map<string, Promise<void>>();
  let isClosed = false;

  function follow(job: Job): Promise<void> {
    const asked = following.get(job.name);
    if (asked) return asked;
    const next = async () => {
      await running.get(job.name)?.catch(() => undefined);
      // From here on it may have begun already; who asks now needs another one.
      following.delete(job.name);
      if (!isClosed) await run(job).catch(() => undefined);
    };
    const work = next();
    following.set(job.name, work);
    return work;
  }

  async function runNow(job: Job): Promise<Record<string, number>> {
    const began = performance.now();
    try {
      const counts = await job.run();
      log.info({ job: job.name, ...counts, milliseconds: Math.round(performance.now() - began) }, 'ran a job');
      await remember(job, false);
      return counts;
    } catch (error) {
      log.error({ job: job.name, err: error }, 'a job failed');
      await remember(job, true);
      throw error;
    }
  }

  /** What cannot be remembered now changes nothing of how the job went. */
  async function remember(job: Job, hasFailed: boolean): Promise<void> {
    try {
      const failures = await failuresOf();
      if (hasFailed) failures.set(job.name, (failures.get(job.name) ?? 0) + 1);
      else if (!failures.delete(job.name)) return;
      const often = [...failures].filter(([, count]) => count >= alertAfterFailures);
      const standing = new Map(
        often.map(([name, count]) => [name, `The job ${name} failed ${count} times; the log says why.`]),
      );
      await store.write((trx) => setAlerts(trx, alertKind, standing, stamp(clock())));
    } catch (error) {
      log.warn({ job: job.name, err: error }, 'the failures of jobs could not be kept as an alert');
    }
  }

  function get(name: string): Job {
    const job = jobs.find((one) => one.name === name);
    if (!job) throw new Error(`There is no job ${name}.`);
    return job;
  }

  const startJob = (job: Job) => void run(job).catch(() => undefined);
  const timers: (schedule.Job | null)[] = [];
  let soon: NodeJS.Timeout | undefined;

  async function startIfDue(job: Job): Promise<void> {
    if (await job.isDueAtStart?.()) startJob(job);
  }

  return {
    start() {
      for (const job of scheduled) {
        timers.push(schedule.scheduleJob(job.name, { rule: scheduleOf(job), tz: timeZone }, () => startJob(job)));
      }
      soon = setTimeout(() => {
        for (const job of scheduled) {
          startIfDue(job).catch((error: unknown) =>
            log.warn({ job: job.name, err: error }, 'it is not known whether a job is due'),
          );
        }
      }, soonMilliseconds).unref();
    },
    run: async (name) => await run(get(name)),
    follow: async (name) => await follow(get(name)),
    async close() {
      isClosed = true;
      clearTimeout(soon);
      for (const timer of timers) timer?.cancel();
      await Promise.allSettled([...following.values(), ...running.values()]);
    },
  };
}

/** Five fields and no more: cron itself has no seconds. */
function refuseSchedule(name: string, when: string): void {
  const job = when.trim().split(/\s+/).length === 5 ? schedule.scheduleJob(when, () => undefined) : null;
  if (job) job.cancel();
  else
    throw new StartError(
      `jobs.${name}.schedule: ${JSON.stringify(when)} is not cron's five fields, such as "20 3 * * *", nor off.`,
    );
}
