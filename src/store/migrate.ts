/** Brings a database to this program's schema, forward only: a backup, then one transaction, for each step. */

import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import * as items from '../../db/migrations/0001_items.ts';
import * as heart from '../../db/migrations/0002_heart.ts';
import * as relationships from '../../db/migrations/0003_relationships.ts';
import * as runs from '../../db/migrations/0004_runs.ts';
import * as gatherings from '../../db/migrations/0005_gatherings.ts';
import * as jobRuns from '../../db/migrations/0006_job_runs.ts';
import * as proxmox from '../../db/migrations/0007_proxmox.ts';
import * as unlike from '../../db/migrations/0008_unlike.ts';
import * as impact from '../../db/migrations/0009_impact.ts';
import * as credentials from '../../db/migrations/0010_credentials.ts';
import { StartError } from '../errors.ts';
import type { Database } from './tables.ts';

export const migrations: Readonly<Record<string, Migration>> = {
  '0001_items': items,
  '0002_heart': heart,
  '0003_relationships': relationships,
  '0004_runs': runs,
  '0005_gatherings': gatherings,
  '0006_job_runs': jobRuns,
  '0007_proxmox': proxmox,
  '0008_unlike': unlike,
  '0009_impact': impact,
  '0010_credentials': credentials,
};

/** The names of the migrations that a database has had, oldest first; none for an empty file. */
export async function appliedMigrations(db: Kysely<Database>): Promise<string[]> {
  const found = await sql<{ name: string }>`SELECT name FROM sqlite_schema WHERE name = 'kysely_migration'`.execute(db);
  if (found.rows.length === 0) return [];
  const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration ORDER BY name`.execute(db);
  return rows.map((row) => row.name);
}

/**
 * Runs what is missing and answers the names. `backup` is called before each step on a database that has been
 * used before. Throws StartError for a database from a newer program, and whatever a failing step threw, after
 * rolling it back.
 */
export async function migrate(
  db: Kysely<Database>,
  file: string,
  backup: (before: string) => Promise<void>,
): Promise<string[]> {
  const applied = await appliedMigrations(db);
  const unknown = applied.filter((name) => !(name in migrations));
  if (unknown.length > 0) {
    throw new StartError(
      `The database ${file} was written by a newer Rollcall (it has ${unknown.at(-1)}). Start that version, or restore a backup made before with "rollcall restore FILE". Nothing was changed.`,
    );
  }
  const done: string[] = [];
  for (const name of Object.keys(migrations).sort()) {
    if (applied.includes(name)) continue;
    if (applied.length > 0) await backup(name);
    const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve({ ...migrations }) } });
    const { error } = await migrator.migrateTo(name);
    if (error) throw error;
    done.push(name);
  }
  return done;
}
