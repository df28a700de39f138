/** Whole readings of sources: what they add, what they take away, and when they take nothing. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';

const machines = (...names: string[]) => names.map((ci_name) => ({ ci_type: 'machine', ci_name, environment: 'home' }));
const reading = (names: string[], more: Record<string, unknown> = {}) => ({
  source: 'import:home.yml',
  complete: true,
  items: machines(...names),
  ...more,
});

async function statuses(call: Awaited<ReturnType<typeof startService>>['call']): Promise<Record<string, string>> {
  const { items } = (await call('GET', '/ci?environment=&limit=100'.replace('environment=&', ''))).body as {
    items: { ci_name: string; ci_status: string }[];
  };
  return Object.fromEntries(
    items.filter((item) => /^[a-z]\d?$/.test(item.ci_name)).map((item) => [item.ci_name, item.ci_status]),
  );
}

test('a reading that is repeated changes nothing', async () => {
  const { call } = await startService();
  const first = await call('POST', '/passes', reading(['a', 'b', 'c']));

  const second = await call('POST', '/passes', reading(['a', 'b', 'c']));

  expect(first.body).toMatchObject({ outcome: 'good', seen: 3, created: 3, updated: 0, unchanged: 0, missing: 0 });
  expect(second.body).toMatchObject({
    outcome: 'good',
    seen: 3,
    created: 0,
    updated: 0,
    unchanged: 3,
    missing: 0,
    changes: [],
  });
});

test('what a complete reading no longer holds is missing, and comes back with its id when it is there again', async () => {
  const { call } = await startService();
  await call('POST', '/passes', reading(['a', 'b', 'c']));
  const { ci_id } = (await call('GET', '/ci/c')).body as { ci_id: string };

  const { body } = await call('POST', '/passes', reading(['a', 'b']));
  const missing = await statuses(call);
  await call('POST', '/passes', reading(['a', 'b', 'c']));

  expect(body).toMatchObject({
    outcome: 'good',
    missing: 1,
    changes: [{ ci_id, action: 'missing', after: { absence: 'missing', ci_status: 'missing' } }],
  });
  expect(missing).toEqual({ a: 'active', b: 'active', c: 'missing' });
  expect((await call('GET', '/ci/c')).body).toMatchObject({ ci_id, ci_status: 'active' });
});

test('a reading that is not complete takes nothing away', async () => {
  const { call } = await startService();
  await call('POST', '/passes', reading(['a', 'b']));

  const { body } = await call('POST', '/passes', reading(['a'], { complete: false, why: 'one node is offline' }));

  expect(body).toMatchObject({ outcome: 'partial', missing: 0, why: 'one node is offline' });
  expect(await statuses(call)).toEqual({ a: 'active', b: 'active' });
});

test('a reading in which too much is gone at once is held until the next one agrees', async () => {
  const { call } = await startService();
  await call('POST', '/passes', reading(['a', 'b', 'c', 'd', 'e']));

  const first = await call('POST', '/passes', reading(['a']));
  const alerts = await call('GET', '/alerts');
  const held = await statuses(call);
  const second = await call('POST', '/passes', reading(['a']));
  const after = await call('GET', '/alerts');

  expect(first.body).toMatchObject({ outcome: 'suspicious', missing: 0 });
  expect(alerts.body).toMatchObject({ items: [{ kind: 'suspicious_pass', subject: 'import:home.yml', until: null }] });
  expect(Object.values(held)).toEqual(['active', 'active', 'active', 'active', 'active']);
  expect(second.body).toMatchObject({ outcome: 'good', missing: 4 });
  expect(after.body).toMatchObject({ items: [{ kind: 'suspicious_pass', until: expect.any(String) }] });
});

test('an empty reading takes nothing away, however often it comes, until a person accepts it', async () => {
  const { call } = await startService();
  await call('POST', '/passes', reading(['a', 'b']));
  await call('POST', '/passes', reading([]));
  const { pass_id } = (await call('POST', '/passes', reading([]))).body as { pass_id: string };
  const held = await statuses(call);

  const accepted = await call('POST', `/passes/${pass_id}/accept`);
  const again = await call('POST', `/passes/${pass_id}/accept`);

  expect(held).toEqual({ a: 'active', b: 'active' });
  expect(accepted).toMatchObject({ status: 200, body: { outcome: 'accepted', missing: 2 } });
  expect(await statuses(call)).toEqual({ a: 'missing', b: 'missing' });
  expect(again.status).toBe(409);
});

test('a dry run says what it would do, and writes nothing', async () => {
  const { call } = await startService();
  await call('POST', '/passes', reading(['a', 'b']));
  const before = await call('GET', '/changes');

  const { body } = await call('POST', '/passes', reading(['a', 'c'], { dry_run: true }));

  expect(body).toMatchObject({ dry_run: true, created: 1, missing: 1, unchanged: 1 });
  expect((body as { changes: { action: string }[] }).changes.map((change) => change.action).sort()).toEqual([
    'created',
    'missing',
  ]);
  expect((await call('GET', '/changes')).body).toEqual(before.body);
  expect(await statuses(call)).toEqual({ a: 'active', b: 'active' });
});

test('a faulty item is refused by itself, and then nothing is taken for gone', async () => {
  const { call } = await startService();
  await call('POST', '/passes', reading(['a', 'b']));

  const items = [...machines('c'), { ci_name: 'd', ci_typo: 'machine' }, { ci_type: 'machine' }];
  const { status, body } = await call('POST', '/passes', reading([], { items }));
  const refusals = await call('GET', '/refusals');

  expect(status).toBe(200);
  expect(body).toMatchObject({ outcome: 'partial', created: 1, missing: 0, refused: 2 });
  expect((body as { errors: { index: number; errors: { pointer: string }[] }[] }).errors).toMatchObject([
    { index: 1, errors: [{ pointer: '/ci_typo' }] },
    { index: 2, errors: [{ pointer: '/ci_name' }] },
  ]);
  expect(refusals.body).toMatchObject({
    count: 1,
    items: [{ path: '/api/v1/passes', detail: '2 of 3 items were refused.' }],
  });
});

test('one name twice in a reading is one machine at two sites, or a fault', async () => {
  const { call } = await startService();
  const at = (site_id?: string) => ({ ci_type: 'machine', ci_name: 'a', ...(site_id ? { site_id } : {}) });

  const { body } = await call('POST', '/passes', reading([], { items: [at('site-x'), at('site-y'), at('site-y')] }));

  expect(body).toMatchObject({
    created: 2,
    refused: 1,
    errors: [{ index: 2, errors: [{ detail: expect.stringContaining('twice') }] }],
  });
});

test('an import that is read elsewhere under the same name is refused, unless it takes over', async () => {
  const { call } = await startService();
  const origin = (path: string) => ({ origin: { host: 'laptop', path } });
  await call('POST', '/passes', reading(['a'], origin('/home/alice/home.yml')));

  const elsewhere = await call('POST', '/passes', reading(['b'], origin('/home/bob/home.yml')));
  const takesOver = await call(
    'POST',
    '/passes',
    reading(['a', 'b'], { ...origin('/home/bob/home.yml'), takes_over: true }),
  );

  expect(elsewhere).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('/home/alice/home.yml on laptop') },
  });
  expect(takesOver).toMatchObject({ status: 200, body: { created: 1 } });
});

test('a source that only measures cannot say what is a person’s', async () => {
  const { call } = await startService();

  const { body } = await call('POST', '/passes', {
    source: 'proxmox-api:home',
    complete: true,
    items: [{ ci_name: 'a', external_id: 'home/qemu/1', owner: 'alice' }],
  });

  expect(body).toMatchObject({ refused: 1, errors: [{ index: 0, errors: [{ pointer: '/owner' }] }] });
});

test.each(['nothing', 'manual:alice', 'import:', 'rumour:home'])('%s is no source of a reading', async (source) => {
  const { call } = await startService();

  const { status, body } = await call('POST', '/passes', { source, complete: true, items: [] });

  expect([status, (body as { errors: unknown[] }).errors]).toMatchObject([400, [{ pointer: '/source' }]]);
});

test('a guest that is renamed at its hypervisor stays the same item, and is followed in the inventory', async () => {
  const { call } = await startService();
  const guest = (ci_name: string) => ({
    source: 'proxmox-api:home',
    complete: true,
    items: [
      {
        ci_type: 'virtual_machine',
        ci_name,
        ci_status: 'running',
        external_id: 'home/qemu/1',
        technical_specs: { vmid: 1, node: 'pve1' },
      },
    ],
  });
  await call('POST', '/passes', guest('web-1'));
  const before = (await call('GET', '/ci/web-1')).body as { ci_id: string };

  await call('POST', '/passes', guest('web-01'));

  expect((await call('GET', '/ci/web-01')).body).toMatchObject({ ci_id: before.ci_id, ansible: { name: 'web-01' } });
});

test('a machine made anew under another number is found by Ansible under the old name, and the dead one gives it up', async () => {
  const { call, pass: wait } = await startService();
  const guest = (vmid: number, name = 'web-1') => ({
    ci_type: 'virtual_machine',
    ci_name: name,
    ci_status: 'running',
    external_id: `home/qemu/${vmid}`,
    technical_specs: { vmid, node: 'pve1', macs: [`bc:24:11:00:00:0${vmid}`] },
  });
  const pass = (...items: unknown[]) => call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items });
  await pass(guest(1), guest(9, 'other'));

  wait({ hours: 1 });
  await pass(guest(9, 'other'));
  wait({ hours: 1 });
  await pass(guest(2), guest(9, 'other'));

  const { items } = (await call('GET', '/ci?ci_name=web-1')).body as {
    items: { ansible: { name: string }; technical_specs: { vmid: number } }[];
  };
  expect(items.map((item) => [item.technical_specs.vmid, item.ansible.name])).toEqual([
    [1, 'web-1-1'],
    [2, 'web-1'],
  ]);
});

test('what is missing is there again once whoever measures it says it again', async () => {
  const { call, pass } = await startService();
  const guest = {
    ci_type: 'virtual_machine',
    ci_name: 'a',
    ci_status: 'running',
    technical_specs: { vmid: 101, node: 'p' },
  };
  const two = [guest, { ...guest, ci_name: 'b', technical_specs: { vmid: 102, node: 'p' } }];
  const keyed = (items: typeof two) =>
    items.map((item) => ({ ...item, external_id: `q/${item.technical_specs.vmid}` }));
  const home = (items: typeof two) => ({ source: 'proxmox-api:home', complete: true, items: keyed(items) });
  await call('POST', '/ci', { ...keyed(two)[0], managed_by: 'proxmox-api' });
  await call('POST', '/passes', home(two));
  pass({ minutes: 1 });
  await call('POST', '/passes', home(two.slice(1)));
  const gone = await statuses(call);

  pass({ minutes: 1 });
  await call('POST', '/ci', { ...keyed(two)[0], managed_by: 'proxmox-api' });

  expect([gone.a, (await statuses(call)).a]).toEqual(['missing', 'running']);
});
