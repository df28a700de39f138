/** The claims of an item as people look at them. */

import type { ReadDb } from '../../store/open.ts';
import type { ItemId, Said } from '../item.ts';

export interface ReadClaim {
  claim_id: string;
  source: string;
  native_key: string;
  said: Said;
  said_at: string;
  first_said_at: string;
  seen_at: string | null;
  gone_since: string | null;
  muted: boolean;
  alarm: string | null;
}

/** In the order in which they were made. */
export async function listClaims(db: ReadDb, id: ItemId): Promise<ReadClaim[]> {
  const rows = await db
    .selectFrom('claims')
    .leftJoin('claim_seen', 'claim_seen.claim_id', 'claims.claim_id')
    .select([
      'claims.claim_id',
      'source',
      'native_key',
      'said',
      'said_at',
      'first_said_at',
      'seen_at',
      'gone_since',
      'muted',
      'alarm',
    ])
    .where('ci_id', '=', id)
    .orderBy('claims.claim_id')
    .execute();
  return rows.map((row) => ({ ...row, said: JSON.parse(row.said) as Said, muted: row.muted === 1 }));
}
