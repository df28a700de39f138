/** The inventory's queries: what changed since it was made, groups, and the versions that were served. */

import { gunzipSync } from 'node:zlib';
import { sql } from 'kysely';
import type { Item, ItemId } from '../cmdb/item.ts';
import { loadItems } from '../cmdb/store/items.ts';
import { type Blanked, formsOf } from '../store/blank.ts';
import type { ReadDb, Trx } from '../store/open.ts';
import { insertRows, listed } from '../store/rows.ts';
import { turn } from '../store/turn.ts';
import type { AddressWord } from './address.ts';
import type { HostFacts } from './exports.ts';
import type { GroupWord } from './groups.ts';

export async function currentRevision(db: ReadDb): Promise<number> {
  const { revision } = await db.selectFrom('revision').select('revision').executeTakeFirstOrThrow();
  return revision;
}

/** The ids of the items that were changed after a revision. */
export async function changedItems(db: ReadDb, afterRevision: number): Promise<ItemId[]> {
  const rows = await db
    .selectFrom('configuration_items')
    .select('ci_id')
    .where('revision', '>', afterRevision)
    .where('merged_into', 'is', null)
    .execute();
  return rows.map((row) => row.ci_id as ItemId);
}

export async function loadHostItems(db: ReadDb, ids: readonly ItemId[]): Promise<Map<ItemId, Item>> {
  return await loadItems(db, ids);
}

interface AddressRow {
  ci_id: ItemId;
  source: string;
  kind: string;
  primary_address: string | null;
  addresses: string | null;
  seen_at: string | null;
}

/** What sources that still speak say of addresses, by item. */
export async function loadAddressWords(db: ReadDb, ids: readonly ItemId[]): Promise<Map<ItemId, AddressWord[]>> {
  const { rows } = await sql<AddressRow>`
    SELECT c.ci_id, c.source, c.kind, c.said ->> '$.technical_specs.primary_address' AS primary_address,
      c.said -> '$.technical_specs.addresses' AS addresses, s.seen_at
    FROM claims c LEFT JOIN claim_seen s ON s.claim_id = c.claim_id
    WHERE c.ci_id IN ${listed(ids)} AND c.gone_since IS NULL AND c.muted = 0
      AND (c.said -> '$.technical_specs.primary_address' IS NOT NULL OR c.said -> '$.technical_specs.addresses' IS NOT NULL)`.execute(
    db,
  );
  await turn();
  const words = new Map<ItemId, AddressWord[]>();
  for (const [count, row] of rows.entries()) {
    const addresses =
      row.addresses === null
        ? []
        : (JSON.parse(row.addresses) as unknown[]).filter((address) => typeof address === 'string');
    const word = {
      source: row.source,
      kind: row.kind,
      primary: row.primary_address,
      addresses,
      seen_at: row.seen_at ?? '',
    };
    const list = words.get(row.ci_id);
    if (list) list.push(word);
    else words.set(row.ci_id, [word]);
    if (count % 512 === 0) await turn();
  }
  return words;
}

/** By id, what the merged items tell of their hosts: keys that a rebuild left behind are not among it. */
export async function loadHostFacts(db: ReadDb, ids: readonly string[]): Promise<Map<string, HostFacts>> {
  const { rows } = await sql<{ ci_id: string; fqdn: string | null; keys: string | null }>`
    SELECT ci_id, technical_specs ->> '$.fqdn' AS fqdn, technical_specs -> '$.ssh_host_keys' AS keys
    FROM configuration_items WHERE ci_id IN ${listed(ids)}`.execute(db);
  await turn();
  return new Map(
    rows.map(({ ci_id, fqdn, keys }) => [ci_id, { fqdn, ssh_host_keys: keys === null ? null : JSON.parse(keys) }]),
  );
}

// ---------- groups

export async function listGroupWords(db: ReadDb | Trx): Promise<GroupWord[]> {
  const rows = await db
    .selectFrom('groups')
    .select(['group_name', 'source', 'vars', 'children', 'match'])
    .orderBy('group_name')
    .orderBy('source')
    .execute();
  const parsed = <T>(text: string | null) => (text === null ? null : (JSON.parse(text) as T));
  return rows.map((row) => ({
    group_name: row.group_name,
    source: row.source,
    vars: parsed<GroupWord['vars']>(row.vars),
    children: parsed<GroupWord['children']>(row.children),
    match: parsed<GroupWord['match']>(row.match),
  }));
}

export async function storeGroupWord(trx: Trx, word: GroupWord, at: string): Promise<void> {
  const text = (value: unknown) => (value === null ? null : JSON.stringify(value));
  const row = {
    group_name: word.group_name,
    source: word.source,
    vars: text(word.vars),
    children: text(word.children),
    match: text(word.match),
    updated_at: at,
  };
  await insertRows(trx, 'groups', [row], ['group_name', 'source']);
}

export async function deleteGroupWord(trx: Trx, name: string, source: string): Promise<void> {
  await trx.deleteFrom('groups').where('group_name', '=', name).where('source', '=', source).execute();
}

// ---------- versions

export async function storeVersion(
  trx: Trx,
  version: { version: string; question: string; revision: number; body: Buffer },
  at: string,
): Promise<void> {
  await insertRows(
    trx,
    'inventory_versions',
    [{ ...version, first_served_at: at, last_served_at: at }],
    ['version', 'question'],
  );
}

/** What was told under a version, packed with gzip. */
export async function findVersion(db: ReadDb, version: string): Promise<Buffer | undefined> {
  const row = await db
    .selectFrom('inventory_versions')
    .select('body')
    .where('version', '=', version)
    .executeTakeFirst();
  return row?.body;
}

/** What was told at a moment to those who asked this: the last version that was first served before it. */
export async function findVersionAt(
  db: ReadDb,
  at: string,
  question: string,
): Promise<{ version: string; body: Buffer } | undefined> {
  return await db
    .selectFrom('inventory_versions')
    .select(['version', 'body'])
    .where('question', '=', question)
    .where('first_served_at', '<=', at)
    .orderBy('first_served_at', 'desc')
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst();
}

export async function touchVersions(trx: Trx, versions: readonly string[], at: string): Promise<void> {
  await trx
    .updateTable('inventory_versions')
    .set({ last_served_at: at })
    .where('version', 'in', sql<string>`${listed(versions)}`)
    .execute();
}

/** It is needed for longer than others; what is kept longer already, stays so. */
export async function keepVersion(trx: Trx, version: string, until: string): Promise<void> {
  await trx
    .updateTable('inventory_versions')
    .set({ keep_until: until })
    .where('version', '=', version)
    .where((where) => where.or([where('keep_until', 'is', null), where('keep_until', '<', until)]))
    .execute();
}

/** Deletes versions that were last served before a moment, and are not kept for longer. */
export async function deleteVersionsBefore(trx: Trx, before: string, now: string): Promise<number> {
  const { numDeletedRows } = await trx
    .deleteFrom('inventory_versions')
    .where('last_served_at', '<', before)
    .where((where) => where.or([where('keep_until', 'is', null), where('keep_until', '<', now)]))
    .executeTakeFirst();
  return Number(numDeletedRows);
}

/** The item of a source's own key. */
export async function findItemByKey(db: ReadDb, source: string, key: string): Promise<ItemId | undefined> {
  const row = await db
    .selectFrom('claims')
    .select('ci_id')
    .where('source', '=', source)
    .where('native_key', '=', key)
    .executeTakeFirst();
  return (row?.ci_id as ItemId | null | undefined) ?? undefined;
}

/** Versions that hold one of these texts: told anew they would not be what was told. */
export async function deleteVersionsWith(trx: Trx, texts: readonly string[]): Promise<Blanked> {
  const forms = formsOf(texts);
  const versions: string[] = [];
  for (const { version, body } of await trx.selectFrom('inventory_versions').select(['version', 'body']).execute()) {
    const told = gunzipSync(body);
    if (forms.some((form) => told.includes(form))) versions.push(version);
    await turn();
  }
  await trx
    .deleteFrom('inventory_versions')
    .where('version', 'in', sql<string>`${listed(versions)}`)
    .execute();
  return { table: 'inventory_versions', rows: versions.length };
}
