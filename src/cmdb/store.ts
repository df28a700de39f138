/** The heart's queries. Loads and stores whole batches, each with a fixed number of statements. */

import { randomUUIDv7 } from 'node:crypto';
import { type ExpressionBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { DomainError } from '../errors.ts';
import type { ReadDb, Trx } from '../store/open.ts';
import { insertRows, listed } from '../store/rows.ts';
import type { Database } from '../store/tables.ts';
import { turn } from '../store/turn.ts';
import type { Difference } from './changes.ts';
import type { Candidate, Identifier } from './identify.ts';
import type { AnsibleWords, Claim, ClaimId, Hold, Item, ItemId, Json, SourceRef, Specs, Winners } from './item.ts';
import type { Pin } from './merge.ts';

type Db = ReadDb | Trx;

// ---------- the fast path: what an observation needs to be known as unchanged

/** The little of a claim and its item that says whether hearing it again changes anything. */
export interface Glance {
  claim_id: ClaimId;
  source: string;
  native_key: string;
  hash: string;
  ci_id: ItemId | null;
  gone_since: string | null;
  lifecycle: string | null;
  deleted_at: string | null;
  power: string | null;
  stop_confirmed: number | null;
}

/** Claims by their sources' own keys. */
export async function glanceByKeys(db: Db, keys: ReadonlyMap<string, readonly string[]>): Promise<Glance[]> {
  const found: Glance[] = [];
  for (const [source, list] of keys) {
    const { rows } = await sql<Glance>`
      SELECT c.claim_id, c.source, c.native_key, c.hash, c.ci_id, c.gone_since, i.lifecycle, i.deleted_at, i.power, i.stop_confirmed
      FROM claims c LEFT JOIN configuration_items i ON i.ci_id = c.ci_id
      WHERE c.source = ${source} AND c.native_key IN ${listed(list)}`.execute(db);
    found.push(...rows);
    await turn();
  }
  return found;
}

/** What one source says of given items, whatever its keys for them. */
export async function glanceByItems(db: Db, sources: readonly string[], ids: readonly ItemId[]): Promise<Glance[]> {
  const { rows } = await sql<Glance>`
    SELECT c.claim_id, c.source, c.native_key, c.hash, c.ci_id, c.gone_since, i.lifecycle, i.deleted_at, i.power, i.stop_confirmed
    FROM claims c JOIN configuration_items i ON i.ci_id = c.ci_id
    WHERE c.ci_id IN ${listed(ids)} AND c.source IN ${listed(sources)}
    ORDER BY c.first_said_at, c.claim_id`.execute(db);
  return rows;
}

/** The items whose claims carry one of these values; deleted ones too, since a source that sees one brings it back. */
export async function idsByIdentifiers(
  db: Db,
  kind: string,
  values: readonly string[],
): Promise<{ value: string; ci_id: ItemId }[]> {
  if (values.length === 0) return [];
  const { rows } = await sql<{ value: string; ci_id: ItemId }>`
    SELECT DISTINCT n.value, c.ci_id FROM identifiers n JOIN claims c ON c.claim_id = n.claim_id
    WHERE n.kind = ${kind} AND n.value IN ${listed(values)} AND c.ci_id IS NOT NULL`.execute(db);
  return rows;
}

export async function loadCandidates(db: Db, ids: readonly ItemId[]): Promise<Map<ItemId, Candidate>> {
  if (ids.length === 0) return new Map();
  const items = await sql<{ ci_id: ItemId; ci_type: string; site_id: string; ci_status: string; created_at: string }>`
    SELECT ci_id, ci_type, site_id, ci_status, created_at FROM configuration_items WHERE ci_id IN ${listed(ids)}`.execute(
    db,
  );
  await turn();
  const claims = await sql<{ ci_id: ItemId; source: string; native_key: string; pve: string | null }>`
    SELECT ci_id, source, native_key, said ->> '$.pve' AS pve FROM claims WHERE ci_id IN ${listed(ids)} AND gone_since IS NULL`.execute(
    db,
  );
  const found = new Map<
    ItemId,
    Omit<Candidate, 'keys' | 'numbers'> & { keys: Map<string, Set<string>>; numbers: Set<string> }
  >();
  for (const row of items.rows) {
    found.set(row.ci_id, {
      ci_id: row.ci_id,
      ci_type: row.ci_type,
      site_id: row.site_id,
      retired: row.ci_status === 'retired',
      created_at: row.created_at,
      keys: new Map(),
      numbers: new Set(),
    });
  }
  for (const row of claims.rows) {
    const candidate = found.get(row.ci_id);
    if (!candidate) continue;
    const keys = candidate.keys.get(row.source) ?? new Set<string>();
    candidate.keys.set(row.source, keys.add(row.native_key));
    if (row.pve) candidate.numbers.add(row.pve);
  }
  return found;
}

// ---------- items, claims, pins

const itemColumns = [
  'ci_id',
  'ci_type',
  'ci_name',
  'ci_status',
  'lifecycle',
  'power',
  'hold',
  'absence',
  'absent_since',
  'stop_confirmed',
  'site_id',
  'environment',
  'role',
  'criticality',
  'technical_specs',
  'tags',
  'ansible',
  'ansible_name',
  'ansible_name_by',
  'ansible_name_from',
  'managed_by',
  'discovered_by',
  'terraform_resource_id',
  'external_id',
  'owner',
  'notes',
  'generation',
  'winners',
  'taken_off',
  'revision',
  'first_seen_at',
  'created_at',
  'updated_at',
  'deleted_at',
] as const;

type ItemRow = Pick<Database['configuration_items'], Exclude<(typeof itemColumns)[number], 'generation'>> & {
  generation: number;
};

function itemOf(row: ItemRow): Item {
  return {
    ...row,
    ci_id: row.ci_id as ItemId,
    lifecycle: (row.lifecycle ?? 'active') as Item['lifecycle'],
    power: row.power as Item['power'],
    absence: row.absence as Item['absence'],
    hold: row.hold === null ? null : (JSON.parse(row.hold) as Hold),
    stop_confirmed: row.stop_confirmed === 1,
    technical_specs: JSON.parse(row.technical_specs) as Specs,
    tags: JSON.parse(row.tags) as string[],
    ansible: JSON.parse(row.ansible) as AnsibleWords,
    ansible_name_by: row.ansible_name_by as Item['ansible_name_by'],
    winners: winnersOf(row.winners),
    taken_off: JSON.parse(row.taken_off) as Item['taken_off'],
  };
}

/** Winners are kept by source and moment: most attributes of an item share both. */
type PackedWinners = [source: string, since: string, attributes: string[]][];

function winnersOf(packed: string): Winners {
  const winners: Winners = {};
  for (const [source, since, attributes] of JSON.parse(packed) as PackedWinners) {
    for (const attribute of attributes) winners[attribute] = { source, since };
  }
  return winners;
}

function packedWinners(winners: Winners): string {
  const groups = new Map<string, PackedWinners[number]>();
  for (const [attribute, { source, since }] of Object.entries(winners)) {
    const key = `${source}\n${since}`;
    const group = groups.get(key);
    if (group) group[2].push(attribute);
    else groups.set(key, [source, since, [attribute]]);
  }
  return JSON.stringify([...groups.values()]);
}

export async function loadItems(db: Db, ids: readonly ItemId[]): Promise<Map<ItemId, Item>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('configuration_items')
    .select(itemColumns)
    .where('ci_id', 'in', sql<string>`${listed(ids)}`)
    .execute();
  await turn();
  const items = new Map<ItemId, Item>();
  for (const row of rows) {
    items.set(row.ci_id as ItemId, itemOf(row));
    if (items.size % 256 === 0) await turn();
  }
  return items;
}

export async function loadClaims(db: Db, ids: readonly ItemId[]): Promise<Map<ItemId, Claim[]>> {
  const claims = new Map<ItemId, Claim[]>(ids.map((id) => [id, []]));
  if (ids.length === 0) return claims;
  const rows = await db
    .selectFrom('claims')
    .select([
      'claim_id',
      'source',
      'kind',
      'native_key',
      'ci_id',
      'said',
      'hash',
      'since',
      'said_at',
      'first_said_at',
      'gone_since',
    ])
    .where('ci_id', 'in', sql<string>`${listed(ids)}`)
    .orderBy('first_said_at')
    .orderBy('claim_id')
    .execute();
  await turn();
  for (const [index, row] of rows.entries()) {
    claims.get(row.ci_id as ItemId)?.push({
      ...row,
      claim_id: row.claim_id as ClaimId,
      source: row.source as SourceRef,
      ci_id: row.ci_id as ItemId,
      said: JSON.parse(row.said) as Claim['said'],
      since: JSON.parse(row.since) as Claim['since'],
    });
    if (index % 256 === 0) await turn();
  }
  return claims;
}

/** The items that claims are on. */
export async function itemsOfClaims(db: Db, claims: readonly ClaimId[]): Promise<Map<ClaimId, ItemId>> {
  if (claims.length === 0) return new Map();
  const rows = await db
    .selectFrom('claims')
    .select(['claim_id', 'ci_id'])
    .where('claim_id', 'in', sql<string>`${listed(claims)}`)
    .where('ci_id', 'is not', null)
    .execute();
  return new Map(rows.map((row) => [row.claim_id as ClaimId, row.ci_id as ItemId]));
}

export async function loadPins(db: Db, ids: readonly ItemId[]): Promise<Map<ItemId, Pin[]>> {
  const pins = new Map<ItemId, Pin[]>();
  if (ids.length === 0) return pins;
  const rows = await db
    .selectFrom('pins')
    .select(['ci_id', 'attribute', 'value', 'since'])
    .where('ci_id', 'in', sql<string>`${listed(ids)}`)
    .execute();
  for (const row of rows) {
    const pin = { attribute: row.attribute, value: JSON.parse(row.value) as Json, since: row.since };
    pins.set(row.ci_id as ItemId, [...(pins.get(row.ci_id as ItemId) ?? []), pin]);
  }
  return pins;
}

export async function storeItems(trx: Trx, items: readonly Item[]): Promise<void> {
  for (let from = 0; from < items.length; from += 512) {
    const rows = items.slice(from, from + 512).map((item) => ({
      ...item,
      hold: item.hold && JSON.stringify(item.hold),
      stop_confirmed: item.stop_confirmed ? 1 : 0,
      technical_specs: JSON.stringify(item.technical_specs),
      tags: JSON.stringify(item.tags),
      ansible: JSON.stringify(item.ansible),
      winners: packedWinners(item.winners),
      taken_off: JSON.stringify(item.taken_off),
    }));
    await insertRows(trx, 'configuration_items', rows, ['ci_id']);
  }
}

/** A name passes from one item to another: first nobody has it, so that no moment has it twice. */
export async function clearAnsibleNames(trx: Trx, ids: readonly ItemId[]): Promise<void> {
  if (ids.length === 0) return;
  await trx
    .updateTable('configuration_items')
    .set({ ansible_name: null })
    .where('ci_id', 'in', sql<string>`${listed(ids)}`)
    .execute();
}

export async function storeClaims(trx: Trx, claims: readonly Claim[]): Promise<void> {
  for (let from = 0; from < claims.length; from += 512) {
    const rows = claims
      .slice(from, from + 512)
      .map((claim) => ({ ...claim, said: JSON.stringify(claim.said), since: JSON.stringify(claim.since) }));
    await insertRows(trx, 'claims', rows, ['claim_id']);
  }
}

/** Replaces the identifiers of claims, keeping since when a value was said. */
export async function storeIdentifiers(
  trx: Trx,
  identifiers: ReadonlyMap<ClaimId, readonly Identifier[]>,
  known: ReadonlySet<ClaimId>,
  at: string,
): Promise<void> {
  const former = [...identifiers.keys()].filter((id) => known.has(id));
  if (former.length > 0) {
    const keep = [...identifiers]
      .filter(([id]) => known.has(id))
      .flatMap(([id, list]) => list.map(({ kind, value }) => `${id} ${kind} ${value}`));
    await sql`DELETE FROM identifiers WHERE claim_id IN ${listed(former)}
      AND claim_id || ' ' || kind || ' ' || value NOT IN ${listed(keep)}`.execute(trx);
  }
  const rows = [...identifiers].flatMap(([claim_id, list]) =>
    list.map(({ kind, value }) => ({ kind, value, claim_id, said_since: at })),
  );
  const already = former.length > 0 ? await identifierKeys(trx, former) : new Set<string>();
  await insertRows(
    trx,
    'identifiers',
    rows.filter((row) => !already.has(`${row.claim_id} ${row.kind} ${row.value}`)),
  );
}

async function identifierKeys(trx: Trx, claims: readonly ClaimId[]): Promise<Set<string>> {
  const rows = await trx
    .selectFrom('identifiers')
    .select(['claim_id', 'kind', 'value'])
    .where('claim_id', 'in', sql<string>`${listed(claims)}`)
    .execute();
  return new Set(rows.map((row) => `${row.claim_id} ${row.kind} ${row.value}`));
}

export async function storeSeen(
  trx: Trx,
  claims: readonly ClaimId[],
  at: string,
  passId: string | null,
): Promise<void> {
  await insertRows(
    trx,
    'claim_seen',
    claims.map((claim_id) => ({ claim_id, seen_at: at, pass_id: passId })),
    ['claim_id'],
  );
}

// ---------- changes and the revision

export interface Change extends Difference {
  subject: 'ci' | 'site' | 'group';
  subject_id: string;
  action: string;
  source: string;
}

/** For what, by whom and under which request a write is done. */
export interface Occasion {
  at: string;
  actor: string | null;
  changeRef: string | null;
  requestId: string | null;
  passId?: string | null;
  reason?: string | null;
}

export async function raiseRevision(trx: Trx): Promise<number> {
  const { revision } = await trx
    .updateTable('revision')
    .set({ revision: sql`revision + 1` })
    .returning('revision')
    .executeTakeFirstOrThrow();
  return revision;
}

export async function storeChanges(
  trx: Trx,
  changes: readonly Change[],
  revision: number,
  occasion: Occasion,
): Promise<void> {
  await insertRows(
    trx,
    'changes',
    changes.map((change) => ({
      change_id: randomUUIDv7(),
      subject: change.subject,
      subject_id: change.subject_id,
      action: change.action,
      source: change.source,
      actor: occasion.actor,
      change_ref: occasion.changeRef,
      reason: occasion.reason ?? null,
      request_id: occasion.requestId,
      pass_id: occasion.passId ?? null,
      before: JSON.stringify(change.before),
      after: JSON.stringify(change.after),
      revision,
      changed_at: occasion.at,
    })),
  );
}

// ---------- sources and sites that a write brings along

export async function storeSources(
  trx: Trx,
  sources: readonly { source: string; kind: string; role: string }[],
  at: string,
): Promise<void> {
  const rows = sources.map((source) => ({ ...source, first_seen_at: at, last_seen_at: at }));
  for (const row of rows) {
    await sql`INSERT INTO sources (source, kind, role, first_seen_at, last_seen_at) VALUES (${row.source}, ${row.kind}, ${row.role}, ${at}, ${at})
      ON CONFLICT (source) DO UPDATE SET last_seen_at = excluded.last_seen_at, withdrawn_at = NULL`.execute(trx);
  }
}

/** Answers the sites that were made. */
export async function storeNewSites(trx: Trx, sites: readonly string[], at: string): Promise<string[]> {
  const { rows } = await sql<{ site_id: string }>`SELECT site_id FROM sites WHERE site_id IN ${listed(sites)}`.execute(
    trx,
  );
  const known = new Set(rows.map((row) => row.site_id));
  const made = sites.filter((site) => !known.has(site));
  await insertRows(
    trx,
    'sites',
    made.map((site_id) => ({ site_id, created_at: at, updated_at: at })),
  );
  return made;
}

// ---------- ansible names

/** The items that bear these names in Ansible, by name. */
export async function holdersOfNames(db: Db, names: readonly string[]): Promise<ItemId[]> {
  if (names.length === 0) return [];
  const rows = await db
    .selectFrom('configuration_items')
    .select('ci_id')
    .where('ansible_name', 'in', sql<string>`${listed(names)}`)
    .execute();
  return rows.map((row) => row.ci_id as ItemId);
}

/** Which of these names are groups that an operator described. */
export async function groupsOfNames(db: Db, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const rows = await db
    .selectFrom('groups')
    .select('group_name')
    .distinct()
    .where('group_name', 'in', sql<string>`${listed(names)}`)
    .execute();
  return rows.map((row) => row.group_name);
}

// ---------- reading

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
  WHERE c.ci_id = configuration_items.ci_id AND o.role = 'measures' AND c.kind <> 'ansible')`;
const seen = sql<
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
      query.where(sql<boolean>`(${retiredLast}, created_at, ci_id) > (${after?.[0]}, ${after?.[1]}, ${after?.[2]})`),
    )
    .orderBy(retiredLast)
    .orderBy('created_at')
    .orderBy('ci_id')
    .limit(limit + 1)
    .execute();
  return { count, rows: rows.map(readItemOf) };
}

export function pageKeysOf(item: Item): (string | number)[] {
  return [item.ci_status === 'retired' ? 1 : 0, item.created_at, item.ci_id];
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

/** Among live items first, then retired ones. Throws as `getItem` does. */
export async function getItemByName(db: Db, name: string, narrow: NameQuery = {}): Promise<ReadItem> {
  const query = filtered(selectReadItems(db), { ci_name: name, ...narrow });
  const rows = (await query.orderBy(retiredLast).orderBy('created_at').orderBy('ci_id').limit(100).execute()).map(
    readItemOf,
  );
  const living = rows.filter((item) => item.ci_status !== 'retired');
  const [item, ...others] = living.length > 0 ? living : rows.slice(0, 1);
  if (!item) throw new DomainError('not_found', `No configuration item is named ${name}.`);
  if (others.length > 0) {
    throw new DomainError(
      'conflict',
      `${living.length} configuration items are named ${name}; say which with ci_type and site_id, or by its id.`,
      {
        extra: {
          candidates: living.map(({ ci_id, ci_name, ci_type, site_id }) => ({ ci_id, ci_name, ci_type, site_id })),
        },
      },
    );
  }
  return item;
}

export interface ReadChange {
  change_no: number;
  change_id: string;
  subject: 'ci' | 'site' | 'group';
  subject_id: string;
  ci_name: string | null;
  action: string;
  source: string;
  actor: string | null;
  change_ref: string | null;
  reason: string | null;
  request_id: string | null;
  pass_id: string | null;
  changed_at: string;
  before: Record<string, Json>;
  after: Record<string, Json>;
}

export interface ChangeFilter {
  subject_id?: string;
  source?: string;
  actor?: string;
  change_ref?: string;
  since?: string;
}

/** Newest first. */
export async function listChanges(
  db: ReadDb,
  filter: ChangeFilter,
  limit: number,
  before?: number,
): Promise<{ count: number; rows: ReadChange[] }> {
  let query = db
    .selectFrom('changes')
    .leftJoin('configuration_items', 'configuration_items.ci_id', 'changes.subject_id');
  for (const column of ['subject_id', 'source', 'actor', 'change_ref'] as const) {
    const value = filter[column];
    if (value !== undefined) query = query.where(`changes.${column}`, '=', value);
  }
  if (filter.since !== undefined) query = query.where('changed_at', '>=', filter.since);
  const { count } = await query.select(sql<number>`count(*)`.as('count')).executeTakeFirstOrThrow();
  const rows = await query
    .select([
      'change_no',
      'change_id',
      'subject',
      'subject_id',
      'configuration_items.ci_name',
      'action',
      'changes.source',
      'actor',
      'change_ref',
      'reason',
      'request_id',
      'pass_id',
      'changed_at',
      'before',
      'after',
    ])
    .$if(before !== undefined, (part) => part.where('change_no', '<', before as number))
    .orderBy('change_no', 'desc')
    .limit(limit + 1)
    .execute();
  return {
    count,
    rows: rows.map((row) => ({
      ...row,
      before: JSON.parse(row.before) as Record<string, Json>,
      after: JSON.parse(row.after) as Record<string, Json>,
    })),
  };
}

// ---------- sources and passes

export interface Source {
  source: string;
  kind: string;
  role: string;
  origin_host: string | null;
  origin_path: string | null;
  held_pass_id: string | null;
}

export async function findSource(db: Db, source: string): Promise<Source | undefined> {
  return await db
    .selectFrom('sources')
    .select(['source', 'kind', 'role', 'origin_host', 'origin_path', 'held_pass_id'])
    .where('source', '=', source)
    .executeTakeFirst();
}

export async function storeSourceOrigin(
  trx: Trx,
  source: string,
  origin: { host: string; path: string },
): Promise<void> {
  await trx
    .updateTable('sources')
    .set({ origin_host: origin.host, origin_path: origin.path })
    .where('source', '=', source)
    .execute();
}

export async function livingClaims(db: Db, source: string): Promise<{ claim_id: ClaimId; native_key: string }[]> {
  const rows = await db
    .selectFrom('claims')
    .select(['claim_id', 'native_key'])
    .where('source', '=', source)
    .where('gone_since', 'is', null)
    .where('ghost_of', 'is', null)
    .execute();
  return rows as { claim_id: ClaimId; native_key: string }[];
}

interface StoredPass {
  pass_id: string;
  source: string;
  complete: boolean;
  outcome: 'good' | 'partial' | 'suspicious' | 'accepted' | 'failed';
  why: string | null;
  seen: number;
  created: number;
  updated: number;
  unchanged: number;
  missing: number;
  refused: number;
}

export async function storePass(
  trx: Trx,
  pass: StoredPass,
  held: readonly ClaimId[] | null,
  occasion: Occasion,
): Promise<void> {
  const { pass_id, source, outcome, why, seen, created, updated, unchanged, missing, refused } = pass;
  await trx
    .insertInto('passes')
    .values({
      pass_id,
      source,
      outcome,
      why,
      seen,
      created,
      updated,
      unchanged,
      missing,
      refused,
      actor: occasion.actor,
      complete: pass.complete ? 1 : 0,
      held: held && JSON.stringify(held),
      error: null,
      begun_at: occasion.at,
      ended_at: occasion.at,
    })
    .execute();
}

/** A good pass ends what was held before; a suspicious one is held in its place; a partial one leaves it. */
export async function updateSourceAfterPass(trx: Trx, pass: StoredPass, at: string): Promise<void> {
  if (pass.outcome === 'good') {
    await trx
      .updateTable('sources')
      .set({ last_complete_pass_id: pass.pass_id, last_complete_pass_at: at, held_pass_id: null })
      .where('source', '=', pass.source)
      .execute();
  } else if (pass.outcome === 'suspicious') {
    await trx.updateTable('sources').set({ held_pass_id: pass.pass_id }).where('source', '=', pass.source).execute();
  }
}

export interface HeldClaims {
  outcome: StoredPass['outcome'];
  wasEmpty: boolean;
  claims: ReadonlySet<ClaimId>;
  /** Those that are still claimed and were not heard after that pass. */
  unseen: ReadonlySet<ClaimId>;
}

export async function loadHeldClaims(db: Db, passId: string): Promise<HeldClaims | undefined> {
  const pass = await db
    .selectFrom('passes')
    .select(['outcome', 'held', 'seen', 'ended_at'])
    .where('pass_id', '=', passId)
    .executeTakeFirst();
  if (!pass) return undefined;
  const claims = JSON.parse(pass.held ?? '[]') as ClaimId[];
  const { rows } = await sql<{ claim_id: ClaimId }>`
    SELECT c.claim_id FROM claims c LEFT JOIN claim_seen s ON s.claim_id = c.claim_id
    WHERE c.claim_id IN ${listed(claims)} AND c.gone_since IS NULL AND coalesce(s.seen_at, '') <= ${pass.ended_at}`.execute(
    db,
  );
  return {
    outcome: pass.outcome,
    wasEmpty: pass.seen === 0,
    claims: new Set(claims),
    unseen: new Set(rows.map((row) => row.claim_id)),
  };
}

export async function setPassOutcome(
  trx: Trx,
  passId: string,
  outcome: StoredPass['outcome'],
  missing: number,
): Promise<void> {
  await trx.updateTable('passes').set({ outcome, missing }).where('pass_id', '=', passId).execute();
  await trx.updateTable('sources').set({ held_pass_id: null }).where('held_pass_id', '=', passId).execute();
}

const passColumns = [
  'pass_id',
  'source',
  'actor',
  'complete',
  'outcome',
  'why',
  'seen',
  'created',
  'updated',
  'unchanged',
  'missing',
  'refused',
  'error',
  'begun_at',
  'ended_at',
] as const;

export async function listPasses(db: ReadDb, source: string | undefined, limit: number, before?: string) {
  const base = db
    .selectFrom('passes')
    .$if(source !== undefined, (query) => query.where('source', '=', source as string));
  const { count } = await base.select(sql<number>`count(*)`.as('count')).executeTakeFirstOrThrow();
  const rows = await base
    .select(passColumns)
    .$if(before !== undefined, (query) => query.where('pass_id', '<', before as string))
    .orderBy('pass_id', 'desc')
    .limit(limit + 1)
    .execute();
  return { count, rows: rows.map((row) => ({ ...row, complete: row.complete === 1 })) };
}

export async function findPass(db: ReadDb, passId: string) {
  const row = await db.selectFrom('passes').select(passColumns).where('pass_id', '=', passId).executeTakeFirst();
  return row && { ...row, complete: row.complete === 1 };
}

/** Held passes, for the alert that they are. */
export async function listHeldPasses(db: Db): Promise<{ source: string; pass_id: string; why: string | null }[]> {
  return await db
    .selectFrom('sources')
    .innerJoin('passes', 'passes.pass_id', 'sources.held_pass_id')
    .select(['sources.source', 'passes.pass_id', 'passes.why'])
    .execute();
}

// ---------- hiding an item

/** Hides an item; a source that still sees it brings it back. Its name in Ansible is free again. */
export async function hideItem(trx: Trx, id: ItemId, at: string, revision: number): Promise<void> {
  await trx
    .updateTable('configuration_items')
    .set({ deleted_at: at, updated_at: at, ansible_name: null, revision })
    .where('ci_id', '=', id)
    .execute();
}

// ---------- sites

export interface Site {
  site_id: string;
  name: string | null;
  domains: string[];
  new_hosts: 'serve' | 'hold';
  /** Since when hosts that are found are held. */
  new_hosts_since: string | null;
  vars: Specs;
  notes: string | null;
  created_at: string;
  updated_at: string;
}

const siteColumns = [
  'site_id',
  'name',
  'domains',
  'new_hosts',
  'new_hosts_since',
  'vars',
  'notes',
  'created_at',
  'updated_at',
] as const;

export async function listSites(db: Db): Promise<Site[]> {
  const rows = await db.selectFrom('sites').select(siteColumns).orderBy('site_id').execute();
  return rows.map((row) => ({
    ...row,
    domains: JSON.parse(row.domains) as string[],
    vars: JSON.parse(row.vars) as Specs,
  }));
}

export async function findSite(db: Db, id: string): Promise<Site | undefined> {
  return (await listSites(db)).find((site) => site.site_id === id);
}

export async function storeSite(trx: Trx, site: Site): Promise<void> {
  const row = { ...site, domains: JSON.stringify(site.domains), vars: JSON.stringify(site.vars) };
  await insertRows(trx, 'sites', [row], ['site_id']);
}
