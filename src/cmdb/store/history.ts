/** The changes of one item up to a moment. */

import type { ReadDb } from '../../store/open.ts';
import type { Step } from '../history.ts';
import type { ItemId } from '../item.ts';

/** Oldest first. */
export async function loadSteps(db: ReadDb, id: ItemId, until: string): Promise<Step[]> {
  const rows = await db
    .selectFrom('changes')
    .select(['changed_at', 'after'])
    .where('subject', '=', 'ci')
    .where('subject_id', '=', id)
    .where('changed_at', '<=', until)
    .orderBy('change_no')
    .execute();
  return rows.map((row) => ({ changed_at: row.changed_at, after: JSON.parse(row.after) as Step['after'] }));
}
