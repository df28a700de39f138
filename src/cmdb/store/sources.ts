/** Sources as they are looked at and withdrawn. What a reading writes of them is in passes.ts. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import type { ClaimId } from '../item.ts';
import type { SourceRole } from '../kinds.ts';

type Db = ReadDb | Trx;

export interface ReadSource {
  source: string;
  kind: string;
  role: SourceRole;
  first_seen_at: string;
  last_seen_at: string;
  last_complete_pass_at: string | null;
  held_pass_id: string | null;
  withdrawn_at: string | null;
  origin: { host: string; path: string } | null;
  claims: { living: number; gone: number };
}

/** In the order of their names; one alone where it is named. */
export async function listSources(db: Db, only?: string): Promise<ReadSource[]> {
  const rows = await db
    .selectFrom('sources')
    .select([
      'source',
      'kind',
      'role',
      'first_seen_at',
      'last_seen_at',
      'last_complete_pass_at',
      'held_pass_id',
      'withdrawn_at',
      'origin_host',
      'origin_path',
    ])
    .$if(only !== undefined, (query) => query.where('source', '=', only as string))
    .orderBy('source')
    .execute();
  const counts = await db
    .selectFrom('claims')
    .select(['source', sql<number>`sum(gone_since IS NULL)`.as('living'), sql<number>`count(gone_since)`.as('gone')])
    .$if(only !== undefined, (query) => query.where('source', '=', only as string))
    .groupBy('source')
    .execute();
  const bySource = new Map(counts.map(({ source, ...claims }) => [source, claims]));
  return rows.map(({ origin_host, origin_path, ...row }) => ({
    ...row,
    origin: origin_host === null || origin_path === null ? null : { host: origin_host, path: origin_path },
    claims: bySource.get(row.source) ?? { living: 0, gone: 0 },
  }));
}

/** When a person took its word from it; undefined where nobody did, or it spoke again since. */
export async function withdrawalOf(db: Db, source: string): Promise<string | undefined> {
  const found = await db.selectFrom('sources').select('withdrawn_at').where('source', '=', source).executeTakeFirst();
  return found?.withdrawn_at ?? undefined;
}

export async function sourceNames(db: Db): Promise<string[]> {
  return (await db.selectFrom('sources').select('source').orderBy('source').execute()).map((row) => row.source);
}

/** All that a source has said and that was not withdrawn before. */
export async function claimsToWithdraw(trx: Trx, source: string): Promise<ClaimId[]> {
  const rows = await trx
    .selectFrom('claims')
    .select('claim_id')
    .where('source', '=', source)
    .where((where) => where.or([where('gone_for_good', 'is', null), where('gone_for_good', '<>', 'withdrawn')]))
    .execute();
  return rows.map((row) => row.claim_id as ClaimId);
}

/** A reading of it that is held has nothing left to take away. */
export async function setWithdrawn(trx: Trx, source: string, at: string): Promise<void> {
  await trx
    .updateTable('sources')
    .set({ withdrawn_at: sql`coalesce(withdrawn_at, ${at})`, held_pass_id: null })
    .where('source', '=', source)
    .execute();
}

/** Those of a kind that were not heard since then, and what they said still stands. */
export async function silentSources(
  trx: Trx,
  kind: string,
  heardBefore: string,
): Promise<{ source: string; last_seen_at: string }[]> {
  const { rows } = await sql<{ source: string; last_seen_at: string }>`
    SELECT source, last_seen_at FROM sources s
    WHERE kind = ${kind} AND last_seen_at < ${heardBefore} AND withdrawn_at IS NULL
      AND EXISTS (SELECT 1 FROM claims c WHERE c.source = s.source AND c.gone_since IS NULL)
    ORDER BY source`.execute(trx);
  return rows;
}
