/** No secret of a playbook leaves the controller, or is written down on it, by our doing. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ansibleAges, runProgram, unwrapped } from '../ansible/run-ansible.ts';
import { json } from '../ansible/stand-in.ts';
import { oneRun } from './arrived.ts';
import { gathers, project, returnsWhatItIsGiven } from './project.ts';
import { startRecorder } from './recorder.ts';

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
    - {name: Gathers it, setup: }
    - {name: Asserts it, assert: {that: ["'${canary}-assertion' == 'x'"], fail_msg: not so}, ignore_errors: true}
    - {name: Skips it, debug: {msg: "${canary}-skipped"}, when: "plain == '${canary}-condition'"}
`;

test.each(ansibleAges)(
  'a canary is found nowhere in what is sent, kept or printed, under the %s Ansible',
  async (age) => {
    const recorder = await startRecorder(json(503, '{}'));
    const { folder, spool, files, play, spooled } = project({
      age,
      url: recorder.url,
      files: {
        'site.yml': playbook,
        'action_plugins/returns.py': returnsWhatItIsGiven,
        'action_plugins/setup.py': gathers({
          ansible_kernel: '6.1',
          ansible_env: { SECRET: `${canary}-env` },
          ansible_local: { custom: `${canary}-custom` },
          ansible_cmdline: { secret: canary },
          ansible_interfaces: ['eth0'],
          ansible_eth0: { macaddress: '02:00:00:00:00:01', description: canary },
        }),
        password: 'open sesame\n',
      },
      env: { SECRET: `${canary}-of-the-user`, ANSIBLE_VAULT_PASSWORD_FILE: 'password' },
    });
    const encrypt = ['encrypt', '--vault-password-file', 'password', '--output', 'vault.yml', '-'];
    const shell = `printf 'of_vault: ${canary}-vault' | ansible-vault ${encrypt.join(' ')}`;
    expect(await runProgram('/bin/sh', ['-c', shell], { cwd: folder, age })).toMatchObject({ code: 0 });

    const { code, stdout, stderr } = await play(['site.yml', '--diff', '-e', `extra=${canary}-extra`]);

    expect(code).toBe(0);
    expect(stdout).toContain(`${canary}-message`);
    expect(oneRun(spooled()).parts[0]?.results).toHaveLength(15);
    expect(oneRun(spooled()).parts[0]?.facts?.[0]?.facts).toEqual({
      kernel: '6.1',
      interfaces: { eth0: { macaddress: '02:00:00:00:00:01', type: null, active: null } },
    });
    expect(JSON.stringify(spooled())).not.toContain(canary);
    for (const name of files()) expect(readFileSync(join(spool, name), 'latin1')).not.toContain(canary);
    const said = unwrapped(stderr)
      .split('[WARNING]')
      .filter((line) => line.includes('Rollcall'));
    expect(said).toEqual([expect.not.stringContaining(canary)]);
  },
);

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
