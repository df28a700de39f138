/** Claims, their identifiers, and when they were heard; pins beside them. */

import { sql } from 'kysely';
import { formsOf } from '../../store/blank.ts';
import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows, listed } from '../../store/rows.ts';
import { turn } from '../../store/turn.ts';
import type { Identifier } from '../identity/marks.ts';
import type { Claim, ClaimId, ItemId, Json, SourceRef } from '../item.ts';
import type { Pin } from '../merge.ts';

type Db = ReadDb | Trx;

const claimColumns = [
  'claims.claim_id',
  'claims.source',
  'claims.kind',
  'claims.native_key',
  'claims.ci_id',
  'claims.said',
  'claims.hash',
  'claims.since',
  'claims.said_at',
  'claims.first_said_at',
  'claims.gone_since',
  'claims.gone_passes',
  'claims.gone_for_good',
  'claims.bound_ci_id',
  'claims.settled_ci_id',
  'claims.settled_at',
  'claims.former_ci_ids',
  'claims.returned_at',
  'claims.body_since',
  'claims.rebuilt_at',
  'claims.number_left_behind',
  'claims.replaces_ci_id',
  'claims.ghost_of',
  'claims.muted',
  'claims.alarm',
  'claims.alarm_since',
  'claim_seen.seen_at',
  'claim_seen.pass_id',
] as const;

function selectClaims(db: Db) {
  return db.selectFrom('claims').leftJoin('claim_seen', 'claim_seen.claim_id', 'claims.claim_id').select(claimColumns);
}

type ClaimRow = Awaited<ReturnType<ReturnType<typeof selectClaims>['execute']>>[number];

function claimOf({ seen_at, pass_id, ...row }: ClaimRow): Claim {
  return {
    ...row,
    claim_id: row.claim_id as ClaimId,
    source: row.source as SourceRef,
    ci_id: row.ci_id as ItemId | null,
    bound_ci_id: row.bound_ci_id as ItemId | null,
    settled_ci_id: row.settled_ci_id as ItemId | null,
    replaces_ci_id: row.replaces_ci_id as ItemId | null,
    ghost_of: row.ghost_of as ClaimId | null,
    said: JSON.parse(row.said) as Claim['said'],
    since: JSON.parse(row.since) as Claim['since'],
    former_ci_ids: row.former_ci_ids === '[]' ? [] : (JSON.parse(row.former_ci_ids) as ItemId[]),
    number_left_behind:
      row.number_left_behind === null ? null : (JSON.parse(row.number_left_behind) as Claim['number_left_behind']),
    muted: row.muted === 1,
    heard_at: seen_at ?? row.said_at,
    heard_pass_id: pass_id,
  };
}

export async function loadClaims(db: Db, ids: readonly ItemId[]): Promise<Map<ItemId, Claim[]>> {
  const claims = new Map<ItemId, Claim[]>(ids.map((id) => [id, []]));
  if (ids.length === 0) return claims;
  const rows = await selectClaims(db)
    .where('claims.ci_id', 'in', sql<string>`${listed(ids)}`)
    .orderBy('first_said_at')
    .orderBy('claims.claim_id')
    .execute();
  await turn();
  for (const [index, row] of rows.entries()) {
    claims.get(row.ci_id as ItemId)?.push(claimOf(row));
    if (index % 256 === 0) await turn();
  }
  return claims;
}

/** Claims as they are stored, wherever they are. */
export async function loadClaimsById(db: Db, ids: readonly ClaimId[]): Promise<Claim[]> {
  if (ids.length === 0) return [];
  const rows = await selectClaims(db)
    .where('claims.claim_id', 'in', sql<string>`${listed(ids)}`)
    .execute();
  return rows.map(claimOf);
}

/** Claims that wait without an item; of those that have one, none. */
export async function loadWaitingClaims(db: Db, ids: readonly ClaimId[]): Promise<Claim[]> {
  return (await loadClaimsById(db, ids)).filter(({ ci_id }) => ci_id === null);
}

/** Of a claim, where it is and where it was. */
export interface PlacedClaim {
  claim_id: ClaimId;
  ci_id: ItemId | null;
  native_key: string;
  bound_ci_id: ItemId | null;
  gone_since: string | null;
  former_ci_ids: ItemId[];
}

export async function claimsOfItems(db: Db, items: readonly ItemId[]): Promise<PlacedClaim[]> {
  const rows = await db
    .selectFrom('claims')
    .select(['claim_id', 'ci_id', 'native_key', 'bound_ci_id', 'gone_since', 'former_ci_ids'])
    .where('ci_id', 'in', sql<string>`${listed(items)}`)
    .execute();
  return rows.map((row) => ({
    ...row,
    claim_id: row.claim_id as ClaimId,
    ci_id: row.ci_id as ItemId,
    bound_ci_id: row.bound_ci_id as ItemId | null,
    former_ci_ids: JSON.parse(row.former_ci_ids) as ItemId[],
  }));
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

export async function storeClaims(trx: Trx, claims: readonly Claim[]): Promise<void> {
  for (let from = 0; from < claims.length; from += 512) {
    await insertRows(trx, 'claims', claims.slice(from, from + 512).map(rowOf), ['claim_id']);
  }
}

function rowOf(claim: Claim) {
  return {
    claim_id: claim.claim_id,
    source: claim.source,
    kind: claim.kind,
    native_key: claim.native_key,
    ci_id: claim.ci_id,
    bound_ci_id: claim.bound_ci_id,
    settled_ci_id: claim.settled_ci_id,
    settled_at: claim.settled_at,
    former_ci_ids: claim.former_ci_ids.length === 0 ? '[]' : JSON.stringify(claim.former_ci_ids),
    said: JSON.stringify(claim.said),
    hash: claim.hash,
    since: JSON.stringify(claim.since),
    said_at: claim.said_at,
    first_said_at: claim.first_said_at,
    gone_since: claim.gone_since,
    gone_passes: claim.gone_passes,
    gone_for_good: claim.gone_for_good,
    returned_at: claim.returned_at,
    body_since: claim.body_since,
    rebuilt_at: claim.rebuilt_at,
    number_left_behind: claim.number_left_behind && JSON.stringify(claim.number_left_behind),
    replaces_ci_id: claim.replaces_ci_id,
    ghost_of: claim.ghost_of,
    muted: claim.muted ? 1 : 0,
    alarm: claim.alarm,
    alarm_since: claim.alarm_since,
  };
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
  const already = former.length > 0 ? await identifierKeys(trx, former) : new Set<string>();
  const rows: { kind: string; value: string; claim_id: ClaimId; said_since: string }[] = [];
  for (const [claim_id, list] of identifiers) {
    for (const { kind, value } of list) {
      if (already.size > 0 && already.has(`${claim_id} ${kind} ${value}`)) continue;
      rows.push({ kind, value, claim_id, said_since: at });
    }
  }
  // In the order of the table's own tree, which is so filled in half the time.
  rows.sort((a, b) => (a.kind === b.kind ? (a.value < b.value ? -1 : 1) : a.kind < b.kind ? -1 : 1));
  await insertRows(trx, 'identifiers', rows);
}

async function identifierKeys(trx: Trx, claims: readonly ClaimId[]): Promise<Set<string>> {
  const rows = await trx
    .selectFrom('identifiers')
    .select(['claim_id', 'kind', 'value'])
    .where('claim_id', 'in', sql<string>`${listed(claims)}`)
    .execute();
  return new Set(rows.map((row) => `${row.claim_id} ${row.kind} ${row.value}`));
}

export async function storeSeen(trx: Trx, claims: ReadonlyMap<ClaimId, string>, passId: string | null): Promise<void> {
  await insertRows(
    trx,
    'claim_seen',
    [...claims].map(([claim_id, seen_at]) => ({ claim_id, seen_at, pass_id: passId })),
    ['claim_id'],
  );
}

/** What of these texts was said counts as not heard, so that its next word is weighed anew; answers who said it. */
export async function forgetHeard(trx: Trx, texts: readonly string[]): Promise<string[]> {
  const sources = new Set<string>();
  for (const form of formsOf(texts)) {
    const { rows } = await sql<{ source: string }>`
      UPDATE claims SET hash = '' WHERE instr(said, ${form}) > 0 RETURNING source`.execute(trx);
    for (const { source } of rows) sources.add(source);
  }
  return [...sources].sort();
}
