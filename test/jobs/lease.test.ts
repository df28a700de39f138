import { expect, onTestFinished, test, vi } from 'vitest';
import { keepLease, takeLease } from '../../src/jobs/lease.ts';
import { endFormerRuns } from '../../src/jobs/open.ts';
import { findLease, findRun, storeRun } from '../../src/jobs/store.ts';
import { type Clock, stamp } from '../../src/time.ts';
import { openedStore } from '../store/world.ts';
import { countingJob, heldJob, noon, openedJobs } from './world.ts';

/** Runs that take a lease at moments that the test names. */
async function leases() {
  const store = await openedStore();
  const run = (id: string) => ({
    id,
    job: 'count',
    trigger: 'request' as const,
    started_at: stamp(noon),
    finished_at: null,
    outcome: 'running' as const,
    error: null,
    counts: {},
  });
  const after =
    (seconds: number): Clock =>
    () =>
      noon.add({ seconds });
  return {
    store,
    take: (id: string, seconds: number) =>
      store.write(async (trx) => {
        await storeRun(trx, run(id));
        return await takeLease(trx, 'count', id, after(seconds));
      }),
    keep: (id: string, seconds: number) => store.write((trx) => keepLease(trx, 'count', id, after(seconds))),
    outcomeOf: async (id: string) => (await findRun(store.read, id))?.outcome,
  };
}

test('a lease is held while it is prolonged, and free a minute after it no longer is', async () => {
  const { take, keep, outcomeOf } = await leases();

  const first = await take('a', 0);
  const tooEarly = await take('b', 59);
  const kept = await keep('a', 59);
  const stillTooEarly = await take('b', 118);
  const later = await take('b', 120);
  const lost = await keep('a', 121);

  expect({ first, tooEarly, kept, stillTooEarly, later, lost }).toEqual({
    first: undefined,
    tooEarly: 'a',
    kept: true,
    stillTooEarly: 'a',
    later: undefined,
    lost: false,
  });
  expect([await outcomeOf('a'), await outcomeOf('b')]).toEqual(['interrupted', 'running']);
});

test('a clock that is set back locks nothing out', async () => {
  const { take } = await leases();

  await take('a', 3600);

  expect(await take('b', 0)).toBeUndefined();
});

test('two processes run a job once: the second answers the run of the first', async () => {
  const { job, nth, begun } = heldJob();
  const one = await openedJobs([job]);
  const other = await openedJobs([job], { store: one.store });

  const first = await one.jobs.request('held');
  const second = await other.jobs.request('held');
  (await nth(1)).end({});
  await first.ended;
  const third = await other.jobs.request('held');
  (await nth(2)).end({});

  expect(second).toMatchObject({ run: first.run, isAlreadyRunning: true });
  expect(third.isAlreadyRunning).toBe(false);
  expect(begun).toHaveLength(2);
  await third.ended;
  expect(await findLease(one.store.read, 'held')).toBeUndefined();
});

test('jobs with one lease exclude each other, and who asks waits for the other', async () => {
  const light = heldJob({ name: 'light', lease: 'ranch' });
  const full = heldJob({ name: 'full', lease: 'ranch' });
  const { jobs } = await openedJobs([light.job, full.job]);

  const first = await jobs.request('light');
  const asked = jobs.request('full');
  const followed = jobs.follow('light');
  const lease = await light.nth(1);
  const fullMeanwhile = full.begun.length;
  lease.end({});
  await first.ended;
  const second = await asked;
  (await full.nth(1)).end({});
  await second.ended;
  (await light.nth(2)).end({});
  await followed;

  expect(fullMeanwhile).toBe(0);
  expect(second).toMatchObject({ run: { job: 'full' }, isAlreadyRunning: false });
});

test('what a process that was killed left running is interrupted, and may run again at once', async () => {
  const { job, nth } = heldJob();
  const killed = await openedJobs([job]);
  const { run } = await killed.jobs.request('held');
  const next = await openedJobs([countingJob({ name: 'held' })], { store: killed.store });

  await endFormerRuns(killed.store, stamp(noon));
  const left = await findRun(killed.store.read, run.id);
  const answer = await next.jobs.run('held');

  expect(left).toEqual({
    ...run,
    outcome: 'interrupted',
    finished_at: stamp(noon),
    error: 'Rollcall ended before it was done.',
  });
  expect(answer.outcome).toBe('good');
  (await nth(1)).end({});
});

test('a run that lost its lease is told to end', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const { job, nth } = heldJob();
  const { jobs, store } = await openedJobs([job]);
  const { ended, run } = await jobs.request('held');
  await nth(1);

  await endFormerRuns(store, stamp(noon));
  await vi.advanceTimersByTimeAsync(20_000);

  expect((await ended).run).toMatchObject({
    id: run.id,
    outcome: 'interrupted',
    error: 'It was not heard of for a while, and another run took over.',
  });
});
