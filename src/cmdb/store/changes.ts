/** Changes, and the revision that counts them. */

import { randomUUIDv7 } from 'node:crypto';
import { sql } from 'kysely';
import { DomainError } from '../../errors.ts';
import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows, listed } from '../../store/rows.ts';
import type { ChangesTable } from '../../store/tables.ts';
import { inTurns } from '../../store/turn.ts';
import type { Difference } from '../changes.ts';
import type { Json } from '../item.ts';
import { type ReferenceRule, wantedOf } from '../references.ts';
import type { Undo, UndoneWith } from '../undo.ts';

export interface Change extends Difference {
  subject: 'ci' | 'site' | 'group' | 'credential';
  subject_id: string;
  /** What an item is called; not stored, since its row says it. */
  ci_name?: string;
  action: string;
  source: string;
  /** Who did it, where that is not who wrote it. */
  actor?: string | undefined;
  change_id?: string;
  /** What undoes a person's part of it. */
  undo?: Undo | UndoneWith;
}

/** For what, by whom and under which request a write is done. */
export interface Occasion {
  at: string;
  actor: string | null;
  changeRef: string | null;
  /** It is not of this write alone: it stands for all that the caller does. */
  isStandingRef?: boolean | undefined;
  /** It is done whatever the settings want. */
  needsNoRef?: boolean;
  requestId: string | null;
  passId?: string | null;
  /** By a source's key for a thing, who did what it now says otherwise. */
  authors?: ReadonlyMap<string, string> | undefined;
  reason?: string | null;
  /** The change that is undone by it. */
  reverts?: string;
}

export async function raiseRevision(trx: Trx): Promise<number> {
  const { revision } = await trx
    .updateTable('revision')
    .set({ revision: sql`revision + 1` })
    .returning('revision')
    .executeTakeFirstOrThrow();
  return revision;
}

export async function currentRevision(db: ReadDb | Trx): Promise<number> {
  return (await db.selectFrom('revision').select('revision').executeTakeFirstOrThrow()).revision;
}

export async function storeChanges(
  trx: Trx,
  changes: readonly Change[],
  revision: number,
  occasion: Occasion,
): Promise<void> {
  const rules = changes.length === 0 ? [] : await listReferenceRules(trx);
  const references = new Map<string, Reference>();
  const referenceFor = (source: string) => {
    const reference = references.get(source) ?? referenceOf(source, rules, occasion);
    references.set(source, reference);
    return reference;
  };
  for await (const part of inTurns(changes)) {
    const rows = part.map((change) => ({
      change_id: change.change_id ?? randomUUIDv7(),
      subject: change.subject,
      subject_id: change.subject_id,
      action: occasion.reverts === undefined ? change.action : 'reverted',
      source: change.source,
      actor: change.actor ?? occasion.actor,
      ...referenceFor(change.source),
      reason: occasion.reason ?? null,
      request_id: occasion.requestId,
      pass_id: occasion.passId ?? null,
      reverts: occasion.reverts ?? null,
      undo: change.undo === undefined ? null : JSON.stringify(change.undo),
      before: JSON.stringify(change.before),
      after: JSON.stringify(change.after),
      revision,
      changed_at: occasion.at,
    }));
    await insertRows(trx, 'changes', rows);
  }
}

type Reference = Pick<ChangesTable, 'change_ref'> & { change_ref_standing: 0 | 1 };

/** What was named, else what stands for the source. Throws `invalid` where there is none and one is wanted. */
function referenceOf(
  source: string,
  rules: readonly ReferenceRule[],
  { changeRef, isStandingRef, needsNoRef }: Occasion,
): Reference {
  if (changeRef !== null) return { change_ref: changeRef, change_ref_standing: isStandingRef ? 1 : 0 };
  const { requirement, standing } = wantedOf(source, rules);
  if (standing !== null) return { change_ref: standing, change_ref_standing: 1 };
  if (requirement !== 'enforce' || needsNoRef) return { change_ref: null, change_ref_standing: 0 };
  throw new DomainError(
    'invalid',
    `What ${source} changes has to name an issue, by audit.require_change_ref: send X-Change-Ref: owner/repo#123, or change_ref in the body. One that stands for all of it is given to the token, or to the source in audit.change_refs. Nothing was written.`,
    { errors: [{ pointer: '/change_ref', detail: 'is wanted' }] },
  );
}

/** Kept in the database, since each who writes a change asks for them, in whichever module. */
export async function storeReferenceRules(trx: Trx, rules: readonly ReferenceRule[]): Promise<void> {
  await trx.deleteFrom('change_references').execute();
  await insertRows(
    trx,
    'change_references',
    rules.map((rule) => ({ ...rule })),
  );
}

export async function listReferenceRules(db: ReadDb | Trx): Promise<ReferenceRule[]> {
  return await db.selectFrom('change_references').select(['source', 'requirement', 'change_ref']).execute();
}

export interface ReferredCount {
  source: string;
  given: number;
  standing: number;
  none: number;
}

/** How many changes since then named an issue, by source. */
export async function countReferred(db: ReadDb, since: string): Promise<ReferredCount[]> {
  const { rows } = await sql<ReferredCount>`
    SELECT source,
      sum(change_ref IS NOT NULL AND change_ref_standing = 0) AS given,
      sum(change_ref IS NOT NULL AND change_ref_standing = 1) AS standing,
      sum(change_ref IS NULL) AS none
    FROM changes WHERE changed_at >= ${since} GROUP BY source ORDER BY source`.execute(db);
  return rows;
}

export interface ReadChange {
  change_no: number;
  change_id: string;
  subject: 'ci' | 'site' | 'group' | 'credential';
  subject_id: string;
  ci_name: string | null;
  action: string;
  source: string;
  actor: string | null;
  change_ref: string | null;
  change_ref_standing: boolean;
  reason: string | null;
  request_id: string | null;
  pass_id: string | null;
  reverts: string | null;
  changed_at: string;
  before: Record<string, Json>;
  after: Record<string, Json>;
}

export interface ChangeFilter {
  /** Of one of these items, or others of that kind. */
  subjects?: readonly string[];
  subject?: Change['subject'];
  source?: string;
  actor?: string;
  change_ref?: string;
  since?: string;
  change_id?: string;
}

/** Newest first. */
export async function listChanges(
  db: ReadDb,
  filter: ChangeFilter,
  limit: number,
  before?: number,
): Promise<{ count: number; rows: ReadChange[] }> {
  let query = db
    .selectFrom('changes')
    .leftJoin('configuration_items', 'configuration_items.ci_id', 'changes.subject_id');
  for (const column of ['source', 'actor', 'change_ref', 'change_id'] as const) {
    const value = filter[column];
    if (value !== undefined) query = query.where(`changes.${column}`, '=', value);
  }
  if (filter.subjects !== undefined)
    query = query
      .where('subject', '=', filter.subject ?? 'ci')
      .where('subject_id', 'in', sql<string>`${listed(filter.subjects)}`);
  if (filter.since !== undefined) query = query.where('changed_at', '>=', filter.since);
  const { count } = await query.select(sql<number>`count(*)`.as('count')).executeTakeFirstOrThrow();
  const rows = await query
    .select([
      'change_no',
      'change_id',
      'subject',
      'subject_id',
      'configuration_items.ci_name',
      'action',
      'changes.source',
      'actor',
      'change_ref',
      'change_ref_standing',
      'reason',
      'request_id',
      'pass_id',
      'reverts',
      'changed_at',
      'before',
      'after',
    ])
    .$if(before !== undefined, (part) => part.where('change_no', '<', before as number))
    .orderBy('change_no', 'desc')
    .limit(limit + 1)
    .execute();
  return {
    count,
    rows: rows.map((row) => ({
      ...row,
      change_ref_standing: row.change_ref_standing === 1,
      before: JSON.parse(row.before) as Record<string, Json>,
      after: JSON.parse(row.after) as Record<string, Json>,
    })),
  };
}

/** Throws nothing: the change exists. */
export async function readChange(db: ReadDb, change_id: string): Promise<ReadChange> {
  return (await listChanges(db, { change_id }, 1)).rows[0] as ReadChange;
}
