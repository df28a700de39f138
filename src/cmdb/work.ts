/** An item while it is worked on: what was loaded of it, what was said, and what is to be stored. */

import type { Trx } from '../store/open.ts';
import type { Difference } from './changes.ts';
import type { Claim, ClaimId, Hold, Item, ItemId } from './item.ts';
import { mergeClaims, type Pin } from './merge.ts';
import type { Heart } from './statement.ts';
import { loadClaims, loadPins } from './store/claims.ts';
import { loadItems } from './store/items.ts';

export interface Work {
  id: ItemId;
  /** As it was loaded; undefined for one that is new. */
  former: Item | undefined;
  item: Item | undefined;
  claims: Claim[];
  pins: Pin[];
  isNew: boolean;
  dirty: boolean;
  dirtyClaims: Set<Claim>;
  knownClaims: Set<ClaimId>;
  takenOff: Item['taken_off'];
  hold: Hold | null;
  deletedAt: string | null;
  /** A measuring source spoke of it in this write. */
  measuredNow: boolean;
  /** Who wrote, for the change. */
  source: string;
  difference: Difference | undefined;
  /** The inventory can show it, even where the merged document is the same: an address that another source outranks. */
  visible: boolean;
}

export async function loadWorks(trx: Trx, ids: readonly ItemId[]): Promise<Map<ItemId, Work>> {
  const distinct = [...new Set(ids)];
  const [items, claims, pins] = [
    await loadItems(trx, distinct),
    await loadClaims(trx, distinct),
    await loadPins(trx, distinct),
  ];
  const works = new Map<ItemId, Work>();
  for (const id of distinct) {
    const item = items.get(id);
    const own = claims.get(id) ?? [];
    works.set(id, {
      id,
      former: item,
      item,
      claims: own,
      pins: pins.get(id) ?? [],
      isNew: !item,
      dirty: !item,
      dirtyClaims: new Set(),
      knownClaims: new Set(own.map((claim) => claim.claim_id)),
      takenOff: item?.taken_off ?? {},
      hold: item?.hold ?? null,
      deletedAt: item?.deleted_at ?? null,
      measuredNow: false,
      source: '',
      difference: undefined,
      visible: false,
    });
  }
  return works;
}

export function documentOf(work: Work, heart: Heart, at: string) {
  const standing = {
    hold: work.hold,
    ansible_name: work.item?.ansible_name ?? null,
    generation: work.item?.generation ?? 1,
    deleted_at: work.deletedAt,
    taken_off: work.takenOff,
    winners: work.item?.winners ?? {},
  };
  return mergeClaims(work.claims, work.pins, standing, heart.ranks, heart.defaultSite, at);
}

/** Its source has no word any more, not even where nobody else has one. */
export function markWithdrawn(work: Work, claim: Claim, by: string, at: string): void {
  claim.gone_since ??= at;
  claim.gone_for_good = 'withdrawn';
  work.visible = true;
  work.dirty = true;
  work.dirtyClaims.add(claim);
  work.source = by;
}

export function markGone(work: Work, claim: Claim, at: string): void {
  claim.gone_since = at;
  work.visible = true;
  work.dirty = true;
  work.dirtyClaims.add(claim);
  if (work.source === '') work.source = claim.source;
}
