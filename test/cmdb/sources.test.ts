/** Sources: what is known of them, and what goes when one is withdrawn. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';

type Body = Record<string, unknown>;

async function world() {
  const service = await startService();
  const { call } = service;
  const read = (source: string, ...items: Body[]) => call('POST', '/passes', { source, complete: true, items });
  const guest = (vmid: number, more: Body = {}) => ({
    ci_type: 'virtual_machine',
    ci_name: `web-${vmid}`,
    ci_status: 'running',
    external_id: `home/qemu/${vmid}`,
    technical_specs: { vmid, node: 'pve1', cpu_cores: 2 },
    ...more,
  });
  return { ...service, read, guest };
}

test('each source is listed with its role, its claims and the age of its last complete reading', async () => {
  const { call, pass, read, guest } = await world();
  await read('proxmox-api:home', guest(1), guest(2));
  pass({ minutes: 30 });
  await read('proxmox-api:home', guest(1));
  pass({ seconds: 90 });
  await call('POST', '/passes', {
    source: 'import:home.yml',
    complete: false,
    items: [{ ci_name: 'nas' }],
    origin: { host: 'laptop', path: '/home/alice/home.yml' },
  });

  const { body } = await call('GET', '/sources');
  const page = await call('GET', '/sources?limit=1');

  const { items, ...list } = body as { items: Body[] };
  const [machine, imported, proxmox] = items;
  expect(list).toEqual({ count: 3, next: null });
  expect(machine).toMatchObject({ source: 'ansible:this-machine' });
  expect(imported).toEqual({
    source: 'import:home.yml',
    kind: 'import',
    role: 'people',
    first_seen_at: '2026-03-02T10:31:30.000Z',
    last_seen_at: '2026-03-02T10:31:30.000Z',
    last_complete_pass_at: null,
    age_s: null,
    claims: { living: 1, gone: 0 },
    held_pass_id: null,
    origin: { host: 'laptop', path: '/home/alice/home.yml' },
    withdrawn_at: null,
  });
  expect(proxmox).toEqual({
    source: 'proxmox-api:home',
    kind: 'proxmox-api',
    role: 'measures',
    first_seen_at: '2026-03-02T10:00:00.000Z',
    last_seen_at: '2026-03-02T10:30:00.000Z',
    last_complete_pass_at: '2026-03-02T10:30:00.000Z',
    age_s: 90,
    claims: { living: 1, gone: 1 },
    held_pass_id: null,
    origin: null,
    withdrawn_at: null,
  });
  expect(page.body).toMatchObject({ count: 3, items: [{ source: 'ansible:this-machine' }], next: expect.any(String) });
});

test('a source that is withdrawn has no word any more, and what nobody else claims is retired', async () => {
  const { call, read, guest, pass } = await world();
  await read('proxmox-api:home', guest(1), guest(2));
  await call('PUT', '/ci/web-1', { owner: 'alice', technical_specs: { cpu_cores: 8, rack: 'r1' } });
  pass({ minutes: 1 });

  const { status, body } = await call('DELETE', '/sources/proxmox-api:home', undefined, {
    'X-Change-Ref': 'acme/infra#7',
  });

  expect({ status, body }).toMatchObject({
    status: 200,
    body: {
      source: 'proxmox-api:home',
      claims: { living: 0, gone: 2 },
      withdrawn_at: '2026-03-02T10:01:00.000Z',
      dry_run: false,
      withdrawn: 2,
    },
  });
  expect((await call('GET', '/ci/web-1')).body).toMatchObject({
    ci_status: 'retired',
    owner: 'alice',
    technical_specs: { rack: 'r1' },
  });
  expect((await call('GET', '/ci/web-2')).body).toMatchObject({
    ci_status: 'retired',
    technical_specs: { vmid: 2, cpu_cores: 2 },
  });
  const changes = (await call('GET', '/changes?change_ref=acme/infra%237')).body;
  expect(changes).toMatchObject({
    count: 2,
    items: [
      { source: 'manual:admin', actor: 'admin' },
      { source: 'manual:admin', actor: 'admin' },
    ],
  });
});

test('what a source said of a thing that was gone before is withdrawn as well', async () => {
  const { call, read, guest, pass } = await world();
  await read('proxmox-api:home', guest(1), guest(2));
  await call('POST', '/passes', {
    source: 'import:hosts.yml',
    complete: true,
    items: [{ ci_name: 'web-2', owner: 'alice' }],
  });
  pass({ minutes: 1 });
  await read('proxmox-api:home', guest(1));
  const before = (await call('GET', '/ci/web-2')).body;

  await call('DELETE', '/sources/proxmox-api:home');

  expect(before).toMatchObject({ ci_status: 'missing', technical_specs: { node: 'pve1' } });
  expect((await call('GET', '/ci/web-2')).body).toMatchObject({ ci_status: 'active', technical_specs: {} });
});

test('a source that speaks again is back, with what it says now', async () => {
  const { call, read, guest } = await world();
  await read('proxmox-api:home', guest(1), guest(2));
  const { ci_id } = (await call('GET', '/ci/web-1')).body as Body;
  await call('DELETE', '/sources/proxmox-api:home');

  await read('proxmox-api:home', guest(1), guest(2));

  expect((await call('GET', '/sources')).body).toMatchObject({
    items: [{}, { source: 'proxmox-api:home', claims: { living: 2, gone: 0 }, withdrawn_at: null }],
  });
  expect((await call('GET', '/ci/web-1')).body).toMatchObject({ ci_id, ci_status: 'running' });
});

test('what was withdrawn of a person is not back with the next word of theirs', async () => {
  const { call, read, guest } = await world();
  await read('proxmox-api:home', guest(1));
  await call('PUT', '/ci/web-1', { owner: 'alice', notes: 'wrong' });
  await call('DELETE', '/sources/manual:admin');
  const between = (await call('GET', '/ci/web-1')).body;

  await call('PUT', '/ci/web-1', { owner: 'bob' });

  expect(between).toMatchObject({ owner: null, notes: null });
  expect((await call('GET', '/ci/web-1')).body).toMatchObject({ owner: 'bob', notes: null });
});

test('a dry run says what would be withdrawn, and writes nothing', async () => {
  const { call, read, guest } = await world();
  await read('proxmox-api:home', guest(1));
  const before = [(await call('GET', '/sources')).body, (await call('GET', '/changes')).body];

  const { body } = await call('DELETE', '/sources/proxmox-api:home?dry_run=true');

  expect(body).toMatchObject({
    dry_run: true,
    withdrawn: 1,
    changes: [{ ci_name: 'web-1', action: 'retired', after: { ci_status: 'retired' } }],
  });
  expect([(await call('GET', '/sources')).body, (await call('GET', '/changes')).body]).toEqual(before);
});

test('a held reading of a source that is withdrawn is held no longer', async () => {
  const { call, read, guest } = await world();
  await read('proxmox-api:home', guest(1), guest(2));
  await read('proxmox-api:home');
  const held = (await call('GET', '/alerts')).body;

  const { body } = await call('DELETE', '/sources/proxmox-api:home');

  expect(held).toMatchObject({ items: [{ kind: 'suspicious_pass', until: null }] });
  expect(body).toMatchObject({ held_pass_id: null });
  expect((await call('GET', '/alerts')).body).toMatchObject({ items: [{ until: expect.any(String) }] });
});

test('withdrawing twice changes nothing more', async () => {
  const { call, read, guest } = await world();
  await read('import:a/b.yml', guest(1));
  await call('DELETE', `/sources/${encodeURIComponent('import:a/b.yml')}`);
  const before = (await call('GET', '/changes')).body;

  const { status, body } = await call('DELETE', `/sources/${encodeURIComponent('import:a/b.yml')}`);

  expect({ status, body }).toMatchObject({ status: 200, body: { withdrawn: 0, changes: [] } });
  expect((await call('GET', '/changes')).body).toEqual(before);
});

test.each([
  ['proxmox-api:hom', 'There is no source proxmox-api:hom. Did you mean proxmox-api:home?'],
  ['home', 'There is no source home. Did you mean proxmox-api:home?'],
  ['something:else-entirely', 'There is no source something:else-entirely. GET /sources lists all.'],
])('the source %s is not known', async (name, detail) => {
  const { call, read, guest } = await world();
  await read('proxmox-api:home', guest(1));

  expect(await call('DELETE', `/sources/${name}`)).toMatchObject({ status: 404, body: { detail } });
});
