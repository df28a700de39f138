/** What people decide over ids that another item answers for by now, as when two of them decide at once. */

import { expect, test } from 'vitest';
import { openCmdb } from '../../src/cmdb/cmdb.ts';
import type { ItemId } from '../../src/cmdb/item.ts';
import { findItemById } from '../../src/cmdb/store/read-items.ts';
import { openVerdicts } from '../../src/cmdb/verdict.ts';
import type { Caller } from '../../src/http/endpoint.ts';
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
  const settings = { default_site: 'site-home', sites: {}, types: {}, ranks: {}, timezone: 'UTC' };
  const cmdb = openCmdb({
    store,
    settings: { ...settings, retire_after: { passes: 3, hours: 24 } },
    timeZone: 'UTC',
    names: hostNames(new Set(), true),
    clock,
  });
  const verdicts = openVerdicts(cmdb, store, clock);
  const names = ['web-1', 'web-2', 'web-3'];
  const items = names.map((ci_name) => ({ key: ci_name, item: { ci_type: 'physical_server', ci_name } }));
  const made = await cmdb.observe('import:hosts.yml', items);
  const ids = made.map(({ ci_id }) => ci_id as ItemId) as [ItemId, ItemId, ItemId];
  return { store, verdicts, ids };
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
  const { store, verdicts, ids } = await threeMachines();
  const [first, second] = ids;
  await verdicts.merge(first, second, undefined, alice);
  const claim = await store.read
    .selectFrom('claims')
    .select('claim_id')
    .where('native_key', '=', 'web-2')
    .executeTakeFirstOrThrow();

  const item = await verdicts.split(second, [claim.claim_id as never], undefined, alice);

  expect(item).toMatchObject({ ci_id: second, ci_name: 'web-2', merged_into: null });
});
