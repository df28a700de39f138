/** One connection to an SQLite file, and SQLite's errors in our words. The only file that opens one. */

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import {
  type DatabaseConnection,
  Kysely,
  SqliteAdapter,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
} from 'kysely';
import { DomainError, StartError } from '../errors.ts';
import type { Database } from './tables.ts';

export type Raw = Sqlite.Database;
const keptStatements = 200;

export function openFile(file: string, options: { readonly?: boolean } = {}): Raw {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const raw = new Sqlite(file, { readonly: options.readonly ?? false, timeout: 5000 });
  raw.pragma('foreign_keys = ON');
  return raw;
}

/** Kysely over one connection. Statements are kept prepared: preparing costs more than most of them do. */
export function kyselyOver(raw: Raw): Kysely<Database> {
  const prepared = new Map<string, Sqlite.Statement>();
  const prepare = (text: string): Sqlite.Statement => {
    const known = prepared.get(text);
    if (known) return known;
    if (prepared.size >= keptStatements) prepared.delete(prepared.keys().next().value as string);
    const statement = raw.prepare(text);
    prepared.set(text, statement);
    return statement;
  };
  return new Kysely<Database>({
    dialect: new TransactionalSqlite({ database: { close: () => raw.close(), prepare } }, raw),
  });
}

/** SQLite rolls back what a migration did to the schema; Kysely's own adapter does not count on it. */
class TransactionalSqlite extends SqliteDialect {
  readonly #config: SqliteDialectConfig;
  readonly #raw: Raw;

  constructor(config: SqliteDialectConfig, raw: Raw) {
    super(config);
    this.#config = config;
    this.#raw = raw;
  }

  override createDriver() {
    return new SelfRollingBackDriver(this.#config, this.#raw);
  }

  override createAdapter() {
    return new TransactionalAdapter();
  }
}
/** After a full disk SQLite has rolled back by itself; to ask for it once more would hide why. */
class SelfRollingBackDriver extends SqliteDriver {
  readonly #raw: Raw;

  constructor(config: SqliteDialectConfig, raw: Raw) {
    super(config);
    this.#raw = raw;
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#raw.inTransaction) await super.rollbackTransaction(connection);
  }
}

class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl() {
    return true;
  }
}

export function sqliteCode(error: unknown): string | undefined {
  return error instanceof Sqlite.SqliteError ? error.code : undefined;
}

/** An error of SQLite as the refusal of a request, where the cause is the place and not the request. */
export function asRefusal(error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === 'SQLITE_FULL') {
    return new DomainError(
      'unavailable',
      'The disk with the data is full; nothing was written. Free some space and try again.',
      { cause: error },
    );
  }
  if (code?.startsWith('SQLITE_READONLY') || code?.startsWith('SQLITE_IOERR') || code === 'SQLITE_BUSY') {
    return new DomainError('unavailable', 'The database cannot be written at the moment; nothing was written.', {
      cause: error,
      retryAfterSeconds: 10,
    });
  }
  return error;
}

/** An error of SQLite or of the file system at start, as a sentence that says what to do. */
export function asStartError(error: unknown, folder: string, file: string): unknown {
  if (error instanceof StartError) return error;
  const code = sqliteCode(error) ?? (error as NodeJS.ErrnoException).code;
  const say = (sentence: string) => new StartError(sentence, { cause: error });
  switch (code) {
    case 'SQLITE_NOTADB':
    case 'SQLITE_CORRUPT':
      return damaged(folder, file, error);
    case 'SQLITE_FULL':
    case 'ENOSPC':
      return say(`The disk with ${folder} is full. Free some space, then start again; nothing was lost.`);
    case 'EACCES':
    case 'EROFS':
    case 'EPERM':
    case 'SQLITE_CANTOPEN':
    case 'SQLITE_READONLY':
    case 'SQLITE_READONLY_DIRECTORY':
    case 'SQLITE_READONLY_DBMOVED':
    case 'SQLITE_IOERR_LOCK':
      return say(
        `Rollcall cannot write in ${folder}. Give its user the right to, or choose another folder with --data or ROLLCALL_DATA.`,
      );
    case 'ENOTDIR':
    case 'EEXIST':
      return say(`${folder} is not a folder. Choose another place for the data with --data or ROLLCALL_DATA.`);
    default:
      return error;
  }
}

/** A start without data that are whole would go on to lose more of them. */
export function damaged(folder: string, file: string, cause?: unknown): StartError {
  return new StartError(
    `The database ${file} is damaged. It was left as it is. Put a backup in its place with "rollcall restore FILE"; ${backupHint(folder)}.`,
    { cause },
  );
}

function backupHint(folder: string): string {
  return existsSync(`${folder}/backups`)
    ? `the newest lie in ${folder}/backups`
    : `backups are made daily in ${folder}/backups`;
}
