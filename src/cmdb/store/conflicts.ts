/** Conflicts: claims of which a person has to say what item they speak of. */

import { sql } from 'kysely';
import type { ReadDb } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import type { Said } from '../item.ts';

export interface ReadConflict {
  conflict_id: string;
  claim: { claim_id: string; source: string; native_key: string; ci_name: string | null };
  /** The item that the claim is on meanwhile. */
  ci_id: string | null;
  candidates: ConflictCandidate[];
  reasons: string[];
  since: string;
}

export interface ConflictCandidate {
  ci_id: string;
  ci_name: string;
  ci_type: string;
  site_id: string;
}

/** The open ones, oldest first; `after` is the last of the page before. */
export async function listConflicts(
  db: ReadDb,
  limit: number,
  after?: readonly [since: string, conflictId: string],
): Promise<{ count: number; rows: ReadConflict[] }> {
  const open = db
    .selectFrom('conflicts')
    .innerJoin('claims', 'claims.claim_id', 'conflicts.claim_id')
    .where('conflicts.until', 'is', null);
  const { count } = await open.select(sql<number>`count(*)`.as('count')).executeTakeFirstOrThrow();
  const rows = await open
    .select([
      'conflict_id',
      'conflicts.claim_id',
      'source',
      'native_key',
      'said',
      'claims.ci_id',
      'candidates',
      'reasons',
    ])
    .select('conflicts.since')
    .$if(after !== undefined, (query) =>
      query.where(sql<boolean>`(conflicts.since, conflict_id) > (${after?.[0]}, ${after?.[1]})`),
    )
    .orderBy('conflicts.since')
    .orderBy('conflict_id')
    .limit(limit + 1)
    .execute();
  const asked = rows.map((row) => JSON.parse(row.candidates) as string[]);
  const known = await loadCandidatesById(db, asked.flat());
  return {
    count,
    rows: rows.map((row, index) => ({
      conflict_id: row.conflict_id,
      claim: {
        claim_id: row.claim_id,
        source: row.source,
        native_key: row.native_key,
        ci_name: (JSON.parse(row.said) as Said).ci_name ?? null,
      },
      ci_id: row.ci_id,
      candidates: (asked[index] ?? []).flatMap((id) => known.get(id) ?? []),
      reasons: JSON.parse(row.reasons) as string[],
      since: row.since,
    })),
  };
}

async function loadCandidatesById(db: ReadDb, ids: readonly string[]): Promise<Map<string, ConflictCandidate>> {
  const rows = await db
    .selectFrom('configuration_items')
    .select(['ci_id', 'ci_name', 'ci_type', 'site_id'])
    .where('ci_id', 'in', sql<string>`${listed(ids)}`)
    .execute();
  return new Map(rows.map((row) => [row.ci_id, row]));
}
