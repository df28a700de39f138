/** The strength of a relationship beside the item that it names: what is asked of an impact is then in the index alone. */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`DROP INDEX edges_target`.execute(db);
  await sql`CREATE INDEX edges_target ON edges (target_ci_id, relationship_type, relationship_strength)`.execute(db);
}
