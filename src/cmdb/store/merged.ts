/** Items that were merged into others: an id answers with the item that outlived it, which has the history of all. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import type { ItemId } from '../item.ts';

/** The item that answers for an id: itself, unless it was merged into another. Undefined for an unknown one. */
export async function survivingId(db: ReadDb | Trx, id: ItemId): Promise<ItemId | undefined> {
  const { rows } = await sql<{ ci_id: ItemId }>`
    WITH RECURSIVE line (ci_id, merged_into) AS (
      SELECT ci_id, merged_into FROM configuration_items WHERE ci_id = ${id}
      UNION SELECT i.ci_id, i.merged_into FROM configuration_items i JOIN line ON i.ci_id = line.merged_into
    ) SELECT ci_id FROM line WHERE merged_into IS NULL`.execute(db);
  return rows[0]?.ci_id;
}

/** The item, and all that were merged into it. */
export async function lineOf(db: ReadDb, id: ItemId): Promise<ItemId[]> {
  const { rows } = await sql<{ ci_id: ItemId }>`
    WITH RECURSIVE line (ci_id) AS (
      SELECT ${id} UNION SELECT i.ci_id FROM configuration_items i JOIN line ON i.merged_into = line.ci_id
    ) SELECT ci_id FROM line`.execute(db);
  return rows.map(({ ci_id }) => ci_id);
}
