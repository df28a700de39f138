/** No secret of a playbook leaves the controller, or is written down on it, by our doing. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type AnsibleAge, ansibleAges, runProgram, unwrapped } from '../ansible/run-ansible.ts';
import { json } from '../ansible/stand-in.ts';
import { run } from '../cli/run.ts';
import { startProcess } from '../e2e/service-process.ts';
import { temporaryFolder } from '../service.ts';
import { dump } from '../yaml.ts';
import { arrivedIn, oneRun } from './arrived.ts';
import { gathers, project, returnsWhatItIsGiven } from './project.ts';
import { type Call, passingTo, startRecorder } from './recorder.ts';

const canary = 'canary-1f9e';

const playbook = `
- name: Secrets
  hosts: a
  gather_facts: false
  vars_files: [vault.yml]
  environment:
    SECRET: "${canary}-environment"
  vars:
    plain: "${canary}-variable"
  handlers:
    - {name: Handler, debug: {msg: "${canary}-handler"}}
  tasks:
    - {name: Of no_log, debug: {msg: "${canary}-no-log"}, no_log: true}
    - {name: Fails under no_log, fail: {msg: "${canary}-no-log-failure"}, no_log: true, ignore_errors: true}
    - {name: Fails under no_log in a loop, fail: {msg: "{{ item }}"}, no_log: true, ignore_errors: true, loop: ["${canary}-no-log-item"]}
    - {name: Says it, debug: {msg: "${canary}-message {{ of_vault }} {{ plain }} {{ extra }}"}, notify: Handler, changed_when: true}
    - {name: Loops over it, debug: {msg: "{{ item }}"}, loop: ["${canary}-item"], loop_control: {label: "${canary}-label"}}
    - {name: Loops over hosts of it, debug: , delegate_to: "{{ item }}", loop: ["${canary}-delegate"]}
    - {name: Runs it, raw: "echo ${canary}-argument {{ of_vault }} >&2; echo ${canary}-output", register: registered}
    - {name: Registers it, debug: {var: registered}}
    - {name: Tries it again, debug: {msg: "${canary}-attempt"}, register: tried, until: tried.attempts | default(1) == 3, retries: 3, delay: 0, ignore_errors: true}
    - {name: Makes a fact of it, set_fact: {ansible_kernel: "${canary}-fact", ansible_env: {SECRET: "${canary}-fact"}}}
    - {name: Writes it, returns: {result: {diff: {before: "", after: "${canary}-content"}, changed: true, stdout: "${canary}-stdout"}}}
    - {name: Writes a file of it, copy: {content: "${canary}-file {{ inline }}", dest: "{{ playbook_dir }}/written"}}
    - {name: Makes statistics of it, set_stats: {data: {secret: "${canary}-statistics"}}}
    - {name: Gathers it, setup: }
    - {name: Asserts it, assert: {that: ["'${canary}-assertion' == 'x'"], fail_msg: not so}, ignore_errors: true}
    - {name: Skips it, debug: {msg: "${canary}-skipped"}, when: "plain == '${canary}-condition'"}
`;

interface Told {
  /** Each call, as it lay in the spool before it was sent. */
  spooled: { calls: Call[]; files: string[] };
  stdout: string;
  /** What the plugin itself printed, and what the delivery by hand did. */
  printed: string[];
}

/** The playbook, reported to the service; its last call waits at first, and is delivered by hand. */
async function report(age: AnsibleAge, service: { url: string; token: string }): Promise<Told> {
  const relay = await startRecorder();
  const { folder, spool, env, files, play, spooled } = project({
    age,
    url: relay.url,
    files: {
      'site.yml': playbook,
      'extra.yml': `extra: ${canary}-extra`,
      'action_plugins/returns.py': returnsWhatItIsGiven,
      'action_plugins/setup.py': gathers({
        ansible_kernel: '6.1',
        ansible_env: { SECRET: `${canary}-env` },
        ansible_local: { custom: `${canary}-custom` },
        ansible_cmdline: { secret: canary },
        ansible_interfaces: ['eth0'],
        ansible_eth0: {
          macaddress: '02:00:00:00:00:01',
          description: canary,
          ipv4: { address: '10.0.0.9', netmask: canary },
          ipv4_secondaries: [{ address: '10.0.0.10' }, 'none'],
          ipv6: [{ address: 'fe80::1', scope: 'link' }],
        },
      }),
      password: 'open sesame\n',
    },
    env: {
      SECRET: `${canary}-of-the-user`,
      ANSIBLE_VAULT_PASSWORD_FILE: 'password',
      ROLLCALL_TOKEN: service.token,
    },
  });
  const told: Told = { spooled: { calls: [], files: [] }, stdout: '', printed: [] };
  const passOn = passingTo(service.url);
  relay.answer = (request, response, packed) => {
    told.spooled.calls.push(...spooled());
    told.spooled.files.push(...files().map((name) => readFileSync(join(spool, name), 'latin1')));
    if (request.url?.endsWith('/stats')) json(503, '{}')(request, response);
    else passOn(request, response, packed);
  };
  const encrypt = ['encrypt', '--vault-password-file', 'password', '--output', 'vault.yml', '-'];
  const shell = `printf 'of_vault: ${canary}-vault' | ansible-vault ${encrypt.join(' ')}`;
  expect(await runProgram('/bin/sh', ['-c', shell], { cwd: folder, age })).toMatchObject({ code: 0 });

  const words = ['site.yml', '--diff', '-vvv', '-e', `inline=${canary}-extra`, '-e', '@extra.yml'];
  const { code, stdout, stderr } = await play(words);
  const flushed = await run(['spool', 'flush'], { folder, env: { ...env, ROLLCALL_URL: service.url } });

  expect({ code, flushed }).toMatchObject({ code: 0, flushed: { code: 0, stdout: 'Delivered 1 call.\n' } });
  const said = unwrapped(stderr)
    .split('[WARNING]')
    .filter((line) => line.includes('Rollcall'));
  expect(said).toEqual([expect.stringContaining('1 call with the results of site.yml wait')]);
  return { ...told, stdout, printed: [...said, flushed.stdout, flushed.stderr] };
}

/** All that the API tells, by these paths. */
async function answers(url: string, token: string, runs: readonly string[]): Promise<string> {
  const ofRuns = runs.flatMap((id) =>
    ['', '/results', '/inventory', '/blame'].map((what) => `/api/v1/runs/${id}${what}`),
  );
  const others = [
    'runs',
    'runs/slowest-tasks',
    'runs/flaky-hosts',
    'ci',
    'ci/a',
    'ci/a/explain',
    'ci/a/runs',
    'changes',
  ];
  const paths = [
    ...ofRuns,
    ...[...others, 'alerts', 'conflicts', 'inventory'].map((path) => `/api/v1/${path}`),
    '/metrics',
  ];
  const told = paths.map(async (path) => {
    const response = await fetch(`${url}${path}`, { headers: { Authorization: `Bearer ${token}` } });
    return `${path} ${response.status} ${await response.text()}`;
  });
  return (await Promise.all(told)).join('\n');
}

test('a canary is found nowhere of ours: not in calls, spool, database, log or answers, nor in what is printed', async () => {
  const data = temporaryFolder();
  const config = dump(join(temporaryFolder(), 'rollcall.yml'), { runs: { register_hosts: true } });
  const service = startProcess(data, { env: { ROLLCALL_CONFIG: config, ROLLCALL_LOG_LEVEL: 'debug' } });
  const url = await service.serves;
  const token = (name: string) => readFileSync(join(data, `${name}.token`), 'utf8').trim();

  const told = await Promise.all(ansibleAges.map((age) => report(age, { url, token: token('ansible') })));
  const runs = told.flatMap(({ spooled }) => [...arrivedIn(spooled.calls).keys()]);
  const answered = await answers(url, token('admin'), runs);
  // So that what is not in the database itself yet is still in the journal beside it.
  service.child.kill('SIGKILL');
  const { stdout, stderr } = await service.ended;

  for (const { spooled, stdout: screen, printed } of told) {
    expect(screen).toContain(`${canary}-message`);
    const { parts } = oneRun(spooled.calls);
    expect(parts[0]?.results).toHaveLength(17);
    expect(parts[0]?.facts?.[0]?.facts).toEqual({
      kernel: '6.1',
      interfaces: {
        eth0: {
          macaddress: '02:00:00:00:00:01',
          type: null,
          active: null,
          addresses: ['10.0.0.9', '10.0.0.10', 'fe80::1'],
        },
      },
    });
    expect(JSON.stringify(spooled)).not.toContain(canary);
    expect(printed.join()).not.toContain(canary);
  }
  const stored = readdirSync(data, { recursive: true, encoding: 'utf8' })
    .map((name) => join(data, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
  // Where each of them would stand, if it did.
  expect(stored).toContain('Fails under no_log');
  expect(answered).toContain('Fails under no_log');
  expect(answered).toMatch(/^\/api\/v1\/ci\/a 200 .*"kernel":"6.1"/m);
  expect(stderr).toMatch(/PUT.*\/api\/v1\/runs/);
  for (const text of [stored, answered, stdout, stderr]) expect(text).not.toContain(canary);
});

test('what Ansible shows on the screen anyway is sent: names of tasks, and what a module says of its failure', async () => {
  const recorder = await startRecorder();
  const { play } = project({
    url: recorder.url,
    files: {
      'site.yml': `
- {name: one, hosts: a, gather_facts: false, tasks: [{name: "Named by {{ shown }}", fail: {msg: "failed by {{ shown }}"}}], vars: {shown: ${canary}}}
`,
    },
  });

  const { stdout } = await play();

  expect(stdout).toContain(`Named by ${canary}`);
  const [part] = oneRun(recorder.calls).parts;
  expect(part?.tasks).toMatchObject([{ name: `Named by ${canary}` }]);
  expect(part?.results).toMatchObject([{ status: 'failed', msg: expect.stringContaining(`failed by ${canary}`) }]);
});
