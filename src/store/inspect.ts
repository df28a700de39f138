/** What state a folder's database is in, without changing anything. */

import { existsSync, statSync } from 'node:fs';
import { kyselyOver, openFile } from './connection.ts';
import { appliedMigrations, migrations } from './migrate.ts';

export interface DatabaseState {
  bytes: number;
  /** What is wrong with it; undefined where it is whole. */
  damage: string | undefined;
  /** Migrations that the next start does. */
  pending: string[];
  /** Migrations that only a newer program knows. */
  unknown: string[];
}

/** Undefined where there is no database. May be read while a service writes. */
export async function inspectDatabase(file: string): Promise<DatabaseState | undefined> {
  if (!existsSync(file)) return undefined;
  const state: DatabaseState = { bytes: statSync(file).size, damage: undefined, pending: [], unknown: [] };
  try {
    const raw = openFile(file, { readonly: true });
    try {
      const said = raw.pragma('integrity_check', { simple: true });
      if (said !== 'ok') state.damage = String(said);
      const applied = await appliedMigrations(kyselyOver(raw));
      state.pending = Object.keys(migrations).filter((name) => !applied.includes(name));
      state.unknown = applied.filter((name) => !(name in migrations));
    } finally {
      raw.close();
    }
  } catch (error) {
    state.damage = (error as Error).message;
  }
  return state;
}
