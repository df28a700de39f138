/** Moving in: the real Ansible reads an inventory, and sees the same in Rollcall's afterwards. */

import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ansibleAges } from '../tools/tools.ts';
import { discover, importWorld, withoutThisMachine } from './import-world.ts';

const vaulted = '$ANSIBLE_VAULT;1.1;AES256\n6162636465\n';
const inline = (indent: string) => `!vault |\n${vaulted.trimEnd().replaceAll(/^/gm, indent)}\n`;

/** One of each kind that Ansible reads, with what is easily lost. */
const project: Readonly<Record<string, string>> = {
  'inv/hosts.yml': [
    'all:',
    '  vars: {php: 8.0, nothing: null, when_made: 2020-01-01, shared: inventory}',
    '  hosts:',
    '    lonely: {ansible_host: "{{ inventory_hostname }}.lan"}',
    '    localhost: {ansible_connection: local}',
    '  children:',
    '    lab:',
    '      children: {web: {}, db: {}}',
    '      vars: {level: lab, ansible_user: admin}',
    '    web:',
    '      hosts:',
    '        web-1: {ansible_host: 10.0.0.1, ansible_port: 2222, ansible_user: root, none: null, ratio: 1.0}',
    '        web-2.example.org: {ansible_ssh_host: 10.0.0.2, ansible_port: "{{ port }}", big: 12345678901234567890}',
    '      vars: {level: web, shared: web}',
    '    db: {hosts: {db-1: {ansible_host: db-1}, same: {}}, vars: {level: db, ansible_group_priority: 10}}',
    '    same: {hosts: {same: {ansible_connection: community.docker.docker}}}',
    '    empty: {}',
  ].join('\n'),
  'inv/more.json': JSON.stringify({
    all: { children: { json: { hosts: { 'web-1': { from: ['json', { a: 1 }] } } } } },
  }),
  'inv/plain': '[plain]\nnode[1:2] text="two words" n=8.0 flag=True\n\n[plain:vars]\nfrom_ini=yes\n',
  'inv/made': '#!/bin/sh\nexec cat "$(dirname "$0")/made.txt"\n',
  'inv/made.txt': JSON.stringify({
    _meta: { hostvars: { made: { note: { __ansible_unsafe: '{{ lookup("pipe", "id") }}' }, plain: '{{ 1 + 1 }}' } } },
    scripted: { hosts: ['made'], vars: { by: 'script' } },
  }),
  'inv/group_vars/all/first.yml': `shared: file\ndeep: {list: [1, 2.0, "x"], template: "{{ shared }}"}\nkey: ${inline('  ')}`,
  'inv/group_vars/web.yml': 'motd: !unsafe "{{ not a template }}"\nwebs: true\n',
  'inv/group_vars/ungrouped.yml': 'alone: true\n',
  'inv/host_vars/web-1/own.yml': 'own: "{{ deep.list | length }}"\n',
};

describe.each(ansibleAges)('with the %s Ansible', (age) => {
  test('all that it reads is served as it was, before and after discovery, and again changes nothing', async () => {
    const world = await importWorld(age);
    await withoutThisMachine(world);
    world.write(project);
    const old = await world.before('inv');

    const first = await world.take(['inv']);
    const served = await world.after();
    world.service.pass({ minutes: 1 });
    await discover(world, {
      'web-1': '10.9.9.1',
      'web-2.example.org': '10.9.9.2',
      'db-1': '10.9.9.3',
      node1: '10.9.9.4',
      later: '10.9.9.5',
    });
    const afterDiscovery = await world.after();
    const version = await world.versionOf();
    const second = await world.take(['inv']);

    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(Object.keys(old.hosts)).toHaveLength(9);
    expect(served).toEqual(old);
    // What was found later waits.
    expect(afterDiscovery).toEqual(old);
    expect(second.stdout).toContain('\nHosts: 9 unchanged. Groups: nothing changes.\nDone.\n');
    expect(await world.versionOf()).toBe(version);
  });

  test('a wrong file is named with its line, and nothing is written', async () => {
    const world = await importWorld(age);
    world.write({ 'inv/h.ini': 'web-0\n[web]\nweb-1\nweb-2 foo bar\n' });
    const known = await world.service.call('GET', '/ci');

    const ran = await world.take(['inv/h.ini']);

    expect(ran).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'inv/h.ini is not right, and nothing was changed:\n  inv/h.ini:4: Expected key=value host variable assignment, got: foo\n',
    });
    expect((await world.service.call('GET', '/ci')).body).toEqual(known.body);
  });
});

test('names that Rollcall cannot keep are told with their lines, and nothing is written', async () => {
  const world = await importWorld();
  world.write({ 'h.yml': 'all:\n  children:\n    x/y: {hosts: {a: {}}}\n', 'i.ini': 'a\nb..c\n' });

  const group = await world.take(['h.yml']);
  const host = await world.take(['i.ini']);

  expect(group.stderr).toMatch(/^h\.yml is not right, and nothing was changed:\n {2}h\.yml:3: /);
  expect(host.stderr).toMatch(/^i\.ini is not right, and nothing was changed:\n {2}i\.ini:2: host "b\.\.c": /);
  expect((await world.service.call('GET', '/ci/a')).status).toBe(404);
});

describe('a dry run', () => {
  test('tells what is matched, new, ambiguous and withdrawn, where an address differs, and writes nothing', async () => {
    const world = await importWorld();
    await discover(world, { 'web-1': '10.9.9.1', 'web-2': '10.9.9.2', twin: '10.9.9.3', TWIN: '10.9.9.4' });
    world.write({
      'hosts.ini':
        '[web]\nweb-1 ansible_host=10.0.0.1\nweb-2\ntwin\nother ansible_host=10.9.9.1 a=1\n[web:vars]\nb=2\n',
    });
    const before = await world.versionOf();

    const { code, stdout } = await world.take(['hosts.ini', '--dry-run']);

    expect(stdout.split('\n')).toEqual([
      'import:hosts.ini: 4 hosts and 1 group.',
      '',
      '+ other  new: at 10.9.9.1; in web; 1 variable',
      '? twin  ambiguous: it could be one of several, and waits until you say which',
      '~ web-1  matches virtual_machine web-1, discovered by proxmox-api:home',
      '    address  10.0.0.1 here; 10.9.9.1 was found',
      '    ansible.groups  - → web',
      '    ansible.host    - → 10.0.0.1',
      '~ web-2  matches virtual_machine web-2, discovered by proxmox-api:home',
      '    address  reached by its name here, as before; 10.9.9.2 was found',
      '    ansible.groups  - → web',
      '+ group web  new: 1 variable',
      'Hosts: 1 new, 2 matched, 1 ambiguous. Groups: 1 new.',
      'Nothing was changed: this was a dry run.',
      '',
    ]);
    expect(code).toBe(2);
    expect(await world.versionOf()).toBe(before);
    expect((await world.service.call('GET', '/sources')).body).toMatchObject({ count: 2 });
  });

  test('of a later state tells each variable that differs, and no secret of them', async () => {
    const world = await importWorld();
    world.write({ 'hosts.ini': '[web]\na x=1 my_token=first\nb\n[web:vars]\ny=1\n[old]\n' });
    await world.take(['hosts.ini', '--with-plain-secrets']);
    world.write({ 'hosts.ini': '[web]\na x=2 my_token=second\n[web:vars]\ny=2\nz=3\n' });

    const { stdout } = await world.take(['hosts.ini', '--with-plain-secrets', '--dry-run']);

    expect(stdout).toContain(
      '\n~ a\n    ansible.vars.my_token  (secret) → (secret)\n    ansible.vars.x         1 → 2\n',
    );
    expect(stdout).toContain('\n- b  withdrawn: no longer in the inventory\n');
    expect(stdout).toContain(
      '\n- group old  no longer in the inventory\n~ group web\n    vars.y  1 → 2\n    vars.z  - → 3\n',
    );
    expect(stdout).toContain('\nHosts: 1 changed, 1 withdrawn. Groups: 1 changed, 1 gone.\n');
    expect(stdout).not.toMatch(/first|second/);
  });
});

test('where much is gone at once nothing is taken away, until that is accepted', async () => {
  const world = await importWorld();
  world.write({ 'hosts.ini': '[web]\nweb-[1:9]\n[old]\nweb-9\n' });
  await world.take(['hosts.ini']);
  world.write({ 'hosts.ini': '[web]\nweb-1\n' });

  const { code, stdout } = await world.take(['hosts.ini']);
  const [, pass = ''] = /rollcall passes accept (\S+)/.exec(stdout) ?? [];
  const held = await world.after();
  await world.service.call('POST', `/passes/${pass}/accept`);
  const again = await world.take(['hosts.ini']);
  const accepted = await world.after();

  expect(code).toBe(2);
  expect(stdout).toContain('Held: 8 of 9 are gone at once');
  expect(held.groups).toMatchObject({ old: { hosts: ['web-9'] } });
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('- group old  no longer in the inventory') });
  expect(accepted.groups).toEqual({ web: { hosts: ['web-1'], children: [] } });
});

test('what is told besides: groups called as those of Rollcall, and a variable that is its own', async () => {
  const world = await importWorld();
  world.write({ 'hosts.ini': '[env_prod]\na rollcall=mine\n' });

  const { stdout } = await world.take(['hosts.ini', '--dry-run']);

  expect(stdout).toContain('whose hosts are in them as well: env_prod.\n');
  expect(stdout).toContain('The variable "rollcall" is what Rollcall says of each host');
});

describe('what is left out', () => {
  test('secrets in plain text are listed with their place and stay out, unless they are asked for', async () => {
    const world = await importWorld();
    world.write({
      'inv/hosts.ini': '[win]\nw-1 ansible_password=hunter2 ok=1\nw-2\n',
      'inv/group_vars/win.yml': 'port: 1\nusers:\n  - {name: a, password: hunter2}\nnot_it: "{{ vault_password }}"\n',
      'inv/host_vars/w-2.yml': `key: |\n  -----BEGIN PRIVATE KEY-----\n  hunter2\n  -----END PRIVATE KEY-----\n`,
    });

    const without = await world.take(['inv/hosts.ini']);
    const served = await world.after();
    const taken = await world.take(['inv/hosts.ini', '--with-plain-secrets']);

    expect(without.stdout).toContain(
      [
        'take them in with --with-plain-secrets:',
        '  users[0].password of group win  inv/group_vars/win.yml:3',
        '  ansible_password of host w-1  inv/hosts.ini:2',
        '  key of host w-2  inv/host_vars/w-2.yml:1',
        '',
      ].join('\n'),
    );
    expect(served.hosts['w-1']).toEqual({ ok: 1, port: 1, users: [{ name: 'a' }], not_it: '{{ vault_password }}' });
    expect(served.hosts['w-2']).not.toHaveProperty('key');
    expect(`${without.stdout}${taken.stdout}`).not.toContain('hunter2');
    expect((await world.after()).hosts['w-1']).toMatchObject({ ansible_password: 'hunter2' });
  });

  test('a file for a plugin that asks another system is named and not run', async () => {
    const world = await importWorld();
    world.write({
      'inv/hosts.yml': 'all: {hosts: {a: {}}}\n',
      'inv/cloud.yaml': 'plugin: cloud.terraform.terraform_provider\n',
    });

    const { code, stdout } = await world.take(['inv']);
    const alone = await world.take(['inv/cloud.yaml']);

    expect(code).toBe(0);
    expect(stdout).toContain('  inv/cloud.yaml  (cloud.terraform.terraform_provider)\n');
    expect(alone).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is nothing to read.\ninv/cloud.yaml is for'),
    });
  });

  test('a folder of *.ini, which Ansible skips there, is no empty inventory', async () => {
    const world = await importWorld('oldest');
    world.write({ 'inv/hosts.ini': 'a\n' });

    const folder = await world.take(['inv']);
    const file = await world.take(['inv/hosts.ini', '--source', 'inv']);

    expect(folder).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('In a folder it skips *.ini: name each of these files.'),
    });
    expect(file.stdout).toContain('+ a  new\n');
  });
});

test('the copy is its owner’s alone, has what stands beside a program, and is gone afterwards, also when interrupted', async () => {
  const world = await importWorld();
  const temporary = join(world.service.folder, 'temporary');
  mkdirSync(temporary);
  const env = { TMPDIR: temporary };
  world.write({
    'inv/quick':
      '#!/bin/sh\nmode=$(stat -c %a "$(dirname "$0")/..")\n. "$(dirname "$0")/beside"\necho "{\\"g\\": {\\"hosts\\": [\\"a\\"], \\"vars\\": {\\"mode\\": $mode, \\"word\\": \\"$word\\"}}, \\"_meta\\": {\\"hostvars\\": {}}}"\n',
    'inv/beside': 'word=found\n',
    'inv/slow': `#!/bin/sh\ntouch '${temporary}/begun'\nsleep 60\n`,
    'interrupt.sh': '#!/bin/sh\n"$@" & pid=$!\nuntil [ -e temporary/begun ]; do :; done\nkill -INT $pid\nwait $pid\n',
  });

  const quick = await world.take(['inv/quick'], env);
  const left = readdirSync(temporary);
  const interrupted = await world.take(['inv/slow'], env, './interrupt.sh');

  expect(quick.code).toBe(0);
  expect((await world.after()).hosts.a).toEqual({ mode: 700, word: 'found' });
  expect(left).toEqual([]);
  expect(interrupted.code).toBe(130);
  expect(readdirSync(temporary)).toEqual(['begun']);
});

test('without Ansible on the machine it says what to install', async () => {
  const world = await importWorld();
  world.write({ 'hosts.ini': 'a\n' });

  const none = await world.take(['hosts.ini'], { PATH: '/nowhere' });
  const named = await world.take(['hosts.ini', '--ansible-inventory', './ghost']);

  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('pipx install ansible-core') });
  expect(named).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no program ./ghost.') });
});

test('hosts that are found after the first import wait; what the operator then says of the site stands', async () => {
  const world = await importWorld();
  world.write({ 'hosts.ini': 'a\n' });

  const first = await world.take(['hosts.ini', '--site', 'site-ranch', '--source', 'ranch']);
  const site = (await world.service.call('GET', '/sites/site-ranch')).body;
  await world.service.call('PUT', '/sites/site-ranch', { new_hosts: 'serve' });
  const second = await world.take(['hosts.ini', '--site', 'site-ranch', '--source', 'ranch']);

  expect(first.stdout).toContain('import:ranch: 1 host and 0 groups.');
  expect(first.stdout).toContain('Hosts that are found at site-ranch from now on are not served');
  expect(site).toMatchObject({ new_hosts: 'hold' });
  expect(second.stdout).not.toContain('new_hosts');
  expect((await world.service.call('GET', '/sites/site-ranch')).body).toMatchObject({ new_hosts: 'serve' });
});

test('for programs it prints the answer of the service, and what was left out', async () => {
  const world = await importWorld();
  world.write({ 'hosts.ini': 'a my_token=x\n' });

  const { stdout } = await world.take(['hosts.ini', '--json']);

  expect(JSON.parse(stdout)).toMatchObject({
    source: 'import:hosts.ini',
    outcomes: [{ index: 0, outcome: 'created' }],
    left_out: { encrypted: [], foreign: [], secrets: [{ of: 'host', name: 'a', path: 'my_token' }] },
  });
});
