/** Refused writes are kept: hooks call without looking at the answer, and what they lose must be seen. */

import type { Logger } from '../log.ts';
import type { Store } from '../store/open.ts';
import { type Refusal, storeRefusals } from './store.ts';

export interface Refusals {
  keep(refusal: Refusal): void;
  /** All that was kept so far is on disk. */
  flush(): Promise<void>;
}

const mostUnwritten = 1000;
const againMilliseconds = 1000;

/** Gathers refusals while a write is under way, so that a flood of them is a few writes. */
export function openRefusals(store: Store, log: Logger): Refusals {
  let unwritten: Refusal[] = [];
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (unwritten.length > 0) {
      const batch = unwritten;
      unwritten = [];
      try {
        await store.write((trx) => storeRefusals(trx, batch));
      } catch (error) {
        unwritten = [...batch, ...unwritten].slice(0, mostUnwritten);
        log.warn({ err: error, refusals: unwritten.length }, 'refused writes could not be kept yet');
        setTimeout(start, againMilliseconds).unref();
        return;
      }
    }
  }
  function start(): void {
    writing ??= writeAll().finally(() => {
      writing = undefined;
    });
  }

  return {
    keep(refusal) {
      if (unwritten.length < mostUnwritten) unwritten.push(refusal);
      start();
    },
    flush: async () => {
      await writing;
    },
  };
}
