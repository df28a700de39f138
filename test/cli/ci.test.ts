import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readAssignments } from '../../src/cli/ci-set.ts';
import { startService, temporaryFolder } from '../service.ts';
import { besides, launcher, run, runOnTerminal, runProgram } from './run.ts';

async function world() {
  const service = await startService();
  return { service, rollcall: besides(service), env: { ROLLCALL_DATA: join(service.folder, 'data') } };
}

test('setting a name that nobody bears makes the item, and Ansible is told of it', async () => {
  const { service, rollcall } = await world();

  const made = await rollcall(
    'ci',
    'set',
    'nas',
    'type=physical_server',
    'ansible.host=10.0.0.5',
    'specs.memory_mb=4096',
  );

  expect(made).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'nas: new',
      '    ansible.host               10.0.0.5',
      '    ansible.name               nas',
      '    ci_type                    physical_server',
      '    site_id                    site-home',
      '    technical_specs.memory_mb  4096',
      '',
    ].join('\n'),
  });
  const { body } = await service.call('GET', '/inventory?host=nas');
  expect(body).toMatchObject({ ansible_host: { __ansible_unsafe: '10.0.0.5' } });
});

test('setting says what was changed, and a second time that there is nothing to change', async () => {
  const { rollcall } = await world();
  await rollcall('ci', 'set', 'nas', 'address=10.0.0.5', 'tags=[old, rack]');
  const words = ['ci', 'set', 'nas', 'ansible.host=10.0.0.6', 'tags+=new', 'tags-=old', 'vars.http_port=8080'];

  const first = await rollcall(...words);
  const second = await rollcall(...words);

  expect(first.stdout).toBe(
    [
      'nas: changed',
      '    ansible.host            10.0.0.5 → 10.0.0.6',
      '    ansible.vars.http_port  - → 8080',
      '    tags                    old, rack → new, rack',
      '',
    ].join('\n'),
  );
  expect(second).toEqual({ code: 0, stderr: '', stdout: 'nas: nothing to change\n' });
});

describe('a value is read as YAML:', () => {
  test.each([
    ['specs.cpu_cores=4', 4],
    ['enabled=false', false],
    ['specs.os_version=22.10', '22.10'],
    ['owner=0123', '0123'],
    ['address=10.0.0.5', '10.0.0.5'],
    ['notes=a = b', 'a = b'],
    ['vars.list=[1, 2]', [1, 2]],
    ['groups=web', ['web']],
    ['tags+=[a, 1]', ['a', '1']],
    ['user=', null],
    ['owner=null', null],
  ])('%s', (assignment, value) => {
    expect(readAssignments([assignment])).toMatchObject([{ value }]);
  });
});

test('null takes the word back', async () => {
  const { rollcall } = await world();
  await rollcall('ci', 'set', 'a', 'owner=alice', 'user=root');

  const { stdout } = await rollcall('ci', 'set', 'a', 'owner=null', 'user=');

  expect(stdout).toBe('a: changed\n    ansible.user  root → -\n    owner         alice → -\n');
});

test('what cannot be read is told all at once, and nothing is changed', async () => {
  const { service, rollcall } = await world();

  const ran = await rollcall('ci', 'set', 'a', 'adress=1', 'owner', 'owner+=x', 'notes=[');

  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr.split('\n')).toEqual([
    'adress is not a known key here; did you mean address?',
    'owner: must be key=value, such as ansible.host=10.0.0.5',
    'owner: += is for lists: tags and groups',
    expect.stringMatching(/^notes: ./),
    '',
  ]);
  expect((await service.call('GET', '/ci/a')).status).toBe(404);
});

test('what the service refuses is told under the key as it was written', async () => {
  const { rollcall } = await world();

  expect(await rollcall('ci', 'set', 'a', 'port=99999')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'Nothing was changed.\nport must be 65535 or less, not 99999\n',
  });
});

test('what another source outranks is said, with what stays and whose word it is', async () => {
  const { service, rollcall } = await world();
  await service.call('POST', '/passes', {
    source: 'proxmox-api:home',
    complete: true,
    items: [{ ci_name: 'web-1', ci_type: 'virtual_machine', technical_specs: { vmid: 101, memory_mb: 8192 } }],
  });

  const { code, stdout } = await rollcall('ci', 'set', 'web-1', 'specs.memory_mb=4096');

  expect(code).toBe(0);
  expect(stdout).toBe(
    'web-1: nothing to change\n  technical_specs.memory_mb stays 8192: proxmox-api:home goes before you (ranks: proxmox-api, ansible, terraform, import, manual)\n',
  );
});

test('of two that bear a name, --site says which is meant', async () => {
  const { service, rollcall } = await world();
  for (const site_id of ['site-home', 'site-ranch']) await service.call('POST', '/ci', { ci_name: 'nas', site_id });

  const unclear = await rollcall('ci', 'set', 'nas', 'owner=alice');
  const clear = await rollcall('ci', 'set', 'nas', 'owner=alice', '--site', 'site-ranch');

  expect(unclear).toMatchObject({ code: 1, stdout: '' });
  expect(unclear.stderr).toContain('2 configuration items are named nas');
  expect(clear).toMatchObject({ code: 0, stdout: 'nas: changed\n    owner  - → alice\n' });
  const { body } = await service.call('GET', '/ci/nas?site_id=site-home');
  expect(body).toMatchObject({ owner: null });
});

test('a list has a line for each item that fits, and for programs it is the answer of the service', async () => {
  const { service, rollcall } = await world();
  await rollcall('ci', 'set', 'web-1', 'type=virtual_machine', 'address=10.0.0.1', 'groups=[web, prod]', 'tags=rack');
  await rollcall('ci', 'set', 'nas', 'type=physical_server');

  const table = await rollcall('ci', 'list', '--type', 'virtual_machine');
  const json = await rollcall('ci', 'list', '--type', 'virtual_machine', '--json');
  const none = await rollcall('ci', 'list', '--status', 'retired');

  expect(table.stdout).toBe(
    [
      'NAME   TYPE             STATUS  SITE       ADDRESS   GROUPS     TAGS',
      'web-1  virtual_machine  active  site-home  10.0.0.1  prod, web  rack',
      '',
    ].join('\n'),
  );
  expect(JSON.parse(json.stdout)).toEqual((await service.call('GET', '/ci?ci_type=virtual_machine')).body);
  expect(none).toMatchObject({ code: 0, stdout: 'No item fits.\n' });
});

test('a list goes over all pages', async () => {
  const { service, rollcall } = await world();
  const items = Array.from({ length: 2345 }, (_, index) => ({ ci_name: `m${index}` }));
  await service.call('POST', '/ci/bulk', { items });

  const all = await rollcall('ci', 'list', '--json');
  const few = await rollcall('ci', 'list', '--limit', '1200');

  expect(JSON.parse(all.stdout)).toMatchObject({ count: 2346, next: null });
  expect(JSON.parse(all.stdout).items).toHaveLength(2346);
  expect(few.stdout.trim().split('\n')).toHaveLength(1201);
  expect(few.stderr).toBe('1200 of 2346 are shown.\n');
});

test('one item is shown with what is known of it, under the keys that it is set by', async () => {
  const { rollcall } = await world();
  await rollcall('ci', 'set', 'nas', 'address=10.0.0.5', 'vars.http_port=80');

  const { stdout } = await rollcall('ci', 'show', 'nas');

  expect(stdout).toMatch(/^ci_name +nas$/m);
  expect(stdout).toMatch(/^ansible\.host +10\.0\.0\.5$/m);
  expect(stdout).toMatch(/^ansible\.vars\.http_port +80$/m);
  expect(stdout).not.toMatch(/^owner/m);
});

test('an item that is not there is a sentence', async () => {
  const { rollcall } = await world();

  expect(await rollcall('ci', 'show', 'ghost')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'No configuration item is named ghost.\n',
  });
});

test('a removed item is hidden, and its history stays', async () => {
  const { service, rollcall } = await world();
  await rollcall('ci', 'set', 'nas', 'address=10.0.0.5');

  const { code, stdout } = await rollcall('ci', 'rm', 'nas');

  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'Hid nas (machine in site-home). Its history stays; a source that still sees it brings it back.\n',
  });
  expect((await service.call('GET', '/ci/nas')).status).toBe(404);
});

/** Python's own pseudo-terminal: what is typed goes in, what is seen comes out. */
test('on a terminal it asks before it hides, and titles are bold unless NO_COLOR is set', async () => {
  const { service, rollcall, env } = await world();
  await rollcall('ci', 'set', 'nas', 'address=10.0.0.5');
  const typing = async (stdin: string, words: string[], more = {}) =>
    await runOnTerminal(words, { folder: service.folder, env: { ...env, ...more }, stdin });

  const no = await typing('n\n', ['ci', 'rm', 'nas']);
  const there = (await service.call('GET', '/ci/nas')).status;
  const yes = await typing('y\n', ['ci', 'rm', 'nas']);
  const coloured = await typing('', ['ci', 'list']);
  const plain = await typing('', ['ci', 'list'], { NO_COLOR: '1' });

  expect(no.stdout).toContain('Hide nas (machine in site-home)? [y/N]');
  expect({ no: no.code, there, yes: yes.code }).toEqual({ no: 1, there: 200, yes: 0 });
  expect((await service.call('GET', '/ci/nas')).status).toBe(404);
  expect(coloured.stdout).toContain('\u001b[1mNAME\u001b[22m');
  expect(plain.stdout).not.toContain('\u001b');
});

test('a name that would steer the terminal is shown without doing so', async () => {
  const { service, rollcall } = await world();
  await service.call('POST', '/ci', { ci_name: 'a\u001b[2Jb\nc', notes: '\u001b]0;x\u0007' });

  const { stdout } = await rollcall('ci', 'list', '--search', '2Jb');

  expect(stdout).toContain('a\uFFFD[2Jb c ');
  expect(stdout).not.toContain('\u001b');
});

test('a reader that has enough does not make it fail', async () => {
  const { service, env } = await world();
  const items = Array.from({ length: 3000 }, (_, index) => ({ ci_name: `m${index}` }));
  await service.call('POST', '/ci/bulk', { items });

  const { stdout, stderr } = await runProgram(
    '/bin/sh',
    ['-c', `{ "$NODE" ${launcher} ci list; echo "exit $?" >&2; } | head -n 1`],
    { folder: service.folder, env: { ...env, NODE: process.execPath } },
  );

  expect(stdout).toMatch(/^NAME /);
  expect(stderr).toBe('exit 0\n');
});

describe('with no service running', () => {
  test('it opens the data itself, and leaves them to the next', async () => {
    const folder = temporaryFolder();
    const env = { ROLLCALL_DATA: join(folder, 'data') };

    const made = await run(['ci', 'set', 'nas', 'address=10.0.0.5'], { folder, env });
    const seen = await run(['ci', 'list', '--name', 'nas'], { folder, env });

    expect(made).toMatchObject({ code: 0 });
    expect(made.stderr).toBe(
      `There was no database in ${folder}/data: made one. If you meant another folder, name it with --data.\n`,
    );
    expect(seen).toMatchObject({ code: 0, stderr: '' });
    expect(seen.stdout).toContain('nas ');
  });

  test('several at once wait for each other', async () => {
    const folder = temporaryFolder();
    const env = { ROLLCALL_DATA: join(folder, 'data') };
    await run(['ci', 'list'], { folder, env });

    const all = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => run(['ci', 'set', name, 'owner=alice'], { folder, env })),
    );

    expect(all.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(4).fill({ code: 0, stderr: '' }));
    const { stdout } = await run(['ci', 'list', '--json'], { folder, env });
    expect(JSON.parse(stdout).count).toBe(5);
  });
});

test('a wrong call says how to get help, and ends with 1', async () => {
  const folder = temporaryFolder();
  const child = spawn(process.execPath, [launcher, 'ci', 'lst'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });

  const code = await new Promise((resolve) => child.once('close', resolve));

  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "error: unknown command 'lst'\n(Did you mean list?)\n(--help says how)\n",
  });
});
