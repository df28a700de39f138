/** What people decide over ids that another item answers for by now, as when two of them decide at once. */

import { expect, test } from 'vitest';
import { openCmdb } from '../../src/cmdb/cmdb.ts';
import { openHand } from '../../src/cmdb/hand.ts';
import type { ClaimId, ItemId } from '../../src/cmdb/item.ts';
import { findItemById } from '../../src/cmdb/store/read-items.ts';
import { openVerdicts } from '../../src/cmdb/verdict.ts';
import type { Caller } from '../../src/http/endpoint.ts';
import { groupWords } from '../../src/inventory/group-words.ts';
import { hostNames } from '../../src/inventory/names.ts';
import { openedStore } from '../store/world.ts';

const alice = { tokenName: 'alice', scopes: new Set(), changeRef: null, requestId: null } as unknown as Caller;

async function threeMachines() {
  const store = await openedStore();
  let now = Temporal.Instant.from('2026-03-02T10:00:00Z');
  const clock = () => {
    now = now.add({ minutes: 1 });
    return now;
  };
  const settings = {
    default_site: 'site-home',
    sites: {},
    types: {},
    relationship_types: {},
    ranks: {},
    timezone: 'UTC',
  };
  const cmdb = openCmdb({
    store,
    settings: { ...settings, retire_after: { passes: 3, hours: 24 } },
    timeZone: 'UTC',
    names: hostNames(new Set(), true),
    groups: groupWords({ groups: {} }),
    clock,
  });
  const verdicts = openVerdicts(cmdb, store, clock);
  const names = ['web-1', 'web-2', 'web-3'];
  const items = names.map((ci_name) => ({ key: ci_name, item: { ci_type: 'physical_server', ci_name } }));
  const made = await cmdb.observe('import:hosts.yml', items);
  const ids = made.map(({ ci_id }) => ci_id as ItemId) as [ItemId, ItemId, ItemId];
  const claimOf = async (key: string) => {
    const claims = store.read.selectFrom('claims').select('claim_id').where('native_key', '=', key);
    return (await claims.executeTakeFirstOrThrow()).claim_id as ClaimId;
  };
  return { store, cmdb, clock, verdicts, hand: openHand(cmdb, store, clock), ids, claimOf };
}

test('two that are one already are not made one again, whichever ids are said', async () => {
  const { store, verdicts, ids } = await threeMachines();
  const [first, second] = ids;
  await verdicts.merge(first, second, undefined, alice);

  const again = verdicts.merge(second, first, undefined, alice);

  await expect(again).rejects.toMatchObject({ code: 'invalid', message: '/other is the item itself.' });
  await expect(verdicts.adopt(second, first, undefined, alice)).rejects.toMatchObject({ code: 'invalid' });
  expect((await findItemById(store.read, second))?.ci_id).toBe(first);
});

test('what is merged into one that answers with another is merged into that other', async () => {
  const { store, verdicts, ids } = await threeMachines();
  const [first, second, third] = ids;
  await verdicts.merge(first, second, undefined, alice);

  const item = await verdicts.merge(second, third, undefined, alice);

  expect(item.ci_id).toBe(first);
  expect((await findItemById(store.read, third))?.ci_id).toBe(first);
});

test('what is split from one that answers with another is split from that other', async () => {
  const { verdicts, ids, claimOf } = await threeMachines();
  const [first, second] = ids;
  await verdicts.merge(first, second, undefined, alice);

  const item = await verdicts.split(second, [await claimOf('web-2')], undefined, alice);

  expect(item).toMatchObject({ ci_id: second, ci_name: 'web-2', merged_into: null });
});

test('what was released and unpinned while two were one is so once they are parted', async () => {
  const { verdicts, hand, ids, claimOf } = await threeMachines();
  const [first, second] = ids;
  await hand.hold(second, { reason: 'new disk' }, alice);
  await hand.pin(second, 'environment', 'lab', { reason: 'it is so' }, alice);
  const merged = await verdicts.merge(first, second, undefined, alice);
  await hand.release(first, undefined, alice);
  await hand.unpin(first, 'environment', undefined, alice);

  const parted = await verdicts.split(first, [await claimOf('web-2')], undefined, alice);

  expect(merged).toMatchObject({ hold: { reason: 'new disk' }, environment: 'lab' });
  expect(parted).toMatchObject({ ci_id: second, hold: null, environment: null });
});

test('a name that went with what was split off comes back when that is merged again', async () => {
  const { store, verdicts, ids, claimOf } = await threeMachines();
  const [first, second] = ids;
  await verdicts.merge(first, second, undefined, alice);
  const parted = await verdicts.split(first, [await claimOf('web-1')], undefined, alice);

  await verdicts.merge(first, parted.ci_id, undefined, alice);

  expect(parted.ansible_name).toBe('web-1');
  expect(await findItemById(store.read, first)).toMatchObject({ ci_name: 'web-1', ansible_name: 'web-1' });
});

test('a dead item that gives its name up takes none that another bears', async () => {
  const { store, cmdb, clock } = await threeMachines();
  const uuidOf = (vmid: number) => `4c4c4544-0000-4000-8000-000000000${vmid}`;
  const guest = (vmid: number, ci_name: string) => ({
    key: `home/qemu/${vmid}`,
    pve: `home/${vmid}`,
    item: {
      ci_type: 'virtual_machine',
      ci_name,
      ci_status: 'running',
      technical_specs: { vmid, node: 'pve1', uuid: uuidOf(vmid) },
    },
  });
  const read = (...guests: ReturnType<typeof guest>[]) =>
    cmdb.read('proxmox-api:home', guests, { complete: true, why: null, begunAt: clock() });
  await read(guest(101, 'db-1'), guest(102, 'db-1-101'));
  await read(guest(102, 'db-1-101'));

  await read(guest(102, 'db-1-101'), guest(103, 'db-1'));

  const rows = await store.read
    .selectFrom('configuration_items')
    .select(['ci_status', 'ansible_name'])
    .where('ci_name', 'like', 'db-%')
    .orderBy('created_at')
    .orderBy('ansible_name')
    .execute();
  expect(rows).toEqual([
    { ci_status: 'missing', ansible_name: expect.stringMatching(/^ci-/) },
    { ci_status: 'running', ansible_name: 'db-1-101' },
    { ci_status: 'running', ansible_name: 'db-1' },
  ]);
});
