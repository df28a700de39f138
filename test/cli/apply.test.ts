import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Service, startService } from '../service.ts';
import { besides, exampleFile } from './run.ts';

interface Item {
  ci_name: string;
  ci_status: string;
  ansible: { host: string | null };
}

async function world() {
  const service = await startService();
  const rollcall = besides(service);
  const write = (name: string, text: string) => {
    const file = join(service.folder, name);
    writeFileSync(file, text);
    return file;
  };
  return { service, rollcall, write };
}

async function itemsOf({ call }: Service): Promise<Item[]> {
  return ((await call('GET', '/ci?limit=1000')).body as { items: Item[] }).items;
}

async function itemOf({ call }: Service, name: string): Promise<Item> {
  return (await call('GET', `/ci/${name}`)).body as Item;
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `m${index + 1}`).join(', ');

test('the example comes into the inventory, and a second time changes nothing', async () => {
  const { service, rollcall } = await world();

  const first = await rollcall('apply', exampleFile);
  const second = await rollcall('ci', 'apply', exampleFile);

  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toContain('+ web-1  new\n');
  expect(first.stdout).toContain('\nimport:example: 7 items read; 7 created.\n');
  expect(second).toEqual({ code: 0, stderr: '', stdout: 'import:example: 7 items read; 7 unchanged.\n' });
  const { body } = await service.call('GET', '/inventory');
  expect(body).toMatchObject({
    webservers: { hosts: ['web-1', 'web-2'] },
    _meta: { hostvars: { 'nas-1': { ansible_port: 2222, ansible_user: 'root' } } },
  });
  expect((body as { _meta: { hostvars: object } })._meta.hostvars).not.toHaveProperty('switch-1');
});

test('containers, services and applications stand in a file with what they run on', async () => {
  const { service, rollcall, write } = await world();
  const container = (parent: string, image: string) => `
  - name: proxy
    type: container
    specs: {parent: ${parent}, image: "${image}", ports: ["0.0.0.0:443->443/tcp"]}
    relationships: [{relationship_type: runs_on, ci_name: ${parent}, relationship_strength: critical}]`;
  const text = (image: string) => `
source: home
machines:
  docker-1: {type: virtual_machine, address: 192.0.2.9}
  docker-2: {type: virtual_machine, address: 192.0.2.10}
items:${container('docker-1', image)}${container('docker-2', 'nginx:1')}
  - name: https
    type: service
    specs: {parent: docker-1, port: 443, protocol: tcp}
    relationships: [{relationship_type: runs_on, ci_name: proxy}]
  - name: wiki
    type: application
    relationships: [{relationship_type: depends_on, ci_name: https}]
`;
  const file = write('home.yml', text('nginx:1'));

  const first = await rollcall('apply', file);
  const again = await rollcall('apply', file);
  write('home.yml', text('nginx:2'));
  const later = await rollcall('apply', file);
  const impact = await rollcall('impact', 'docker-1', '--change-type', 'reboot');

  expect([first.code, first.stderr]).toEqual([0, '']);
  expect(first.stdout).toContain('\nimport:home: 6 items read; 6 created.\n');
  expect(again.stdout).toBe('import:home: 6 items read; 6 unchanged.\n');
  expect(later.stdout).toContain('nginx:1 → nginx:2\nimport:home: 6 items read; 1 changed, 5 unchanged.\n');
  expect(impact.stdout).toBe(`docker-1 (virtual_machine): reboot
└─ proxy (container, active): runs_on docker-1, critical
   └─ https (service, active): runs_on proxy, strong
      └─ wiki (application, active): depends_on https, strong

Affected are 3 items: 1 critical, 2 strong.
`);
  const { body } = await service.call('GET', '/inventory');
  expect(Object.keys((body as { _meta: { hostvars: object } })._meta.hostvars)).not.toContain('proxy');
});

test('a dry run says what would be new, changed and withdrawn, and changes nothing', async () => {
  const { service, rollcall, write } = await world();
  const file = write('lab.yml', 'machines:\n  a: {address: 10.0.0.1}\n  b:\n');
  await rollcall('apply', file);
  write('lab.yml', 'machines:\n  a: {address: 10.0.0.2}\n  c: {type: physical_server}\n');

  const { code, stdout } = await rollcall('apply', file, '--dry-run');

  expect(code).toBe(0);
  expect(stdout.split('\n').sort()).toEqual(
    [
      '~ a',
      '    ansible.host  10.0.0.1 → 10.0.0.2',
      '+ c  new',
      '    ci_type  physical_server',
      '    site_id  site-home',
      '- b  withdrawn: no source speaks for it any more',
      'import:lab.yml: 2 items read; 1 would be created, 1 would be changed, 1 would be withdrawn. Nothing was changed: this was a dry run.',
      '',
    ].sort(),
  );
  expect((await itemOf(service, 'a')).ansible.host).toBe('10.0.0.1');
  expect((await itemOf(service, 'b')).ci_status).toBe('active');
});

test('what is no longer in the file is withdrawn', async () => {
  const { service, rollcall, write } = await world();
  await rollcall('apply', write('lab.yml', 'machines: [a, b]'));

  const { code, stdout } = await rollcall('apply', write('lab.yml', 'machines: [a]'));

  expect(code).toBe(0);
  expect(stdout).toContain('import:lab.yml: 1 item read; 1 withdrawn, 1 unchanged.');
  expect((await itemOf(service, 'b')).ci_status).toBe('missing');
});

test('where much is gone at once nothing is withdrawn, and the command that accepts it is said', async () => {
  const { service, rollcall, write } = await world();
  await rollcall('apply', write('lab.yml', `machines: [${names(10)}]`));
  write('lab.yml', 'machines: [m1]');

  const held = await rollcall('apply', join(service.folder, 'lab.yml'));
  const before = (await itemOf(service, 'm2')).ci_status;
  const words = /rollcall (passes accept \S+)/.exec(held.stdout)?.[1]?.split(' ') ?? [];
  const accepted = await rollcall(...words);

  expect(held.code).toBe(2);
  expect(held.stdout).toContain('Held: 9 of 10 are gone at once');
  expect(before).toBe('active');
  expect(accepted).toMatchObject({ code: 0, stdout: 'Accepted: 9 items of import:lab.yml withdrawn.\n' });
  expect((await itemOf(service, 'm2')).ci_status).toBe('missing');
});

test('held readings are listed and shown', async () => {
  const { service, rollcall, write } = await world();
  await rollcall('apply', write('lab.yml', `machines: [${names(10)}]`));
  await rollcall('apply', write('lab.yml', 'machines: [m1]'));

  const list = await rollcall('passes');
  const [, id = ''] = /(\S+) +import:lab.yml +held/.exec(list.stdout) ?? [];
  const shown = await rollcall('passes', 'show', id);

  expect(list.stdout).toMatch(/^BEGUN +PASS +SOURCE +OUTCOME +SEEN +NEW +CHANGED +GONE\n.* import:lab.yml +held +1 /);
  expect(shown.stdout).toMatch(/^outcome +held$/m);
  expect((await itemsOf(service)).length).toBe(11);
});

describe('a file with faults changes nothing:', () => {
  test('those that the service finds are told with their line too', async () => {
    const { service, rollcall, write } = await world();
    const file = write(
      'lab.yml',
      [
        'defaults: {port: 99999}',
        'machines:',
        '  good: {port: 22}',
        '  worse:',
        '  bad:',
        '    type: toaster',
        '    specs: {memory_mb: lots}',
        '    ansible:',
        '      groups: [a b]',
        '    managed_by: me',
      ].join('\n'),
    );

    const { code, stdout, stderr } = await rollcall('apply', file);

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      `${file} is not right, and nothing was changed:`,
      `  ${file}:1:12: defaults.port must be 65535 or less, not 99999`,
      expect.stringMatching(
        `^  ${file}:6:5: machines.bad.type must be one of "virtual_machine", .* or null, not "toaster"$`,
      ),
      expect.stringContaining(`  ${file}:9:7: machines.bad.ansible.groups must be `),
      '',
    ]);
    expect((await itemsOf(service)).map((item) => item.ci_name)).not.toContain('good');
  });

  test('those in the file itself are told before any service is asked', async () => {
    const { rollcall, write } = await world();
    const file = write('lab.yml', 'machines:\n  a: {adress: x}\n');

    expect(await rollcall('apply', file)).toEqual({
      code: 1,
      stdout: '',
      stderr: `${file} is not right, and nothing was changed:\n  ${file}:2:7: machines.a.adress: is not a known key here; did you mean address?\n`,
    });
  });
});

describe('whose word a file is:', () => {
  test.each([
    ['the name in the file', 'source: one\nmachines: [a]', ['--source', 'two'], 'import:one'],
    ['--source where the file has none', 'machines: [a]', ['--source', 'two'], 'import:two'],
    ['its kind may be written', 'source: import:one\nmachines: [a]', [], 'import:one'],
    ["else the file's own name", 'machines: [a]', [], 'import:lab.yml'],
  ])('%s', async (_, text, words, source) => {
    const { rollcall, write } = await world();

    const { code, stdout } = await rollcall('apply', write('lab.yml', text), ...words);

    expect(code).toBe(0);
    expect(stdout).toContain(`\n${source}: 1 item read; 1 created.\n`);
  });

  test('a file elsewhere under the same name is refused, until --source says that it takes its place', async () => {
    const { service, rollcall, write } = await world();
    await rollcall('apply', write('lab.yml', 'machines: [a, b]'));
    mkdirSync(join(service.folder, 'copy'));
    const copy = write('copy/lab.yml', 'machines: [a]');

    const refused = await rollcall('apply', copy);
    const taken = await rollcall('apply', copy, '--source', 'lab.yml');

    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`was read from ${service.folder}/lab.yml on `);
    expect(refused.stderr).toContain('--source');
    expect(taken).toMatchObject({ code: 0 });
    expect((await itemOf(service, 'b')).ci_status).toBe('missing');
  });
});

test('for programs it prints the answer of the service', async () => {
  const { rollcall, write } = await world();

  const { stdout } = await rollcall('apply', write('lab.yml', 'machines: [a]'), '--dry-run', '--json');

  expect(JSON.parse(stdout)).toMatchObject({ source: 'import:lab.yml', dry_run: true, created: 1, errors: [] });
});

test('a machine that could be of several waits, and that is said', async () => {
  const { service, rollcall, write } = await world();
  const guest = (vmid: number, ci_name: string) => ({
    ci_type: 'virtual_machine',
    ci_name,
    external_id: `home/qemu/${vmid}`,
    technical_specs: { vmid, node: 'pve1', macs: [`bc:24:11:00:00:0${vmid}`] },
  });
  const items = [guest(1, 'web-1'), guest(2, 'db-1')];
  await service.call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items });
  const file = write('lab.yml', 'machines:\n  db-1: {specs: {macs: ["bc:24:11:00:00:01"]}}\n');

  const { code, stdout } = await rollcall('apply', file);
  const conflicts = await rollcall('conflicts');

  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: [
      '? db-1  could be of several items, and waits',
      'import:lab.yml: 1 item read; 1 waiting.',
      'Say which is meant: "rollcall conflicts" shows them.',
      '',
    ].join('\n'),
  });
  expect(conflicts.stdout).toContain('import:lab.yml speaks of db-1');
});
