/** What ran when and how it ended, and who may run something now, so that nothing is run twice at once. */

import { type Kysely, sql } from 'kysely';

// run_no: in the order in which they began, which neither a clock that was set back nor ids of one millisecond have.
const runs = `CREATE TABLE job_runs (
  run_no INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  job TEXT NOT NULL,
  trigger TEXT NOT NULL CHECK (trigger IN ('schedule', 'start', 'request')),
  started_at TEXT NOT NULL CHECK (length(started_at) = 24),
  finished_at TEXT CHECK (length(finished_at) = 24),
  outcome TEXT NOT NULL CHECK (outcome IN ('running', 'good', 'partial', 'held', 'failed', 'interrupted')),
  error TEXT,
  counts TEXT NOT NULL CHECK (json_valid(counts)),
  CHECK ((outcome = 'running') = (finished_at IS NULL))
) STRICT`;

// job: its name, or that of what several jobs work on. holder: the run that has it.
const leases = `CREATE TABLE job_leases (
  job TEXT PRIMARY KEY,
  holder TEXT NOT NULL REFERENCES job_runs (id),
  until TEXT NOT NULL CHECK (length(until) = 24)
) STRICT, WITHOUT ROWID`;

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(runs).execute(db);
  await sql`CREATE INDEX job_runs_by_job ON job_runs (job)`.execute(db);
  await sql.raw(leases).execute(db);
}
