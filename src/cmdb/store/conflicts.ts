/** Conflicts: claims of which a person has to say what item they speak of. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows, listed } from '../../store/rows.ts';
import type { ClaimId, ItemId, Said } from '../item.ts';

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
      candidates: distinct((asked[index] ?? []).flatMap((id) => known.get(id) ?? [])),
      reasons: JSON.parse(row.reasons) as string[],
      since: row.since,
    })),
  };
}

/** The items on which the claims are between which a person has to choose. */
async function loadCandidatesById(db: ReadDb, claims: readonly string[]): Promise<Map<string, ConflictCandidate>> {
  const rows = await db
    .selectFrom('claims')
    .innerJoin('configuration_items', 'configuration_items.ci_id', 'claims.ci_id')
    .select(['claims.claim_id', 'configuration_items.ci_id', 'ci_name', 'ci_type', 'site_id'])
    .where('claims.claim_id', 'in', sql<string>`${listed(claims)}`)
    .execute();
  return new Map(rows.map(({ claim_id, ...row }) => [claim_id, row]));
}

function distinct(candidates: readonly ConflictCandidate[]): ConflictCandidate[] {
  return [...new Map(candidates.map((candidate) => [candidate.ci_id, candidate])).values()];
}

/** The items behind candidates, each once: for whoever has to answer now. */
export async function candidatesOf(db: ReadDb | Trx, claims: readonly ClaimId[]): Promise<ConflictCandidate[]> {
  const known = await loadCandidatesById(db as ReadDb, claims);
  return distinct(claims.flatMap((id) => known.get(id) ?? []));
}

export interface Conflict {
  conflict_id: string;
  claim_id: ClaimId;
  candidates: ClaimId[];
}

/** The open conflict of each of these claims that has one. */
export async function openConflicts(db: ReadDb, claims: readonly ClaimId[]): Promise<Conflict[]> {
  if (claims.length === 0) return [];
  const rows = await db
    .selectFrom('conflicts')
    .select(['conflict_id', 'claim_id', 'candidates'])
    .where('until', 'is', null)
    .where('claim_id', 'in', sql<string>`${listed(claims)}`)
    .execute();
  return rows.map(conflictOf);
}

export async function findConflict(
  db: ReadDb | Trx,
  id: string,
): Promise<(Conflict & { until: string | null }) | undefined> {
  const row = await (db as ReadDb)
    .selectFrom('conflicts')
    .select(['conflict_id', 'claim_id', 'candidates', 'until'])
    .where('conflict_id', '=', id)
    .executeTakeFirst();
  return row && { ...conflictOf(row), until: row.until };
}

/** The claim of a conflict, and the item that it is of now. */
export async function findAskedClaim(
  db: ReadDb,
  id: string,
): Promise<{ claim: ReadConflict['claim']; ci_id: string | null; ci_name: string | null } | undefined> {
  const row = await db
    .selectFrom('conflicts')
    .innerJoin('claims', 'claims.claim_id', 'conflicts.claim_id')
    .leftJoin('configuration_items', 'configuration_items.ci_id', 'claims.ci_id')
    .select(['claims.claim_id', 'source', 'native_key', 'said', 'claims.ci_id', 'configuration_items.ci_name'])
    .where('conflict_id', '=', id)
    .executeTakeFirst();
  if (!row) return undefined;
  const { said, ci_id, ci_name, ...claim } = row;
  return { claim: { ...claim, ci_name: (JSON.parse(said) as Said).ci_name ?? null }, ci_id, ci_name };
}

function conflictOf(row: { conflict_id: string; claim_id: string; candidates: string }): Conflict {
  return {
    conflict_id: row.conflict_id,
    claim_id: row.claim_id as ClaimId,
    candidates: JSON.parse(row.candidates) as ClaimId[],
  };
}

/** Asks anew, or with other candidates. */
export async function storeConflicts(
  trx: Trx,
  conflicts: readonly Conflict[],
  reasons: string,
  at: string,
): Promise<void> {
  const { rows } = await sql<{ conflict_id: string }>`SELECT conflict_id FROM conflicts WHERE conflict_id IN ${listed(
    conflicts.map(({ conflict_id }) => conflict_id),
  )}`.execute(trx);
  const known = new Set(rows.map(({ conflict_id }) => conflict_id));
  for (const { conflict_id, candidates } of conflicts.filter((one) => known.has(one.conflict_id)))
    await trx
      .updateTable('conflicts')
      .set({ candidates: JSON.stringify(candidates) })
      .where('conflict_id', '=', conflict_id)
      .execute();
  await insertRows(
    trx,
    'conflicts',
    conflicts
      .filter((one) => !known.has(one.conflict_id))
      .map(({ conflict_id, claim_id, candidates }) => ({
        conflict_id,
        claim_id,
        candidates: JSON.stringify(candidates),
        reasons: JSON.stringify([reasons]),
        since: at,
      })),
  );
}

export async function endConflicts(trx: Trx, ids: readonly string[], at: string): Promise<void> {
  if (ids.length === 0) return;
  await trx
    .updateTable('conflicts')
    .set({ until: at })
    .where('conflict_id', 'in', sql<string>`${listed(ids)}`)
    .execute();
}

/** What a person answered. */
export async function decideConflict(
  trx: Trx,
  id: string,
  decision: 'same' | 'apart',
  ci_id: ItemId | null,
  decided_by: string,
  at: string,
): Promise<void> {
  await trx
    .updateTable('conflicts')
    .set({ decision, ci_id, decided_by, until: at })
    .where('conflict_id', '=', id)
    .execute();
}
