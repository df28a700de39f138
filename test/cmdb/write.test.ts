/** Writes to the API: who speaks, what is kept, what wins. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';

const measured = {
  ci_type: 'virtual_machine',
  ci_name: 'web-1',
  ci_status: 'running',
  site_id: 'site-ranch',
  managed_by: 'proxmox-api',
  external_id: 'home/qemu/102',
  technical_specs: { vmid: 102, node: 'pve1', cpu_cores: 2, memory_mb: 4096, os: 'Debian' },
  tags: ['prod', 'web'],
};

type Item = Record<string, unknown> & { ci_id: string; technical_specs: Record<string, unknown>; tags: string[] };

async function withMeasured() {
  const service = await startService();
  const item = (await service.call('POST', '/ci', measured)).body as Item;
  return { ...service, item };
}

test('a person’s write that a measuring source outranks is kept, and said to be shadowed', async () => {
  const { call } = await withMeasured();

  const { status, body } = await call('PUT', '/ci/web-1', { technical_specs: { cpu_cores: 8 }, environment: 'prod' });

  expect(status).toBe(200);
  expect(body).toMatchObject({
    environment: 'prod',
    technical_specs: { cpu_cores: 2 },
    shadowed: [
      {
        pointer: '/technical_specs/cpu_cores',
        value: 2,
        by: 'proxmox-api:admin',
        rule: 'ranks: proxmox-api, ansible, terraform, import, manual',
      },
    ],
  });
});

test('a key that its source takes back falls to the next who said it', async () => {
  const { call } = await withMeasured();
  await call('PUT', '/ci/web-1', { technical_specs: { cpu_cores: 8 } });

  const { body } = await call('PUT', '/ci/web-1', { managed_by: 'proxmox-api', technical_specs: { cpu_cores: null } });

  expect((body as Item).technical_specs.cpu_cores).toBe(8);
});

test('partial writes of one source add up', async () => {
  const { call } = await withMeasured();

  await call('PUT', '/ci/web-1', { managed_by: 'proxmox-api', technical_specs: { memory_mb: 8192 } });
  const { body } = await call('PATCH', '/ci/web-1', { managed_by: 'proxmox-api', technical_specs: { kernel: '6.12' } });

  expect((body as Item).technical_specs).toEqual({
    vmid: 102,
    node: 'pve1',
    cpu_cores: 2,
    memory_mb: 8192,
    os: 'Debian',
    kernel: '6.12',
  });
});

test('an item that a person reads, edits and writes back whole is theirs only where they edited', async () => {
  const { call, item } = await withMeasured();

  const edited = await call('PUT', '/ci/web-1', { ...item, role: 'web server', tags: ['web', 'mine'] });
  await call('PUT', `/ci/${item.ci_id}`, {
    ...measured,
    ci_status: 'stopped',
    technical_specs: { ...measured.technical_specs, os: 'Alpine' },
  });
  const { body } = await call('GET', '/ci/web-1');

  expect(edited.body).toMatchObject({ role: 'web server', tags: ['mine', 'web'] });
  expect((edited.body as Item).shadowed).toBeUndefined();
  expect(body).toMatchObject({
    ci_status: 'stopped',
    role: 'web server',
    tags: ['mine', 'web'],
    technical_specs: { os: 'Alpine' },
  });
});

test('writing back what was read changes nothing', async () => {
  const { call, item } = await withMeasured();

  const { body } = await call('PUT', '/ci/web-1', item);
  const changes = await call('GET', '/ci/web-1/changes');

  expect(body).toEqual(item);
  expect((changes.body as { count: number }).count).toBe(1);
});

test('owner, notes and what concerns Ansible are the person’s, whoever the body says it speaks for', async () => {
  const { call } = await startService();

  const { body } = await call('POST', '/ci', {
    ...measured,
    owner: 'alice',
    ansible: { user: 'debian', groups: ['webservers'] },
  });
  const changed = await call('PUT', '/ci/web-1', { managed_by: 'proxmox-api', owner: 'bob' });

  expect(body).toMatchObject({ owner: 'alice', ansible: { name: 'web-1', user: 'debian', groups: ['webservers'] } });
  expect(changed.body).toMatchObject({ owner: 'bob' });
});

test('several tokens of one name are one speaker', async () => {
  const { call } = await withMeasured();
  const make = async () => {
    const made = await call('POST', '/tokens', { token_name: 'alice', scopes: ['ci:write', 'ci:read'] });
    return { Authorization: `Bearer ${(made.body as { token: string }).token}` };
  };
  const [former, next] = [await make(), await make()];

  await call('PUT', '/ci/web-1', { role: 'web' }, former);
  const { body } = await call('PUT', '/ci/web-1', { role: null }, next);

  expect((body as Item).role).toBeNull();
});

test('among people the value said last wins, not who said something last', async () => {
  const { call, pass } = await withMeasured();
  const speak = async (token_name: string) => {
    const made = await call('POST', '/tokens', { token_name, scopes: ['ci:write'] });
    const headers = { Authorization: `Bearer ${(made.body as { token: string }).token}` };
    return async (role: string) => (await call('PUT', '/ci/web-1', { role }, headers)).body as Item;
  };
  const [alice, bob] = [await speak('alice'), await speak('bob')];
  await alice('web');
  pass({ minutes: 1 });
  await bob('db');
  pass({ minutes: 1 });

  const repeated = await alice('web');

  expect(repeated).toMatchObject({ role: 'db', shadowed: [{ pointer: '/role', value: 'db', by: 'manual:bob' }] });
});

test('maintenance by status holds an item, and another status word of a person’s releases it', async () => {
  const { call } = await withMeasured();

  const held = await call('PUT', '/ci/web-1', { ci_status: 'maintenance' });
  const seen = await call('PUT', '/ci/web-1', { managed_by: 'proxmox-api', ci_status: 'running' });
  const released = await call('PUT', '/ci/web-1', { ci_status: 'active' });

  expect(held.body).toMatchObject({ ci_status: 'maintenance', hold: { by: 'manual:admin', until: null } });
  expect(seen.body).toMatchObject({ ci_status: 'maintenance' });
  expect(released.body).toMatchObject({ ci_status: 'running', hold: null });
});

test('a machine that was retired by hand comes back once a measuring source sees it a quarter of an hour later', async () => {
  const { call, pass } = await withMeasured();
  await call('PUT', '/ci/web-1', { ci_status: 'retired' });
  const see = async () =>
    (await call('PUT', '/ci/web-1', { managed_by: 'proxmox-api', ci_status: 'running' })).body as Item;

  pass({ minutes: 15 });
  const soon = await see();
  pass({ minutes: 1 });
  const later = await see();

  expect([soon.ci_status, later.ci_status]).toEqual(['retired', 'running']);
});

test('a deleted item is hidden, and comes back with its history when it is seen again', async () => {
  const { call, item } = await withMeasured();
  await call('PUT', '/ci/web-1', { owner: 'alice' });

  const deleted = await call('DELETE', '/ci/web-1');
  const hidden = await call('GET', '/ci?ci_name=web-1');
  const back = await call('POST', '/ci', measured);
  const changes = (await call('GET', `/ci/${item.ci_id}/changes`)).body as { items: { action: string }[] };

  expect((deleted.body as Item).deleted_at).not.toBeNull();
  expect(hidden.body).toMatchObject({ count: 0 });
  expect(back).toMatchObject({
    status: 200,
    body: { ci_id: item.ci_id, owner: 'alice', deleted_at: null, ansible: { name: 'web-1' } },
  });
  expect(changes.items.map((change) => change.action)).toEqual(['restored', 'deleted', 'updated', 'created']);
});

test('a change says who, when, for which issue, and what differs', async () => {
  const { call, item } = await withMeasured();

  await call(
    'PUT',
    '/ci/web-1',
    { technical_specs: { rack: 'A1' }, change_ref: 'acme/infra#42' },
    { 'X-Request-Id': 'req-1' },
  );
  const { body } = await call('GET', '/ci/web-1/changes?limit=1');

  expect((body as { items: unknown[] }).items).toEqual([
    {
      change_id: expect.any(String),
      change_no: expect.any(Number),
      subject: 'ci',
      subject_id: item.ci_id,
      ci_name: 'web-1',
      action: 'updated',
      source: 'manual:admin',
      actor: 'admin',
      change_ref: 'acme/infra#42',
      change_ref_standing: false,
      reason: null,
      request_id: 'req-1',
      pass_id: null,
      reverts: null,
      changed_at: '2026-03-02T10:00:00.000Z',
      before: { 'technical_specs.rack': null },
      after: { 'technical_specs.rack': 'A1' },
    },
  ]);
});

test('a name that several living items bear answers with the candidates, and can be narrowed', async () => {
  const { call, item } = await withMeasured();
  const other = (await call('POST', '/ci', { ci_type: 'network_device', ci_name: 'web-1', site_id: 'site-home' }))
    .body as Item;

  const { status, body } = await call('GET', '/ci/by-name/web-1');
  const narrowed = await call('GET', '/ci/by-name/web-1?site_id=site-home');

  expect(status).toBe(409);
  expect((body as { candidates: unknown }).candidates).toEqual([
    { ci_id: item.ci_id, ci_name: 'web-1', ci_type: 'virtual_machine', site_id: 'site-ranch' },
    { ci_id: other.ci_id, ci_name: 'web-1', ci_type: 'network_device', site_id: 'site-home' },
  ]);
  expect(narrowed.body).toMatchObject({ ci_id: other.ci_id });
});

test('a write to a name that nobody bears makes nothing', async () => {
  const { call } = await startService();

  const { status } = await call('PUT', '/ci/by-name/ghost', { ci_status: 'retired' });

  expect(status).toBe(404);
});

test('every fault of a body is named with its place', async () => {
  const { call } = await startService();

  const { status, body } = await call('POST', '/ci', {
    ci_type: 'virtual_machin',
    ci_name: 'web-1',
    ci_status: 'runing',
    enviroment: 'prod',
    technical_specs: { memory_mb: '4096', vmid: 1.5 },
  });

  expect(status).toBe(400);
  const { errors } = body as { errors: { pointer: string; detail: string }[] };
  expect(errors.map((error) => error.pointer).sort()).toEqual(['/ci_type', '/enviroment']);
  expect(errors.find((error) => error.pointer === '/enviroment')?.detail).toContain('did you mean "environment"?');
});

test('specs are held against the schema of the item’s type, and a status against the words there are', async () => {
  const { call } = await startService();

  const { body } = await call('POST', '/ci', {
    ci_type: 'virtual_machine',
    ci_name: 'web-1',
    ci_status: 'runing',
    technical_specs: { memory_mb: '4096', vmid: 1.5, anything: { else: true } },
  });

  const { errors } = body as { errors: { pointer: string; detail: string }[] };
  expect(errors.map((error) => error.pointer).sort()).toEqual([
    '/ci_status',
    '/technical_specs/memory_mb',
    '/technical_specs/vmid',
  ]);
});

test('a name that another host bears in the inventory is refused where a person asks for it', async () => {
  const { call, pass } = await withMeasured();
  pass({ minutes: 1 });
  await call('POST', '/ci', { ci_type: 'machine', ci_name: 'other' });
  pass({ minutes: 1 });

  const { status, body } = await call('PUT', '/ci/other', { ansible: { name: 'web-1' } });

  expect(status).toBe(409);
  expect(body).toMatchObject({ errors: [{ pointer: '/ansible/name' }] });
});

test('ranks that the configuration sets are the ones that count', async () => {
  const { call } = await startService({
    settings: { ranks: { 'technical_specs.cpu_cores': ['manual', 'proxmox-api'] } },
  });
  await call('POST', '/ci', measured);

  const { body } = await call('PUT', '/ci/web-1', { technical_specs: { cpu_cores: 8, memory_mb: 1 } });

  expect((body as Item).technical_specs).toMatchObject({ cpu_cores: 8, memory_mb: 4096 });
});

test('a site that a write names is made, and a site is described once for all', async () => {
  const { call } = await withMeasured();

  const described = await call('PUT', '/sites/site-ranch', { name: 'The ranch', domains: ['ranch.lab'] });
  const again = await call('PATCH', '/sites/site-ranch', { name: 'The ranch' });
  const sites = await call('GET', '/sites');

  expect(described).toMatchObject({
    status: 200,
    body: { site_id: 'site-ranch', name: 'The ranch', domains: ['ranch.lab'] },
  });
  expect(again.body).toEqual(described.body);
  expect((sites.body as { items: { site_id: string }[] }).items.map((site) => site.site_id)).toEqual([
    'site-home',
    'site-ranch',
  ]);
});

test('a key that a source has for another item is refused in a write to this one', async () => {
  const { call, item } = await withMeasured();
  const other = (await call('POST', '/ci', { ...measured, ci_name: 'web-2', external_id: 'home/qemu/103' }))
    .body as Item;

  const { status, body } = await call('PUT', `/ci/${other.ci_id}`, {
    managed_by: 'proxmox-api',
    external_id: 'home/qemu/102',
  });

  expect([status, (body as { candidates: unknown }).candidates]).toEqual([409, [{ ci_id: item.ci_id }]]);
});

test('a site that only a script names is known, though the machine is where its cluster is', async () => {
  const { call } = await withMeasured();
  await call('POST', '/passes', {
    source: 'proxmox-api:home',
    complete: true,
    items: [{ ...measured, managed_by: null, site_id: 'site-ranch' }],
  });

  await call('PUT', '/ci/web-1', { managed_by: 'proxmox-api', site_id: 'site-script' });
  const sites = (await call('GET', '/sites')).body as { items: { site_id: string }[] };

  expect((await call('GET', '/ci/web-1')).body).toMatchObject({ site_id: 'site-ranch' });
  expect(sites.items.map((site) => site.site_id)).toContain('site-script');
});

test('sites that the configuration names exist from the start', async () => {
  const { call } = await startService({
    settings: { sites: { 'site-barn': { name: 'The barn', new_hosts: 'hold' } } },
  });

  const { body } = await call('GET', '/sites/site-barn');

  expect(body).toMatchObject({ name: 'The barn', new_hosts: 'hold', new_hosts_since: '2026-03-02T10:00:00.000Z' });
});

test('a person who says again what was in force says it once it is no more', async () => {
  const { call } = await startService();
  const words = { environment: 'prod', role: 'web' };
  await call('POST', '/ci', { ...measured, managed_by: 'terraform', environment: 'prod' });
  await call('PUT', '/ci/web-1', words);
  await call('PUT', '/ci/web-1', { managed_by: 'terraform', environment: 'dev' });

  const { body } = await call('PUT', '/ci/web-1', words);

  expect(body).toMatchObject(words);
});
