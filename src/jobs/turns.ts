/** Whose turn it is: within this process one run for each lease, whoever asks, and some who ask wait for their turn. */

import { DomainError } from '../errors.ts';
import type { Job, JobRun, RunTrigger } from './jobs.ts';
import { type Ended, leaseOf, type Running, type RunParts, startRun } from './run.ts';
import { findRun } from './store.ts';

export type Params = Readonly<Record<string, unknown>>;

export interface Requested {
  run: JobRun;
  isAlreadyRunning: boolean;
  /** The run once it is over; of another process, as it is now. */
  ended: Promise<Ended>;
}

export interface Turns {
  /** Begins a run, or answers the one that is under way. A run of another job with the same lease is waited for. */
  request(job: Job, params: Params): Promise<Requested>;
  /** Runs it after what is under way, and once for all who ask meanwhile. Does not throw. */
  follow(job: Job, trigger: RunTrigger): Promise<void>;
  /** Runs it unless it runs. */
  launch(job: Job, trigger: RunTrigger): void;
  /** What runs now. */
  running(): Running[];
  /** Of a quiet job, which keeps little: its last run, and the last that went well. */
  remembered(job: Job): { last?: JobRun; good?: JobRun };
  /** Nothing begins any more. Waits for what runs, and after so long asks it to end. */
  close(patienceMilliseconds?: number): Promise<void>;
}

export function openTurns(parts: RunParts): Turns {
  const byLease = new Map<string, Running>();
  const following = new Map<Job, Promise<void>>();
  const quietRuns = new Map<Job, { last?: JobRun; good?: JobRun }>();
  let isClosed = false;

  /** To be called where nothing runs under the job's lease. */
  function begin(job: Job, trigger: RunTrigger, params: Params, isQuiet: boolean): Running {
    const own = startRun(job, { trigger, params, isQuiet }, parts);
    byLease.set(leaseOf(job), own);
    own.ended = own.ended.finally(() => {
      byLease.delete(leaseOf(job));
      if (isQuiet)
        quietRuns.set(job, { ...quietRuns.get(job), last: own.run, ...(isGood(own) ? { good: own.run } : {}) });
    });
    // Told by what ended, to those who do not wait for its beginning.
    own.begun.catch(() => undefined);
    return own;
  }

  async function request(job: Job, params: Params): Promise<Requested> {
    let current = byLease.get(leaseOf(job));
    // Of a quiet run nothing may be left to be looked at.
    while (current && (current.job !== job || current.isQuiet)) {
      await current.ended;
      current = byLease.get(leaseOf(job));
    }
    if (isClosed) throw new DomainError('unavailable', 'Rollcall is stopping.', { retryAfterSeconds: 10 });
    const isAlreadyRunning = current !== undefined;
    current ??= begin(job, 'request', params, false);
    const holder = await current.begun;
    if (holder === undefined) return { run: current.run, isAlreadyRunning, ended: current.ended };
    const other = (await findRun(parts.store.read, holder)) ?? current.run;
    return { run: other, isAlreadyRunning: true, ended: Promise.resolve({ run: other }) };
  }

  function follow(job: Job, trigger: RunTrigger): Promise<void> {
    const asked = following.get(job);
    if (asked) return asked;
    const next = async () => {
      do await byLease.get(leaseOf(job))?.ended;
      while (byLease.has(leaseOf(job)));
      // From here on it may have begun already; who asks now needs another one.
      following.delete(job);
      if (!isClosed) await begin(job, trigger, {}, job.quiet ?? false).ended;
    };
    const work = next();
    following.set(job, work);
    return work;
  }

  return {
    request,
    follow,
    launch(job, trigger) {
      if (byLease.get(leaseOf(job))?.job !== job) void follow(job, trigger);
    },
    running: () => [...byLease.values()],
    remembered: (job) => quietRuns.get(job) ?? {},
    async close(patienceMilliseconds) {
      isClosed = true;
      const stop = () => {
        for (const one of byLease.values()) one.stop('Rollcall was stopped before it was done.');
      };
      const patience = patienceMilliseconds === undefined ? undefined : setTimeout(stop, patienceMilliseconds);
      await Promise.allSettled([...following.values(), ...Array.from(byLease.values(), ({ ended }) => ended)]);
      clearTimeout(patience);
    },
  };
}

function isGood({ run }: Running): boolean {
  return run.outcome === 'good';
}
