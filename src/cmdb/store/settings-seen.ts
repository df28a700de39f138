/** Settings as they were when the data were written last, and what they are about. */

import { sql } from 'kysely';
import type { Trx } from '../../store/open.ts';
import { insertRows } from '../../store/rows.ts';
import type { ItemId } from '../item.ts';
import type { Place } from './identity.ts';

export async function settingSeen(trx: Trx, name: string): Promise<string | undefined> {
  const row = await trx.selectFrom('settings_seen').select('value').where('name', '=', name).executeTakeFirst();
  return row?.value;
}

export async function storeSettingSeen(trx: Trx, name: string, value: string, at: string): Promise<void> {
  await insertRows(trx, 'settings_seen', [{ name, value, seen_at: at }], ['name']);
}

/** All items that stand for themselves. */
export async function itemIds(trx: Trx): Promise<ItemId[]> {
  const rows = await trx
    .selectFrom('configuration_items')
    .select('ci_id')
    .where('merged_into', 'is', null)
    .orderBy('ci_id')
    .execute();
  return rows.map(({ ci_id }) => ci_id as ItemId);
}

/** Claims of hosts at a site; those that name no site too, where it is the default. */
export async function claimsAtSite(trx: Trx, site: string, isDefault: boolean): Promise<Place[]> {
  const { rows } = await sql<Place>`
    SELECT claim_id, ci_id FROM claims
    WHERE said ->> '$.site_id' = ${site} OR (${isDefault ? 1 : 0} = 1 AND said ->> '$.site_id' IS NULL)
    ORDER BY ci_id`.execute(trx);
  return rows;
}
