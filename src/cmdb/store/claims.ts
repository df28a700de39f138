/** Claims, their identifiers, and when they were heard; pins beside them. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows, listed } from '../../store/rows.ts';
import { turn } from '../../store/turn.ts';
import type { Identifier } from '../identify.ts';
import type { Claim, ClaimId, ItemId, Json, SourceRef } from '../item.ts';
import type { Pin } from '../merge.ts';

type Db = ReadDb | Trx;

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
      'gone_for_good',
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
