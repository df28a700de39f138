/** What runs need of the inventory; types only. */

import type { Trx } from '../store/open.ts';
import type { ToldDifference } from './history/blame.ts';

export interface InventoryOfRuns {
  /** What Ansible was told under a version, byte for byte. Throws `not_found`. */
  told(version: string): Promise<Buffer>;
  /** What two versions differ by; null where one of them is not kept. */
  difference(before: string | null, after: string | null): Promise<ToldDifference | null>;
  /** Keeps a version that was served until then. */
  keep(trx: Trx, version: string, until: string): Promise<void>;
}
