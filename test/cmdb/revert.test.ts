/** What a person did can be undone, and that too. */

import { describe, expect, test } from 'vitest';
import { startService } from '../service.ts';

type Row = Record<string, unknown>;

const guest = (number: number, ci_name: string) => ({
  ci_type: 'virtual_machine',
  ci_name,
  ci_status: 'running',
  external_id: `home/qemu/${number}`,
  technical_specs: { vmid: number, node: 'pve1', memory_mb: 4096 },
  tags: ['prod'],
});
const imported = (ci_name: string) => ({ ci_type: 'machine', ci_name, external_id: ci_name, role: 'web' });

async function world() {
  const service = await startService();
  const { call, pass } = service;
  await call('POST', '/passes', {
    source: 'proxmox-api:home',
    complete: true,
    items: [guest(101, 'web-1'), guest(102, 'db-1')],
  });
  await call('POST', '/passes', { source: 'import:hosts.yml', complete: true, items: [imported('old-web')] });
  const get = async (name: string) => (await call('GET', `/ci/${name}`)).body as Row;
  const ids = { web: (await get('web-1')).ci_id, db: (await get('db-1')).ci_id, old: (await get('old-web')).ci_id };
  await call('PUT', '/ci/web-1', { notes: 'mind the fan', ansible: { groups: ['webservers'] } });
  await call('PUT', '/ci/old-web/hold', { reason: 'moving' });
  await call('PUT', '/ci/old-web/pins/owner', { value: 'bob', reason: 'his' });
  const changes = async () => ((await call('GET', '/changes?limit=50')).body as { items: Row[] }).items;
  /** Undoes the newest change of all, which may be one of several of an act. */
  const revert = async (change?: unknown) => {
    pass({ minutes: 1 });
    const [newest] = await changes();
    return await call('POST', `/changes/${String(change ?? newest?.change_no)}/revert`, {});
  };
  const state = async () => {
    const items = ((await call('GET', '/ci')).body as { items: Row[] }).items.map(
      ({ updated_at: _, last_seen_at: _seen, ...item }) => item,
    );
    const more = await Promise.all(
      items.map(async ({ ci_id }) => [
        ((await call('GET', `/ci/${String(ci_id)}/pins`)).body as { items: Row[] }).items,
        ((await call('GET', `/ci/${String(ci_id)}/claims`)).body as { items: Row[] }).items
          .filter(({ gone_since }) => gone_since === null)
          .map(({ source, said }) => ({ source, said })),
      ]),
    );
    return { items, more };
  };
  pass({ minutes: 1 });
  return { ...service, get, ids, changes, revert, state };
}

type World = Awaited<ReturnType<typeof world>>;

const deeds: Record<string, (world: World) => Promise<unknown>> = {
  'words, one of them to a key that a source has the word on': ({ call }) =>
    call('PUT', '/ci/web-1', { notes: 'loud', criticality: 'high', technical_specs: { memory_mb: 8192, rack: 'A1' } }),
  'a word that nothing shows of': ({ call }) => call('PATCH', '/ci/db-1', { technical_specs: { memory_mb: 8192 } }),
  'a word that was taken back': ({ call }) => call('PATCH', '/ci/web-1', { notes: null }),
  'what was taken off a list': async ({ call, get }) => call('PUT', '/ci/web-1', { ...(await get('web-1')), tags: [] }),
  'another name': ({ call }) => call('PUT', '/ci/web-1', { ci_name: 'web-01', ansible: { name: 'front' } }),
  'a status word': ({ call }) => call('PUT', '/ci/web-1', { ci_status: 'retired' }),
  'a registration': ({ call }) =>
    call('POST', '/ci', { ci_type: 'physical_server', ci_name: 'nas', external_id: 'n1' }),
  'a relationship': ({ call }) =>
    call('PUT', '/ci/web-1', { relationships: [{ relationship_type: 'depends_on', ci_name: 'db-1' }] }),
  'a pin': ({ call }) => call('PUT', '/ci/web-1/pins/owner', { value: 'alice', reason: 'hers' }),
  'another value of a pin': ({ call }) => call('PUT', '/ci/old-web/pins/owner', { value: 'eve', reason: 'hers' }),
  'a pin that was taken off': ({ call }) => call('DELETE', '/ci/old-web/pins/owner'),
  'a hold': ({ call }) => call('PUT', '/ci/web-1/hold', { reason: 'new disk' }),
  'a release': ({ call }) => call('DELETE', '/ci/old-web/hold'),
  'a delete': ({ call }) => call('DELETE', '/ci/web-1'),
  'a merge': ({ call, ids }) => call('POST', '/ci/web-1/merge', { other: ids.old }),
};

describe('what is undone, and done again by undoing that:', () => {
  test.each(Object.keys(deeds))('%s', async (deed) => {
    const there = await world();
    const before = await there.state();
    const answer = (await deeds[deed]?.(there)) as { status: number };
    const after = await there.state();

    const undone = await there.revert();
    const restored = await there.state();
    const again = await there.revert((undone.body as Row).change_no);

    expect(answer.status).toBeLessThan(300);
    expect(undone).toMatchObject({ status: 200, body: { action: 'reverted', source: 'manual:admin', left: [] } });
    expect(restored).toEqual(before);
    expect(again.status).toBe(200);
    expect(await there.state()).toEqual(after);
  });
});

test('a split is undone, and gives the former items', async () => {
  const there = await world();
  const { call, ids, pass, state, revert } = there;
  await call('POST', '/ci/web-1/merge', { other: ids.old });
  pass({ minutes: 1 });
  const before = await state();
  const claims = ((await call('GET', '/ci/web-1/claims')).body as { items: Row[] }).items;
  const claim_id = claims.find(({ source }) => source === 'import:hosts.yml')?.claim_id;
  const split = await call('POST', '/ci/web-1/split', { claims: [claim_id] });

  const undone = await revert();

  expect([split.status, undone.status]).toEqual([200, 200]);
  expect(await state()).toEqual(before);
});

test('an adoption is undone', async () => {
  const { call, ids, pass, state, revert } = await world();
  await call('DELETE', '/ci/old-web/hold');
  await call('DELETE', '/sources/import:hosts.yml');
  pass({ minutes: 1 });
  const before = await state();
  const adopted = await call('POST', '/ci/web-1/adopt', { from: ids.old });

  const undone = await revert();

  expect([adopted.status, undone.status]).toEqual([200, 200]);
  expect(await state()).toEqual(before);
});

test('what the same person said later stands, the rest is undone, and the answer names it', async () => {
  const { call, get, changes, revert, pass } = await world();
  await call('PUT', '/ci/web-1', { notes: 'loud', criticality: 'high' });
  const [first] = await changes();
  pass({ minutes: 1 });
  await call('PUT', '/ci/web-1', { notes: 'louder' });

  const undone = await revert(first?.change_no);

  expect(undone).toMatchObject({ status: 200, body: { left: ['notes'], reverts: first?.change_id } });
  expect(await get('web-1')).toMatchObject({ notes: 'louder', criticality: null });
});

test('what a source said is not taken back: the refusal offers pins of the former values', async () => {
  const { call, ids, pass, changes, revert } = await world();
  pass({ hours: 1 });
  const items = [{ ...guest(101, 'web-1'), technical_specs: { vmid: 101, node: 'pve2' } }, guest(102, 'db-1')];
  await call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items });
  const [said] = await changes();

  const refused = await revert(said?.change_id);

  const pin = (attribute: string, value: unknown) => ({
    ci_id: ids.web,
    attribute,
    value,
    call: `PUT /api/v1/ci/${String(ids.web)}/pins/${attribute}`,
  });
  expect(refused).toMatchObject({
    status: 409,
    body: {
      detail: `Change ${String(said?.change_no)} is what proxmox-api:home said, which would only say it again. Pin the former value, and it stands whatever is said.`,
      pin: [pin('technical_specs.node', 'pve1'), pin('technical_specs.memory_mb', 4096)],
    },
  });
});

test('a change is undone once; the refusal says by which change', async () => {
  const { call, changes, revert } = await world();
  await call('PUT', '/ci/web-1', { notes: 'loud' });
  const [made] = await changes();
  const undone = (await revert(made?.change_no)).body as Row;

  const twice = await revert(made?.change_no);
  const ghost = await revert('ghost');

  expect(twice).toMatchObject({
    status: 409,
    body: {
      detail: `Change ${String(made?.change_no)} is undone: by change ${String(undone.change_no)}. Revert ${String(undone.change_no)} to have it back.`,
      reverted_by: undone.change_id,
    },
  });
  expect(ghost).toMatchObject({ status: 404, body: { detail: 'There is no change ghost.' } });
});

test('what was said of a site is undone; a group is written again', async () => {
  const { call, revert } = await world();
  await call('PUT', '/sites/site-home', { name: 'Home', notes: 'cellar' });
  await call('PUT', '/sites/site-home', { notes: 'attic' });

  const undone = await revert();
  const site = (await call('GET', '/sites/site-home')).body;
  await call('PUT', '/groups/webservers', { vars: { a: 1 } });
  const group = await revert();

  expect(undone).toMatchObject({
    status: 200,
    body: { subject: 'site', action: 'reverted', after: { notes: 'cellar' } },
  });
  expect(site).toMatchObject({ name: 'Home', notes: 'cellar' });
  expect(group).toMatchObject({ status: 409 });
});

test('a note stands on an item whose name nobody says any more', async () => {
  const { call, ids, pass, get } = await world();
  await call('PUT', '/ci/old-web', { notes: 'mine' });
  pass({ minutes: 1 });
  const claims = ((await call('GET', '/ci/old-web/claims')).body as { items: Row[] }).items;
  await call('POST', '/ci/web-1/merge', { other: ids.old });
  pass({ minutes: 1 });
  const named = claims.find(({ source }) => source === 'import:hosts.yml')?.claim_id;

  const split = await call('POST', '/ci/web-1/split', { claims: [named] });

  expect(split).toMatchObject({ status: 200, body: { ci_id: ids.old, notes: 'mine' } });
  expect(await get('old-web')).toMatchObject({ ci_id: ids.old });
});
