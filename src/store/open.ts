/**
 * The database of one service: a connection that reads the last committed state, and one writer, behind which
 * all other writers wait. No rule of the domain is in here.
 */

import { existsSync, mkdirSync, statSync } from 'node:fs';
import { type Kysely, sql } from 'kysely';
import { DomainError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { backupTo } from './backup.ts';
import { openCheckpoints } from './checkpoint.ts';
import { asRefusal, asStartError, damaged, kyselyOver, openFile, sqliteCode } from './connection.ts';
import { takeLock } from './lock.ts';
import { migrate } from './migrate.ts';
import type { Database } from './tables.ts';

/** The read-only connection: sees what is committed, also while a write is open. */
export type ReadDb = Kysely<Database>;
/** The writer within one transaction. Only `write` makes one. */
export type Trx = Kysely<Database> & { readonly brand: 'Trx' };
export type Write = <T>(fn: (trx: Trx) => Promise<T>) => Promise<T>;

export interface Store {
  file: string;
  /** True when this start made the database. */
  isNew: boolean;
  read: ReadDb;
  write: Write;
  /** How many writes wait, the running one included. */
  waiting(): number;
  /** Writes the file anew, so that nothing that was deleted or altered is left in it. For one who is alone. */
  compact(): Promise<void>;
  /** A copy of the last committed state, verified; safe while writes go on. */
  backup(target: string): Promise<void>;
  close(): Promise<void>;
}

const mostWaiting = 100;
/** As far as a start reads its database through, which takes some 5 ms a MiB; a backup reads each one. */
const checkedBytes = 16 * 1024 * 1024;
/**
 * KiB of pages that a connection keeps, in place of 16,000: the system keeps the file in memory as well, and a writer
 * needs no more than one part of a bulk touches.
 */
const keptPages = { reader: 2000, writer: 4000 };
export const databaseName = 'rollcall.db';

/**
 * Opens the folder's database for this process alone, and migrates it. Throws StartError with a sentence that
 * says what to do if it is in use, cannot be written, is damaged, or was written by a newer program.
 */
export async function openStore(folder: string, log: Logger): Promise<Store> {
  const file = `${folder}/${databaseName}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const lock = takeLock(folder);
    try {
      return await openLocked(folder, file, log, () => lock.release());
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    throw asStartError(error, folder, file);
  }
}

async function openLocked(folder: string, file: string, log: Logger, release: () => void): Promise<Store> {
  const isNew = !existsSync(file);
  const raw = openFile(file);
  try {
    if (!isNew && statSync(file).size <= checkedBytes && raw.pragma('quick_check(1)', { simple: true }) !== 'ok')
      throw damaged(folder, file);
    raw.pragma('journal_mode = WAL');
    raw.pragma('synchronous = FULL');
    raw.pragma(`cache_size = -${keptPages.writer}`);
    const writer = kyselyOver(raw);
    const migrated = await migrate(writer, file, async (before) => {
      const target = `${folder}/backups/before-${before}.db`;
      await backupTo(file, target);
      log.info({ file: target }, 'backed up the database before migrating it');
    });
    if (migrated.length > 0 && !isNew) log.info({ migrations: migrated }, 'migrated the database');
    const reader = openFile(file, { readonly: true });
    reader.pragma(`cache_size = -${keptPages.reader}`);
    const read = kyselyOver(reader);
    const { write, waiting, end } = writing(writer, () => checkpoints.note());
    const checkpoints = openCheckpoints(raw, () => waiting() === 0, log);
    return {
      file,
      isNew,
      read,
      write,
      waiting,
      async compact() {
        raw.exec('VACUUM');
        raw.pragma('wal_checkpoint(TRUNCATE)');
      },
      backup: (target) => backupTo(file, target),
      close: async () => {
        await end();
        checkpoints.stop();
        await read.destroy();
        // Kysely closes only what it was asked something of; the last one to close folds the log into the file.
        reader.close();
        await writer.destroy();
        release();
      },
    };
  } catch (error) {
    raw.close();
    throw error;
  }
}

/** One writer at a time; the queue is the mutex. What SQLite refuses for want of space is `unavailable`. */
function writing(
  writer: Kysely<Database>,
  written: () => void,
): { write: Write; waiting: () => number; end: () => Promise<void> } {
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let isEnding = false;

  async function transaction<T>(fn: (trx: Trx) => Promise<T>): Promise<T> {
    return await writer.connection().execute(async (connection) => {
      await sql`BEGIN IMMEDIATE`.execute(connection);
      try {
        const result = await fn(connection as Trx);
        await sql`COMMIT`.execute(connection);
        return result;
      } catch (error) {
        await sql`ROLLBACK`.execute(connection).catch(unlessRolledBack);
        throw asRefusal(error);
      }
    });
  }

  const write: Write = async (fn) => {
    if (isEnding) throw new DomainError('unavailable', 'Rollcall is stopping.', { retryAfterSeconds: 10 });
    if (waiting > mostWaiting) {
      throw new DomainError('unavailable', `${mostWaiting} writes are waiting already; try again in a few seconds.`, {
        retryAfterSeconds: 5,
      });
    }
    waiting += 1;
    const turnOf = tail
      .then(() => transaction(fn))
      .finally(() => {
        waiting -= 1;
        if (waiting === 0) written();
      });
    tail = turnOf.catch(() => undefined);
    return await turnOf;
  };
  /** No more writes; those that wait are done first. */
  async function end(): Promise<void> {
    isEnding = true;
    await tail;
  }
  return { write, waiting: () => waiting, end };
}

/** After a full disk SQLite may have rolled back by itself. */
function unlessRolledBack(failure: unknown): void {
  if (sqliteCode(failure) !== 'SQLITE_ERROR') throw failure;
}

/** A part of a transaction that can fail alone: what it wrote is undone, and the rest goes on. */
export async function nested<T>(trx: Trx, fn: () => Promise<T>): Promise<T> {
  await sql`SAVEPOINT part`.execute(trx);
  try {
    const result = await fn();
    await sql`RELEASE part`.execute(trx);
    return result;
  } catch (error) {
    await sql`ROLLBACK TO part`.execute(trx).then(() => sql`RELEASE part`.execute(trx), unlessRolledBack);
    throw error;
  }
}

/** Writes for good, or only to be told what that would come to. */
export async function writeOrRehearse<T>(
  write: Write,
  isRehearsal: boolean | undefined,
  fn: (trx: Trx) => Promise<T>,
): Promise<T> {
  return await (isRehearsal ? rehearse(write, fn) : write(fn));
}

/** Does the work, answers what it would come to, and undoes it. */
async function rehearse<T>(write: Write, fn: (trx: Trx) => Promise<T>): Promise<T> {
  let result: { value: T } | undefined;
  const undo = new Error('rehearsed');
  try {
    await write(async (trx) => {
      result = { value: await fn(trx) };
      throw undo;
    });
  } catch (error) {
    if (error !== undo || !result) throw error;
    return result.value;
  }
  throw undo;
}
