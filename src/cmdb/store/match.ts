/** What is asked of the store to find the items that somebody means. */

import { sql } from 'kysely';
import type { ReadDb } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import type { ItemId } from '../item.ts';

/** What Terraform calls items: the ids that they carry, and the keys under which it speaks of them. */
export async function terraformKeys(db: ReadDb): Promise<{ ci_id: ItemId; key: string }[]> {
  const { rows } = await sql<{ ci_id: ItemId; key: string }>`
    SELECT ci_id, terraform_resource_id AS key FROM configuration_items WHERE terraform_resource_id IS NOT NULL
    UNION SELECT ci_id, native_key AS key FROM claims WHERE kind = 'terraform' AND ci_id IS NOT NULL AND gone_since IS NULL`.execute(
    db,
  );
  return rows;
}

/** By names in lower case. */
export async function itemsNamed(db: ReadDb, names: readonly string[]): Promise<{ ci_id: ItemId; name: string }[]> {
  const { rows } = await sql<{ ci_id: ItemId; name: string }>`
    SELECT ci_id, lower(ci_name) AS name FROM configuration_items WHERE lower(ci_name) IN ${listed(names)}`.execute(db);
  return rows;
}

export interface KnownItem {
  ci_id: ItemId;
  ci_name: string;
  ci_type: string;
  ci_status: string;
  site_id: string;
  vmid: number | null;
  uuid: string | null;
}

/** Those of these items that are in use. */
export async function knownItems(db: ReadDb, ids: readonly ItemId[]): Promise<KnownItem[]> {
  const { rows } = await sql<KnownItem>`
    SELECT ci_id, ci_name, ci_type, ci_status, site_id, technical_specs ->> '$.vmid' AS vmid, technical_specs ->> '$.uuid' AS uuid
    FROM configuration_items
    WHERE ci_id IN ${listed(ids)} AND ci_status <> 'retired' AND deleted_at IS NULL AND merged_into IS NULL`.execute(
    db,
  );
  return rows;
}
