/** Relationships: whom claims name, which items are meant, and the edges that come of it. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows, listed } from '../../store/rows.ts';
import type { ClaimId, ItemId } from '../item.ts';
import type { Edge, End, Ends } from '../relationship.ts';

type Db = ReadDb | Trx;

export interface KeptEdge extends Edge {
  since: string;
}

/** Whether any claim says that anything is related to anything. */
export async function isAnythingRelated(db: Db): Promise<boolean> {
  return (await db.selectFrom('relationship_targets').select('claim_id').limit(1).executeTakeFirst()) !== undefined;
}

/** Replaces whom these claims name. */
export async function storeTargets(trx: Trx, targets: ReadonlyMap<ClaimId, readonly string[]>): Promise<void> {
  await sql`DELETE FROM relationship_targets WHERE claim_id IN ${listed([...targets.keys()])}`.execute(trx);
  const rows = [...targets].flatMap(([claim_id, list]) => [...new Set(list)].map((target) => ({ target, claim_id })));
  await insertRows(trx, 'relationship_targets', rows);
}

/**
 * The items of claims that name one of these names or ids, or one for which an item of these ids answers or goes on;
 * and which of them it was.
 */
export async function itemsNaming(
  db: Db,
  names: readonly string[],
  ids: readonly ItemId[],
): Promise<{ ci_id: ItemId; named: string }[]> {
  const namedBy = new Map(names.map((name) => [name, name]));
  for (const { named, ci_id, name } of await behind(db, ids)) {
    namedBy.set(ci_id, named);
    if (!namedBy.has(name)) namedBy.set(name, named);
  }
  const { rows } = await sql<{ ci_id: ItemId | null; target: string }>`
    SELECT c.ci_id, t.target FROM relationship_targets t JOIN claims c ON c.claim_id = t.claim_id
    WHERE t.target IN ${listed([...namedBy.keys()])}`.execute(db);
  return rows.flatMap(({ ci_id, target }) => (ci_id ? [{ ci_id, named: namedBy.get(target) as string }] : []));
}

/** These items, and those that were merged into one of them or that one goes on for, however long ago. */
async function behind(db: Db, ids: readonly ItemId[]): Promise<{ named: string; ci_id: ItemId; name: string }[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<{ named: string; ci_id: ItemId; name: string }>`
    WITH RECURSIVE line (named, ci_id) AS (
      SELECT value, value FROM json_each(${JSON.stringify(ids)})
      UNION SELECT line.named, i.ci_id FROM line JOIN configuration_items i ON i.merged_into = line.ci_id
      UNION SELECT line.named, i.ci_id FROM line
        JOIN configuration_items i ON i.handed_down ->> '$.adopted_by' = line.ci_id AND i.handed_down <> '{}'
    ) SELECT line.named, i.ci_id, lower(i.ci_name) AS name FROM line JOIN configuration_items i ON i.ci_id = line.ci_id`.execute(
    db,
  );
  return rows;
}

const endColumns = sql`i.ci_id, i.ci_name, i.site_id, i.technical_specs ->> '$.parent' AS parent, i.ci_status, i.deleted_at, i.handed_down ->> '$.adopted_by' AS adopted_by`;

/**
 * Who may be meant by ids, by names in lower case and by claims (source and key); with whoever goes on for one of them
 * that is dead.
 */
export async function loadEnds(
  db: Db,
  ids: readonly string[],
  names: readonly string[],
  claims: readonly string[] = [],
): Promise<Ends> {
  const byId = new Map<string, End>();
  const byName = new Map<string, End[]>();
  const named = await sql<End & { name: string }>`
    SELECT ${endColumns}, lower(i.ci_name) AS name FROM configuration_items i
    WHERE lower(i.ci_name) IN ${listed(names)} AND i.deleted_at IS NULL AND i.merged_into IS NULL`.execute(db);
  for (const { name, ...end } of named.rows) byName.set(name, [...(byName.get(name) ?? []), end]);
  const heirs = named.rows.flatMap(({ adopted_by }) => adopted_by ?? []);
  for (let wanted = [...new Set([...ids, ...heirs])]; wanted.length > 0; ) {
    const { rows } = await sql<End & { start: string }>`
      WITH RECURSIVE line (start, ci_id, merged_into) AS (
        SELECT ci_id, ci_id, merged_into FROM configuration_items WHERE ci_id IN ${listed(wanted)}
        UNION SELECT line.start, i.ci_id, i.merged_into FROM line JOIN configuration_items i ON i.ci_id = line.merged_into
      ) SELECT line.start, ${endColumns} FROM line JOIN configuration_items i ON i.ci_id = line.ci_id
      WHERE line.merged_into IS NULL`.execute(db);
    for (const { start, ...end } of rows) byId.set(start, end);
    wanted = [...new Set(rows.flatMap(({ adopted_by }) => adopted_by ?? []))].filter((id) => !byId.has(id));
  }
  return { byId, byName, byClaim: await endsOfClaims(db, claims) };
}

async function endsOfClaims(db: Db, claims: readonly string[]): Promise<Map<string, End>> {
  if (claims.length === 0) return new Map();
  const pairs = claims.map((claim) => {
    const blank = claim.indexOf(' ');
    return [claim, claim.slice(0, blank), claim.slice(blank + 1)];
  });
  const { rows } = await sql<End & { claim: string }>`
    SELECT ${endColumns}, j.value ->> 0 AS claim FROM json_each(${JSON.stringify(pairs)}) j
    JOIN claims c ON c.source = j.value ->> 1 AND c.native_key = j.value ->> 2
    JOIN configuration_items i ON i.ci_id = c.ci_id`.execute(db);
  return new Map(rows.map(({ claim, ...end }) => [claim, end]));
}

export async function unknownIds(db: Db, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`
    SELECT value AS id FROM json_each(${JSON.stringify(ids)})
    WHERE value NOT IN (SELECT ci_id FROM configuration_items WHERE ci_id IN ${listed(ids)})`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** What these items are to others, in one order. */
export async function loadEdges(db: Db, items: readonly ItemId[]): Promise<Map<ItemId, KeptEdge[]>> {
  const edges = new Map<ItemId, KeptEdge[]>();
  if (items.length === 0) return edges;
  const rows = await db
    .selectFrom('edges')
    .select([
      'ci_id',
      'relationship_type',
      'target_ci_id',
      'source',
      'claim_id',
      'relationship_strength',
      'note',
      'since',
    ])
    .where('ci_id', 'in', sql<string>`${listed(items)}`)
    .orderBy('ci_id')
    .orderBy('relationship_type')
    .orderBy('target_ci_id')
    .orderBy('source')
    .execute();
  for (const row of rows as KeptEdge[]) {
    const list = edges.get(row.ci_id);
    if (list) list.push(row);
    else edges.set(row.ci_id, [row]);
  }
  return edges;
}

/** Replaces the edges of these items. */
export async function storeEdges(trx: Trx, edges: ReadonlyMap<ItemId, readonly KeptEdge[]>): Promise<void> {
  await sql`DELETE FROM edges WHERE ci_id IN ${listed([...edges.keys()])}`.execute(trx);
  await insertRows(
    trx,
    'edges',
    [...edges.values()].flat().map((edge) => ({ ...edge })),
  );
}

export async function noteUpdated(trx: Trx, items: readonly ItemId[], at: string): Promise<void> {
  await sql`UPDATE configuration_items SET updated_at = ${at} WHERE ci_id IN ${listed(items)}`.execute(trx);
}

export async function namesOfItems(db: Db, ids: readonly ItemId[]): Promise<Map<ItemId, string>> {
  const rows = await db
    .selectFrom('configuration_items')
    .select(['ci_id', 'ci_name'])
    .where('ci_id', 'in', sql<string>`${listed(ids)}`)
    .execute();
  return new Map(rows.map((row) => [row.ci_id as ItemId, row.ci_name]));
}

export interface ReadRelationship {
  relationship_type: string;
  relationship_strength: Edge['relationship_strength'];
  direction: 'out' | 'in';
  /** Of the other item. */
  ci_id: ItemId;
  ci_name: string;
  ci_type: string;
  source: string;
  note: string | null;
}

/** What an item is to others, and others to it. */
export async function listRelationships(db: Db, id: ItemId): Promise<ReadRelationship[]> {
  const columns = sql`e.relationship_type, e.relationship_strength`;
  const other = sql`i.ci_id, i.ci_name, i.ci_type, e.source, e.note`;
  const { rows } = await sql<ReadRelationship>`
    SELECT ${columns}, 'out' AS direction, ${other} FROM edges e JOIN configuration_items i ON i.ci_id = e.target_ci_id WHERE e.ci_id = ${id}
    UNION ALL SELECT ${columns}, 'in' AS direction, ${other} FROM edges e JOIN configuration_items i ON i.ci_id = e.ci_id WHERE e.target_ci_id = ${id}`.execute(
    db,
  );
  return rows;
}
