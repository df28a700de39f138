/** What arrives is what Ansible called, and what its own JSON callback tells of the same run, in every kind of play. */

import { cpSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readTools } from '../tools/tools.ts';
import { type Arrived, heard, type OwnRecord, oneRun, recordedIn, told, toldAsIn } from './arrived.ts';
import { idOf, ofSmallParts, project } from './project.ts';
import { startRecorder } from './recorder.ts';

const cases = new URL('cases/', import.meta.url).pathname;

test.each([
  { age: 'oldest', parts: 'a part for each play', text: undefined },
  { age: 'newest', parts: 'many parts', text: ofSmallParts },
] as const)(
  'every result of every kind of play arrives once, under the $age Ansible in $parts',
  async ({ age, text }) => {
    const recorder = await startRecorder();
    const {
      folder,
      play,
      heard: events,
      files,
    } = project({
      age,
      url: recorder.url,
      hosts: ['a', 'b', 'c', 'd', 'e'],
      env: { ANSIBLE_STDOUT_CALLBACK: 'ansible.posix.json', ANSIBLE_COLLECTIONS_PATH: readTools().collections },
      ...(text && { text }),
    });
    cpSync(cases, folder, { recursive: true });

    const { code, stdout, stderr } = await play();

    expect(code).toBe(4);
    expect(stderr).not.toContain('Rollcall');
    expect(files()).toEqual([]);
    const arrived = oneRun(recorder.calls);
    expect(told(arrived)).toEqual(heard(events()));
    const own = JSON.parse(stdout) as OwnRecord;
    expect(toldAsIn(arrived)).toEqual(recordedIn(own));
    expect(arrived.stats?.hosts).toEqual(own.stats);
    expect(arrived.stats?.outcome).toBe('failed');
    expectOrder(arrived);
    expectTexts(arrived);
    expectFacts(arrived);
    expect(recorder.calls).toHaveLength(arrived.parts.length + 2);
    if (text) expect(arrived.parts.length).toBeGreaterThan(20);
    else expect(arrived.parts).toHaveLength(11);
  },
);

/** Plays in their order, each called once and ended, with results numbered through the run and hosts by their ids. */
function expectOrder({ parts }: Arrived): void {
  const plays = parts.filter(({ part }) => part === 1);
  expect(plays.map(({ number, name }) => [number, name])).toEqual(
    [
      'Of one task each',
      'In batches',
      'Free',
      'Pinned',
      'Ends early',
      'Adds a host',
      'On the added host',
      'On nobody',
      'Facts',
      'Gone and failed',
      'Imported play',
    ].map((name, index) => [index + 1, name]),
  );
  const results = parts.flatMap((part) => part.results);
  expect(results.map(({ n }) => n)).toEqual(results.map((_, index) => index + 1));
  for (const { host, ci_id, started_at, duration_ms } of results) {
    expect(ci_id).toBe(host === 'late' ? undefined : idOf(host));
    expect(started_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(duration_ms).toBeGreaterThanOrEqual(0);
  }
  parts.forEach(({ play_id, tasks, results: rows, finished_at }, index) => {
    expect(finished_at !== undefined).toBe(parts[index + 1]?.play_id !== play_id);
    expect(new Set(tasks.map(({ task_id }) => task_id))).toEqual(new Set(rows.map(({ task_id }) => task_id)));
  });
  const role = parts.flatMap(({ tasks }) => tasks).find(({ name }) => name === 'base : Task of a role');
  expect(role).toMatchObject({ action: 'ansible.builtin.debug', line: 1 });
  expect(role?.path).toMatch(/roles\/base\/tasks\/main\.yml$/);
}

/** Messages stand where something failed, and there alone; none where `no_log` was set. */
function expectTexts({ parts }: Arrived): void {
  const rows = parts.flatMap((part) => {
    const names = new Map(part.tasks.map(({ task_id, name }) => [task_id, name]));
    return part.results.map((result) => ({ ...result, task: names.get(result.task_id) as string }));
  });
  const of = (task: string, host: string) => rows.find((row) => row.task === task && row.host === host);
  const wrong = new Set(['failed', 'ignored', 'unreachable']);

  expect(rows.filter(({ status, msg }) => msg !== undefined && !wrong.has(status))).toEqual([]);
  expect(of('Fails on one', 'b')).toMatchObject({ status: 'failed', msg: expect.stringContaining('on purpose') });
  expect(of('Says nothing', 'a')).toMatchObject({ status: 'ignored' });
  expect(of('Says nothing', 'a')).not.toHaveProperty('msg');
  expect(of('Cannot be reached', 'e')).toMatchObject({ msg: expect.stringContaining('No route to host') });
  expect(of('Fails for good', 'b')?.msg).toHaveLength(4096);
  expect(of('A loop that fails in part', 'a')?.items).toEqual([
    { n: 1, status: 'skipped' },
    { n: 2, status: 'failed', msg: expect.stringContaining('no 2') },
  ]);
  expect(of('Tries again', 'a')?.attempts).toEqual([{ n: 1, at: expect.any(String), msg: 'non-zero return code' }]);
  expect(of('Delegates', 'a')?.delegated_to).toBe('d');
  // It is an item of the loop.
  expect(of('Delegates by item', 'a')).not.toHaveProperty('delegated_to');
}

/** Facts of setup alone, for the host they belong to. */
function expectFacts({ parts }: Arrived): void {
  const facts = parts.flatMap((part) => part.facts ?? []);
  expect(facts.map(({ host, ci_id }) => [host, ci_id])).toEqual([
    ['a', idOf('a')],
    ['b', idOf('b')],
  ]);
  expect(facts[0]?.facts).toMatchObject({
    hostname: expect.any(String),
    kernel: expect.not.stringContaining('made up'),
  });
  expect(facts[0]?.facts).not.toHaveProperty('env');
}
