/**
 * What recorders of playbooks are known to get wrong, each by the real plugin and the real service. Each of these is
 * tested further where it belongs: every kind of play in results.test.ts, every secret in secrets.test.ts.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ansibleAges, unwrapped } from '../ansible/run-ansible.ts';
import { run } from '../cli/run.ts';
import { type Service, startService } from '../service.ts';
import { ended } from './ended.ts';
import { type Project, type ProjectOptions, plugin, project } from './project.ts';
import { passingTo, type Recorder, startRecorder } from './recorder.ts';

interface World {
  service: Service;
  /** Between the plugin and the service. */
  relay: Recorder;
  options: ProjectOptions;
}

async function world(): Promise<World> {
  const service = await startService({ startsAt: new Date().toISOString() });
  const relay = await startRecorder(passingTo(service.url));
  const env = { ROLLCALL_TOKEN: service.ansibleToken };
  return { service, relay, options: { url: relay.url, hosts: ['a', 'b', 'c'], env } };
}

/** Plays these tasks on all hosts. */
async function played(world: World, tasks: string, files: ProjectOptions['files'] = {}): Promise<Project> {
  const head = '- hosts: all\n  gather_facts: false\n';
  const playing = project({ ...world.options, files: { 'site.yml': `${head}${tasks}`, ...files } });
  expect(await playing.play()).toMatchObject({ code: 0, stderr: '' });
  return playing;
}

interface Told {
  run: { outcome: string; hosts: Record<string, Record<string, number>>; finished_at: string | null };
  results: { host: string; task_name: string; status: string; attempts: { n: number; msg?: string }[] }[];
}

/** The runs that the service tells of. */
async function told({ call }: Service): Promise<Told[]> {
  const { items } = (await call('GET', '/runs')).body as { items: { run_id: string }[] };
  const all = items.map(async ({ run_id }) => {
    const { body: results } = await call('GET', `/runs/${run_id}/results?limit=1000`);
    const { body: whole } = await call('GET', `/runs/${run_id}`);
    return { run: whole as Told['run'], results: (results as { items: Told['results'] }).items };
  });
  return await Promise.all(all);
}

test('sixty results of twenty tasks take three calls, and not one for each', async () => {
  const here = await world();

  await played(here, `  tasks:\n${'    - debug:\n'.repeat(20)}`);

  const [{ results } = { results: [] }] = await told(here.service);
  expect(results).toHaveLength(60);
  expect(here.relay.calls.map(({ what }) => what.replace(/[^/]+(?=\/parts)/, 'ID'))).toEqual([
    '',
    '/plays/ID/parts/1',
    '/stats',
  ]);
});

test('a handler that runs on some hosts is told of these, as often as it is flushed', async () => {
  const here = await world();

  await played(
    here,
    `
  handlers:
    - {name: Restart, debug: }
  tasks:
    - {name: Change two, debug: , changed_when: inventory_hostname != 'a', notify: Restart}
    - {name: Flush, meta: flush_handlers}
    - {name: Change one, debug: , changed_when: inventory_hostname == 'b', notify: Restart}
`,
  );

  const [{ results } = { results: [] }] = await told(here.service);
  const handled = results.filter(({ task_name }) => task_name === 'Restart').map(({ host }) => host);
  expect(handled.sort()).toEqual(['b', 'b', 'c']);
});

test('attempts that failed are told with the one that did not', async () => {
  const here = await world();
  const once = 'test -e {{ inventory_hostname }} || { touch {{ inventory_hostname }}; exit 3; }';

  await played(
    here,
    `  tasks: [{name: Try, raw: "${once}", register: tried, until: tried is succeeded, retries: 3, delay: 0}]`,
  );

  const [{ results } = { results: [] }] = await told(here.service);
  expect(results).toHaveLength(3);
  for (const { status, attempts } of results)
    expect({ status, attempts }).toEqual({
      status: 'changed',
      attempts: [{ n: 1, at: expect.any(String) as unknown, msg: 'non-zero return code' }],
    });
});

test('what was rescued or ignored is counted as that, and not as failed or fine', async () => {
  const here = await world();

  await played(
    here,
    `
  tasks:
    - {name: Ignore, fail: , ignore_errors: true, when: inventory_hostname == 'a'}
    - block: [{name: Fail, fail: , when: inventory_hostname == 'b'}]
      rescue: [{name: Rescue, debug: }]
`,
  );

  const [{ run: whole, results } = { run: undefined, results: [] }] = await told(here.service);
  expect(whole).toMatchObject({
    outcome: 'ok',
    hosts: {
      a: { ignored: 1, rescued: 0, failures: 0 },
      b: { ignored: 0, rescued: 1, failures: 0, ok: 1 },
      c: { ignored: 0, rescued: 0, failures: 0, skipped: 2 },
    },
  });
  const bad = results.filter(({ status }) => status === 'ignored' || status === 'failed');
  expect(bad.map(({ host, status }) => [host, status])).toEqual([
    ['a', 'ignored'],
    ['b', 'failed'],
  ]);
});

test('after Ctrl-C a run is over: it was interrupted, and all that was played is told', async () => {
  const here = await world();

  const all = await Promise.all(ansibleAges.map((age) => ended('SIGINT', { ...here.options, age })));

  for (const { outcome, files } of all) {
    expect(outcome.code).toBe(99);
    expect(outcome.stderr).not.toContain('Rollcall');
    expect(files()).toEqual([]);
  }
  const runs = await told(here.service);
  expect(runs).toHaveLength(ansibleAges.length);
  for (const { run: whole, results } of runs) {
    expect(whole).toMatchObject({
      outcome: 'interrupted',
      finished_at: expect.any(String) as unknown,
      hosts: { a: { ok: 2, changed: 0, failures: 0, unreachable: 0, skipped: 0, rescued: 0, ignored: 0 } },
    });
    expect(results.map(({ task_name, status }) => [task_name, status])).toEqual([
      ['first', 'ok'],
      ['second', 'ok'],
    ]);
  }
});

test('a result whose receipt was lost is sent again, and is there once', async () => {
  const { service, relay, options } = await world();
  const passOn = relay.answer;
  relay.answer = (request, response, packed) => {
    // The service takes it, but what it answers does not arrive.
    if (request.url?.includes('/parts/')) response.end = () => response.destroy();
    passOn(request, response, packed);
  };
  const { folder, env, play, files } = project(options);

  const { stderr } = await play();
  const [before] = await told(service);
  const flushed = await run(['spool', 'flush'], { folder, env: { ...env, ROLLCALL_URL: service.url } });

  expect(unwrapped(stderr)).toContain('broke off its answer; 3 calls with the results of site.yml wait');
  expect(before).toMatchObject({ run: { outcome: 'running' }, results: [{ task_name: 'first' }] });
  expect(flushed).toMatchObject({ code: 0, stdout: 'Delivered 3 calls.\n' });
  expect(files()).toEqual([]);
  const [after, ...others] = await told(service);
  expect(others).toEqual([]);
  expect(after).toMatchObject({
    run: { outcome: 'ok', hosts: { a: { ok: 2 } } },
    results: [{ task_name: 'first' }, { task_name: 'second' }],
  });
  expect(after?.results).toHaveLength(2);
});

test('a plugin that is older or newer than the service reports to it', async () => {
  const here = await world();
  const rows = (change: string) =>
    `body = {key: [${change} for row in value] if key in ("tasks", "results") else value for key, value in body.items()}`;
  const first = '    def put(self, path, body):\n        ';
  const least = 'playbook started_at number name tasks results outcome hosts finished_at task_id action n host status';
  const older = `${rows('{k: v for k, v in row.items() if k in least}')}\n        body = {k: v for k, v in body.items() if k in least}`;
  const versions = [
    `least = "${least} duration_ms".split()\n        ${older}`,
    `${rows('{**row, "of_tomorrow": [1]}')}\n        body["of_tomorrow"] = {"more": True}`,
  ];
  const shim = readFileSync(plugin, 'utf8');

  const outcomes = await Promise.all(
    versions.map((version) =>
      project({ ...here.options, text: shim.replace(first, `${first}${version}\n        `) }).play(),
    ),
  );

  expect(outcomes).toMatchObject(versions.map(() => ({ code: 0, stderr: '' })));
  const parts = here.relay.calls
    .filter(({ what }) => what.startsWith('/plays/'))
    .map(({ body }) => JSON.stringify(body));
  expect(parts.filter((part) => part.includes('of_tomorrow'))).toHaveLength(2);
  expect(parts.filter((part) => !part.includes('"path"'))).toHaveLength(2);
  for (const { run: whole, results } of await told(here.service)) {
    expect(whole).toMatchObject({ outcome: 'ok', hosts: { a: { ok: 2 } } });
    expect(results.map(({ task_name }) => task_name)).toEqual(['first', 'second']);
  }
});

test('a secret in the files of a playbook is kept nowhere: they are not read', async () => {
  const here = await world();
  const secret = 'canary-7c2d';
  const files = {
    'group_vars/all.yml': `password: ${secret}\n`,
    'roles/base/defaults/main.yml': `token: ${secret}\n`,
    'roles/base/tasks/main.yml': `- {name: Write, template: {src: t, dest: "{{ playbook_dir }}/{{ inventory_hostname }}"}}\n`,
    'roles/base/templates/t': `password={{ password }} ${secret}\n`,
  };

  const { folder } = await played(here, `  vars: {secret: ${secret}}\n  roles: [base]\n`, files);

  expect(readFileSync(join(folder, 'a'), 'utf8')).toContain(secret);
  const [{ results } = { results: [] }] = await told(here.service);
  expect(results.map(({ task_name }) => task_name)).toEqual(Array(3).fill('base : Write'));
  const data = join(here.service.folder, 'data');
  // Sooner or later there is a folder of backups among them.
  const entries = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const stored = entries.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'));
  expect(stored.join()).toContain('base : Write');
  expect(stored.join()).not.toContain(secret);
  expect(JSON.stringify(here.relay.calls)).not.toContain(secret);
});
