/** What is said, before it is known of which item; and what came of it. */

import type { ReadDb } from '../store/open.ts';
import type { ClaimId, Hold, ItemId, Said, SourceRef } from './item.ts';
import type { Ranks } from './kinds.ts';
import type { HostNames } from './names.ts';
import type { Patch } from './said.ts';

/** What the heart goes by. */
export interface Heart {
  /** Short names stand for these at a site. */
  domainsOf(transaction: ReadDb): Promise<(site: string) => readonly string[]>;
  ranks: Ranks;
  defaultSite: string;
  names: HostNames;
}

/** What one source says of one thing, found by its own key, by an id, or by what it says. */
export interface Statement {
  /** Of the input that it came in; an input may be two statements, the second about the item of the first. */
  index: number;
  source: SourceRef;
  kind: string;
  key: string | null;
  target: ItemId | null;
  companion: boolean;
  patch: Patch;
  /** The patch as what is said of a thing that is not known yet. */
  said: Said;
  /** The whole observation: what it does not speak of is no longer said. */
  whole: boolean;
  /** A registration lifts a retirement. */
  registers: boolean;
  hold: Hold | null | undefined;
  /** The hash of what was heard. */
  heard: string;
  /** When it was seen, where that is not now; one from the future counts as now. */
  seenAt?: string | undefined;
  /** The id that the inventory gave the host of which this speaks. */
  served?: ItemId | undefined;
  /** When the reading began that may lift a retirement; null where it may not. Without it, now. */
  begunAt?: string | null;
  /** An item that was read, edited and written back whole. */
  isReadBack?: boolean;
  /** The power was not read: what was said of it stands. */
  keepsPower?: boolean;
}

/** The reason of a hold that came of writing `ci_status: maintenance`. */
export const heldByStatus = 'ci_status was set to maintenance';

export type Outcome =
  | { index: number; ci_id: ItemId; outcome: 'created' | 'updated' | 'unchanged' }
  /** It may speak of several: the claim is kept, and a person has to say. */
  | { index: number; ci_id: null; outcome: 'waiting'; candidates: readonly ClaimId[] };
