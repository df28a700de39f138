/** What is exported works without the service, and says the very same: to both Ansibles, hostile text and all. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ansibleAges, emptyFolder, runAnsible } from '../ansible/run-ansible.ts';
import { besides } from '../cli/run.ts';
import { startService } from '../service.ts';
import { hostileEstate } from './hostile-estate.ts';

const vault = { __ansible_vault: '$ANSIBLE_VAULT;1.1;AES256\n61626364\n' };
const odd = [
  '',
  '~',
  'yes',
  '012',
  '1:30',
  '1e3',
  ' x ',
  'a\nb\n',
  '\t',
  '{{ a }}',
  '\u0085\u2028\ufeff',
  '\u007f\u009f',
  '😀',
  '"\\',
  "'",
  '!x',
  '#x',
];

const playbook = `
- hosts: all
  gather_facts: false
  connection: local
  ignore_errors: true
  tasks:
    - ansible.builtin.debug: { msg: "{{ rollcall }}" }
    - ansible.builtin.debug:
      when: rollcall.notes
    - ansible.builtin.debug: { msg: "{{ rollcall.deep | default('') }}{{ rollcall.tags | first | default('') }}" }
`;

test('the exported folder tells Ansible what the service tells it', async () => {
  const markers = emptyFolder();
  const service = await hostileEstate(markers);
  const { call } = service;
  const vars = {
    secret: vault,
    odd,
    numbers: [1, 1.5, 1e21, -7, 1e-7],
    nothing: null,
    deep: { yes: true, '012': [odd] },
  };
  await call('POST', '/ci', { ci_name: 'web-1', ansible: { host: '10.0.0.5', user: 'deploy', vars } });
  await call('POST', '/ci', { ci_name: 'db-1', ci_type: 'lxc_container', ansible: { groups: ['databases'] } });
  await call('PUT', '/groups/databases', { vars: { ...vars, ansible_group_priority: 7 } });
  await call('PUT', '/groups/lab', { children: ['databases', 'empty'], vars: { lab: '{{ inventory_hostname }}' } });
  const mixed = { marked: { __ansible_unsafe: '{{ x }}' }, plain: '{{ inventory_hostname }}' };
  await call('POST', '/ci', { ci_name: 'mixed-1', ansible: { vars: { mixed, list: [mixed, 1] } } });
  const seen = { os_version: '12', list: [...odd, { inner: odd }], deep: { none: {}, empty: [], more: [[odd]] } };
  const item = { ci_name: 'odd-1', ci_type: 'virtual_machine', technical_specs: { vmid: 1, node: 'pve1', ...seen } };
  await call('POST', '/passes', { source: 'proxmox-api:odd', complete: true, items: [item] });
  // As an import brings them: JavaScript would write each of them otherwise.
  const exact = ['8.0', '12345678901234567890', '-0.50', '1e5', '2.50E-7', '1E+21'];
  const vars8 = { exact: exact.map((text) => ({ __rollcall_literal: text })) };
  await call('POST', '/ci', { ci_name: 'exact-1', ansible: { vars: vars8 } });
  const folder = join(emptyFolder(), 'break-glass');

  const ran = await besides(service)('inventory', 'export', folder);

  expect(ran).toMatchObject({ code: 0, stderr: '' });
  expect(ran.stdout).toMatch(/^Wrote the inventory \d+-[0-9a-f]{12} to .*break-glass, 7 files\.$/m);
  const told = await fetch(`${service.url}/api/v1/inventory`, {
    headers: { Authorization: `Bearer ${service.adminToken}` },
  });
  expect(readFileSync(join(folder, 'script/inventory.json'), 'utf8')).toBe(await told.text());
  await service.app.close();
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'site.yml'), playbook);
  for (const age of ansibleAges) {
    const list = (file: string) => runAnsible(age, 'ansible-inventory', ['-i', join(folder, file), '--list'], { cwd });
    const [script, yaml] = await Promise.all([list('script/inventory.py'), list('hosts.yml')]);
    expect(script).toMatchObject({ code: 0, stderr: '' });
    expect(yaml).toMatchObject({ code: 0, stderr: '' });
    expect(yaml.stdout).toBe(script.stdout);
    expect(JSON.parse(yaml.stdout)._meta.hostvars['web-1']).toMatchObject({ secret: vault });
    expect(yaml.stdout).toMatch(/"exact": \[\s*8\.0,\s*12345678901234567890,\s*-0\.5,\s*100000\.0,/);
    const played = await runAnsible(age, 'ansible-playbook', ['-i', join(folder, 'hosts.yml'), 'site.yml'], { cwd });
    expect(played.stdout).toMatch(/^odd-1 +: ok=/m);
  }
  expect(readdirSync(markers)).toEqual([]);
});

test('a folder of other things is not written into, and a former export is', async () => {
  const service = await startService();
  const rollcall = besides(service);
  const [strange, own] = [emptyFolder(), emptyFolder()];
  writeFileSync(join(strange, 'thesis.txt'), 'words');

  const refused = await rollcall('inventory', 'export', strange);
  const first = await rollcall('inventory', 'export', own);
  const again = await rollcall('inventory', 'export', own);

  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('holds other files, such as thesis.txt.') });
  expect(readdirSync(strange)).toEqual(['thesis.txt']);
  expect([first.code, again.code]).toEqual([0, 0]);
  expect(statSync(join(own, 'script/inventory.py')).mode & 0o777).toBe(0o700);
  expect(statSync(join(own, 'hosts.yml')).mode & 0o777).toBe(0o600);
});

test('ssh, name resolution and Prometheus are told what they read', async () => {
  const service = await startService();
  await service.call('POST', '/ci', {
    ci_name: 'web-1',
    ansible: { host: '10.0.0.5', user: 'deploy', groups: ['web'] },
  });
  const rollcall = besides(service);

  const ssh = await rollcall('inventory', 'as', 'ssh_config', '--group', 'web');
  const hosts = await rollcall('inventory', 'as', 'hosts', '--group', 'web');
  const targets = await rollcall('inventory', 'as', 'prometheus', '--group', 'web', '--port', '9273');

  expect(ssh.stdout).toMatch(
    /^# ssh_config of the inventory \d+-[0-9a-f]{12}, made by Rollcall\.\nHost web-1\n {2}HostName 10\.0\.0\.5\n {2}User deploy\n$/,
  );
  expect(hosts.stdout).toMatch(/\n10\.0\.0\.5\tweb-1\n$/);
  expect(JSON.parse(targets.stdout)).toMatchObject([
    { targets: ['10.0.0.5:9273'], labels: { __meta_rollcall_name: 'web-1' } },
  ]);
});

test('a host key is told until the host is rebuilt', async () => {
  const service = await startService();
  const guest = (uuid: string) => ({
    source: 'proxmox-api:home',
    complete: true,
    items: [
      {
        ci_type: 'virtual_machine',
        ci_name: 'web-1',
        ci_status: 'running',
        technical_specs: { vmid: 100, node: 'pve1', uuid },
      },
    ],
  });
  const keys = async () =>
    String((await service.call('GET', '/inventory/exports/known_hosts')).body)
      .split('\n')
      .slice(1);
  await service.call('POST', '/passes', guest('ab3db84e-c0e2-4769-a9f7-1e579d00fb69'));
  await service.call('POST', '/ci', {
    ci_name: 'web-1',
    managed_by: 'ansible',
    technical_specs: { ssh_host_keys: { ed25519: 'ssh-ed25519 AAAAC3Nz' } },
  });

  const before = await keys();
  service.pass({ hours: 1 });
  await service.call('POST', '/passes', guest('11111111-c0e2-4769-a9f7-1e579d00fb69'));

  expect(before).toEqual(['web-1 ssh-ed25519 AAAAC3Nz', '']);
  expect(await keys()).toEqual(['']);
});

test('each night it is written down, and committed where that differs', async () => {
  const directory = join(emptyFolder(), 'inventory');
  const { call, app } = await startService({ settings: { inventory: { export: { directory, git: 'commit' } } } });
  await call('POST', '/ci', { ci_name: 'web-1' });
  const log = () => execFileSync('git', ['log', '--format=%an %s'], { cwd: directory }).toString().trim().split('\n');

  const first = await app.runJob('export-inventory');
  const same = await app.runJob('export-inventory');
  await call('POST', '/ci', { ci_name: 'web-2' });
  await app.runJob('export-inventory');

  expect([first, same]).toEqual([
    { files: 7, committed: 1 },
    { files: 7, committed: 0 },
  ]);
  expect(log()).toEqual([
    expect.stringMatching(/^Rollcall Inventory \d+-[0-9a-f]{12}$/),
    expect.stringMatching(/^Rollcall Inventory \d+-[0-9a-f]{12}$/),
  ]);
  expect(readFileSync(join(directory, 'hosts.yml'), 'utf8')).toContain('web-2');
});

test('a push that fails says what git said, without the password in the address', async () => {
  const directory = emptyFolder();
  const git = (...words: string[]) => execFileSync('git', words, { cwd: directory });
  git('init', '--quiet');
  git('remote', 'add', 'origin', 'http://me:canary@127.0.0.1:9/x.git');
  git('config', 'push.default', 'current');
  const { app } = await startService({ settings: { inventory: { export: { directory, git: 'push' } } } });

  const failed = await app.runJob('export-inventory').catch((error: Error) => error.message);

  expect(failed).toMatch(/^git in .* failed: .*unable to access/s);
  expect(failed).not.toContain('canary');
  expect(git('log', '--format=%s').toString()).toMatch(/^Inventory /);
});

test('a folder that cannot be written fails with what to do', async () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'x'));
  const directory = join(folder, 'file', 'inventory');
  const { app } = await startService({ settings: { inventory: { export: { directory } } } });

  await expect(app.runJob('export-inventory')).rejects.toThrow(`could not be written to ${directory} (ENOTDIR)`);
  expect(existsSync(directory)).toBe(false);
});
