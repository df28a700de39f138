/**
 * The peer of a bulk write: what better-sqlite3 alone needs to put the same rows into the same tables, in one
 * transaction, with statements of many rows.
 */

import Sqlite from 'better-sqlite3';
import { openLog } from '../../src/log.ts';
import { openStore } from '../../src/store/open.ts';
import { removeFolder, temporaryFolder } from './service.ts';

/** Those that a bulk write fills, in the order of their foreign keys. */
const tables = ['sources', 'sites', 'configuration_items', 'claims', 'identifiers', 'changes', 'claim_seen'];
const rowsPerStatement = 256;

/** Copies what a bulk wrote into an empty database of the same form; answers the milliseconds of the inserting alone. */
export async function insertAgain(file: string): Promise<number> {
  const folder = temporaryFolder();
  const store = await openStore(folder, openLog('silent', 'json'));
  await store.close();
  const source = new Sqlite(file, { readonly: true });
  const target = new Sqlite(store.file);
  try {
    for (const setting of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) target.pragma(setting);
    const inserts = tables.flatMap((table) => insertsOf(table, source, target));
    const began = performance.now();
    target.exec('BEGIN IMMEDIATE');
    for (const { statement, values } of inserts) statement.run(values);
    target.exec('COMMIT');
    return performance.now() - began;
  } finally {
    source.close();
    target.close();
    removeFolder(folder);
  }
}

/** Statements prepared and values in place, so that nothing but the inserting is in the time. */
function insertsOf(table: string, source: Sqlite.Database, target: Sqlite.Database) {
  const columns = (source.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name).join(', ');
  const rows = source.prepare<[], unknown[]>(`SELECT ${columns} FROM ${table}`).raw().all();
  const prepared = new Map<number, Sqlite.Statement>();
  const prepare = (count: number): Sqlite.Statement => {
    const one = `(${columns.replaceAll(/\w+/g, '?')})`;
    const statement = target.prepare(`INSERT INTO ${table} (${columns}) VALUES ${Array(count).fill(one).join(', ')}`);
    prepared.set(count, statement);
    return statement;
  };
  return Array.from({ length: Math.ceil(rows.length / rowsPerStatement) }, (_, index) => {
    const part = rows.slice(index * rowsPerStatement, (index + 1) * rowsPerStatement);
    return { statement: prepared.get(part.length) ?? prepare(part.length), values: part.flat() };
  });
}

/**
 * The peer of taking results in: the rows of one run into a database of the same form, one by one with a prepared
 * statement as better-sqlite3 is usually used, and a transaction for each part; answers the milliseconds of that alone.
 */
export async function insertInParts(file: string, runId: string, partSize: number): Promise<number> {
  const folder = temporaryFolder();
  const store = await openStore(folder, openLog('silent', 'json'));
  await store.close();
  const source = new Sqlite(file, { readonly: true });
  const target = new Sqlite(store.file);
  try {
    for (const setting of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = OFF']) target.pragma(setting);
    const { run_no } = source.prepare('SELECT run_no FROM runs WHERE run_id = ?').get(runId) as { run_no: number };
    const of = (table: string) => {
      const columns = (source.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name);
      const rows = source.prepare<[number], unknown[]>(`SELECT * FROM ${table} WHERE run_no = ?`).raw().all(run_no);
      const marks = columns.map(() => '?').join(', ');
      return { rows, statement: target.prepare(`INSERT INTO ${table} VALUES (${marks})`) };
    };
    const others = ['runs', 'run_plays', 'run_tasks', 'run_hosts', 'run_texts'].map(of);
    const results = of('run_results');
    const began = performance.now();
    target.exec('BEGIN IMMEDIATE');
    for (const { rows, statement } of others) for (const row of rows) statement.run(row);
    target.exec('COMMIT');
    for (let from = 0; from < results.rows.length; from += partSize) {
      target.exec('BEGIN IMMEDIATE');
      for (const row of results.rows.slice(from, from + partSize)) results.statement.run(row);
      target.exec('COMMIT');
    }
    return performance.now() - began;
  } finally {
    source.close();
    target.close();
    removeFolder(folder);
  }
}
