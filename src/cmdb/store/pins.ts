/** Pins as people set them, with reason and end. What the merge reads of them is in claims.ts. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows } from '../../store/rows.ts';
import type { ItemId, Json } from '../item.ts';

export interface KeptPin {
  attribute: string;
  value: Json;
  reason: string;
  pinned_by: string;
  since: string;
  until: string | null;
}

/** In the order of their attributes. */
export async function listPins(db: ReadDb | Trx, id: ItemId): Promise<KeptPin[]> {
  const rows = await db
    .selectFrom('pins')
    .select(['attribute', 'value', 'reason', 'pinned_by', 'since', 'until'])
    .where('ci_id', '=', id)
    .orderBy('attribute')
    .execute();
  return rows.map((row) => ({ ...row, value: JSON.parse(row.value) as Json }));
}

export async function storePin(trx: Trx, id: ItemId, pin: KeptPin): Promise<void> {
  await insertRows(trx, 'pins', [{ ci_id: id, ...pin, value: JSON.stringify(pin.value) }], ['ci_id', 'attribute']);
}

export async function deletePin(trx: Trx, id: ItemId, attribute: string): Promise<void> {
  await trx.deleteFrom('pins').where('ci_id', '=', id).where('attribute', '=', attribute).execute();
}

/** What was pinned on one item is pinned on another too, where that has no pin of its own. */
export async function movePins(trx: Trx, from: ItemId, to: ItemId): Promise<void> {
  await sql`INSERT INTO pins (ci_id, attribute, value, reason, pinned_by, since, until)
    SELECT ${to}, attribute, value, reason, pinned_by, since, until FROM pins WHERE ci_id = ${from}
    ON CONFLICT (ci_id, attribute) DO NOTHING`.execute(trx);
}
