/** What identity asks the store: who says a value, what people decided, which cluster has which node. */

import { randomUUIDv7 } from 'node:crypto';
import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows, listed } from '../../store/rows.ts';
import { turn } from '../../store/turn.ts';
import type { ClaimId, IdentifierKind, ItemId } from '../item.ts';
import { insideKinds } from '../kinds.ts';

type Db = ReadDb | Trx;

/** Where a claim is found: its item, or that it waits without one. */
export interface Place {
  claim_id: ClaimId;
  ci_id: ItemId | null;
}

/** A claim that carries a value. */
export interface Bearer extends Place {
  kind: IdentifierKind;
  value: string;
}

/** The claims that carry one of these values, of whatever kind they are looked for. */
export async function claimsByValues(
  db: Db,
  values: ReadonlyMap<IdentifierKind, readonly string[]>,
): Promise<Bearer[]> {
  const found: Bearer[] = [];
  for (const [kind, list] of values) {
    if (list.length === 0) continue;
    const { rows } = await sql<Bearer>`
      SELECT n.claim_id, c.ci_id, n.kind, n.value FROM identifiers n JOIN claims c ON c.claim_id = n.claim_id
      WHERE n.kind = ${kind} AND n.value IN ${listed(list)}`.execute(db);
    for (const row of rows) found.push(row);
    await turn();
  }
  return found;
}

/** Claims that were bound to items, or stood for them before this moment, and now are elsewhere. */
export async function claimsTiedTo(db: Db, items: readonly ItemId[]): Promise<Place[]> {
  if (items.length === 0) return [];
  const list = listed(items);
  const { rows } = await sql<Place>`
    SELECT claim_id, ci_id FROM claims WHERE bound_ci_id IN ${list}
    UNION SELECT claim_id, ci_id FROM claims WHERE settled_ci_id IN ${list}
    UNION SELECT c.claim_id, c.ci_id FROM verdicts v JOIN claims c ON c.claim_id = v.claim_id
      WHERE v.ci_id IN ${list} AND v.decision = 'same' AND v.until IS NULL`.execute(db);
  return rows;
}

/** Since when claims say their values, by `kind value`. */
export async function loadSaidSince(db: Db, claims: readonly ClaimId[]): Promise<Map<ClaimId, Map<string, string>>> {
  const since = new Map<ClaimId, Map<string, string>>();
  if (claims.length === 0) return since;
  const { rows } = await sql<{ claim_id: ClaimId; mark: string; said_since: string }>`
    SELECT claim_id, kind || ' ' || value AS mark, said_since FROM identifiers WHERE claim_id IN ${listed(claims)}`.execute(
    db,
  );
  for (const { claim_id, mark, said_since } of rows) {
    const own = since.get(claim_id) ?? new Map<string, string>();
    since.set(claim_id, own.set(mark, said_since));
  }
  return since;
}

export interface Verdicts {
  same: Map<ClaimId, ItemId>;
  apart: [ClaimId, ClaimId][];
  beside: [ItemId, ItemId][];
}

/** What people decided of these claims, and which of these items stood beside each other. */
export async function loadVerdicts(db: Db, claims: readonly ClaimId[], items: readonly ItemId[]): Promise<Verdicts> {
  const verdicts: Verdicts = { same: new Map(), apart: [], beside: [] };
  const { rows } = await sql<{
    decision: string;
    claim_id: ClaimId;
    other_claim_id: ClaimId;
    ci_id: ItemId;
    other_ci_id: ItemId;
  }>`
    SELECT decision, claim_id, other_claim_id, ci_id, other_ci_id FROM verdicts WHERE until IS NULL AND claim_id IN ${listed(claims)}
    UNION ALL SELECT decision, claim_id, other_claim_id, ci_id, other_ci_id FROM verdicts
      WHERE until IS NULL AND decision = 'beside' AND ci_id IN ${listed(items)}
    UNION ALL SELECT decision, claim_id, other_claim_id, ci_id, other_ci_id FROM verdicts
      WHERE until IS NULL AND decision = 'beside' AND other_ci_id IN ${listed(items)}`.execute(db);
  for (const row of rows) {
    if (row.decision === 'same') verdicts.same.set(row.claim_id, row.ci_id);
    else if (row.decision === 'apart') verdicts.apart.push([row.claim_id, row.other_claim_id]);
    else verdicts.beside.push([row.ci_id, row.other_ci_id]);
  }
  return verdicts;
}

export interface NewVerdict {
  decision: 'same' | 'apart' | 'beside';
  claim_id?: ClaimId;
  other_claim_id?: ClaimId;
  ci_id?: ItemId;
  other_ci_id?: ItemId;
  reason?: string | null;
}

export async function storeVerdicts(
  trx: Trx,
  verdicts: readonly NewVerdict[],
  decided_by: string,
  since: string,
): Promise<string[]> {
  const rows = verdicts.map((verdict) => ({
    verdict_id: randomUUIDv7() as string,
    decision: verdict.decision,
    claim_id: verdict.claim_id ?? null,
    other_claim_id: verdict.other_claim_id ?? null,
    ci_id: verdict.ci_id ?? null,
    other_ci_id: verdict.other_ci_id ?? null,
    reason: verdict.reason ?? null,
    decided_by,
    since,
  }));
  await insertRows(trx, 'verdicts', rows);
  return rows.map(({ verdict_id }) => verdict_id);
}

/** Which cluster has a node, as hypervisors report it, and at which site. */
export interface ClusterNode {
  cluster: string;
  node: string;
  source: string;
  site_id: string;
}

export async function clusterNodes(db: Db): Promise<ClusterNode[]> {
  return await db.selectFrom('cluster_nodes').select(['cluster', 'node', 'source', 'site_id']).execute();
}

export async function storeClusterNodes(trx: Trx, nodes: readonly ClusterNode[]): Promise<void> {
  await insertRows(trx, 'cluster_nodes', nodes, ['node', 'cluster', 'source']);
}

/** Claims that know a guest by one of these nodes and its number, and of which no cluster was known. */
export async function claimsWithoutNumber(db: Db, nodes: readonly string[]): Promise<Place[]> {
  const found: Place[] = [];
  for (const node of nodes) {
    const { rows } = await sql<Place>`
      SELECT c.claim_id, c.ci_id FROM identifiers n JOIN claims c ON c.claim_id = n.claim_id
      WHERE n.kind = 'guest' AND n.value >= ${`${node}/`} AND n.value < ${`${node}0`}
        AND NOT EXISTS (SELECT 1 FROM identifiers p WHERE p.claim_id = n.claim_id AND p.kind = 'pve')`.execute(db);
    found.push(...rows);
  }
  return found;
}

/** Guests that a reading found beside others with the same body: copies, which are not their originals. */
export async function rememberCopies(trx: Trx, source: string, at: string): Promise<void> {
  const { rows } = await sql<{ ci_id: ItemId; other_ci_id: ItemId }>`
    WITH reported AS (
      SELECT n.kind, n.value, c.ci_id, c.source FROM identifiers n
      JOIN claims c ON c.claim_id = n.claim_id JOIN sources s ON s.source = c.source
      WHERE n.kind IN ('uuid', 'mac') AND s.role = 'measures' AND c.kind NOT IN ${listed(insideKinds)} AND c.gone_since IS NULL AND c.ci_id IS NOT NULL
    ), carried AS (
      SELECT kind, value FROM reported GROUP BY kind, value HAVING count(DISTINCT ci_id) > 1
    )
    SELECT DISTINCT a.ci_id, b.ci_id AS other_ci_id FROM carried
    JOIN reported a ON a.kind = carried.kind AND a.value = carried.value
    JOIN reported b ON b.kind = a.kind AND b.value = a.value
    WHERE a.source = ${source} AND a.ci_id <> b.ci_id`.execute(trx);
  const pairs = new Map(
    rows.map(({ ci_id, other_ci_id }) => [[ci_id, other_ci_id].sort().join(' '), [ci_id, other_ci_id].sort()]),
  );
  if (pairs.size === 0) return;
  const known = await sql<{ pair: string }>`
    SELECT ci_id || ' ' || other_ci_id AS pair FROM verdicts WHERE decision = 'beside' AND until IS NULL
      AND ci_id || ' ' || other_ci_id IN ${listed([...pairs.keys()])}`.execute(trx);
  for (const { pair } of known.rows) pairs.delete(pair);
  const verdicts = [...pairs.values()].map(([ci_id, other_ci_id]) => ({
    decision: 'beside' as const,
    ci_id: ci_id as ItemId,
    other_ci_id: other_ci_id as ItemId,
  }));
  await storeVerdicts(trx, verdicts, source, at);
}

/** By claim whose number has another guest now, the one that is kept of the former: what was decided was of that. */
export async function passVerdictsOn(trx: Trx, kept: ReadonlyMap<ClaimId, ClaimId>): Promise<void> {
  if (kept.size === 0) return;
  const pairs = sql`(SELECT value ->> 0 AS claim, value ->> 1 AS kept FROM json_each(${JSON.stringify([...kept])})) j`;
  await sql`UPDATE verdicts SET claim_id = j.kept FROM ${pairs}
    WHERE verdicts.claim_id = j.claim AND until IS NULL`.execute(trx);
  await sql`UPDATE verdicts SET other_claim_id = j.kept FROM ${pairs}
    WHERE verdicts.other_claim_id = j.claim AND until IS NULL`.execute(trx);
}

/** Ends verdicts: what people decided before counts no more. Answers which. */
export async function endVerdicts(
  trx: Trx,
  where: 'same' | 'apart' | 'beside',
  ids: { a: readonly string[]; b?: readonly string[] },
  at: string,
): Promise<string[]> {
  const { a, b } = ids;
  const first = where === 'beside' ? sql.ref('ci_id') : sql.ref('claim_id');
  const second =
    where === 'apart' ? sql.ref('other_claim_id') : where === 'beside' ? sql.ref('other_ci_id') : sql.ref('ci_id');
  const among =
    b === undefined
      ? sql`${first} IN ${listed(a)}`
      : sql`((${first} IN ${listed(a)} AND ${second} IN ${listed(b)}) OR (${first} IN ${listed(b)} AND ${second} IN ${listed(a)}))`;
  const { rows } = await sql<{ verdict_id: string }>`
    UPDATE verdicts SET until = ${at} WHERE decision = ${where} AND until IS NULL AND ${among}
    RETURNING verdict_id`.execute(trx);
  return rows.map(({ verdict_id }) => verdict_id);
}
