/** Where the callback finds the service and its token: where the inventory script does. */

import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ansibleAges, emptyFolder, runAnsible, runProgram, unwrapped } from '../ansible/run-ansible.ts';
import { certificates } from '../ansible/world.ts';
import { oneRun } from './arrived.ts';
import { gathers, idOf, project, returnsWhatItIsGiven } from './project.ts';
import { startRecorder, taking } from './recorder.ts';
import { called, found } from './service.ts';

const checkout = new URL('../../', import.meta.url).pathname;
const bare = { ROLLCALL_TOKEN: '', ROLLCALL_SPOOL_DIR: '', ROLLCALL_URL: '' };

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

test('the address and the token are those that the inventory script would take', async () => {
  const folder = emptyFolder();
  const path = (name: string) => join(folder, name);
  write(folder, {
    'data/ansible.token': 'of-the-checkout\n',
    named: 'of-the-file\n',
    'home/.config/rollcall/url': 'https://cmdb.example.org/\n',
    'home/.config/rollcall/token': 'of-the-login\n',
  });
  const named = path('named');
  const checkout = { ROLLCALL_DATA: path('data') };
  const login = { HOME: path('home') };

  const answers = await found([
    { options: { token: 'itself' } },
    { options: { token_file: named } },
    { options: { token_file: named, token_command: 'echo of-the-command' } },
    { options: { token_file: named, token_command: 'echo of-the-command' }, env: { ROLLCALL_TOKEN_FILE: named } },
    { options: { token_command: 'exit 1' } },
    { options: { token_command: 'sleep 5' } },
    { env: login },
    { env: login, options: { url: 'https://other.example.org' } },
    { env: checkout },
    { env: checkout, options: { url: 'http://[::1]:7373/below/' } },
    { env: checkout, options: { url: 'http://192.0.2.1:7373' } },
    { options: { url: 'ftp://cmdb' } },
    { options: { url: 'https://user:word@cmdb' } },
    { options: { url: 'https://cmdb', ca: path('nothing') } },
  ]);

  const url = 'http://127.0.0.1:7373';
  const says = (words: string): unknown => expect.stringContaining(words);
  expect(answers).toEqual([
    [url, 'itself'],
    [url, 'of-the-file'],
    [url, 'of-the-command'],
    [url, 'of-the-file'],
    says('later: is told nothing, because what ROLLCALL_TOKEN_COMMAND holds is no token'),
    says('later: is told nothing, because what ROLLCALL_TOKEN_COMMAND holds is no token'),
    ['https://cmdb.example.org', 'of-the-login'],
    says('later: is told nothing, because no token for it was found'),
    [url, 'of-the-checkout'],
    ['http://[::1]:7373/below', 'of-the-checkout'],
    says('later: is told nothing, because no token for it was found'),
    says('wrong: its address is none of a service'),
    says('wrong: its address is none of a service'),
    says('wrong: no certificates can be read from'),
  ]);
});

test('what stands in ansible.cfg holds, with paths beside it', async () => {
  const recorder = await startRecorder();
  const { folder, play } = project({ url: '', env: bare });
  const section = `[rollcall]\nurl = ${recorder.url}\ntoken_file = token\nspool_dir = spooled\n`;
  write(folder, { 'etc/token': 'of-the-cfg\n', 'etc/ansible.cfg': section });

  const { code, stderr } = await play(['site.yml'], {
    ANSIBLE_CONFIG: 'etc/ansible.cfg',
    ROLLCALL_CHANGE_REF: 'INFRA-12',
  });

  expect(code).toBe(0);
  // The service would refuse the whole run for it.
  expect(unwrapped(stderr)).toMatch(
    /^\[WARNING\]: ROLLCALL_CHANGE_REF is left out: it is not of the form owner\/repo#123$/,
  );
  expect(oneRun(recorder.calls).run.change_ref).toBe(null);
  expect(recorder.calls.map(({ token }) => token)).toEqual(Array(4).fill('Bearer of-the-cfg'));
  expect(readdirSync(join(folder, 'etc')).sort()).toEqual(['ansible.cfg', 'spooled', 'token']);
});

test('over https the service must be the one that the given authority vouches for', async () => {
  const { key, cert, ca } = await certificates();
  const recorder = await startRecorder(taking, { key, cert });
  const { play, files } = project({ url: recorder.url, env: { ROLLCALL_CA: ca } });

  const known = await play();
  const [unknown] = await called([recorder.url]);

  expect(known).toMatchObject({ code: 0, stderr: '' });
  expect(recorder.calls).toHaveLength(4);
  expect(files()).toEqual([]);
  expect(unknown).toMatch(/later: cannot be reached \(.*certificate.*\)/);
});

test('an address that is none is said, and stops nothing', async () => {
  const { play, files } = project({ url: 'cmdb' });

  const { code, stderr } = await play();

  expect(code).toBe(0);
  expect(unwrapped(stderr)).toContain('Rollcall is told nothing of this run: its address is none of a service');
  expect(files()).toEqual([]);
});

test('a run says of itself what is known: commit, branch, user, limit, tags, and the inventory that it saw', async () => {
  const recorder = await startRecorder();
  const { folder, play } = project({ url: recorder.url, env: { ROLLCALL_CHANGE_REF: 'acme/infra#7' } });
  const shell = [
    'git init -q -b work .',
    'git remote add origin https://user:word@git.example.org/acme/infra.git',
    'mkdir play && mv site.yml play/',
    'git add play hosts.yml',
    'git -c user.name=x -c user.email=x@example.org commit -qm x',
    'echo "# changed" >> play/site.yml',
    'git rev-parse HEAD',
  ].join(' && ');
  const { stdout: commit } = await runProgram('/bin/sh', ['-c', shell], { cwd: folder });

  const { code } = await play([
    'play/site.yml',
    '--check',
    '--diff',
    '--limit',
    'a',
    '--tags',
    'one,two',
    '--skip-tags',
    'three',
  ]);

  expect(code).toBe(0);
  const { run } = oneRun(recorder.calls);
  expect(run).toEqual({
    playbook: 'play/site.yml',
    path: join(folder, 'play/site.yml'),
    started_at: expect.stringMatching(/^\d{4}-.*Z$/),
    ansible_version: expect.stringMatching(/^2\.\d+\.\d+/),
    shim_version: JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')).version,
    user: expect.any(String),
    controller: expect.any(String),
    origin: { kind: 'other', url: null },
    check: true,
    diff: true,
    limit: 'a',
    tags: expect.arrayContaining(['one', 'two']),
    skip_tags: ['three'],
    git: { repo: 'https://git.example.org/acme/infra.git', commit: commit.trim(), branch: 'work', dirty: true },
    change_ref: 'acme/infra#7',
    inventory_version: '7-0123456789ab',
  });
});

test('diffs are sent where that is asked for, and other facts where they are named', async () => {
  const recorder = await startRecorder();
  const playbook = `
- hosts: a
  gather_facts: false
  tasks:
    - {name: Gathers, setup: }
    - {name: Writes, returns: {result: {diff: {before: "", after: "hello\\n"}, changed: true}}}
    - {name: Hides, returns: {result: {diff: {before: "", after: "hidden\\n"}, changed: true}}, no_log: true}
`;
  const { play } = project({
    url: recorder.url,
    files: {
      'site.yml': playbook,
      'action_plugins/returns.py': returnsWhatItIsGiven,
      'action_plugins/setup.py': gathers({ ansible_system: 'Linux', ansible_kernel: '6.1', ansible_env: { A: 'b' } }),
    },
    env: { ROLLCALL_DIFFS: 'true', ROLLCALL_FACTS: 'system, userspace_bits' },
  });

  await play(['site.yml', '--diff']);

  const [part] = oneRun(recorder.calls).parts;
  expect(part?.results.map(({ diff }) => diff)).toEqual([undefined, expect.stringMatching(/\+hello/), undefined]);
  expect(part?.facts).toEqual([{ host: 'a', ci_id: idOf('a'), facts: { kernel: '6.1', system: 'Linux' } }]);
});

test.each(ansibleAges)(
  'a checkout reports with nothing installed, by the token beside its data, under the %s Ansible',
  async (age) => {
    const recorder = await startRecorder();
    const folder = emptyFolder();
    cpSync(join(checkout, 'ansible'), join(folder, 'ansible'), { recursive: true, verbatimSymlinks: true });
    write(folder, { 'data/ansible.token': 'of-the-checkout\n' });
    const cwd = join(folder, 'ansible');
    const env = { ROLLCALL_URL: recorder.url, HOME: folder };
    write(cwd, { 'examples/hello.yml': '- {hosts: all, gather_facts: false, tasks: [debug: ]}' });

    const played = await runAnsible(age, 'ansible-playbook', ['-i', 'one,', 'examples/hello.yml'], { cwd, env });

    expect(played).toMatchObject({ code: 0, stderr: '' });
    expect(recorder.calls.map(({ token }) => token)).toEqual(recorder.calls.map(() => 'Bearer of-the-checkout'));
    expect(oneRun(recorder.calls).run).toMatchObject({ playbook: 'examples/hello.yml' });
  },
);

test('the collection is built and installed, reports from there, and its documentation reads', async () => {
  const folder = emptyFolder();
  symlinkSync(join(checkout, 'ansible'), join(folder, 'source'));
  const galaxy = (...words: string[]) => runProgram('ansible-galaxy', ['collection', ...words], { cwd: folder });

  const built = await galaxy('build', 'source');
  const archive = /\S+\.tar\.gz/.exec(built.stdout)?.[0] as string;
  const installed = await galaxy('install', archive, '-p', 'collections', '--offline');
  const listed = await runProgram('tar', ['-tzf', archive], { cwd: folder });

  expect([built.code, installed.code, listed.code]).toEqual([0, 0, 0]);
  expect(listed.stdout).toContain('plugins/callback/rollcall.py');
  expect(listed.stdout).not.toMatch(/ansible_collections|ansible\.cfg|__pycache__/);
  const env = { ANSIBLE_COLLECTIONS_PATH: join(folder, 'collections') };
  for (const age of ansibleAges) {
    const recorder = await startRecorder();
    const { play } = project({ age, url: recorder.url, env: { ...env, ANSIBLE_CALLBACK_PLUGINS: '' } });

    const [played, documented] = await Promise.all([
      play(['site.yml'], { ANSIBLE_CALLBACKS_ENABLED: 'rollcall.cmdb.rollcall' }),
      runProgram('ansible-doc', ['-t', 'callback', 'rollcall.cmdb.rollcall'], { cwd: folder, age, env }),
    ]);

    expect(played).toMatchObject({ code: 0, stderr: '' });
    expect(oneRun(recorder.calls).stats?.outcome).toBe('ok');
    expect(documented).toMatchObject({ code: 0, stderr: '' });
    expect(documented.stdout).toMatch(/spool_dir.*ROLLCALL_SPOOL_DIR/s);
  }
});
