/** Which facts of a host a run gathered when, so that its parts come to the same in any order. */

import { type Kysely, sql } from 'kysely';

// n: of the last result of the host in that part. at_ms: since base_ms of the run. facts_no: their names, with spaces.
const gatherings = `CREATE TABLE run_gatherings (
  run_no INTEGER NOT NULL,
  host_no INTEGER NOT NULL,
  n INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  facts_no INTEGER NOT NULL,
  PRIMARY KEY (run_no, host_no, n)
) STRICT, WITHOUT ROWID`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(gatherings).execute(db);
}
