/** What runs when: each job on its own clock, or when it is asked for, and never twice at once. */

import type { Static } from 'typebox';
import { DomainError, StartError } from '../errors.ts';
import type { Store } from '../store/open.ts';
import { type Stamp, stamp } from '../time.ts';
import type { Job, JobOutcome, JobRun, jobsSettings } from './jobs.ts';
import type { Running, RunParts } from './run.ts';
import { isOverdue, off, openTimetable, periodMilliseconds, refuseSchedule, type Timetable } from './schedule.ts';
import { interruptAllRuns, newestRuns } from './store.ts';
import { openTurns, type Params, type Requested } from './turns.ts';

export interface Jobs {
  /** Starts the clocks. Without it a job runs only when it is asked to. */
  start(): void;
  /** Begins a run, or answers the one that is under way. Throws `not_found`, and what kept it from beginning. */
  request(name: string, params?: Params): Promise<Requested>;
  /** The same, until it has ended; throws what it failed with. */
  run(name: string, params?: Params): Promise<JobOutcome>;
  /**
   * Runs it for what was done up to now: after the run that is under way, and once for all who ask meanwhile. Does not
   * throw; how it went is in the log.
   */
  follow(name: string): Promise<void>;
  list(): Promise<JobState[]>;
  /** A run that is under way in this process, with how far it is. */
  findRunning(id: string): Running | undefined;
  /** Nothing begins any more. Waits for what runs, and after so long asks it to end. */
  close(patienceMilliseconds?: number): Promise<void>;
}

export interface JobState {
  name: string;
  schedule: string;
  next_run_at: Stamp | null;
  running: string | null;
  last_run: JobRun | null;
  last_success_at: string | null;
}

export interface JobParts extends RunParts {
  settings: Static<typeof jobsSettings>;
  /** The zone of the schedules. */
  timeZone: string;
}

const soonMilliseconds = 5000;

/** Throws StartError where the settings name a job that is none, or a schedule that never comes. */
export function openJobs(jobs: readonly Job[], { settings, timeZone, ...parts }: JobParts): Jobs {
  const { store, clock, log } = parts;
  const names = jobs.map((job) => job.name);
  const unknown = Object.keys(settings).filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new StartError(`jobs: there is no job ${unknown.join(', ')}; known are ${names.join(', ')}.`);
  const scheduleOf = (job: Job) => settings[job.name]?.schedule ?? job.schedule;
  const scheduled = jobs.filter((job) => scheduleOf(job) !== off);
  for (const job of scheduled) refuseSchedule(job.name, scheduleOf(job));

  const turns = openTurns(parts);
  let timetable: Timetable | undefined;
  let soon: NodeJS.Timeout | undefined;

  function get(name: string): Job {
    const job = jobs.find((one) => one.name === name);
    if (!job) throw new DomainError('not_found', `There is no job ${name}; known are ${names.join(', ')}.`);
    return job;
  }

  async function isDue(job: Job): Promise<boolean> {
    if (job.isDueAtStart) return await job.isDueAtStart();
    const last = (await newestRuns(store.read, 'good')).get(job.name);
    return isOverdue(last?.started_at, periodMilliseconds(scheduleOf(job), timeZone), clock());
  }

  async function launchIfDue(job: Job): Promise<void> {
    try {
      if (await isDue(job)) turns.launch(job, 'start');
    } catch (error) {
      log.warn({ job: job.name, err: error }, 'it is not known whether a job is due');
    }
  }

  return {
    start() {
      const schedules = new Map(scheduled.map((job) => [job.name, scheduleOf(job)]));
      timetable = openTimetable(schedules, timeZone, (name) => turns.launch(get(name), 'schedule'));
      soon = setTimeout(() => {
        for (const job of scheduled) void launchIfDue(job);
      }, soonMilliseconds).unref();
    },
    request: async (name, params = {}) => await turns.request(get(name), params),
    async run(name, params = {}) {
      const { ended } = await turns.request(get(name), params);
      const { answer, failure, run } = await ended;
      if (answer) return answer;
      throw failure ?? new DomainError('conflict', `The job ${name} runs in another process, as run ${run.id}.`);
    },
    follow: async (name) => await turns.follow(get(name), 'request'),
    async list() {
      const newest = (which: 'running' | 'ended' | 'good') => newestRuns(store.read, which);
      const [running, ended, good] = [await newest('running'), await newest('ended'), await newest('good')];
      for (const { job, run } of turns.running()) running.set(job.name, run);
      return jobs.map((job) => {
        const remembered = turns.remembered(job);
        const next = timetable?.nextRunOf(job.name);
        return {
          name: job.name,
          schedule: scheduleOf(job),
          next_run_at: next ? stamp(Temporal.Instant.fromEpochMilliseconds(next.getTime())) : null,
          running: running.get(job.name)?.id ?? null,
          last_run: newer(ended.get(job.name), remembered.last) ?? null,
          last_success_at: newer(good.get(job.name), remembered.good)?.finished_at ?? null,
        };
      });
    },
    findRunning: (id) => turns.running().find(({ run }) => run.id === id),
    async close(patienceMilliseconds) {
      clearTimeout(soon);
      timetable?.stop();
      await turns.close(patienceMilliseconds);
    },
  };
}

/** To be called by a process that alone has the data: whoever ran something before it is gone. */
export async function endFormerRuns({ write }: Store, at: Stamp): Promise<void> {
  await write((trx) => interruptAllRuns(trx, 'Rollcall ended before it was done.', at));
}

function newer(one: JobRun | undefined, other: JobRun | undefined): JobRun | undefined {
  if (!one || !other) return one ?? other;
  return one.started_at > other.started_at ? one : other;
}
