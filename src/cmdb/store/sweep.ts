/** What the passing of time may have changed: few rows, however many items there are. */

import { sql } from 'kysely';
import type { Trx } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import type { ClaimId, ItemId, Json } from '../item.ts';
import { insideKinds } from '../kinds.ts';

export async function endedHolds(trx: Trx, at: string): Promise<ItemId[]> {
  const { rows } = await sql<{ ci_id: ItemId }>`
    SELECT ci_id FROM configuration_items WHERE hold IS NOT NULL AND hold ->> '$.until' <= ${at} AND merged_into IS NULL`.execute(
    trx,
  );
  return rows.map(({ ci_id }) => ci_id);
}

export async function endedPins(trx: Trx, at: string): Promise<{ ci_id: ItemId; attribute: string; value: Json }[]> {
  const rows = await trx
    .selectFrom('pins')
    .select(['ci_id', 'attribute', 'value', 'reason', 'pinned_by', 'since', 'until'])
    .where('until', '<=', at)
    .execute();
  return rows.map(({ ci_id, attribute, value, ...pin }) => ({
    ci_id: ci_id as ItemId,
    attribute,
    value: { value: JSON.parse(value) as Json, ...pin },
  }));
}

export interface GoneClaims {
  ci_id: ItemId;
  claims: ClaimId[];
  /** When facts of it were heard last, and since when it is gone. */
  factsHeardAt: string | null;
  unmutedSince: string;
}

/** From when on what a kind said is not too old. */
export interface Term {
  kind: string;
  heardBefore: string;
}

/** What hypervisors no longer report for so long that it may be given up, of items that none of them reports. */
export async function goneClaims(
  trx: Trx,
  limits: { passes: number; since: string },
  terms: readonly Term[],
): Promise<GoneClaims[]> {
  const isFresh = sql.join(
    [sql`1`, ...terms.map(({ kind, heardBefore }) => sql`(l.kind <> ${kind} OR h.seen_at >= ${heardBefore})`)],
    sql` AND `,
  );
  const { rows } = await sql<{
    ci_id: ItemId;
    claims: string;
    facts: string | null;
    since: string;
  }>`
    SELECT c.ci_id, json_group_array(c.claim_id) AS claims,
      (SELECT max(s.seen_at) FROM claims f JOIN claim_seen s ON s.claim_id = f.claim_id
        WHERE f.ci_id = c.ci_id AND f.kind IN ${listed(insideKinds)} AND f.muted = 0 AND f.gone_since IS NULL) AS facts,
      (SELECT max(g.gone_since) FROM claims g JOIN sources s ON s.source = g.source
        WHERE g.ci_id = c.ci_id AND g.kind NOT IN ${listed(insideKinds)} AND s.role = 'measures') AS since
    FROM claims c JOIN sources s ON s.source = c.source
    WHERE c.gone_since <= ${limits.since} AND c.gone_for_good IS NULL AND c.gone_passes >= ${limits.passes}
      AND s.role = 'measures' AND c.kind NOT IN ${listed(insideKinds)} AND c.ci_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM claims l JOIN sources o ON o.source = l.source LEFT JOIN claim_seen h ON h.claim_id = l.claim_id
        WHERE l.ci_id = c.ci_id AND l.gone_since IS NULL AND o.role = 'measures' AND l.kind NOT IN ${listed(insideKinds)}
          AND (h.pass_id IS NOT NULL OR (h.seen_at >= c.gone_since AND ${isFresh})))
    GROUP BY c.ci_id`.execute(trx);
  return rows.map(({ ci_id, claims, facts, since }) => ({
    ci_id,
    claims: JSON.parse(claims) as ClaimId[],
    factsHeardAt: facts,
    unmutedSince: since,
  }));
}

/** An item with something on it that has become old: which kind, when that was heard, and when anything was after it. */
export interface LapsedItem {
  ci_id: ItemId;
  weighed_at: string;
  kind: string | null;
  heard_at: string | null;
  other_heard_at: string | null;
}

/** Items of which a word may have become too old, facts no longer tell that they are there, or nobody speaks for long. */
export async function lapsedItems(trx: Trx, terms: readonly Term[], unclaimedSince: string): Promise<LapsedItem[]> {
  const found: LapsedItem[] = [];
  for (const { kind, heardBefore } of terms) {
    const { rows } = await sql<LapsedItem>`
      SELECT c.ci_id, coalesce(i.weighed_at, i.updated_at) AS weighed_at, c.kind, s.seen_at AS heard_at,
        (SELECT max(o.seen_at) FROM claims b JOIN claim_seen o ON o.claim_id = b.claim_id
          WHERE b.ci_id = c.ci_id AND o.seen_at > s.seen_at) AS other_heard_at
      FROM claim_seen s JOIN claims c ON c.claim_id = s.claim_id JOIN configuration_items i ON i.ci_id = c.ci_id
      WHERE s.seen_at < ${heardBefore} AND c.kind = ${kind} AND c.muted = 0 AND i.merged_into IS NULL`.execute(trx);
    found.push(...rows);
  }
  const { rows } = await sql<LapsedItem>`
    SELECT i.ci_id, coalesce(i.weighed_at, i.updated_at) AS weighed_at, NULL AS kind, NULL AS heard_at, NULL AS other_heard_at
    FROM configuration_items i
    WHERE i.absence = 'missing' AND i.merged_into IS NULL
      AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.ci_id = i.ci_id AND (c.gone_since IS NULL OR c.gone_since > ${unclaimedSince}))
      AND NOT EXISTS (SELECT 1 FROM claims c JOIN sources s ON s.source = c.source
        WHERE c.ci_id = i.ci_id AND s.role = 'measures' AND c.kind NOT IN ${listed(insideKinds)}
          AND c.gone_for_good IS NOT 'withdrawn')`.execute(trx);
  return [...found, ...rows];
}
