/** What time alone changes, as a job of the running service. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';

const guest = (ci_name: string, vmid: number) => ({
  ci_type: 'virtual_machine',
  ci_name,
  ci_status: 'running',
  external_id: String(vmid),
  technical_specs: { vmid, node: 'pve1', macs: [`52:54:00:00:00:${vmid}`] },
});

async function world() {
  const service = await startService();
  const { call, pass, app } = service;
  const read = async (...items: object[]) => {
    await call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items });
    pass({ minutes: 1 });
  };
  await read(guest('web-1', 11), guest('db-1', 12));
  const statusOf = async (name: string) => ((await call('GET', `/ci/${name}`)).body as { ci_status: string }).ci_status;
  const byClock = async () => ((await call('GET', '/changes?source=clock')).body as { items: object[] }).items;
  return { ...service, read, statusOf, byClock, sweep: () => app.runJob('sweep') };
}

test('a hold and a pin end by themselves, as changes of the clock', async () => {
  const { call, pass, statusOf, byClock, sweep } = await world();
  await call('PUT', '/ci/web-1/hold', { reason: 'new disk', until: '2h' });
  await call('PUT', '/ci/web-1/pins/owner', { value: 'alice', reason: 'hers', until: '1h' });
  const held = await statusOf('web-1');

  pass({ hours: 3 });
  const first = await sweep();
  const second = await sweep();

  expect([held, await statusOf('web-1')]).toEqual(['maintenance', 'running']);
  expect([first, second]).toEqual([{ changed: 1 }, { changed: 0 }]);
  expect(await byClock()).toMatchObject([
    { source: 'clock', actor: null, before: { hold: { reason: 'new disk' }, owner: 'alice' }, after: { hold: null } },
  ]);
});

test('a pass is answered once what time alone changes has followed it', async () => {
  const { pass, read, statusOf, byClock } = await world();
  await read(guest('web-1', 11));
  await read(guest('web-1', 11));
  const missing = await statusOf('db-1');

  pass({ hours: 25 });
  await read(guest('web-1', 11));

  expect([missing, await statusOf('db-1')]).toEqual(['missing', 'retired']);
  expect(await byClock()).toMatchObject([{ action: 'retired', pass_id: null }]);
});

test('a pass that is only rehearsed is followed by nothing', async () => {
  const { call, pass, statusOf } = await world();
  await call('PUT', '/ci/web-1/hold', { reason: 'new disk', until: '2h' });
  pass({ hours: 3 });

  await call('POST', '/passes', { source: 'proxmox-api:home', complete: true, dry_run: true, items: [] });

  expect(await statusOf('web-1')).toBe('maintenance');
});
