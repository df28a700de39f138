/**
 * Moves what was written from SQLite's log into the database: between writes, and not at the end of one that
 * somebody waits for. Until then it is in the log, as safe, and readers see it.
 */

import type { Logger } from '../log.ts';
import type { Raw } from './connection.ts';

export interface Checkpoints {
  /** Something was written. */
  note(): void;
  stop(): void;
}

const afterMilliseconds = 100;
/** Pages of the log from which on it is worth the trouble; SQLite's own measure. */
const manyPages = 1000;
/** Where writes never pause, SQLite does it by itself from here on. */
const mostPages = 16_000;

export function openCheckpoints(raw: Raw, isIdle: () => boolean, log: Logger): Checkpoints {
  let timer: NodeJS.Timeout | undefined;
  raw.pragma(`wal_autocheckpoint = ${mostPages}`);

  function run(): void {
    timer = undefined;
    // The write that is under way notes itself when it is done.
    if (!isIdle()) return;
    try {
      raw.pragma('wal_checkpoint(PASSIVE)');
    } catch (error) {
      log.warn({ err: error }, 'the log of the database could not be moved into it yet');
    }
  }

  return {
    note() {
      if (timer) return;
      const [state] = raw.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[];
      if (state && state.log - state.checkpointed >= manyPages) timer = setTimeout(run, afterMilliseconds).unref();
    },
    stop: () => clearTimeout(timer),
  };
}
