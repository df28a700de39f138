/** Where the callback finds the service and its token: where the inventory script does. */

import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ansibleAges, emptyFolder, runAnsible, runProgram, unwrapped } from '../ansible/run-ansible.ts';
import { oneRun } from './arrived.ts';
import { idOf, plugin, project } from './project.ts';
import { startRecorder } from './recorder.ts';

const checkout = new URL('../../', import.meta.url).pathname;
const bare = { ROLLCALL_TOKEN: '', ROLLCALL_SPOOL_DIR: '', ROLLCALL_URL: '' };

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/**
 * Asks the plugin alone, which is a hundred times quicker than a playbook: with these options of Ansible's, in this
 * environment, which address and token would it use?
 */
async function found(asked: readonly { options?: object; env?: object; files?: Record<string, string> }[]) {
  const folder = emptyFolder();
  const cases = asked.map(({ options = {}, env = {}, files = {} }, number) => {
    const home = join(folder, String(number));
    write(home, files);
    return { options, env: { HOME: home, ...env } };
  });
  const program = `
import json, os, sys
sys.path.insert(0, ${JSON.stringify(dirname(plugin))})
sys.dont_write_bytecode = True
import rollcall
for case in json.loads(sys.argv[1]):
    before = dict(os.environ)
    os.environ.update(case["env"])
    try:
        service = rollcall.Service({**dict.fromkeys(("url", "token", "token_file", "token_command", "ca")), **case["options"]}.get)
        print(json.dumps([service.url, service.find_token(1)]))
    except (rollcall.Failure, rollcall.Outage) as error:
        print(json.dumps([str(error)]))
    os.environ.clear()
    os.environ.update(before)
`;
  const { stdout, stderr } = await runProgram('python3', ['-c', program, JSON.stringify(cases)], { cwd: folder });
  expect(stderr).toBe('');
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string[]);
}

const login = { '.config/rollcall/url': 'https://cmdb.example.org/\n', '.config/rollcall/token': 'of-the-login\n' };
const checkoutOf = (folder: string) => ({ ROLLCALL_DATA: folder });

test('the address and the token are those that the inventory script would take', async () => {
  const data = emptyFolder();
  write(data, { 'ansible.token': 'of-the-checkout\n', named: 'of-the-file\n' });
  const named = join(data, 'named');

  const answers = await found([
    { options: { token: 'itself' } },
    { options: { token_file: named } },
    { options: { token_file: named, token_command: 'echo of-the-command' } },
    { options: { token_file: named, token_command: 'echo of-the-command' }, env: { ROLLCALL_TOKEN_FILE: named } },
    { options: { token_command: 'exit 1' } },
    { options: { token_command: 'sleep 5' } },
    { files: login },
    { files: login, options: { url: 'https://other.example.org' } },
    { env: checkoutOf(data) },
    { env: checkoutOf(data), options: { url: 'http://[::1]:7373/below/' } },
    { env: checkoutOf(data), options: { url: 'http://192.0.2.1:7373' } },
    { options: { url: 'ftp://cmdb' } },
    { options: { url: 'https://user:word@cmdb' } },
  ]);

  const url = 'http://127.0.0.1:7373';
  const none = [expect.stringContaining('no token for it was found')];
  const wrong = [expect.stringContaining('its address is none of a service')];
  expect(answers).toEqual([
    [url, 'itself'],
    [url, 'of-the-file'],
    [url, 'of-the-command'],
    [url, 'of-the-file'],
    [expect.stringContaining('what ROLLCALL_TOKEN_COMMAND holds is no token')],
    [expect.stringContaining('what ROLLCALL_TOKEN_COMMAND holds is no token')],
    ['https://cmdb.example.org', 'of-the-login'],
    none,
    [url, 'of-the-checkout'],
    ['http://[::1]:7373/below', 'of-the-checkout'],
    none,
    wrong,
    wrong,
  ]);
});

test('what stands in ansible.cfg holds, with paths beside it', async () => {
  const recorder = await startRecorder();
  const { folder, play } = project({ url: '', env: bare });
  const section = `[rollcall]\nurl = ${recorder.url}\ntoken_file = token\nspool_dir = spooled\n`;
  write(folder, { 'etc/token': 'of-the-cfg\n', 'etc/ansible.cfg': section });

  const { code, stderr } = await play(['site.yml'], { ANSIBLE_CONFIG: 'etc/ansible.cfg' });

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(recorder.calls.map(({ token }) => token)).toEqual(Array(4).fill('Bearer of-the-cfg'));
  expect(readdirSync(join(folder, 'etc')).sort()).toEqual(['ansible.cfg', 'spooled', 'token']);
});

test('an address that names nothing costs nothing but a warning', async () => {
  const { play, spooled } = project({ url: 'http://nobody.invalid:7373' });

  const unknown = await play();
  const wrong = await play(['site.yml'], { ROLLCALL_URL: 'cmdb' });

  expect([unknown.code, wrong.code]).toEqual([0, 0]);
  expect(unwrapped(unknown.stderr)).toMatch(/is not found: no (such host name|name server answered in time); 4 calls/);
  expect(unwrapped(wrong.stderr)).toContain('Rollcall is told nothing of this run: its address is none of a service');
  expect(spooled()).toHaveLength(4);
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
  gather_subset: ["!all"]
  tasks:
    - {name: Writes, copy: {content: "hello\\n", dest: "{{ playbook_dir }}/written"}}
    - {name: Hides, copy: {content: "hidden\\n", dest: "{{ playbook_dir }}/hidden"}, no_log: true}
`;
  const { play } = project({
    url: recorder.url,
    files: { 'site.yml': playbook },
    env: { ROLLCALL_DIFFS: 'true', ROLLCALL_FACTS: 'system, userspace_bits' },
  });

  await play(['site.yml', '--diff']);

  const [part] = oneRun(recorder.calls).parts;
  expect(part?.results.map(({ diff }) => diff)).toEqual([undefined, expect.stringMatching(/\+hello/), undefined]);
  expect(part?.facts).toEqual([
    { host: 'a', ci_id: idOf('a'), facts: expect.objectContaining({ system: 'Linux', userspace_bits: '64' }) },
  ]);
});

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  test('a checkout reports with nothing installed, by the token beside its data', async () => {
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
  });

  test('the collection is built and installed, reports from there, and its documentation reads', async () => {
    const recorder = await startRecorder();
    const { folder, play, env } = project({ age, url: recorder.url });
    const run = (program: string, ...words: string[]) => runProgram(program, words, { cwd: folder, age, env });
    symlinkSync(join(checkout, 'ansible'), join(folder, 'source'));

    const built = await run('ansible-galaxy', 'collection', 'build', 'source');
    const archive = /\S+\.tar\.gz/.exec(built.stdout)?.[0] as string;
    const installed = await run('ansible-galaxy', 'collection', 'install', archive, '-p', 'collections', '--offline');
    const listed = await run('tar', '-tzf', archive);
    const [played, documented] = await Promise.all([
      play(['site.yml'], {
        ANSIBLE_CALLBACK_PLUGINS: '',
        ANSIBLE_COLLECTIONS_PATH: 'collections',
        ANSIBLE_CALLBACKS_ENABLED: 'rollcall.cmdb.rollcall',
      }),
      runProgram('ansible-doc', ['-t', 'callback', 'rollcall.cmdb.rollcall'], {
        cwd: folder,
        age,
        env: { ANSIBLE_COLLECTIONS_PATH: 'collections' },
      }),
    ]);

    expect([built.code, installed.code, played.code, documented.code]).toEqual([0, 0, 0, 0]);
    expect(listed.stdout).toContain('plugins/callback/rollcall.py');
    expect(listed.stdout).not.toMatch(/ansible_collections|ansible\.cfg|__pycache__/);
    expect(oneRun(recorder.calls).stats?.outcome).toBe('ok');
    expect(documented.stderr).toBe('');
    expect(documented.stdout).toMatch(/spool_dir.*ROLLCALL_SPOOL_DIR/s);
  });
});
