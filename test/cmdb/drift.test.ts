/** Drift: where what is measured is not what was intended. */

import { expect, test } from 'vitest';
import { disagreementsOf } from '../../src/cmdb/drift.ts';
import type { Said, SourceRef } from '../../src/cmdb/item.ts';
import { ranksOf, sourceKinds } from '../../src/cmdb/kinds.ts';
import type { SpokenClaim } from '../../src/cmdb/store/drift.ts';
import { startService } from '../service.ts';

type Body = Record<string, unknown>;

const ranks = ranksOf(sourceKinds, {});
const day = (number: number) => `2026-03-0${number}T00:00:00.000Z`;

function claim(source: string, said: Said, more: Partial<SpokenClaim> = {}): SpokenClaim {
  return {
    source: source as SourceRef,
    kind: source.split(':')[0] as string,
    said,
    since: {},
    first_said_at: day(1),
    ...more,
  };
}

const briefly = (claims: SpokenClaim[], pins: Parameters<typeof disagreementsOf>[1] = []) =>
  disagreementsOf(claims, pins, ranks).map(({ attribute, measured, intended }) => [
    attribute,
    measured.source,
    measured.value,
    intended.source,
    intended.value,
  ]);

const hypervisor = (specs: Body, more: Said = {}) =>
  claim('proxmox-api:home', { technical_specs: specs as never, ...more });
const terraform = (specs: Body, more: Said = {}) =>
  claim('terraform:infra', { technical_specs: specs as never, ...more });
const person = (specs: Body, more: Said = {}) => claim('manual:alice', { technical_specs: specs as never, ...more });
const facts = (specs: Body) => claim('ansible:facts', { technical_specs: specs as never });

test.each<[what: string, claims: SpokenClaim[], expected: unknown[]]>([
  ['what only one says', [hypervisor({ cpu_cores: 2 }), terraform({ disk_gb: 8 })], []],
  ['what both say', [hypervisor({ cpu_cores: 2 }), terraform({ cpu_cores: 2 })], []],
  ['sizes that are equal but for measuring', [hypervisor({ memory_mb: 4090 }), terraform({ memory_mb: 4096 })], []],
  [
    'another size',
    [hypervisor({ memory_mb: 2048 }), terraform({ memory_mb: 4096 })],
    [['technical_specs.memory_mb', 'proxmox-api:home', 2048, 'terraform:infra', 4096]],
  ],
  [
    'a name that was changed at the source',
    [hypervisor({}, { ci_name: 'web-01' }), terraform({}, { ci_name: 'web-1' })],
    [['ci_name', 'proxmox-api:home', 'web-01', 'terraform:infra', 'web-1']],
  ],
  [
    'each who disagrees, with what is measured best',
    [facts({ cpu_cores: 8 }), hypervisor({ cpu_cores: 2 }), terraform({ cpu_cores: 4 }), person({ cpu_cores: 8 })],
    [
      ['technical_specs.cpu_cores', 'proxmox-api:home', 2, 'terraform:infra', 4],
      ['technical_specs.cpu_cores', 'proxmox-api:home', 2, 'manual:alice', 8],
    ],
  ],
  [
    'the system as its facts have it',
    [hypervisor({ os: 'linux' }), facts({ os: 'Debian' }), terraform({ os: 'Debian' }), person({ os: 'linux' })],
    [['technical_specs.os', 'ansible:facts', 'Debian', 'manual:alice', 'linux']],
  ],
  ['two who measure', [facts({ cpu_cores: 8 }), hypervisor({ cpu_cores: 2 })], []],
  ['two who intend', [person({ cpu_cores: 8 }), terraform({ cpu_cores: 2 })], []],
  [
    'what no measuring source has a word on',
    [hypervisor({}, { lifecycle: 'active' }), person({}, { owner: 'alice', lifecycle: 'retired' })],
    [],
  ],
  [
    'names that sources have for themselves, and lists that add up',
    [
      hypervisor({ power_state: 'running' }, { managed_by: 'proxmox-api', external_id: 'home/qemu/1', tags: ['a'] }),
      terraform({ power_state: 'started' }, { managed_by: 'terraform', external_id: 'pve1/qemu/1', tags: ['b'] }),
    ],
    [],
  ],
  [
    'who does not know the type any better',
    [hypervisor({}, { ci_type: 'virtual_machine' }), person({}, { ci_type: 'machine' })],
    [],
  ],
])('%s', (_what, claims, expected) => {
  expect(briefly(claims)).toEqual(expected);
});

test('a pin is held against what is measured in place of what people said before', () => {
  const claims = [hypervisor({ cpu_cores: 2 }), person({ cpu_cores: 8 }), terraform({ cpu_cores: 4 })];
  const pin = (value: number) => ({ attribute: 'technical_specs.cpu_cores', value, since: day(2) });

  const same = briefly(claims, [pin(2)]);
  const other = briefly(claims, [pin(6)]);

  expect(same.map(([, , , source]) => source)).toEqual(['terraform:infra']);
  expect(other.map(([, , , source, value]) => [source, value])).toEqual([
    ['terraform:infra', 4],
    ['pin', 6],
  ]);
});

test('it began when the later of the two said so', () => {
  const since = { 'technical_specs.cpu_cores': day(5) };
  const measured = { ...hypervisor({ cpu_cores: 2 }), since };

  const found = disagreementsOf([measured, terraform({ cpu_cores: 4 })], [], ranks);

  expect(found).toEqual([
    {
      attribute: 'technical_specs.cpu_cores',
      measured: { source: 'proxmox-api:home', value: 2, said_at: day(5) },
      intended: { source: 'terraform:infra', value: 4, said_at: day(1) },
      since: day(5),
    },
  ]);
});

async function world() {
  const service = await startService();
  const { call } = service;
  const read = (source: string, ...items: Body[]) => call('POST', '/passes', { source, complete: true, items });
  const guest = (vmid: number, more: Body = {}) => ({
    ci_type: 'virtual_machine',
    ci_name: `web-${vmid}`,
    external_id: `home/qemu/${vmid}`,
    technical_specs: { vmid, node: 'pve1', cpu_cores: 2 },
    ...more,
  });
  const intended = (vmid: number, specs: Body, more: Body = {}) => ({
    ci_type: 'virtual_machine',
    ci_name: `web-${vmid}`,
    terraform_resource_id: `pve1/qemu/${vmid}`,
    technical_specs: { vmid, node: 'pve1', ...specs },
    ...more,
  });
  return { ...service, read, guest, intended };
}

test('it is listed with what is in force, and ends when they agree', async () => {
  const { call, pass, read, guest, intended } = await world();
  await read('proxmox-api:home', guest(1), guest(2, { site_id: 'site-ranch' }));
  pass({ hours: 1 });
  await read(
    'terraform:infra',
    intended(1, { cpu_cores: 4 }),
    intended(2, { cpu_cores: 8 }, { site_id: 'site-ranch' }),
  );
  const { ci_id } = (await call('GET', '/ci/web-1')).body as { ci_id: string };

  const all = (await call('GET', '/drift')).body;
  const ranch = (await call('GET', '/drift?site_id=site-ranch')).body;
  const byName = (await call('GET', '/drift?ci_id=web-1')).body;
  const first = (await call('GET', '/drift?limit=1')).body as { next: string };
  const second = (await call('GET', `/drift?limit=1&cursor=${first.next}`)).body;
  const ghost = await call('GET', '/drift?ci_id=ghost');
  await read(
    'terraform:infra',
    intended(1, { cpu_cores: 2 }),
    intended(2, { cpu_cores: 2 }, { site_id: 'site-ranch' }),
  );

  const row = {
    ci_id,
    ci_name: 'web-1',
    site_id: 'site-home',
    attribute: 'technical_specs.cpu_cores',
    value: 2,
    measured: { source: 'proxmox-api:home', value: 2, said_at: '2026-03-02T10:00:00.000Z' },
    intended: { source: 'terraform:infra', value: 4, said_at: '2026-03-02T11:00:00.000Z' },
    since: '2026-03-02T11:00:00.000Z',
  };
  expect(all).toMatchObject({ count: 2, items: [row, { ci_name: 'web-2' }], next: null });
  expect(ranch).toMatchObject({ count: 1, items: [{ ci_name: 'web-2', intended: { value: 8 } }] });
  expect(byName).toEqual({ count: 1, items: [row], next: null });
  expect([first, second]).toMatchObject([
    { count: 2, items: [row] },
    { items: [{ ci_name: 'web-2' }], next: null },
  ]);
  expect(ghost.status).toBe(404);
  expect((await call('GET', '/drift')).body).toEqual({ count: 0, items: [], next: null });
});

test('a source that has no word any more does not drift, and neither does a hidden item', async () => {
  const { call, read, guest, intended } = await world();
  await read('proxmox-api:home', guest(1), guest(2));
  await read('terraform:infra', intended(1, { cpu_cores: 4 }), intended(2, { cpu_cores: 4 }));

  await call('DELETE', '/ci/web-1');
  const hidden = (await call('GET', '/drift')).body;
  await call('DELETE', '/sources/terraform:infra');

  expect(hidden).toMatchObject({ count: 1, items: [{ ci_name: 'web-2' }] });
  expect((await call('GET', '/drift')).body).toMatchObject({ count: 0 });
});

test('a pin that a measurement contradicts is drift', async () => {
  const { call, read, guest } = await world();
  await read('proxmox-api:home', guest(1));
  const { ci_id } = (await call('GET', '/ci/web-1')).body as { ci_id: string };
  await call('PUT', `/ci/${ci_id}/pins/technical_specs.cpu_cores`, { value: 6, reason: 'as it was ordered' });

  expect((await call('GET', '/drift')).body).toMatchObject({
    items: [{ value: 6, measured: { value: 2 }, intended: { source: 'pin', value: 6 } }],
  });
});
