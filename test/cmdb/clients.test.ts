/** Clients that people have already: they call as they always did, and must work as they stand. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';

interface Item {
  ci_id: string;
  ci_status: string;
  site_id: string;
  updated_at: string;
  technical_specs: Record<string, unknown>;
  [key: string]: unknown;
}

const hookBody = {
  ci_type: 'virtual_machine',
  ci_name: 'web-1',
  ci_status: 'active',
  site_id: 'site-ranch',
  managed_by: 'terraform',
  terraform_resource_id: 'pve1/qemu/102',
  technical_specs: { vmid: 102, node: 'pve1', cpu_cores: 2, memory_mb: 4096, disk_gb: 32 },
};

test('a create hook of Terraform registers a machine, and again without changing it', async () => {
  const { call } = await startService();

  const first = await call('POST', '/ci', hookBody, { 'Content-Type': 'application/json' });
  const second = await call('POST', '/ci', hookBody, { 'Content-Type': 'application/json' });
  const changes = await call('GET', '/ci/web-1/changes');

  expect([first.status, second.status]).toEqual([201, 200]);
  expect(second.body).toEqual(first.body);
  expect(first.body).toMatchObject({ ...hookBody, discovered_by: 'terraform:admin', lifecycle: 'active', power: null });
  expect((changes.body as { count: number }).count).toBe(1);
});

test('a destroy hook retires a machine by its name with a form content type, and a later create brings it back', async () => {
  const { call } = await startService();
  await call('POST', '/ci', hookBody);

  const retired = await call('PUT', '/ci/by-name/web-1', '{"ci_status": "retired"}', {
    'Content-Type': 'application/x-www-form-urlencoded',
  });
  const again = await call('PUT', '/ci/by-name/web-1', '{"ci_status": "retired"}');
  const created = await call('POST', '/ci', hookBody);

  expect([retired.status, (retired.body as Item).ci_status]).toEqual([200, 'retired']);
  expect(again.body).toEqual(retired.body);
  expect([created.status, (created.body as Item).ci_status]).toEqual([200, 'active']);
  expect((created.body as Item).ci_id).toBe((retired.body as Item).ci_id);
});

test('a body that a template left without quotes is refused whole, and is seen to be', async () => {
  const { call } = await startService();
  const body = `{"ci_type": "virtual_machine", "ci_name": "web-1", "technical_specs": {"vmid": 102, "disk_gb": 32G}}`;

  const { status, body: problem } = await call('POST', '/ci', body);
  const refusals = await call('GET', '/refusals');
  const items = await call('GET', '/ci?ci_name=web-1');
  const metrics = await call('GET', '/metrics');

  expect(status).toBe(400);
  expect(problem).toMatchObject({
    type: '/problems/invalid',
    detail: expect.stringMatching(/line 1, column 9\d.*32G/),
  });
  expect(refusals.body).toMatchObject({
    count: 1,
    items: [{ method: 'POST', path: '/api/v1/ci', status: 400, token_name: 'admin' }],
  });
  expect(items.body).toMatchObject({ count: 0 });
  expect(metrics.body).toContain('rollcall_http_refused_writes_total{path="/api/v1/ci"} 1');
});

/** As a discovery script does it: ask by name and type, then POST or PUT the whole item. */
function discoveryScript(call: Awaited<ReturnType<typeof startService>>['call']) {
  return async (guest: { ci_name: string; ci_type: string; [key: string]: unknown }) => {
    const found = await call('GET', `/ci?ci_name=${guest.ci_name}&ci_type=${guest.ci_type}`, undefined, {
      'Content-Type': 'application/json',
    });
    const { count, items } = found.body as { count: number; items: Item[] };
    return count > 0 ? await call('PUT', `/ci/${items[0]?.ci_id}`, guest) : await call('POST', '/ci', guest);
  };
}

const scriptGuest = {
  ci_type: 'virtual_machine',
  ci_name: 'web-1',
  ci_status: 'running',
  site_id: 'site-of-script',
  managed_by: 'proxmox-api',
  technical_specs: { vmid: 102, node: 'pve1', cpu_cores: null, memory_mb: 4096.0, disk_gb: 31.998, uptime: 86_400 },
  last_discovered_at: '2026-03-02T10:00:00.123456',
};

test('a discovery script that posts an unchanged machine every six hours makes no change', async () => {
  const { call, pass } = await startService();
  const post = discoveryScript(call);
  await post(scriptGuest);
  const first = (await call('GET', '/ci/web-1')).body as Item;

  for (let round = 1; round <= 4; round += 1) {
    pass({ hours: 6 });
    const uptime = 86_400 + round * 6 * 3600 + (round % 2 === 0 ? 40 : -40);
    await post({ ...scriptGuest, technical_specs: { ...scriptGuest.technical_specs, uptime, disk_gb: 32.01 } });
  }
  const last = (await call('GET', '/ci/web-1')).body as Item;
  const changes = await call('GET', '/ci/web-1/changes');

  expect((changes.body as { count: number }).count).toBe(1);
  expect({ ...last, last_seen_at: '', last_discovered_at: '' }).toEqual({
    ...first,
    last_seen_at: '',
    last_discovered_at: '',
  });
  expect(last.last_seen_at).toBe('2026-03-03T10:00:00.000Z');
  expect(first.technical_specs).toEqual({
    booted_at: '2026-03-01T10:00:00.000Z',
    disk_gb: 31.998,
    memory_mb: 4096,
    node: 'pve1',
    vmid: 102,
  });
});

const ownReading = {
  source: 'proxmox-api:home',
  complete: true,
  items: [
    {
      ci_type: 'virtual_machine',
      ci_name: 'web-1',
      ci_status: 'running',
      site_id: 'site-ranch',
      external_id: 'home/qemu/102',
      technical_specs: { vmid: 102, node: 'pve1', cpu_cores: 2, memory_mb: 4096, disk_gb: 32 },
    },
  ],
};

test.each([
  ['before', true],
  ['after', false],
])(
  'a script that names another site speaks of the machine that our own discovery found %s it',
  async (_when, ownFirst) => {
    const { call, pass } = await startService();
    const post = discoveryScript(call);
    if (ownFirst) await call('POST', '/passes', ownReading);
    else await post(scriptGuest);

    pass({ minutes: 5 });
    if (ownFirst) await post(scriptGuest);
    else await call('POST', '/passes', ownReading);
    pass({ hours: 6 });
    await post(scriptGuest);
    await call('POST', '/passes', ownReading);

    const found = (await call('GET', '/ci?ci_name=web-1')).body as { count: number; items: Item[] };
    expect(found.count).toBe(1);
    expect(found.items[0]).toMatchObject({ site_id: 'site-ranch', ci_status: 'running', external_id: 'home/qemu/102' });
  },
);

test('a script that registers its machine under the site of its own finds the one that our discovery knows by number', async () => {
  const { call } = await startService();
  await call('POST', '/passes', ownReading);

  const { status, body } = await call('POST', '/ci', scriptGuest);

  expect(status).toBe(200);
  expect(body).toMatchObject({ external_id: 'home/qemu/102', site_id: 'site-ranch' });
});

test('an item is read by its name in the place of its id', async () => {
  const { call } = await startService();
  const made = (await call('POST', '/ci', hookBody)).body as Item;

  const { status, body } = await call('GET', '/ci/web-1');

  expect([status, (body as Item).ci_id]).toEqual([200, made.ci_id]);
});

test('a power word of Proxmox’s own is mapped, kept as it was said, and unknown says nothing', async () => {
  const { call } = await startService();
  await call('POST', '/ci', { ...scriptGuest, ci_status: 'suspended' });

  const { body } = await call('POST', '/ci', { ...scriptGuest, ci_status: 'unknown' });

  expect(body).toMatchObject({ ci_status: 'paused', power: 'paused', technical_specs: { power_state: 'suspended' } });
});
