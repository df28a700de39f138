/** Sources, and the readings that were taken of them. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import type { ClaimId, Said } from '../item.ts';
import type { Occasion } from './changes.ts';

type Db = ReadDb | Trx;

export interface Source {
  source: string;
  kind: string;
  role: string;
  origin_host: string | null;
  origin_path: string | null;
  held_pass_id: string | null;
}

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

export interface LivingClaim {
  claim_id: ClaimId;
  native_key: string;
  power: string | null;
}

/** What a source says of things for which it has a key, and did not stop saying. */
export async function livingClaims(db: Db, source: string): Promise<LivingClaim[]> {
  const { rows } = await sql<LivingClaim>`
    SELECT claim_id, native_key, said ->> '$.power' AS power FROM claims
    WHERE source = ${source} AND gone_since IS NULL AND ghost_of IS NULL AND NOT (native_key >= 'ci:' AND native_key < 'ci;')`.execute(
    db,
  );
  return rows;
}

export async function loadSaid(db: Db, claims: readonly ClaimId[]): Promise<Map<ClaimId, Said>> {
  const rows = await db
    .selectFrom('claims')
    .select(['claim_id', 'said'])
    .where('claim_id', 'in', sql<string>`${listed(claims)}`)
    .execute();
  return new Map(rows.map((row) => [row.claim_id as ClaimId, JSON.parse(row.said) as Said]));
}

/** One more complete reading did not find what was gone before it; answers how much that is. */
export async function countAbsence(trx: Trx, source: string, at: string): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('claims')
    .set({ gone_passes: sql`gone_passes + 1` })
    .where('source', '=', source)
    .where('gone_since', '<', at)
    .where('gone_for_good', 'is', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/**
 * Of what a reading said, how many claims would do no more than note the time if they were heard again: heard lately
 * enough to have their word, and not of what stopped so long ago that hearing it again says that it did for good.
 */
export async function countUnchanged(
  trx: Trx,
  passId: string,
  { heardSince, stoppedSince }: { heardSince: string; stoppedSince: string },
): Promise<number> {
  // The conditions are word for word those of the indexes of what is unlike the rest, from which the joins begin.
  const { rows } = await sql<{ count: number }>`
    SELECT (SELECT count(*) FROM claim_seen WHERE pass_id = ${passId} AND seen_at >= ${heardSince})
      - (SELECT count(*) FROM claims c CROSS JOIN claim_seen s ON s.claim_id = c.claim_id
        WHERE (c.muted = 1 OR c.alarm IS NOT NULL OR c.gone_since IS NOT NULL OR c.ci_id IS NULL)
          AND s.pass_id = ${passId})
      - (SELECT count(*) FROM configuration_items i CROSS JOIN claims c ON c.ci_id = i.ci_id
        CROSS JOIN claim_seen s ON s.claim_id = c.claim_id
        WHERE (i.deleted_at IS NOT NULL OR i.lifecycle = 'retired' OR i.absence IS NOT NULL OR (i.power = 'stopped' AND i.stop_confirmed = 0))
          AND s.pass_id = ${passId}
          AND (i.deleted_at IS NOT NULL OR i.lifecycle = 'retired' OR i.absence IS NOT NULL
            OR coalesce(c.since ->> '$.power', c.first_said_at) <= ${stoppedSince})) AS count`.execute(trx);
  return rows[0]?.count ?? 0;
}

/** All that a reading said is heard again by another one. */
export async function seeAgain(trx: Trx, passId: string, againId: string, at: string): Promise<void> {
  await trx.updateTable('claim_seen').set({ seen_at: at, pass_id: againId }).where('pass_id', '=', passId).execute();
}

/** What a reading would take away. */
export interface Losses {
  absent: ClaimId[];
  stopping: ClaimId[];
}

export const passOutcomes = ['good', 'partial', 'suspicious', 'accepted', 'failed'] as const;

/** One reading of a source, and what became of it. */
export interface StoredPass {
  pass_id: string;
  source: string;
  complete: boolean;
  outcome: (typeof passOutcomes)[number];
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
  held: Losses | null,
  occasion: Occasion & { begunAt: string },
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
      begun_at: occasion.begunAt,
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
  stopping: readonly ClaimId[];
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
  const { absent, stopping } = heldOf(pass.held);
  const { rows } = await sql<{ claim_id: ClaimId }>`
    SELECT c.claim_id FROM claims c LEFT JOIN claim_seen s ON s.claim_id = c.claim_id
    WHERE c.claim_id IN ${listed(absent)} AND c.gone_since IS NULL AND coalesce(s.seen_at, '') <= ${pass.ended_at}`.execute(
    db,
  );
  return {
    outcome: pass.outcome,
    wasEmpty: pass.seen === 0,
    claims: new Set([...absent, ...stopping]),
    stopping,
    unseen: new Set(rows.map((row) => row.claim_id)),
  };
}

/** Readings that were held before stops counted kept a list of what was absent. */
function heldOf(held: string | null): Losses {
  const parsed = JSON.parse(held ?? '[]') as Losses | ClaimId[];
  return Array.isArray(parsed) ? { absent: parsed, stopping: [] } : parsed;
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
