/**
 * Which guest is this? Hypervisors' rows alone, against what stood before: nobody else's word matters here. A number
 * (cluster/vmid) names one guest of its cluster; a guest's body is its UUID or, where one side has none, its MACs.
 * A new number with the body of a guest that is gone is that one, moved: the gone lends its marks while nothing living
 * has its item (together.ts). With the body of one that is still there it is a copy, and both keep what they have.
 */

import type { Things } from './things.ts';
import { itemKey } from './things.ts';
import { isAnchor, isHypervisors, type Marks, meets, type Witness, type World } from './witness.ts';

export type Body = 'same' | 'rebuilt' | 'another';

/** What a hypervisor says under one key, against what it said before: another body is a rebuild, under another name another guest. */
export function bodyOf(
  before: { name: string | undefined; marks: Marks } | undefined,
  now: { name: string | undefined; marks: Marks },
): Body {
  if (!before || before.name === undefined || isSameBody(before.marks, now.marks)) return 'same';
  return before.name === now.name ? 'rebuilt' : 'another';
}

/** Where there is nothing to compare, it is the same. */
function isSameBody(a: Marks, b: Marks): boolean {
  if (a.uuid !== undefined && b.uuid !== undefined) return a.uuid === b.uuid;
  return a.macs.length === 0 || b.macs.length === 0 || meets(a.macs, b.macs);
}

/** Guests that go on being reported keep their items; answers those that were rebuilt under another key. */
export function keepGuests(world: World, things: Things): Set<Witness> {
  const anchors = world.witnesses.filter(isAnchor);
  for (const anchor of [...anchors].sort(byClaimToItem(world))) {
    const { item } = anchor;
    if (item === undefined || anchor.isAnotherGuest || !things.has(itemKey(item))) continue;
    things.joinUnless(itemKey(item), anchor.ref, 'its source goes on reporting it', 'key', {
      isRebuilt: true,
      isRetyped: true,
    });
  }
  const retyped = new Set<Witness>();
  for (const anchor of anchors) {
    if (things.of(anchor.ref).items.length > 0) continue;
    const former = world.witnesses.find((one) => isFormerOf(one, anchor));
    if (!former) continue;
    const leeway = { isRebuilt: true, isRetyped: true };
    if (!things.joinUnless(former.ref, anchor.ref, 'same number and name', 'key', leeway, anchor.marks.pve)) continue;
    // What was said of the former body stays, as after any rebuild.
    anchor.bodySince = world.now;
    anchor.isRebuilt = true;
    retyped.add(anchor);
  }
  return retyped;
}

/** The same number and name under another key that is gone: a VM was replaced by a container. */
function isFormerOf(one: Witness, anchor: Witness): boolean {
  return (
    one.isGone &&
    !one.isGhost &&
    isHypervisors(one) &&
    one.marks.pve !== undefined &&
    one.marks.pve === anchor.marks.pve &&
    one.name === anchor.name &&
    one.ref !== anchor.ref
  );
}

/** Who comes first has the item: one that was never given up, the one with which it began, the eldest. */
function byClaimToItem(world: World) {
  const isLate = ({ isBackFromRetirement }: Witness) => (isBackFromRetirement ? 1 : 0);
  const isLater = ({ item, ref }: Witness) => (item && world.items.get(item)?.firstAnchor === ref ? 0 : 1);
  return (a: Witness, b: Witness) =>
    isLate(a) - isLate(b) ||
    isLater(a) - isLater(b) ||
    (a.firstSaidAt < b.firstSaidAt ? -1 : a.firstSaidAt > b.firstSaidAt ? 1 : 0) ||
    natural(a.ref, b.ref);
}

const collator = new Intl.Collator('en', { numeric: true });
export const natural = (a: string, b: string): number => collator.compare(a, b);
