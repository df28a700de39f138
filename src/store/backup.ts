/** Copies of the database: made while it is in use, opened to verify them, and put back. */

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../errors.ts';
import { kyselyOver, openFile, sqliteCode } from './connection.ts';
import { takeLock } from './lock.ts';
import { appliedMigrations, migrations } from './migrate.ts';

/** Writes a copy of the last committed state. The target appears whole and verified, or not at all. */
export async function backupTo(file: string, target: string): Promise<void> {
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const unfinished = `${target}.unfinished`;
  rmSync(unfinished, { force: true });
  const source = openFile(file, { readonly: true });
  try {
    // An open read keeps the state that is copied: writes meanwhile do not make the copy begin anew.
    source.exec('BEGIN; SELECT count(*) FROM sqlite_schema');
    // Made before it is filled, so that it is never another's to read.
    writeFileSync(unfinished, '', { mode: 0o600 });
    await source.backup(unfinished, { progress: () => 2000 });
  } finally {
    source.close();
  }
  try {
    const copy = openFile(unfinished);
    copy.pragma('journal_mode = DELETE');
    copy.close();
    await verifyBackup(unfinished);
    renameSync(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** Reads a backup through. Throws StartError if it is not a whole database of ours. */
export async function verifyBackup(file: string): Promise<void> {
  if (!existsSync(file)) throw new StartError(`There is no file ${file}.`);
  try {
    const raw = openFile(file, { readonly: true });
    try {
      const said = raw.pragma('integrity_check', { simple: true });
      if (said !== 'ok') throw new StartError(`The backup ${file} is damaged: ${String(said)}.`);
      const applied = await appliedMigrations(kyselyOver(raw));
      if (applied.length === 0) throw new StartError(`${file} is an SQLite database, but not one of Rollcall's.`);
      const newer = applied.filter((name) => !(name in migrations));
      if (newer.length > 0) throw new StartError(`${file} was written by a newer Rollcall (it has ${newer.at(-1)}).`);
    } finally {
      raw.close();
    }
  } catch (error) {
    const code = sqliteCode(error);
    if (code === 'SQLITE_NOTADB' || code?.startsWith('SQLITE_CORRUPT'))
      throw new StartError(`${file} is not a whole SQLite database.`, { cause: error });
    if (code?.startsWith('SQLITE_CANTOPEN') || code?.startsWith('SQLITE_IOERR'))
      throw new StartError(`${file} cannot be read as an SQLite database.`, { cause: error });
    throw error;
  }
}

/**
 * Puts a backup in the place of a folder's database, which no service may be using; answers where the former one
 * was kept. The backup is verified before anything is touched.
 */
export async function restoreFrom(
  backup: string,
  folder: string,
  file: string,
  mark: string,
): Promise<string | undefined> {
  await verifyBackup(backup);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = takeLock(folder);
  try {
    // Not the file alone: of a service that was killed, the last writes stand in the log beside it.
    await backupTo(backup, `${file}.restoring`);
    let kept: string | undefined;
    if (existsSync(file)) {
      kept = `${file}.before-restore-${mark}`;
      for (let count = 2; existsSync(kept); count += 1) kept = `${file}.before-restore-${mark}-${count}`;
      for (const tail of ['', '-wal', '-shm']) if (existsSync(file + tail)) renameSync(file + tail, kept + tail);
    }
    renameSync(`${file}.restoring`, file);
    return kept;
  } finally {
    lock.release();
  }
}
