/** One run of a job: it begins under a lease, goes on, and ends with a line in the log and a row that says how. */

import { randomUUIDv7 } from 'node:crypto';
import { DomainError, StartError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import { type Job, type JobOutcome, type JobRun, outcomeOf, type Progress, type RunTrigger } from './jobs.ts';
import { isWorthKeeping, keepBeginning, keepEnd } from './keep.ts';
import { keepLease, prolongEveryMilliseconds } from './lease.ts';

export interface Running {
  job: Job;
  run: JobRun;
  /** Of a quiet run nothing is kept but what is worth it, and that at its end. */
  isQuiet: boolean;
  progress: Progress | undefined;
  /** Answers the run of another process that has the lease; this one then does nothing. Rejects where it cannot begin. */
  begun: Promise<string | undefined>;
  /** Does not reject. */
  ended: Promise<Ended>;
  /** Asks it to end soon. */
  stop(why: string): void;
}

export interface Ended {
  run: JobRun;
  answer?: JobOutcome;
  /** What it threw. */
  failure?: unknown;
}

export interface RunParts {
  store: Store;
  clock: Clock;
  log: Logger;
}

export interface Occasion {
  trigger: RunTrigger;
  params: Readonly<Record<string, unknown>>;
  isQuiet: boolean;
}

/** Begins at once, unless another process runs it or another job with its lease. */
export function startRun(job: Job, { trigger, params, isQuiet }: Occasion, { store, clock, log }: RunParts): Running {
  const lease = leaseOf(job);
  const stopping = new AbortController();
  const run: JobRun = {
    id: randomUUIDv7(),
    job: job.name,
    trigger,
    started_at: stamp(clock()),
    finished_at: null,
    outcome: 'running',
    error: null,
    counts: {},
  };

  async function prolong(): Promise<void> {
    try {
      if (await store.write((trx) => keepLease(trx, lease, run.id, clock))) return;
      stopping.abort(new DomainError('conflict', 'It was not heard of for a while, and another run took over.'));
    } catch (error) {
      log.warn({ job: job.name, err: error }, 'the lease of a job could not be prolonged');
    }
  }

  async function work(): Promise<Ended> {
    const began = performance.now();
    const prolonging = isQuiet ? undefined : setInterval(() => void prolong(), prolongEveryMilliseconds).unref();
    const milliseconds = () => Math.round(performance.now() - began);
    try {
      const answer = outcomeOf(
        await job.run({
          params,
          signal: stopping.signal,
          progress: (done, total, what) => {
            running.progress = { done, total, what };
          },
        }),
      );
      const { outcome, why, counts } = answer;
      const told = { job: job.name, ...counts, milliseconds: milliseconds() };
      if (outcome === 'good') log.info(told, 'ran a job');
      else log.warn({ ...told, outcome, why }, 'ran a job');
      return { run: { ...run, outcome, counts, error: why ?? null }, answer };
    } catch (failure) {
      if (stopping.signal.aborted) {
        const error = wordsOf(stopping.signal.reason);
        log.warn({ job: job.name, why: error, milliseconds: milliseconds() }, 'a job was interrupted');
        return { run: { ...run, outcome: 'interrupted', error }, failure };
      }
      // A sentence for people tells it all; of anything else the whole is wanted.
      log.error({ job: job.name, ...(isTold(failure) ? { why: wordsOf(failure) } : { err: failure }) }, 'a job failed');
      return { run: { ...run, outcome: 'failed', error: wordsOf(failure) }, failure };
    } finally {
      clearInterval(prolonging);
    }
  }

  /** What cannot be kept now changes nothing of how it went. */
  async function keep(ended: JobRun): Promise<void> {
    try {
      if (!isQuiet || (await isWorthKeeping(store.read, ended))) await keepEnd(store, lease, ended, clock());
    } catch (error) {
      log.warn({ job: job.name, err: error }, 'how a job went could not be kept');
    }
  }

  async function goOn(): Promise<Ended> {
    let ended: Ended;
    try {
      if ((await running.begun) !== undefined) return { run };
      ended = await work();
    } catch (failure) {
      log.error({ job: job.name, err: failure }, 'a job could not begin');
      ended = { run: { ...run, outcome: 'failed', error: wordsOf(failure) }, failure };
    }
    const over = { ...ended.run, finished_at: stamp(clock()) };
    await keep(over);
    running.run = over;
    return { ...ended, run: over };
  }

  const running: Running = {
    job,
    run,
    isQuiet,
    progress: undefined,
    begun: isQuiet ? Promise.resolve(undefined) : keepBeginning(store, lease, run, clock),
    ended: Promise.resolve({ run }),
    stop: (why) => stopping.abort(new DomainError('unavailable', why)),
  };
  running.ended = goOn();
  return running;
}

export function leaseOf({ name, lease }: Job): string {
  return lease ?? name;
}

const longestError = 1000;

/** What people are told of a failure: the words that were written for them, or where to find the others. */
function wordsOf(failure: unknown): string {
  return isTold(failure)
    ? failure.message.slice(0, longestError)
    : 'Something went wrong that should not; the log has it whole.';
}

/** Whether its words were written for people. */
function isTold(failure: unknown): failure is Error {
  return (
    failure instanceof DomainError ||
    failure instanceof StartError ||
    (failure instanceof Error && 'syscall' in failure)
  );
}
