/**
 * What a source says of groups, in the same transaction as what it says of items. What a group is, and which of several
 * words of it is in force, is the inventory's matter, and is handed in.
 */

import type { Trx } from '../store/open.ts';
import type { Change, Occasion } from './store/changes.ts';

export interface GroupSaid {
  group_name: string;
  vars?: Record<string, unknown> | undefined;
  children?: string[] | undefined;
}

export interface GroupsTaken {
  changes: Change[];
  /** What was said and is not in force, because another source outranks it. */
  shadowed: { group_name: string; key: 'vars' | 'children'; by: string }[];
}

export interface GroupWords {
  /** Keeps what a source says; where that is all of it, the groups it names no more lose its word. Throws `invalid`. */
  take(
    trx: Trx,
    source: string,
    said: readonly GroupSaid[],
    isWhole: boolean,
    occasion: Occasion,
  ): Promise<GroupsTaken>;
  /** Takes all of its words of groups from a source. */
  withdraw(trx: Trx, source: string, by: string, occasion: Occasion): Promise<Change[]>;
}
