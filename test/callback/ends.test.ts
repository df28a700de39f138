/** However a run ends, what had been played arrives once, and Ansible ends as it would. */

import { expect, test } from 'vitest';
import { json } from '../ansible/stand-in.ts';
import { arrivedIn, oneRun, told } from './arrived.ts';
import { ended } from './ended.ts';
import { project } from './project.ts';
import { startRecorder, taking } from './recorder.ts';

test.each([
  ['SIGTERM', 'newest'],
  ['SIGKILL', 'oldest'],
] as const)(
  '%s while the service is down: the plays that were finished arrive with the next run',
  async (signal, age) => {
    const recorder = await startRecorder(json(503, '{}'));
    const { spooled, play, files } = await ended(signal, { age, url: recorder.url });
    const left = spooled();
    recorder.answer = taking;

    const next = await play(['site.yml', '--skip-tags', 'all']);

    expect(next.code).toBe(0);
    expect(files()).toEqual([]);
    expect(told(oneRun(left))).toEqual(['one | TASK | first | a | ok |  | 0']);
    expect(recorder.calls.slice(0, left.length).map(({ body }) => body)).toEqual(left.map(({ body }) => body));
    expect([...arrivedIn(recorder.calls).values()].map(({ stats }) => stats?.outcome)).toEqual([undefined, 'ok']);
  },
);

test.each([
  {
    what: 'that stops between two plays',
    playbook: `
- {name: one, hosts: a, gather_facts: false, tasks: [{name: first, debug: }]}
- {name: two, hosts: "{{ no_such_variable }}"}
`,
    plays: ['one'],
    outcome: 'interrupted',
    code: 4,
  },
  {
    what: 'that never reaches a play',
    playbook: '- {name: one, hosts: "{{ no_such_variable }}"}',
    plays: [],
    outcome: 'interrupted',
    code: 4,
  },
  { what: 'for nobody', playbook: '- {name: one, hosts: nobody}', plays: ['one'], outcome: 'ok', code: 0 },
])('a playbook $what is recorded with what it played', async ({ playbook, plays, outcome, code }) => {
  const recorder = await startRecorder();
  const { play } = project({ url: recorder.url, files: { 'site.yml': playbook } });

  const ran = await play();

  expect(ran.code).toBe(code);
  expect(ran.stderr).not.toContain('Rollcall');
  const arrived = oneRun(recorder.calls);
  expect(arrived.run).toMatchObject({ playbook: 'site.yml' });
  expect(arrived.parts.map(({ name }) => name)).toEqual(plays);
  expect(arrived.stats?.outcome).toBe(outcome);
});

test('two playbooks on one command line are two runs, each with its own totals', async () => {
  const recorder = await startRecorder();
  const { play } = project({ url: recorder.url });

  const { code } = await play(['site.yml', 'site.yml']);

  expect(code).toBe(0);
  const runs = [...arrivedIn(recorder.calls).values()];
  expect(runs.map(({ parts }) => parts.map(({ number }) => number))).toEqual([
    [1, 2],
    [1, 2],
  ]);
  expect(runs.map(({ stats }) => stats?.hosts.a)).toEqual([
    expect.objectContaining({ ok: 2 }),
    expect.objectContaining({ ok: 2 }),
  ]);
});
