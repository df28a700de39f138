/**
 * Whom claims name when they speak of a relationship, so that it is found again when that item appears, is renamed,
 * merged or hidden. And items by name in whatever case: the one index serves both.
 */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // A target is an id, or a name in lower case.
  await sql`CREATE TABLE relationship_targets (
    target TEXT NOT NULL,
    claim_id TEXT NOT NULL REFERENCES claims,
    PRIMARY KEY (target, claim_id)
  ) STRICT, WITHOUT ROWID`.execute(db);
  await sql`CREATE INDEX relationship_targets_claim_id ON relationship_targets (claim_id)`.execute(db);
  // Whom a living item goes on for.
  await sql`CREATE INDEX configuration_items_adopted_by ON configuration_items (handed_down ->> '$.adopted_by')
    WHERE handed_down <> '{}'`.execute(db);
  await sql`DROP INDEX configuration_items_ci_name`.execute(db);
  await sql`CREATE INDEX configuration_items_name ON configuration_items (lower(ci_name))`.execute(db);
}
