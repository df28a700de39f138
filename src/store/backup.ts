/** Copies of the database: made while it is in use, opened to verify them, and put back. */

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { StartError } from '../errors.ts';
import { kyselyOver, openFile, sqliteCode } from './connection.ts';
import { takeLock } from './lock.ts';
import { appliedMigrations, migrations } from './migrate.ts';

/** Writes a copy of the last committed state. The target appears whole and verified, or not at all. */
export async function backupTo(file: string, target: string): Promise<void> {
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const unfinished = `${target}.unfinished`;
  rmSync(unfinished, { force: true });
  try {
    // Made before it is filled, so that it is never another's to read.
    writeFileSync(unfinished, '', { mode: 0o600 });
    const { code } = await workOn('copy', file, unfinished);
    if (code === 'SQLITE_FULL') throw new StartError(`The disk has no room for ${target}.`);
    if (code !== undefined) throw faultOf(file, code);
    await verifyBackup(unfinished);
    renameSync(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** Reads a backup through. Throws StartError if it is not a whole database of ours. */
export async function verifyBackup(file: string): Promise<void> {
  if (!existsSync(file)) throw new StartError(`There is no file ${file}.`);
  const { said, code: fault } = await workOn('check', file);
  try {
    if (fault !== undefined) throw faultOf(file, fault);
    if (said !== 'ok') throw new StartError(`The backup ${file} is damaged: ${said}.`);
    const raw = openFile(file, { readonly: true });
    try {
      const applied = await appliedMigrations(kyselyOver(raw));
      if (applied.length === 0) throw new StartError(`${file} is an SQLite database, but not one of Rollcall's.`);
      const newer = applied.filter((name) => !(name in migrations));
      if (newer.length > 0) throw new StartError(`${file} was written by a newer Rollcall (it has ${newer.at(-1)}).`);
    } finally {
      raw.close();
    }
  } catch (error) {
    const code = sqliteCode(error);
    throw code === undefined ? error : faultOf(file, code, error);
  }
}

/** In a process of its own, so that this one goes on answering. */
async function workOn(...work: readonly string[]): Promise<{ said?: string; code?: string }> {
  const program = fileURLToPath(new URL('file-work.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...work]);
  return JSON.parse(stdout) as { said?: string; code?: string };
}

function faultOf(file: string, code: string, cause?: unknown): unknown {
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT'))
    return new StartError(`${file} is not a whole SQLite database.`, { cause });
  if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_IOERR'))
    return new StartError(`${file} cannot be read as an SQLite database.`, { cause });
  return cause ?? new StartError(`${file} cannot be read (${code}).`);
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
