/** What was read of clusters of Proxmox VE, so that it is not read again with every pass. */

import { type Kysely, sql } from 'kysely';

const clusters = `CREATE TABLE proxmox_clusters (
  source TEXT PRIMARY KEY,
  own_name TEXT,
  nodes TEXT NOT NULL CHECK (json_valid(nodes)),
  has_quorum INTEGER NOT NULL CHECK (has_quorum IN (0, 1)),
  read_at TEXT NOT NULL CHECK (length(read_at) = 24)
) STRICT, WITHOUT ROWID`;

// subject: qemu/101, node/pve1, cluster. kind: what was read of it.
const readings = `CREATE TABLE proxmox_readings (
  source TEXT NOT NULL,
  subject TEXT NOT NULL,
  kind TEXT NOT NULL,
  read_at TEXT NOT NULL CHECK (length(read_at) = 24),
  content TEXT NOT NULL CHECK (json_valid(content)),
  PRIMARY KEY (source, subject, kind)
) STRICT, WITHOUT ROWID`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(clusters).execute(db);
  await sql.raw(readings).execute(db);
}
