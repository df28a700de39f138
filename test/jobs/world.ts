/** Jobs for a test: what one is handed, one that counts, and the clocks over a store of their own. */

import { onTestFinished, vi } from 'vitest';
import type { Counts, Job, JobAnswer, JobContext } from '../../src/jobs/jobs.ts';
import { type JobParts, openJobs } from '../../src/jobs/open.ts';
import { openLog } from '../../src/log.ts';
import { openedStore } from '../store/world.ts';

export const noon = Temporal.Instant.from('2026-03-02T12:00:00Z');

export const context: JobContext = { progress: () => undefined, params: {}, signal: new AbortController().signal };

/** A job that says how often it ran, and fails as it is told. */
export function countingJob(more: Partial<Job> = {}) {
  const job = {
    name: 'count',
    schedule: '0 * * * *',
    runs: 0,
    failsWith: undefined as Error | undefined,
    run(_: JobContext): Promise<JobAnswer> {
      job.runs += 1;
      return job.failsWith ? Promise.reject(job.failsWith) : Promise.resolve({ runs: job.runs });
    },
    ...more,
  };
  return job;
}

/** A job that goes on until it is let go, or asked to end. */
export function heldJob(more: Partial<Job> = {}) {
  const begun: { context: JobContext; end: (counts: Counts) => void; fail: (error: Error) => void }[] = [];
  const job: Job = {
    name: 'held',
    schedule: '0 * * * *',
    run: (context) =>
      new Promise((end, fail) => {
        begun.push({ context, end, fail });
        context.signal.addEventListener('abort', () => fail(new Error('as I was told')));
      }),
    ...more,
  };
  return {
    job,
    begun,
    /** The run of that number, once it has begun. */
    nth: async (number: number) => await vi.waitUntil(() => begun[number - 1], { interval: 1, timeout: 10_000 }),
  };
}

/** What is logged stands in `lines`; the clock is the test's to move. */
export async function openedJobs(jobs: readonly Job[], more: Partial<JobParts> = {}) {
  const lines: Record<string, unknown>[] = [];
  const log = openLog('info', 'json', (line) => void lines.push(JSON.parse(line) as Record<string, unknown>));
  const store = more.store ?? (await openedStore());
  const time = { now: noon };
  const opened = openJobs(jobs, { settings: {}, timeZone: 'UTC', clock: () => time.now, log, ...more, store });
  onTestFinished(() => opened.close(0));
  return { jobs: opened, store, lines, time };
}

const step = 10 * 60_000;
/** So many turns of the event loop as a run takes at most, from its lease to its end. */
const turns = 20;

/** The hands of the clock are the test's: timers and dates, but no turn of the event loop. */
export function holdTime(
  from: string,
  ...more: ('setInterval' | 'clearInterval')[]
): (milliseconds: number) => Promise<void> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', ...more], now: new Date(from) });
  onTestFinished(() => void vi.useRealTimers());
  return async (milliseconds) => {
    for (let left = milliseconds; left > 0; left -= step) {
      await vi.advanceTimersByTimeAsync(Math.min(step, left));
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  };
}
