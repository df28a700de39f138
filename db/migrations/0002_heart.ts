/**
 * Which cluster has which node, as hypervisors report it: whoever knows a guest by its node and number alone means
 * the guest of that cluster. When the claims of an item were weighed last: what time alone changes counts up to then.
 * And which settings the data go by, so that a start with others is noticed.
 */

import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`ALTER TABLE configuration_items ADD COLUMN weighed_at TEXT CHECK (length(weighed_at) = 24)`.execute(db);
  await sql`CREATE TABLE cluster_nodes (
    cluster TEXT NOT NULL,
    node TEXT NOT NULL,
    source TEXT NOT NULL REFERENCES sources,
    site_id TEXT NOT NULL,
    PRIMARY KEY (node, cluster, source)
  ) STRICT, WITHOUT ROWID`.execute(db);
  await sql`CREATE TABLE settings_seen (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL CHECK (json_valid(value)),
    seen_at TEXT NOT NULL CHECK (length(seen_at) = 24)
  ) STRICT, WITHOUT ROWID`.execute(db);
  // Guests that a hypervisor reported before this table was.
  await sql`INSERT INTO cluster_nodes (cluster, node, source, site_id)
    SELECT DISTINCT substr(c.said ->> '$.pve', 1, instr(c.said ->> '$.pve', '/') - 1), lower(c.said ->> '$.technical_specs.node'), c.source, i.site_id
    FROM claims c JOIN configuration_items i ON i.ci_id = c.ci_id
    WHERE c.said ->> '$.pve' IS NOT NULL AND c.said ->> '$.technical_specs.node' IS NOT NULL
    ON CONFLICT DO NOTHING`.execute(db);
}
