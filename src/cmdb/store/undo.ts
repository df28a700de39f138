/** What undoing asks the store: claims as they were before a write, changes, and verdicts by their ids. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import type { Json } from '../item.ts';
import type { Undo, UndoneWith, VerdictsMade } from '../undo.ts';

export interface UndoableChange {
  change_no: number;
  change_id: string;
  subject: 'ci' | 'site' | 'group' | 'credential';
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
