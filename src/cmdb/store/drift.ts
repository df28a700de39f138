/** What is read to find drift: the items of which different sorts of sources speak, and their living claims. */

import { sql } from 'kysely';
import type { ReadDb } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import { turn } from '../../store/turn.ts';
import type { Claim, ItemId } from '../item.ts';

export interface DriftFilter {
  ci_id?: string;
  site_id?: string;
}

export type SpokenClaim = Pick<Claim, 'source' | 'kind' | 'said' | 'since' | 'first_said_at'>;

/**
 * The next items in the order of their ids that something measures, and of which somebody else speaks too; a pin is
 * somebody's word. Reads along the index, so that a page costs no more than its own items.
 */
export async function findDriftCandidates(
  db: ReadDb,
  { ci_id, site_id }: DriftFilter,
  after: string,
  limit: number,
): Promise<ItemId[]> {
  const { rows } = await sql<{ ci_id: ItemId }>`
    SELECT c.ci_id FROM claims c
    CROSS JOIN sources s ON s.source = c.source
    CROSS JOIN configuration_items i ON i.ci_id = c.ci_id
    WHERE c.ci_id > ${after} AND c.gone_since IS NULL AND c.muted = 0 AND i.deleted_at IS NULL
      ${ci_id === undefined ? sql`` : sql`AND c.ci_id = ${ci_id}`}
      ${site_id === undefined ? sql`` : sql`AND i.site_id = ${site_id}`}
    GROUP BY c.ci_id
    HAVING max(s.role = 'measures') = 1
      AND (max(s.role <> 'measures') = 1 OR EXISTS (SELECT 1 FROM pins p WHERE p.ci_id = c.ci_id))
    ORDER BY c.ci_id LIMIT ${limit}`.execute(db);
  return rows.map((row) => row.ci_id);
}

/** Without those that are muted: what an alarm is about is no word. */
export async function loadLivingClaims(db: ReadDb, ids: readonly ItemId[]): Promise<Map<ItemId, SpokenClaim[]>> {
  const { rows } = await sql<Omit<SpokenClaim, 'said' | 'since'> & { ci_id: ItemId; said: string; since: string }>`
    SELECT ci_id, source, kind, said, since, first_said_at FROM claims
    WHERE ci_id IN ${listed(ids)} AND gone_since IS NULL AND muted = 0
    ORDER BY source, native_key`.execute(db);
  const claims = new Map<ItemId, SpokenClaim[]>();
  for (const [count, { ci_id, ...row }] of rows.entries()) {
    const claim = {
      ...row,
      said: JSON.parse(row.said) as Claim['said'],
      since: JSON.parse(row.since) as Claim['since'],
    };
    const own = claims.get(ci_id);
    if (own) own.push(claim);
    else claims.set(ci_id, [claim]);
    if (count % 64 === 0) await turn();
  }
  return claims;
}
