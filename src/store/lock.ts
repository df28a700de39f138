/** One process owns the data. The kernel frees the lock when the process ends, however it ends. */

import { statSync } from 'node:fs';
import { DataInUseError } from '../errors.ts';
import { openFile, sqliteCode } from './connection.ts';

export interface Lock {
  release(): void;
}

/** Takes the folder for this process, or answers undefined where another has it all the while. */
export function tryLock(folder: string, waitMilliseconds = 0): Lock | undefined {
  const lock = openFile(`${folder}/lock.db`);
  try {
    lock.pragma(`busy_timeout = ${waitMilliseconds}`);
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (sqliteCode(error) === 'SQLITE_BUSY') return undefined;
    throw error;
  }
  return { release: () => lock.close() };
}

/** Whether a process has the folder now; makes nothing where there is nothing, and throws where one may not look. */
export function isLocked(folder: string): boolean {
  if (!statSync(`${folder}/lock.db`, { throwIfNoEntry: false })) return false;
  const lock = tryLock(folder);
  lock?.release();
  return lock === undefined;
}

/** Long enough for a command that only looks whether the folder is taken. */
const patienceMilliseconds = 300;

export function takeLock(folder: string): Lock {
  const lock = tryLock(folder, patienceMilliseconds);
  if (!lock) {
    throw new DataInUseError(
      `Another Rollcall is using the data in ${folder}. Stop that one first, or choose another folder with --data or ROLLCALL_DATA.`,
    );
  }
  return lock;
}
