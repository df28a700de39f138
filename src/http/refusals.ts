/** Refused writes are kept: hooks call without looking at the answer, and what they lose must be seen. */

import type { Logger } from '../log.ts';
import type { Store } from '../store/open.ts';
import { type Refusal, storeRefusals } from './store.ts';

export interface Refusals {
  keep(refusal: Refusal): void;
  /** Waits until all that was kept so far is on disk, or cannot be brought there now. */
  flush(): Promise<void>;
  /** The same, for the last time. */
  close(): Promise<void>;
}

const mostUnwritten = 1000;
const againMilliseconds = 1000;

/** Gathers refusals while a write is under way, so that a flood of them is a few writes. */
export function openRefusals(store: Store, log: Logger): Refusals {
  let unwritten: Refusal[] = [];
  let dropped = 0;
  let writing: Promise<void> | undefined;
  let again: NodeJS.Timeout | undefined;

  async function writeAll(): Promise<void> {
    while (unwritten.length > 0) {
      const batch = unwritten;
      unwritten = [];
      try {
        await store.write((trx) => storeRefusals(trx, batch));
        if (dropped > 0) log.error({ refusals: dropped }, 'refused writes could not be kept, and are lost');
        dropped = 0;
      } catch (error) {
        unwritten = [...batch, ...unwritten];
        dropped += unwritten.splice(mostUnwritten).length;
        log.warn({ err: error, refusals: unwritten.length }, 'refused writes could not be kept yet');
        break;
      }
    }
    // In the same turn as the last look at what is unwritten, so that none is kept in between and left.
    writing = undefined;
    if (unwritten.length > 0) again ??= setTimeout(start, againMilliseconds).unref();
  }
  function start(): void {
    clearTimeout(again);
    again = undefined;
    if (unwritten.length > 0) writing ??= writeAll();
  }
  async function flush(): Promise<void> {
    start();
    await writing;
  }

  return {
    keep(refusal) {
      if (unwritten.length < mostUnwritten) unwritten.push(refusal);
      else dropped += 1;
      if (!again) start();
    },
    flush,
    async close() {
      await flush();
      clearTimeout(again);
      if (unwritten.length > 0) log.error({ refusals: unwritten.length }, 'refused writes are lost');
    },
  };
}
