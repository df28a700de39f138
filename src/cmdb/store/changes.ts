/** Changes, and the revision that counts them. */

import { randomUUIDv7 } from 'node:crypto';
import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows, listed } from '../../store/rows.ts';
import { inTurns } from '../../store/turn.ts';
import type { Difference } from '../changes.ts';
import type { Json } from '../item.ts';
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
  for await (const part of inTurns(changes)) {
    const rows = part.map((change) => ({
      change_id: change.change_id ?? randomUUIDv7(),
      subject: change.subject,
      subject_id: change.subject_id,
      action: occasion.reverts === undefined ? change.action : 'reverted',
      source: change.source,
      actor: change.actor ?? occasion.actor,
      change_ref: occasion.changeRef,
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
  reason: string | null;
  request_id: string | null;
  pass_id: string | null;
  reverts: string | null;
  changed_at: string;
  before: Record<string, Json>;
  after: Record<string, Json>;
}

export interface ChangeFilter {
  /** Of one of these items. */
  subjects?: readonly string[];
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
    query = query.where('subject', '=', 'ci').where('subject_id', 'in', sql<string>`${listed(filter.subjects)}`);
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
      before: JSON.parse(row.before) as Record<string, Json>,
      after: JSON.parse(row.after) as Record<string, Json>,
    })),
  };
}

/** Throws nothing: the change exists. */
export async function readChange(db: ReadDb, change_id: string): Promise<ReadChange> {
  return (await listChanges(db, { change_id }, 1)).rows[0] as ReadChange;
}
