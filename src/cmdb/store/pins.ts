/** Pins as people set them, with reason and end. What the merge reads of them is in claims.ts. */

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
