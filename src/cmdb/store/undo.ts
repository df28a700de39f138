/** What undoing asks the store: claims as they were before a write, changes, and verdicts by their ids. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import type { ClaimId, ItemId, Json } from '../item.ts';
import type { FormerClaim, Undo, UndoneWith, VerdictsMade } from '../undo.ts';

/** As they are stored: before what is written now. */
export async function formerClaims(trx: Trx, ids: readonly ClaimId[]): Promise<Map<ClaimId, FormerClaim>> {
  if (ids.length === 0) return new Map();
  const rows = await trx
    .selectFrom('claims')
    .leftJoin('claim_seen', 'claim_seen.claim_id', 'claims.claim_id')
    .select('claim_seen.seen_at')
    .select([
      'claims.claim_id',
      'said',
      'since',
      'first_said_at',
      'ci_id',
      'bound_ci_id',
      'gone_since',
      'gone_for_good',
      'gone_passes',
      'native_key',
      'said_at',
      'returned_at',
      'settled_ci_id',
      'settled_at',
      'former_ci_ids',
      'replaces_ci_id',
      'body_since',
      'rebuilt_at',
      'number_left_behind',
      'muted',
      'alarm',
      'alarm_since',
    ])
    .where('claims.claim_id', 'in', sql<string>`${listed(ids)}`)
    .execute();
  return new Map(
    rows.map(({ claim_id, seen_at, ...row }) => [
      claim_id as ClaimId,
      {
        ...row,
        said: JSON.parse(row.said) as FormerClaim['said'],
        since: JSON.parse(row.since) as FormerClaim['since'],
        ci_id: row.ci_id as ItemId | null,
        bound_ci_id: row.bound_ci_id as ItemId | null,
        settled_ci_id: row.settled_ci_id as ItemId | null,
        replaces_ci_id: row.replaces_ci_id as ItemId | null,
        former_ci_ids: JSON.parse(row.former_ci_ids) as ItemId[],
        number_left_behind:
          row.number_left_behind === null
            ? null
            : (JSON.parse(row.number_left_behind) as FormerClaim['number_left_behind']),
        muted: row.muted === 1,
        heard_at: seen_at ?? row.said_at,
      },
    ]),
  );
}

export interface UndoableChange {
  change_no: number;
  change_id: string;
  subject: 'ci' | 'site' | 'group';
  subject_id: string;
  action: string;
  source: string;
  changed_at: string;
  before: Record<string, Json>;
  after: Record<string, Json>;
  undo: Undo | UndoneWith | null;
}

/** By its id, or by its number. */
export async function findChange(db: ReadDb | Trx, id: string): Promise<UndoableChange | undefined> {
  const row = await (db as ReadDb)
    .selectFrom('changes')
    .select([
      'change_no',
      'change_id',
      'subject',
      'subject_id',
      'action',
      'source',
      'changed_at',
      'before',
      'after',
      'undo',
    ])
    .$if(/^\d{1,15}$/.test(id), (query) => query.where('change_no', '=', Number(id)))
    .$if(!/^\d{1,15}$/.test(id), (query) => query.where('change_id', '=', id))
    .executeTakeFirst();
  return (
    row && {
      ...row,
      before: JSON.parse(row.before) as Record<string, Json>,
      after: JSON.parse(row.after) as Record<string, Json>,
      undo: row.undo === null ? null : (JSON.parse(row.undo) as Undo | UndoneWith),
    }
  );
}

/** The change that undid this one, if any did. */
export async function changeThatReverts(
  db: ReadDb | Trx,
  { change_id, change_no }: Pick<UndoableChange, 'change_id' | 'change_no'>,
): Promise<UndoableChange | undefined> {
  const row = await (db as ReadDb)
    .selectFrom('changes')
    .select('change_id')
    .where('reverts', '=', change_id)
    .where('change_no', '>', change_no)
    .orderBy('change_no')
    .executeTakeFirst();
  return row && (await findChange(db, row.change_id));
}

/** What was made ends, and what was ended counts again. */
export async function undoVerdicts(trx: Trx, { made, ended }: VerdictsMade, at: string): Promise<void> {
  if (made.length > 0)
    await trx
      .updateTable('verdicts')
      .set({ until: at })
      .where('until', 'is', null)
      .where('verdict_id', 'in', sql<string>`${listed(made)}`)
      .execute();
  if (ended.length > 0)
    await trx
      .updateTable('verdicts')
      .set({ until: null })
      .where('verdict_id', 'in', sql<string>`${listed(ended)}`)
      .execute();
}
