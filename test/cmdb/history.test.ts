/** Looking back: an item as it was at a moment. */

import { expect, test } from 'vitest';
import { documentAt } from '../../src/cmdb/history.ts';
import { startService } from '../service.ts';

type Body = Record<string, unknown>;

const guest = (more: Body = {}) => ({
  ci_type: 'virtual_machine',
  ci_name: 'web-1',
  ci_status: 'running',
  external_id: 'home/qemu/101',
  technical_specs: { vmid: 101, node: 'pve1', cpu_cores: 2, memory_mb: 4096 },
  ...more,
});

test('an item is answered as it was at every moment of its life', async () => {
  const { call, pass, now } = await startService();
  const other = { ci_type: 'virtual_machine', ci_name: 'other', external_id: 'home/qemu/102' };
  const read = (...items: Body[]) =>
    call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items: [other, ...items] });
  await read(guest());
  const { ci_id } = (await call('GET', '/ci/web-1')).body as { ci_id: string };
  const put = (body: Body) => call('PUT', `/ci/${ci_id}`, body);
  const specs = {
    vmid: 101,
    node: 'pve2',
    cpu_cores: 4,
    disks: [{ name: 'scsi0', size_gb: 32 }],
    a: { b: { c: [1] } },
  };
  const writes: (() => Promise<unknown>)[] = [
    () => put({ owner: 'alice', notes: 'the first', tags: ['web', 'prod'] }),
    () => read(guest({ technical_specs: specs, tags: ['pve'] })),
    () => read(guest({ technical_specs: { ...specs, a: { b: { c: [2], d: null } }, 'dotted.key': 'x' } })),
    () => put({ ansible: { host: '10.0.0.5', port: 2222, enabled: true, groups: ['webservers', 'eu'] } }),
    () => put({ ansible: { vars: { http_port: 80, 'odd.name': { deep: [true] }, list: [1, 2] } } }),
    () => put({ ansible: { vars: { http_port: 8080, list: null }, groups: ['eu'], port: null } }),
    () => put({ tags: ['web'], notes: null }),
    () => put({ ci_status: 'maintenance' }),
    () => put({ ci_status: 'running' }),
    () => read(guest({ ci_name: 'web-01', ci_status: 'stopped', technical_specs: specs })),
    () => read(),
    () => read(guest({ ci_name: 'web-01', technical_specs: { vmid: 101, node: 'pve1' } })),
    () => call('DELETE', `/ci/${ci_id}`),
    () => read(guest({ ci_name: 'web-01', technical_specs: { vmid: 101, node: 'pve1', os: 'debian' } })),
    () => put({ ansible: { vars: { http_port: null, 'odd.name': null }, groups: null, host: null, enabled: null } }),
    () => call('PUT', `/ci/${ci_id}/hold`, { reason: 'new disk', until: '3h' }),
    () => call('PUT', `/ci/${ci_id}/pins/technical_specs.cpu_cores`, { value: 6, reason: 'as ordered' }),
    () => call('PUT', `/ci/${ci_id}/pins/owner`, { value: 'bob', reason: 'on leave' }),
    () => call('DELETE', `/ci/${ci_id}/pins/technical_specs.cpu_cores`),
    () => call('DELETE', `/ci/${ci_id}/hold`),
    () => put({ ci_status: 'retired' }),
  ];

  const saved: { at: string; item: Body }[] = [];
  const save = async () => saved.push({ at: now().toString(), item: (await call('GET', `/ci/${ci_id}`)).body as Body });
  await save();
  for (const write of writes) {
    pass({ minutes: 7 });
    await write();
    await save();
  }
  pass({ hours: 1 });
  const asked: Body[] = [];
  const shortlyBefore: Body[] = [];
  for (const { at } of saved) {
    asked.push((await call('GET', `/ci/${ci_id}?at=${at}`)).body as Body);
    const before = Temporal.Instant.from(at).subtract({ milliseconds: 1 }).toString();
    shortlyBefore.push((await call('GET', `/ci/${ci_id}?at=${before}`)).body as Body);
  }

  const expected = saved.map(({ item }) => ({
    ...item,
    last_seen_at: null,
    last_discovered_at: null,
    last_configured_at: null,
  }));
  expect(asked).toEqual(expected);
  expect(shortlyBefore.slice(1)).toEqual(expected.slice(0, -1));
  expect(
    new Set(saved.map(({ item }) => JSON.stringify({ ...item, last_seen_at: 0, last_discovered_at: 0 }))).size,
  ).toBe(saved.length);
});

test('before it was made an item is not there, and the answer says since when it is', async () => {
  const { call } = await startService();
  await call('POST', '/ci', { ci_name: 'nas' });

  const { status, body } = await call('GET', '/ci/nas?at=2026-03-01');

  expect({ status, body }).toMatchObject({
    status: 404,
    body: { detail: 'nas was not known yet at 2026-03-01T00:00:00.000Z; it is known since 2026-03-02T10:00:00.000Z.' },
  });
});

test('a moment without a zone is meant in the time zone of the configuration, and what is no time is refused', async () => {
  const { call, pass } = await startService({ settings: { timezone: 'Europe/Berlin' } });
  await call('POST', '/ci', { ci_name: 'nas', notes: 'first' });
  pass({ hours: 1 });
  await call('PUT', '/ci/nas', { notes: 'second' });

  const then = await call('GET', '/ci/nas?at=2026-03-02 11:59');
  const later = await call('GET', '/ci/nas?at=2026-03-02 12:00');
  const wrong = await call('GET', '/ci/nas?at=yesterday');

  expect([then.body, later.body]).toMatchObject([{ notes: 'first' }, { notes: 'second' }]);
  expect(wrong).toMatchObject({ status: 400, body: { errors: [{ pointer: '/at' }] } });
});

test('what a later change took away is not known, and what comes back is', () => {
  const steps = [
    { after: { ci_name: 'a', 'technical_specs.os': 'debian', 'ansible.vars.x': 1, tags: ['t'] } },
    { after: { 'technical_specs.os': null, 'ansible.vars.x': null, owner: 'alice', tags: [] } },
    { after: { 'technical_specs.os': 'arch', owner: null } },
  ];

  const documents = [1, 2, 3].map((count) => documentAt(steps.slice(0, count)));

  expect(documents).toMatchObject([
    { technical_specs: { os: 'debian' }, ansible: { vars: { x: 1 } }, tags: ['t'], owner: null },
    { technical_specs: {}, ansible: {}, tags: [], owner: 'alice' },
    { technical_specs: { os: 'arch' }, ansible: {}, tags: [], owner: null },
  ]);
});
