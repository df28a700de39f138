/** What a start does with data that were written under other settings. */

import { expect, test } from 'vitest';
import { startService, temporaryFolder } from '../service.ts';

const guest = {
  ci_type: 'virtual_machine',
  ci_name: 'web-1',
  external_id: 'home/qemu/101',
  ci_status: 'running',
  technical_specs: { vmid: 101, node: 'pve1', cpu_cores: 2, uuid: '926c2366-ccf8-46fb-ab3f-95c5358f7101' },
};

test('ranks that are other ones than before are followed at the start, as changes of the configuration', async () => {
  const folder = temporaryFolder();
  const before = await startService({ folder });
  await before.call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items: [guest] });
  await before.call('PUT', '/ci/web-1', { technical_specs: { cpu_cores: 8 } });
  const cores = async ({ call }: typeof before) =>
    ((await call('GET', '/ci/web-1')).body as { technical_specs: { cpu_cores: number } }).technical_specs.cpu_cores;
  expect(await cores(before)).toBe(2);
  await before.app.close();

  const after = await startService({
    folder,
    settings: { ranks: { 'technical_specs.cpu_cores': ['manual', 'proxmox-api'] } },
    startsAt: '2026-03-02T11:00:00Z',
  });

  expect(await cores(after)).toBe(8);
  const { body } = await after.call('GET', '/ci/web-1/changes');
  const [latest] = (body as { items: unknown[] }).items;
  expect(latest).toMatchObject({
    source: 'config',
    before: { 'technical_specs.cpu_cores': 2 },
    after: { 'technical_specs.cpu_cores': 8 },
  });
  const count = (body as { count: number }).count;
  await after.restart();
  expect((await after.call('GET', '/ci/web-1/changes')).body).toMatchObject({ count });
});

test('a domain that a site gets later makes one machine of a short name and its FQDN', async () => {
  const { call, pass } = await startService();
  await call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items: [guest] });
  await call('POST', '/passes', {
    source: 'import:hosts.yml',
    complete: true,
    items: [{ ci_name: 'web-1.home.lab', owner: 'alice' }],
  });
  const count = async () => ((await call('GET', '/ci?q=web-1')).body as { count: number }).count;
  expect(await count()).toBe(2);
  pass({ minutes: 1 });

  await call('PUT', '/sites/site-home', { domains: ['home.lab'] });

  expect(await count()).toBe(1);
  expect((await call('GET', '/ci/web-1')).body).toMatchObject({ owner: 'alice', technical_specs: { vmid: 101 } });
});
