/** What is kept of runs, and what follows from it. */

import { expect, test, vi } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { listRuns, storeRun } from '../../src/jobs/store.ts';
import { listStanding } from '../../src/store/alerts.ts';
import type { Store } from '../../src/store/open.ts';
import { stamp } from '../../src/time.ts';
import { openedStore } from '../store/world.ts';
import { countingJob, heldJob, holdTime, noon, openedJobs } from './world.ts';

async function keptIn({ read }: Store) {
  return (await listRuns(read, {}, 1000)).rows.map(({ run_no: _, ...run }) => run);
}

function runAt(started: Temporal.Instant, id: string, job = 'count') {
  const at = stamp(started);
  return {
    id,
    job,
    trigger: 'schedule' as const,
    started_at: at,
    finished_at: at,
    outcome: 'good' as const,
    error: null,
    counts: {},
  };
}

test('a run is kept from its beginning, and how it went at its end', async () => {
  const { job, nth } = heldJob();
  const { jobs, store, time } = await openedJobs([job]);

  const { run, ended } = await jobs.request('held');
  const meanwhile = await keptIn(store);
  time.now = noon.add({ seconds: 3 });
  (await nth(1)).end({ seen: 41 });
  await ended;

  const begun = { id: run.id, job: 'held', trigger: 'request', started_at: stamp(noon), error: null };
  expect(meanwhile).toEqual([{ ...begun, finished_at: null, outcome: 'running', counts: {} }]);
  expect(await keptIn(store)).toEqual([
    { ...begun, finished_at: '2026-03-02T12:00:03.000Z', outcome: 'good', counts: { seen: 41 } },
  ]);
});

test.each([
  [new DomainError('unavailable', 'The cluster ranch does not answer.'), 'The cluster ranch does not answer.'],
  [new TypeError('x is not a function'), 'Something went wrong that should not; the log has it whole.'],
])('of a failure is kept what is for people: %s', async (failure, error) => {
  const job = countingJob();
  job.failsWith = failure;
  const { jobs, store } = await openedJobs([job]);

  await jobs.follow('count');

  expect(await keptIn(store)).toMatchObject([{ outcome: 'failed', error }]);
});

test.each(['partial', 'held'] as const)('a run that is %s says why', async (outcome) => {
  const why = 'One of 3 nodes did not answer.';
  const job = countingJob({ run: () => Promise.resolve({ outcome, why, counts: { seen: 2 } }) });
  const { jobs, store, lines } = await openedJobs([job]);

  await jobs.run('count');

  expect(await keptIn(store)).toMatchObject([{ outcome, error: why, counts: { seen: 2 } }]);
  expect(lines).toMatchObject([{ level: 'warn', msg: 'ran a job', outcome, why, seen: 2 }]);
});

test('a job is handed what the one who asked wants of it, and tells how far it is', async () => {
  const { job, nth } = heldJob();
  const { jobs } = await openedJobs([job]);

  const { run, ended } = await jobs.request('held', { dry_run: true });
  const { context, end } = await nth(1);
  context.progress(3, 12, 'guests');
  const progress = jobs.findRunning(run.id)?.progress;
  end({});
  await ended;

  expect(context.params).toEqual({ dry_run: true });
  expect(progress).toEqual({ done: 3, total: 12, what: 'guests' });
  expect(jobs.findRunning(run.id)).toBeUndefined();
});

test('a job that is still at it when the patience ends is asked to end, and was interrupted', async () => {
  const { job, nth } = heldJob();
  const { jobs, store } = await openedJobs([job]);
  const { ended } = await jobs.request('held');
  await nth(1);

  await jobs.close(0);

  expect((await ended).run.outcome).toBe('interrupted');
  expect(await keptIn(store)).toMatchObject([
    { outcome: 'interrupted', error: 'Rollcall was stopped before it was done.' },
  ]);
  expect(await listStanding(store.read, 'job_failed')).toEqual([]);
});

test('the newest 200 of a job are kept, for 30 days, and its last success', async () => {
  const store = await openedStore();
  const day = (days: number) => noon.subtract({ hours: 24 * days });
  await store.write(async (trx) => {
    await storeRun(trx, runAt(day(31), 'old', 'other'));
    await storeRun(trx, runAt(day(29), 'good'));
    for (let number = 0; number < 250; number += 1)
      await storeRun(trx, { ...runAt(day(20), `failed-${number}`), outcome: 'failed' });
    await storeRun(trx, runAt(day(29), 'other', 'other'));
  });
  const job = countingJob();
  job.failsWith = new Error('no');
  const { jobs } = await openedJobs([job], { store });

  await jobs.follow('count');

  const kept = (await keptIn(store)).map(({ id }) => id);
  expect(kept).toHaveLength(202);
  expect(kept.slice(1, 3)).toEqual(['other', 'failed-249']);
  expect(kept.slice(-2)).toEqual(['failed-51', 'good']);
});

test('of a quiet job is kept what changed something, failed, came after that, or was asked for', async () => {
  const job = countingJob({ quiet: true });
  const answers = [{ changed: 0 }, { changed: 2 }, new Error('no'), { changed: 0 }, { changed: 0 }];
  job.run = () => {
    const answer = answers.shift() ?? { changed: 0 };
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const { jobs, store } = await openedJobs([job]);

  for (let time = 0; time < 5; time += 1) await jobs.follow('count');
  const byItself = await keptIn(store);
  await jobs.run('count');

  expect(byItself.map(({ outcome, counts }) => [outcome, counts])).toEqual([
    ['good', { changed: 0 }],
    ['failed', {}],
    ['good', { changed: 2 }],
  ]);
  expect(await keptIn(store)).toHaveLength(4);
});

test('the list says of each job when it runs, whether it does, and how it last went', async () => {
  const { job, nth } = heldJob();
  const count = countingJob();
  const quiet = countingJob({ name: 'quiet', quiet: true, run: () => Promise.resolve({}) });
  const { jobs, time } = await openedJobs([job, count, quiet], { settings: { count: { schedule: 'off' } } });
  holdTime('2026-03-02T12:00:00Z');
  jobs.start();

  await jobs.run('count');
  time.now = noon.add({ hours: 1 });
  count.failsWith = new Error('no');
  await jobs.follow('count');
  await jobs.follow('quiet');
  const { run, ended } = await jobs.request('held');
  const list = await jobs.list();
  (await nth(1)).end({});
  await ended;

  const next_run_at = '2026-03-02T13:00:00.000Z';
  expect(list).toMatchObject([
    { name: 'held', schedule: '0 * * * *', next_run_at, running: run.id, last_run: null, last_success_at: null },
    {
      name: 'count',
      schedule: 'off',
      next_run_at: null,
      running: null,
      last_run: { outcome: 'failed' },
      last_success_at: stamp(noon),
    },
    { name: 'quiet', running: null, last_run: { outcome: 'good' }, last_success_at: next_run_at },
  ]);
});

test.each([
  ['never', undefined, 1],
  ['longer ago than its period', noon.subtract({ minutes: 61 }), 1],
  ['within its period', noon.subtract({ minutes: 59 }), 0],
])('a job that last went well %s runs soon after a start, or not', async (_, before, runs) => {
  const store = await openedStore();
  if (before) await store.write((trx) => storeRun(trx, runAt(before, 'before')));
  const job = countingJob();
  const { jobs } = await openedJobs([job], { store });
  const advance = holdTime('2026-03-02T12:00:01Z');

  jobs.start();
  await advance(10_000);
  await vi.waitUntil(() => job.runs === runs, { interval: 1 });

  const [kept] = await keptIn(store);
  expect([job.runs, kept?.trigger]).toEqual([runs, runs === 1 ? 'start' : 'schedule']);
});

test('a job that failed since it went well long ago runs soon after a start as well', async () => {
  const store = await openedStore();
  await store.write(async (trx) => {
    await storeRun(trx, runAt(noon.subtract({ hours: 2 }), 'good'));
    await storeRun(trx, { ...runAt(noon.subtract({ minutes: 1 }), 'failed'), outcome: 'failed' });
  });
  const job = countingJob();
  const { jobs } = await openedJobs([job], { store });
  const advance = holdTime('2026-03-02T12:00:01Z');

  jobs.start();
  await advance(10_000);

  expect(job.runs).toBe(1);
});
