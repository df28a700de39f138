/** What the walk of an impact reads: edges by either end, and what the items at their ends are. */

import { sql } from 'kysely';
import type { ReadDb } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import type { ItemId, Strength } from '../item.ts';

export interface WalkedEdge {
  /** The place in the list of the item at the one end. */
  at: number;
  /** The item at its other end. */
  ci_id: ItemId;
  relationship_type: string;
  relationship_strength: Strength;
}

/** What others are to these items; a row for each source that says so. */
export async function edgesTo(db: ReadDb, targets: readonly ItemId[]): Promise<WalkedEdge[]> {
  const { rows } = await sql<WalkedEdge>`
    SELECT j.key AS at, e.ci_id, e.relationship_type, e.relationship_strength
    FROM json_each(${JSON.stringify(targets)}) j CROSS JOIN edges e ON e.target_ci_id = j.value`.execute(db);
  return rows;
}

/** Which of these types anything is said by. */
export async function typesInUse(db: ReadDb, types: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('edges')
    .select('relationship_type')
    .distinct()
    .where('relationship_type', 'in', sql<string>`${listed(types)}`)
    .execute();
  return rows.map(({ relationship_type }) => relationship_type);
}

/** What these items are to others, by some types of relationships. */
export async function edgesFrom(db: ReadDb, items: readonly ItemId[], types: readonly string[]): Promise<WalkedEdge[]> {
  const { rows } = await sql<WalkedEdge>`
    SELECT j.key AS at, e.target_ci_id AS ci_id, e.relationship_type, e.relationship_strength
    FROM json_each(${JSON.stringify(items)}) j
    CROSS JOIN edges e ON e.ci_id = j.value AND e.relationship_type IN ${listed(types)}`.execute(db);
  return rows;
}

export interface Face {
  ci_id: ItemId;
  ci_name: string;
  ci_type: string;
  ci_status: string;
}

/** Those of these items that are in use: what is retired, hidden or merged away is not hit by anything. */
export async function facesInUse(db: ReadDb, ids: readonly ItemId[]): Promise<Face[]> {
  const { rows } = await sql<Face>`
    SELECT i.ci_id, i.ci_name, i.ci_type, i.ci_status FROM configuration_items i
    WHERE i.ci_id IN ${listed(ids)} AND i.ci_status <> 'retired' AND i.deleted_at IS NULL AND i.merged_into IS NULL`.execute(
    db,
  );
  return rows;
}
