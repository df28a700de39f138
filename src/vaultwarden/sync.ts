/** How old the local copy of a vault may be: the CLI answers from it, and by itself never asks the server. */

import type { Logger } from '../log.ts';
import type { Clock } from '../time.ts';
import { type Bw, sync } from './bw.ts';
import { VaultError } from './vault.ts';

const freshMinutes = 15;
/** A server that keeps its callers waiting is not asked at each reading. */
const patienceMinutes = 1;

export interface Sync {
  /** Throws VaultError where the server was not asked. */
  now(signal?: AbortSignal): Promise<void>;
  /**
   * Unless it was done a moment ago. Where the server does not answer, answers why, in a sentence: what is read then is
   * the local copy. Throws VaultError where nothing can be read anyway.
   */
  ifDue(signal?: AbortSignal): Promise<string | undefined>;
}

export function openSync(bw: Bw, clock: Clock, log: Logger): Sync {
  let due: Temporal.Instant | undefined;
  let trouble: string | undefined;

  async function now(signal?: AbortSignal): Promise<void> {
    await bw.ask(sync, signal);
    due = clock().add({ minutes: freshMinutes });
    if (trouble !== undefined) log.info('the server of the vault answers again');
    trouble = undefined;
  }

  return {
    now,
    async ifDue(signal) {
      if (due && Temporal.Instant.compare(clock(), due) < 0) return trouble;
      try {
        await now(signal);
      } catch (error) {
        if (!isOutage(error)) throw error;
        if (trouble === undefined)
          log.warn({ trouble: error.message }, 'the vault was not synced; secrets are read from its local copy');
        trouble = error.message;
        due = clock().add({ minutes: patienceMinutes });
      }
      return trouble;
    },
  };
}

function isOutage(error: unknown): error is VaultError {
  return error instanceof VaultError && (error.trouble === 'unavailable' || error.trouble === 'timeout');
}
