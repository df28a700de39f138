import { expect, test } from 'vitest';
import { startService } from '../service.ts';
import { serveJobs } from './service.ts';
import { countingJob, heldJob } from './world.ts';

test('a run that is asked for tells how far it is, and is answered once more, or at its end', async () => {
  const { job, nth } = heldJob();
  const { call } = await serveJobs([job]);

  const waiting = call('POST', '/jobs/held/run', { wait: true });
  const { context, end } = await nth(1);
  const again = await call('POST', '/jobs/held/run');
  context.progress(3, 12, 'guests');
  const path = `/jobs/runs/${String(again.body.id)}`;
  const meanwhile = await call('GET', path);
  end({ seen: 12 });
  const waited = await waiting;
  const after = await call('GET', path);

  const at = '2026-03-02T12:00:00.000Z';
  const run = { id: again.body.id, job: 'held', trigger: 'request', started_at: at, error: null };
  const running = { ...run, finished_at: null, outcome: 'running' };
  const good = { ...run, finished_at: at, outcome: 'good', seen: 12 };
  expect(again).toEqual({ status: 202, body: { ...running, already_running: true } });
  expect(meanwhile.body).toEqual({ ...running, progress: { done: 3, total: 12, what: 'guests' } });
  expect(waited).toEqual({ status: 200, body: { ...good, already_running: false } });
  expect(after.body).toEqual({ ...good, progress: null });
});

test('a job is told what is wanted of it', async () => {
  const { job, nth } = heldJob();
  const { call } = await serveJobs([job]);

  await call('POST', '/jobs/held/run', { params: { dry_run: true } });
  const { context, end } = await nth(1);
  end({});

  expect(context.params).toEqual({ dry_run: true });
});

test('a run that failed is an answer, and no refusal', async () => {
  const job = countingJob();
  job.failsWith = new Error('no');
  const { call } = await serveJobs([job]);

  const { status, body } = await call('POST', '/jobs/count/run', { wait: true });

  expect({ status, body }).toMatchObject({ status: 200, body: { outcome: 'failed', error: expect.any(String) } });
});

test('runs are listed, the newest first, by job and by outcome', async () => {
  const good = countingJob({ name: 'good' });
  const bad = countingJob({ name: 'bad' });
  bad.failsWith = new Error('no');
  const { call } = await serveJobs([good, bad]);
  for (const name of ['good', 'bad', 'good']) await call('POST', `/jobs/${name}/run`, { wait: true });
  const shown = async (query: string) => {
    const { body } = await call('GET', `/jobs/runs${query}`);
    const { count, items, next } = body as { count: number; items: Record<string, unknown>[]; next: string | null };
    return { count, next, runs: items.map(({ job, outcome, runs }) => [job, outcome, runs]) };
  };

  const all = await shown('');
  const first = await shown('?limit=1');
  const second = await shown(`?limit=1&cursor=${first.next}`);
  const failed = await shown('?outcome=failed,interrupted');
  const ofOne = await shown('?job=good&outcome=good');

  const runs = [
    ['good', 'good', 2],
    ['bad', 'failed', undefined],
    ['good', 'good', 1],
  ];
  expect(all).toEqual({ count: 3, next: null, runs });
  expect(first).toMatchObject({ count: 3, runs: runs.slice(0, 1) });
  expect(second).toMatchObject({ count: 3, runs: runs.slice(1, 2) });
  expect(failed).toEqual({ count: 1, next: null, runs: runs.slice(1, 2) });
  expect(ofOne.count).toBe(2);
});

test('what there is not, and what is not right, is refused', async () => {
  const { call } = await serveJobs([countingJob()]);

  const answers = [
    await call('POST', '/jobs/nope/run'),
    await call('GET', '/jobs/runs/nope'),
    await call('GET', '/jobs/runs?outcome=well'),
    await call('POST', '/jobs/count/run', { now: true }),
  ];

  expect(answers.map(({ status, body }) => [status, body.detail])).toEqual([
    [404, 'There is no job nope; known are count.'],
    [404, 'There is no run nope of a job.'],
    [400, expect.stringContaining('The query is not right at /outcome')],
    [400, expect.stringContaining('The run is not right at /now')],
  ]);
});

test('the jobs of the service are listed with their next run', async () => {
  const { call } = await startService({ settings: { jobs: { sweep: { schedule: 'off' } } } });

  const { body } = await call('GET', '/jobs');

  const items = (body as { items: Record<string, unknown>[] }).items;
  const find = (job: string) => items.find(({ name }) => name === job);
  expect(find('backup')).toMatchObject({
    schedule: '20 3 * * *',
    next_run_at: expect.stringMatching(/T03:20:00.000Z$/) as string,
  });
  expect(find('sweep')).toMatchObject({ schedule: 'off', next_run_at: null, running: null, last_run: null });
});

test('a service that was killed leaves its runs interrupted', async () => {
  const service = await startService();
  const { body } = await service.call('POST', '/jobs/backup/run', { wait: true });
  const { id } = body as { id: string };
  // As it stands in the database of a service that is in the middle of it.
  await service.app.store.write((trx) =>
    trx.updateTable('job_runs').set({ outcome: 'running', finished_at: null }).where('id', '=', id).execute(),
  );

  await service.restart();

  expect((await service.call('GET', `/jobs/runs/${id}`)).body).toMatchObject({
    outcome: 'interrupted',
    error: 'Rollcall ended before it was done.',
  });
  expect((await service.call('POST', '/jobs/backup/run', { wait: true })).body).toMatchObject({
    outcome: 'good',
    already_running: false,
  });
});
