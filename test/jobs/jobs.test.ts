import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { type Job, type JobParts, openJobs } from '../../src/jobs/jobs.ts';
import { openLog } from '../../src/log.ts';
import { listStanding } from '../../src/store/alerts.ts';
import type { Store } from '../../src/store/open.ts';
import { startService } from '../service.ts';
import { openedStore } from '../store/world.ts';

const hourly = '0 * * * *';

/** A job that says how often it ran, and fails as it is told. */
function countingJob(more: Partial<Job> = {}) {
  const job = {
    name: 'count',
    schedule: hourly,
    runs: 0,
    failsWith: undefined as Error | undefined,
    run(): Promise<Record<string, number>> {
      job.runs += 1;
      return job.failsWith ? Promise.reject(job.failsWith) : Promise.resolve({ runs: job.runs });
    },
    ...more,
  };
  return job;
}

async function worldOf(jobs: readonly Job[], more: Partial<JobParts> = {}) {
  const lines: Record<string, unknown>[] = [];
  const log = openLog('info', 'json', (line) => void lines.push(JSON.parse(line) as Record<string, unknown>));
  const store = more.store ?? (await openedStore());
  const clock = () => Temporal.Instant.from('2026-03-02T10:00:00Z');
  const opened = openJobs(jobs, { settings: {}, timeZone: 'UTC', clock, log, ...more, store });
  onTestFinished(() => opened.close());
  return { jobs: opened, store, lines };
}

function standing(store: Store): Promise<string[]> {
  return listStanding(store.read, 'job_failed');
}

/** The hands of the clock are the test's: timers and dates, but no turn of the event loop. */
function holdTime(from: string): (milliseconds: number) => Promise<unknown> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: new Date(from) });
  onTestFinished(() => void vi.useRealTimers());
  return (milliseconds) => vi.advanceTimersByTimeAsync(milliseconds);
}

describe('a job', () => {
  test('runs when its schedule says so, and no more once the jobs are closed', async () => {
    const job = countingJob();
    const { jobs } = await worldOf([job]);
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
    const { jobs } = await worldOf([job], { settings: { count: { schedule: '*/10 * * * *' } } });
    const advance = holdTime('2026-03-02T09:59:59Z');

    jobs.start();
    await advance(1000 + 30 * 60_000);

    expect(job.runs).toBe(4);
  });

  test('has its hour in the time zone of the settings', async () => {
    const job = countingJob({ schedule: '20 3 * * *' });
    const { jobs } = await worldOf([job], { timeZone: 'Asia/Tokyo' });
    const advance = holdTime('2026-03-02T18:19:59Z');

    jobs.start();
    await advance(1000);

    expect(job.runs).toBe(1);
  });

  test('that is off runs neither by the clock nor at the start, and still by hand', async () => {
    const job = countingJob({ isDueAtStart: () => Promise.resolve(true) });
    const { jobs } = await worldOf([job], { settings: { count: { schedule: 'off' } } });
    const advance = holdTime('2026-03-02T09:59:59Z');

    jobs.start();
    await advance(2 * 3_600_000);
    const byItself = job.runs;

    expect(byItself).toBe(0);
    expect(await jobs.run('count')).toEqual({ runs: 1 });
  });

  test.each([
    [true, 1],
    [false, 0],
  ])('that was missed (%s) runs soon after the start', async (isDue, runs) => {
    const job = countingJob({ isDueAtStart: () => Promise.resolve(isDue) });
    const { jobs } = await worldOf([job]);
    const advance = holdTime('2026-03-02T09:00:01Z');

    jobs.start();
    await advance(10_000);

    expect(job.runs).toBe(runs);
  });

  test('of which it is not known whether it was missed is named in the log', async () => {
    const job = countingJob({ isDueAtStart: () => Promise.reject(new Error('no folder')) });
    const { jobs, lines } = await worldOf([job]);
    const advance = holdTime('2026-03-02T09:00:01Z');

    jobs.start();
    await advance(10_000);

    expect(job.runs).toBe(0);
    expect(lines).toMatchObject([{ level: 'warn', job: 'count', msg: 'it is not known whether a job is due' }]);
  });

  test('never runs twice at once: who asks meanwhile gets the answer of the one that runs', async () => {
    const gate = Promise.withResolvers<Record<string, number>>();
    const job = countingJob();
    job.run = () => {
      job.runs += 1;
      return gate.promise;
    };
    const { jobs } = await worldOf([job]);

    const asked = [jobs.run('count'), jobs.run('count')];
    gate.resolve({ seen: 41 });

    expect(await Promise.all(asked)).toEqual([{ seen: 41 }, { seen: 41 }]);
    expect(job.runs).toBe(1);
    await jobs.run('count');
    expect(job.runs).toBe(2);
  });

  test('follows what was done: after the run that is under way, and once for all who ask meanwhile', async () => {
    const ends: (() => void)[] = [];
    const job = countingJob({
      run: () => new Promise((resolve) => ends.push(() => resolve({}))),
    });
    const { jobs } = await worldOf([job]);

    const under = jobs.run('count');
    const asked = Promise.all([jobs.follow('count'), jobs.follow('count')]);
    const begun = ends.length;
    ends[0]?.();
    await under;
    await vi.waitFor(() => expect(ends).toHaveLength(2));
    const later = jobs.follow('count');
    ends[1]?.();
    await asked;
    await vi.waitFor(() => expect(ends).toHaveLength(3));
    ends[2]?.();
    await later;

    expect([begun, ends.length]).toEqual([1, 3]);
  });

  test('that follows and fails is in the log, and nobody else’s failure', async () => {
    const job = countingJob({ failsWith: new Error('broken') } as Partial<Job>);
    const { jobs, lines } = await worldOf([job]);

    await jobs.follow('count');

    expect(lines).toMatchObject([{ job: 'count', msg: 'a job failed' }]);
  });

  test('that is under way is waited for when the jobs are closed', async () => {
    const gate = Promise.withResolvers<Record<string, number>>();
    const job = countingJob();
    job.run = () => gate.promise;
    const { jobs, lines } = await worldOf([job]);
    const running = jobs.run('count');

    const closed = jobs.close();
    gate.resolve({});
    await closed;

    expect(lines).toMatchObject([{ msg: 'ran a job' }]);
    await running;
  });

  test('says in one line of the log what it did', async () => {
    const { jobs, lines } = await worldOf([countingJob()]);

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
    const world = await worldOf([job]);
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
    const { jobs } = await worldOf([job, other], { store });

    await jobs.run('other');
    const before = await standing(store);
    await jobs.run('count');

    expect(before).toEqual(['count']);
    expect(await standing(store)).toEqual([]);
  });

  test('does not stop the next', async () => {
    const job = countingJob();
    job.failsWith = new Error('no');
    const { jobs } = await worldOf([job]);
    const advance = holdTime('2026-03-02T09:59:59Z');

    jobs.start();
    await advance(1000 + 3_600_000);

    expect(job.runs).toBe(2);
  });

  test('and whose alert cannot be written still says why it failed', async () => {
    const { job, jobs, store, lines } = await failed(0);
    await store.close();

    await expect(jobs.run('count')).rejects.toThrow('the disk is full');

    expect(job.runs).toBe(1);
    expect(lines.map(({ msg }) => msg)).toEqual(['a job failed', 'the failures of jobs could not be kept as an alert']);
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
    const starting = worldOf([countingJob()], { settings: { count: { schedule } } });

    await expect(starting).rejects.toThrow(StartError);
    await expect(starting).rejects.toThrow(
      `jobs.count.schedule: ${JSON.stringify(schedule)} is not cron's five fields, such as "20 3 * * *", nor off.`,
    );
  });

  test('the schedule of a job that there is not', async () => {
    const starting = startService({ settings: { jobs: { backups: { schedule: 'off' } } } });

    await expect(starting).rejects.toThrow(
      'jobs: there is no job backups; known are sweep, backup, prune-refusals, prune-inventory, follow-runs, prune-runs.',
    );
  });
});
