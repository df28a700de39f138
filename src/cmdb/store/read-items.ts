/** Items as they are read: filtered, by id, by name. */

import { type ExpressionBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { DomainError } from '../../errors.ts';
import type { ReadDb, Trx } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import type { Database } from '../../store/tables.ts';
import type { Item } from '../item.ts';
import { insideKinds } from '../kinds.ts';
import { type ItemRow, itemColumns, itemOf } from './items.ts';

type Db = ReadDb | Trx;

export interface ItemFilter {
  ci_name?: string;
  ci_type?: string;
  ci_status?: string;
  site_id?: string;
  tag?: string;
  managed_by?: string;
  vmid?: number;
  address?: string;
  fqdn?: string;
  q?: string;
  updated_since?: string;
}

/** An item as it is read, with the times that stand beside it. */
export interface ReadItem extends Item {
  last_seen_at: string | null;
  last_discovered_at: string | null;
  last_configured_at: string | null;
}

const measuringSeen = sql<
  string | null
>`(SELECT max(s.seen_at) FROM claims c JOIN claim_seen s ON s.claim_id = c.claim_id JOIN sources o ON o.source = c.source
  WHERE c.ci_id = configuration_items.ci_id AND o.role = 'measures' AND c.kind NOT IN ${listed(insideKinds)})`;
export const seen = sql<
  string | null
>`(SELECT max(s.seen_at) FROM claims c JOIN claim_seen s ON s.claim_id = c.claim_id WHERE c.ci_id = configuration_items.ci_id)`;
const configured = sql<
  string | null
>`(SELECT a.last_configured_at FROM activity a WHERE a.ci_id = configuration_items.ci_id)`;

function selectReadItems(db: Db) {
  return db
    .selectFrom('configuration_items')
    .select(itemColumns)
    .select([seen.as('last_seen_at'), measuringSeen.as('last_discovered_at'), configured.as('last_configured_at')]);
}

function readItemOf(
  row: ItemRow & { last_seen_at: string | null; last_discovered_at: string | null; last_configured_at: string | null },
): ReadItem {
  return {
    ...itemOf(row),
    last_seen_at: row.last_seen_at,
    last_discovered_at: row.last_discovered_at,
    last_configured_at: row.last_configured_at,
  };
}

type Where = ExpressionBuilder<Database, 'configuration_items'>;

function filtered<O>(
  query: SelectQueryBuilder<Database, 'configuration_items', O>,
  filter: ItemFilter,
): SelectQueryBuilder<Database, 'configuration_items', O> {
  let narrowed = query.where('deleted_at', 'is', null).where('merged_into', 'is', null);
  // By the index, which holds names in lower case.
  if (filter.ci_name !== undefined) narrowed = narrowed.where(sql<boolean>`lower(ci_name) = lower(${filter.ci_name})`);
  for (const column of ['ci_name', 'ci_type', 'ci_status', 'site_id', 'managed_by'] as const) {
    const value = filter[column];
    if (value !== undefined) narrowed = narrowed.where(column, '=', value);
  }
  if (filter.tag !== undefined)
    narrowed = narrowed.where(sql<boolean>`EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ${filter.tag})`);
  if (filter.vmid !== undefined) narrowed = narrowed.where(sql<boolean>`technical_specs ->> '$.vmid' = ${filter.vmid}`);
  if (filter.fqdn !== undefined) narrowed = narrowed.where(sql<boolean>`technical_specs ->> '$.fqdn' = ${filter.fqdn}`);
  if (filter.address !== undefined) {
    const { address } = filter;
    narrowed = narrowed.where((where: Where) =>
      where.or([
        sql<boolean>`ansible ->> '$.host' = ${address}`,
        sql<boolean>`technical_specs ->> '$.primary_address' = ${address}`,
        sql<boolean>`EXISTS (SELECT 1 FROM json_each(technical_specs, '$.addresses') WHERE value = ${address})`,
      ]),
    );
  }
  if (filter.updated_since !== undefined) narrowed = narrowed.where('updated_at', '>=', filter.updated_since);
  if (filter.q !== undefined) {
    const like = `%${filter.q.replaceAll(/[\\%_]/g, '\\$&')}%`;
    narrowed = narrowed.where(
      sql<boolean>`(ci_name LIKE ${like} ESCAPE '\\' OR ansible_name LIKE ${like} ESCAPE '\\' OR notes LIKE ${like} ESCAPE '\\' OR role LIKE ${like} ESCAPE '\\'
        OR technical_specs LIKE ${like} ESCAPE '\\' OR tags LIKE ${like} ESCAPE '\\')`,
    );
  }
  return narrowed;
}

const retiredLast = sql<number>`(ci_status = 'retired')`;

/** Live before retired, then oldest first. `after` holds the keys of the last row of the page before. */
export async function listItems(
  db: ReadDb,
  filter: ItemFilter,
  limit: number,
  after?: readonly (string | number)[],
): Promise<{ count: number; rows: ReadItem[] }> {
  const { count } = await filtered(db.selectFrom('configuration_items'), filter)
    .select(sql<number>`count(*)`.as('count'))
    .executeTakeFirstOrThrow();
  const rows = await filtered(selectReadItems(db), filter)
    .$if(after !== undefined, (query) =>
      query.where(
        sql<boolean>`(${retiredLast}, created_at, ci_name, ci_id) > (${after?.[0]}, ${after?.[1]}, ${after?.[2]}, ${after?.[3]})`,
      ),
    )
    .orderBy(retiredLast)
    .orderBy('created_at')
    .orderBy('ci_name')
    .orderBy('ci_id')
    .limit(limit + 1)
    .execute();
  return { count, rows: rows.map(readItemOf) };
}

export function pageKeysOf(item: Item): (string | number)[] {
  return [item.ci_status === 'retired' ? 1 : 0, item.created_at, item.ci_name, item.ci_id];
}

/** The item of an id, also a deleted one; the id of one that was merged answers with the survivor. */
export async function findItemById(db: Db, id: string): Promise<ReadItem | undefined> {
  const row = await selectReadItems(db).select('merged_into').where('ci_id', '=', id).executeTakeFirst();
  if (row?.merged_into) return await findItemById(db, row.merged_into);
  return row && readItemOf(row);
}

export interface NameQuery {
  ci_type?: string;
  site_id?: string;
}

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The item of an id or a name. Throws `not_found` if there is none, and `conflict` with the candidates where a
 * name fits several living ones.
 */
export async function getItem(db: Db, idOrName: string, narrow: NameQuery = {}): Promise<ReadItem> {
  if (uuidForm.test(idOrName)) {
    const item = await findItemById(db, idOrName.toLowerCase());
    if (item) return item;
  }
  return await getItemByName(db, idOrName, narrow);
}

/** What is missing or retired of that id or name, also where a living one bears the name. Throws as `getItem` does. */
export async function getDeadItem(db: Db, idOrName: string): Promise<ReadItem> {
  if (uuidForm.test(idOrName)) return await getItem(db, idOrName);
  const rows = await filtered(selectReadItems(db), { ci_name: idOrName })
    .where('ci_status', 'in', ['missing', 'retired'])
    .orderBy('created_at')
    .orderBy('ci_id')
    .limit(100)
    .execute();
  const dead = rows.map(readItemOf);
  if (dead.length > 1) throw severalNamed(idOrName, dead, ' and are missing or retired: say which by its id');
  return dead[0] ?? (await getItemByName(db, idOrName));
}

/** Among live items first, then retired ones. Throws as `getItem` does. */
export async function getItemByName(db: Db, name: string, narrow: NameQuery = {}): Promise<ReadItem> {
  const query = filtered(selectReadItems(db), { ci_name: name, ...narrow });
  const rows = (await query.orderBy(retiredLast).orderBy('created_at').orderBy('ci_id').limit(100).execute()).map(
    readItemOf,
  );
  const living = rows.filter((item) => item.ci_status !== 'retired');
  const [item, ...others] = living.length > 0 ? living : rows.slice(0, 1);
  if (!item) throw new DomainError('not_found', `No configuration item is named ${name}.`);
  if (others.length > 0) throw severalNamed(name, living, '; say which with ci_type and site_id, or by its id');
  return item;
}

function severalNamed(name: string, items: readonly ReadItem[], advice: string): DomainError {
  const candidates = items.map(({ ci_id, ci_name, ci_type, site_id }) => ({ ci_id, ci_name, ci_type, site_id }));
  return new DomainError('conflict', `${items.length} configuration items are named ${name}${advice}.`, {
    extra: { candidates },
  });
}
