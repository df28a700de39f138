import { describe, expect, test } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { listStanding } from '../../src/store/alerts.ts';
import type { Store } from '../../src/store/open.ts';
import { startService } from '../service.ts';
import { countingJob, heldJob, holdTime, openedJobs } from './world.ts';

function standing(store: Store): Promise<string[]> {
  return listStanding(store.read, 'job_failed');
}

describe('a job', () => {
  test('runs when its schedule says so, and no more once the jobs are closed', async () => {
    const job = countingJob();
    const { jobs } = await openedJobs([job]);
    const advance = holdTime('2026-03-02T09:59:59Z');

    jobs.start();
    const before = job.runs;
    await advance(1000);
    const first = job.runs;
    await advance(3 * 3_600_000);
    const later = job.runs;
    await jobs.close();
    await advance(3 * 3_600_000);

    expect({ before, first, later, after: job.runs }).toEqual({ before: 0, first: 1, later: 4, after: 4 });
  });

  test('runs when the settings say so instead', async () => {
    const job = countingJob();
    const { jobs } = await openedJobs([job], { settings: { count: { schedule: '*/10 * * * *' } } });
    const advance = holdTime('2026-03-02T09:59:59Z');

    jobs.start();
    await advance(1000 + 30 * 60_000);

    expect(job.runs).toBe(4);
  });

  test('has its hour in the time zone of the settings', async () => {
    const job = countingJob({ schedule: '20 3 * * *' });
    const { jobs } = await openedJobs([job], { timeZone: 'Asia/Tokyo' });
    const advance = holdTime('2026-03-02T18:19:59Z');

    jobs.start();
    await advance(1000);

    expect(job.runs).toBe(1);
  });

  test('that is off runs neither by the clock nor at the start, and still by hand', async () => {
    const job = countingJob({ isDueAtStart: () => Promise.resolve(true) });
    const { jobs } = await openedJobs([job], { settings: { count: { schedule: 'off' } } });
    const advance = holdTime('2026-03-02T09:59:59Z');

    jobs.start();
    await advance(2 * 3_600_000);
    const byItself = job.runs;

    expect(byItself).toBe(0);
    expect(await jobs.run('count')).toEqual({ outcome: 'good', counts: { runs: 1 } });
  });

  test.each([
    [true, 1],
    [false, 0],
  ])('that was missed (%s) runs soon after the start', async (isDue, runs) => {
    const job = countingJob({ isDueAtStart: () => Promise.resolve(isDue) });
    const { jobs } = await openedJobs([job]);
    const advance = holdTime('2026-03-02T09:00:01Z');

    jobs.start();
    await advance(10_000);

    expect(job.runs).toBe(runs);
  });

  test('of which it is not known whether it was missed is named in the log', async () => {
    const job = countingJob({ isDueAtStart: () => Promise.reject(new Error('no folder')) });
    const { jobs, lines } = await openedJobs([job]);
    const advance = holdTime('2026-03-02T09:00:01Z');

    jobs.start();
    await advance(10_000);

    expect(job.runs).toBe(0);
    expect(lines).toMatchObject([{ level: 'warn', job: 'count', msg: 'it is not known whether a job is due' }]);
  });

  test('never runs twice at once: who asks meanwhile gets the answer of the one that runs', async () => {
    const { job, nth, begun } = heldJob();
    const { jobs } = await openedJobs([job]);

    const asked = [jobs.run('held'), jobs.run('held')];
    (await nth(1)).end({ seen: 41 });
    const answers = await Promise.all(asked);
    const again = jobs.run('held');
    (await nth(2)).end({ seen: 42 });
    await again;

    const answer = { outcome: 'good', counts: { seen: 41 } };
    expect(answers).toEqual([answer, answer]);
    expect(begun).toHaveLength(2);
  });

  test('follows what was done: after the run that is under way, and once for all who ask meanwhile', async () => {
    const { job, nth, begun } = heldJob();
    const { jobs } = await openedJobs([job]);

    const under = jobs.run('held');
    const first = await nth(1);
    const asked = Promise.all([jobs.follow('held'), jobs.follow('held')]);
    const begunMeanwhile = begun.length;
    first.end({});
    await under;
    const second = await nth(2);
    const later = jobs.follow('held');
    second.end({});
    await asked;
    (await nth(3)).end({});
    await later;

    expect([begunMeanwhile, begun.length]).toEqual([1, 3]);
  });

  test('that follows and fails is in the log, and nobody else’s failure', async () => {
    const job = countingJob();
    job.failsWith = new Error('broken');
    const { jobs, lines } = await openedJobs([job]);

    await jobs.follow('count');

    expect(lines).toMatchObject([{ job: 'count', msg: 'a job failed' }]);
  });

  test('that is under way is waited for when the jobs are closed, and none begins any more', async () => {
    const { job, nth } = heldJob();
    const { jobs, lines } = await openedJobs([job]);
    const running = jobs.run('held');
    const run = await nth(1);

    const closed = jobs.close();
    run.end({});
    await closed;

    expect(lines).toMatchObject([{ msg: 'ran a job' }]);
    await running;
    await expect(jobs.run('held')).rejects.toThrow('Rollcall is stopping.');
  });

  test('says in one line of the log what it did', async () => {
    const { jobs, lines } = await openedJobs([countingJob()]);

    await jobs.run('count');

    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.any(String) as string,
        msg: 'ran a job',
        job: 'count',
        runs: 1,
        milliseconds: expect.any(Number) as number,
      },
    ]);
  });
});

describe('a job that fails', () => {
  async function failed(times: number) {
    const job = countingJob();
    job.failsWith = new Error('the disk is full');
    const world = await openedJobs([job]);
    for (let time = 0; time < times; time += 1)
      await expect(world.jobs.run('count')).rejects.toThrow('the disk is full');
    return { job, ...world };
  }

  test('is logged each time, and is an alert after the third', async () => {
    const { jobs, store, lines } = await failed(2);
    const after2 = await standing(store);

    await expect(jobs.run('count')).rejects.toThrow('the disk is full');

    expect(after2).toEqual([]);
    expect(await standing(store)).toEqual(['count']);
    expect(lines.filter(({ msg }) => msg === 'a job failed')).toHaveLength(3);
  });

  test('is no alert any more once it ran well, and is counted from there', async () => {
    const { job, jobs, store } = await failed(3);

    job.failsWith = undefined;
    await jobs.run('count');
    const afterGood = await standing(store);
    job.failsWith = new Error('again');
    await jobs.run('count').catch(() => undefined);

    expect(afterGood).toEqual([]);
    expect(await standing(store)).toEqual([]);
  });

  test('stays an alert over a restart, until it runs well', async () => {
    const { store } = await failed(3);
    const job = countingJob();
    const other = countingJob({ name: 'other' });
    const { jobs } = await openedJobs([job, other], { store });

    await jobs.run('other');
    const before = await standing(store);
    await jobs.run('count');

    expect(before).toEqual(['count']);
    expect(await standing(store)).toEqual([]);
  });

  test('does not stop the next', async () => {
    const job = countingJob();
    job.failsWith = new Error('no');
    const { jobs } = await openedJobs([job]);
    const advance = holdTime('2026-03-02T09:59:59Z');

    jobs.start();
    await advance(1000 + 3_600_000);

    expect(job.runs).toBe(2);
  });

  test('and of which nothing can be kept still says why it failed', async () => {
    const { job, nth } = heldJob();
    const { jobs, store, lines } = await openedJobs([job]);
    const running = jobs.run('held');
    const run = await nth(1);
    await store.close();

    run.fail(new Error('the disk is full'));

    await expect(running).rejects.toThrow('the disk is full');
    expect(lines.map(({ msg }) => msg)).toEqual(['a job failed', 'how a job went could not be kept']);
  });

  test('before it began is told as well', async () => {
    const { job, jobs, store, lines } = await failed(0);
    await store.close();

    await expect(jobs.run('count')).rejects.toThrow('Rollcall is stopping.');

    expect(job.runs).toBe(0);
    expect(lines.map(({ msg }) => msg)).toEqual(['a job could not begin', 'how a job went could not be kept']);
  });

  test('only in part has not failed', async () => {
    const { job, jobs, store } = await failed(2);

    job.run = () => Promise.resolve({ outcome: 'partial', why: 'one of 3 nodes did not answer', counts: {} });
    const answer = await jobs.run('count');
    job.run = () => Promise.reject(new Error('again'));
    await jobs.run('count').catch(() => undefined);

    expect(answer).toMatchObject({ outcome: 'partial' });
    expect(await standing(store)).toEqual([]);
  });
});

describe('it does not start with', () => {
  test.each([
    ['six fields', '0 20 3 * * *'],
    ['a word', 'daily'],
    ['an hour that does not exist', '20 24 * * *'],
    ['a day that never comes', '0 0 31 2 *'],
    ['nothing', ''],
  ])('a schedule of %s', async (_, schedule) => {
    const starting = openedJobs([countingJob()], { settings: { count: { schedule } } });

    await expect(starting).rejects.toThrow(StartError);
    await expect(starting).rejects.toThrow(
      `jobs.count.schedule: ${JSON.stringify(schedule)} is not cron's five fields, such as "20 3 * * *", nor off.`,
    );
  });

  test('the schedule of a job that there is not', async () => {
    const starting = startService({ settings: { jobs: { backups: { schedule: 'off' } } } });

    await expect(starting).rejects.toThrow(/^jobs: there is no job backups; known are sweep, backup, /);
  });
});
