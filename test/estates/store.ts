/**
 * The store in which an estate is played: a real one, opened once and emptied between plays. Opening one costs more than
 * most plays do, above all because each statement is prepared anew.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { openLog } from '../../src/log.ts';
import { openStore, type Store, type Trx } from '../../src/store/open.ts';

const idle: Store[] = [];

/** An empty store; hand it back with `putBack`. */
export async function emptyStore(): Promise<Store> {
  return idle.pop() ?? (await newStore());
}

export async function putBack(store: Store): Promise<void> {
  await store.write(async (trx) => {
    await sql`PRAGMA defer_foreign_keys = ON`.execute(trx);
    for (const table of await tablesOf(trx)) await sql`DELETE FROM ${sql.table(table)}`.execute(trx);
    await sql`UPDATE revision SET revision = 0`.execute(trx);
  });
  idle.push(store);
}

async function newStore(): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-estate-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const store = await openStore(folder, openLog('silent', 'json'));
  // Changes are never deleted; here they have to be, once an estate was played.
  await store.write((trx) => sql`DROP TRIGGER changes_are_not_deleted`.execute(trx));
  return store;
}

const kept = new Set(['revision', 'kysely_migration', 'kysely_migration_lock']);

async function tablesOf(trx: Trx): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`SELECT name FROM sqlite_schema WHERE type = 'table'`.execute(trx);
  return rows.map(({ name }) => name).filter((name) => !kept.has(name));
}
