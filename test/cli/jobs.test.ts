import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Job } from '../../src/jobs/jobs.ts';
import { serveJobs } from '../jobs/service.ts';
import { countingJob, heldJob } from '../jobs/world.ts';
import { startService, temporaryFolder } from '../service.ts';
import { besides, run, runOnTerminal } from './run.ts';

/** `rollcall` against a service with jobs that a test brings. */
async function rollcallWith(...jobs: Job[]) {
  const { url, token } = await serveJobs(jobs);
  const options = { folder: temporaryFolder(), env: { ROLLCALL_URL: url, ROLLCALL_TOKEN: token } };
  return { options, rollcall: (...words: string[]) => run(words, options) };
}

function answering(outcome: 'partial' | 'held', why: string): Job {
  return countingJob({ run: () => Promise.resolve({ outcome, why, counts: { seen: 41, left_out: 2 } }) });
}

test('a job is run, and what it did is told, listed and logged', async () => {
  const service = await startService();
  const rollcall = besides(service);

  const ran = await rollcall('jobs', 'run', 'backup');
  const listed = await rollcall('jobs');
  const logged = await rollcall('jobs', 'log', 'backup');
  const json = await rollcall('jobs', 'run', 'backup', '--json');

  expect(ran).toEqual({ code: 0, stdout: 'Ran backup in 0.0 s: 1 kept, 0 deleted.\n', stderr: '' });
  expect(listed.stdout).toMatch(/^JOB +SCHEDULE +NEXT RUN +LAST RUN +OUTCOME +LAST WENT WELL$/m);
  expect(listed.stdout).toMatch(
    /^backup +20 3 \* \* \* +\d{4}-\d\d-\d\d \d\d:\d\d +2026-03-02 \d\d:\d\d +good +2026-03-02 \d\d:\d\d$/m,
  );
  expect(logged.stdout).toMatch(/^2026-03-02 \d\d:\d\d +backup +good +0\.0 s +request +1 kept, 0 deleted$/m);
  expect(JSON.parse(json.stdout)).toMatchObject({ job: 'backup', outcome: 'good', kept: 1, deleted: 0 });
});

test('with no service running a job runs in the process of the command, --no-wait or not', async () => {
  const folder = temporaryFolder();
  const options = { folder, env: { ROLLCALL_DATA: join(folder, 'data') } };

  const ran = await run(['jobs', 'run', 'backup'], options);
  const unawaited = await run(['jobs', 'run', 'backup', '--no-wait'], options);
  const logged = await run(['jobs', 'log', '--json'], options);
  const listed = await run(['jobs', 'list'], options);

  expect(ran).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Ran backup in [\d.]+ s: 1 kept, 0 deleted\.$/m),
  });
  expect(unawaited).toMatchObject({
    code: 0,
    stderr: 'No service is running: the job runs in this process, which waits for it.\n',
  });
  expect(JSON.parse(logged.stdout)).toMatchObject({ count: 2, items: [{ outcome: 'good' }, { outcome: 'good' }] });
  expect(listed.stderr).toBe('No service is running, so none of them runs by itself.\n');
});

describe('the exit code says how it went:', () => {
  test.each([
    ['partial', 2, 'Ran count in part, in 0.0 s: 41 seen, 2 left out.\nOne node is off.\n'],
    ['held', 2, 'Ran count in 0.0 s, and what it found waits for a person: 41 seen, 2 left out.\nOne node is off.\n'],
  ] as const)('%s', async (outcome, code, stdout) => {
    const { rollcall } = await rollcallWith(answering(outcome, 'One node is off.'));

    expect(await rollcall('jobs', 'run', 'count')).toEqual({ code, stdout, stderr: '' });
  });

  test('failed', async () => {
    const service = await startService();
    const rollcall = besides(service);
    const folder = join(service.folder, 'data', 'backups');
    rmSync(folder, { recursive: true, force: true });
    writeFileSync(folder, '');

    const ran = await rollcall('jobs', 'run', 'backup');
    const logged = await rollcall('jobs', 'log', '--failed');
    const json = await rollcall('jobs', 'run', 'backup', '--json');

    expect(ran).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^backup failed after 0\.0 s: \S/),
    });
    expect(logged.stdout).toMatch(/^2026-03-02 \d\d:\d\d +backup +failed +0\.0 s +request +\S/m);
    expect([json.code, JSON.parse(json.stdout)]).toMatchObject([1, { outcome: 'failed' }]);
  });

  test('a job that there is not', async () => {
    const { rollcall } = await rollcallWith(countingJob());

    expect(await rollcall('jobs', 'run', 'backups')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'There is no job backups; known are count.\n',
    });
  });
});

test('a job that is only begun, and one that is running already, are not waited for', async () => {
  const { job, nth } = heldJob();
  const { rollcall } = await rollcallWith(job);

  const begun = await rollcall('jobs', 'run', 'held', '--no-wait');
  const again = await rollcall('jobs', 'run', 'held');
  const listed = await rollcall('jobs', 'list');
  (await nth(1)).end({});

  expect([begun.code, again.code]).toEqual([0, 0]);
  expect(begun.stdout).toMatch(
    /^held has begun, as run [0-9a-f-]{36}\. "rollcall jobs log held" shows how it went\.$/m,
  );
  expect(again.stdout).toMatch(/^held is already running, as run [0-9a-f-]{36} since 2026-03-02T12:00:00\.000Z\.$/m);
  expect(listed.stdout).toMatch(/^held .* running +-$/m);
});

test('a terminal shows how far a job is, in one line', async () => {
  const { job, nth } = heldJob();
  const { options } = await rollcallWith(job);
  const running = nth(1).then((one) => {
    one.context.progress(3, 12, 'guests');
    return one;
  });
  let isEnded = false;
  const heard = (said: string) => {
    if (isEnded || !said.includes('3 of 12 guests')) return;
    isEnded = true;
    void running.then((one) => one.end({ seen: 12 }));
  };

  const ran = await runOnTerminal(['jobs', 'run', 'held'], { ...options, heard });

  expect(ran.code).toBe(0);
  expect(ran.stdout).toContain('\r\u001B[Kheld: 3 of 12 guests');
  expect(ran.stdout.trimEnd().endsWith('\r\u001B[KRan held in 0.0 s: 12 seen.')).toBe(true);
});
