/** However a run ends, what had been played arrives once, and Ansible ends as it would. */

import { existsSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ansibleAges } from '../ansible/run-ansible.ts';
import { json } from '../ansible/stand-in.ts';
import { arrivedIn, oneRun, told } from './arrived.ts';
import { type ProjectOptions, project } from './project.ts';
import { startRecorder, taking } from './recorder.ts';

const stopsInTheSecondPlay = `
- {name: one, hosts: a, gather_facts: false, tasks: [{name: first, debug: }]}
- name: two
  hosts: a
  gather_facts: false
  tasks:
    - {name: second, debug: }
    - {name: third, raw: "touch {{ playbook_dir }}/started; sleep 60"}
`;

/** A run that was ended by a signal while its third task ran. */
async function ended(signal: NodeJS.Signals, options: ProjectOptions) {
  const tried = project({ ...options, files: { 'site.yml': stopsInTheSecondPlay } });
  const { kill, done } = tried.start();
  const started = async () => {
    for await (const { filename } of watch(tried.folder)) if (filename === 'started') return;
  };
  await Promise.race([existsSync(join(tried.folder, 'started')) || started(), done]);
  kill(signal);
  return { ...tried, outcome: await done };
}

test.each(ansibleAges)(
  'Ctrl-C under the %s Ansible: all that was played arrives, as an interrupted run',
  async (age) => {
    const recorder = await startRecorder();

    const { outcome, files } = await ended('SIGINT', { age, url: recorder.url });

    expect(outcome.code).toBe(99);
    expect(outcome.stderr).not.toContain('Rollcall');
    expect(files()).toEqual([]);
    const arrived = oneRun(recorder.calls);
    expect(told(arrived)).toEqual(['one | TASK | first | a | ok |  | 0', 'two | TASK | second | a | ok |  | 0']);
    expect(arrived.parts.map(({ finished_at }) => finished_at !== undefined)).toEqual([true, false]);
    expect(arrived.stats).toMatchObject({
      outcome: 'interrupted',
      hosts: { a: { ok: 2, changed: 0, failures: 0, unreachable: 0, skipped: 0, rescued: 0, ignored: 0 } },
    });
  },
);

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
