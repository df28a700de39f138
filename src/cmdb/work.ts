/** An item while it is worked on: what was loaded of it, what was said, and what is to be stored. */

import type { ReadDb } from '../store/open.ts';
import type { Difference } from './changes.ts';
import {
  type Claim,
  type GivenName,
  type HandedDown,
  type Hold,
  type Item,
  type ItemId,
  isOfItem,
  type TakenOff,
} from './item.ts';
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
  /** Made or brought back by a person in this write: it is a tie although it is new. */
  isMadeByPerson: boolean;
  /** A source that has a key for it said no name: it is called by the key. */
  mayBeNameless: boolean;
  dirty: boolean;
  dirtyClaims: Set<Claim>;
  takenOff: TakenOff;
  handedDown: HandedDown;
  hold: Hold | null;
  deletedAt: string | null;
  generation: number;
  rebuiltAt: string | null;
  firstAnchor: string | null;
  /** Items that were merged into this one in this write. */
  inheritedFrom: ItemId[];
  /** Pins that went back with a split. */
  unpinned: string[];
  /** A measuring source spoke of it in this write. */
  measuredNow: boolean;
  /** Who wrote, for the change. */
  source: string;
  difference: Difference | undefined;
  /** The inventory can show it, even where the merged document is the same: an address that another source outranks. */
  visible: boolean;
}

export async function loadWorks(db: ReadDb, ids: readonly ItemId[]): Promise<Map<ItemId, Work>> {
  const distinct = [...new Set(ids)];
  const [items, claims, pins] = [
    await loadItems(db, distinct),
    await loadClaims(db, distinct),
    await loadPins(db, distinct),
  ];
  const works = new Map<ItemId, Work>();
  for (const id of distinct) {
    const item = items.get(id);
    works.set(id, item ? workOf(item, claims.get(id) ?? [], pins.get(id) ?? []) : newWork(id));
  }
  return works;
}

function workOf(item: Item, claims: Claim[], pins: Pin[]): Work {
  return {
    ...newWork(item.ci_id),
    former: item,
    item,
    claims,
    pins,
    isNew: false,
    dirty: false,
    takenOff: item.taken_off,
    handedDown: item.handed_down,
    hold: item.hold,
    deletedAt: item.deleted_at,
    generation: item.generation,
    rebuiltAt: item.body_since,
    firstAnchor: item.first_anchor,
  };
}

export function newWork(id: ItemId): Work {
  return {
    id,
    former: undefined,
    item: undefined,
    claims: [],
    pins: [],
    isNew: true,
    isMadeByPerson: false,
    mayBeNameless: false,
    dirty: true,
    dirtyClaims: new Set(),
    takenOff: {},
    handedDown: {},
    hold: null,
    deletedAt: null,
    generation: 1,
    rebuiltAt: null,
    firstAnchor: null,
    inheritedFrom: [],
    unpinned: [],
    measuredNow: false,
    source: '',
    difference: undefined,
    visible: false,
  };
}

export function documentOf(work: Work, heart: Heart, at: string) {
  const standing = {
    hold: work.hold,
    ansible_name: work.item?.ansible_name ?? null,
    generation: work.generation,
    merged_into: work.item?.merged_into ?? null,
    deleted_at: work.deletedAt,
    taken_off: work.takenOff,
    handed_down: work.handedDown,
    winners: work.item?.winners ?? {},
  };
  return mergeClaims(work.claims, work.pins, standing, heart.ranks, heart.defaultSite, at);
}

/** Its source has no word any more, not even where nobody else has one. */
export function markWithdrawn(claim: Claim, at: string): void {
  claim.gone_since ??= at;
  claim.gone_for_good = 'withdrawn';
}

export function markGone(claim: Claim, at: string): void {
  claim.gone_since = at;
  claim.gone_passes = 1;
}

/** It lost a claim's word, by the source itself or by a person. */
export function lose(work: Work, claim: Claim, by: string = claim.source): void {
  work.visible = true;
  if (work.source === '') work.source = by;
  touch(work, claim);
}

/**
 * What people gave one item goes on with the other, into which it was merged; remembered there, so that a split gives
 * it back.
 */
export function inherit(work: Work, other: Work): void {
  if (!other.item) return;
  const own = nameOfWork(work);
  const theirs = nameOfWork(other);
  const pinned = new Set(work.pins.map(({ attribute }) => attribute));
  const pins = other.pins.filter(({ attribute }) => !pinned.has(attribute));
  const tags = (other.takenOff.tags ?? []).filter((tag) => !work.takenOff.tags?.includes(tag));
  const groups = (other.takenOff.groups ?? []).filter((group) => !work.takenOff.groups?.includes(group));
  const { parted, ...handedDown } = other.handedDown;
  other.handedDown = {
    ...handedDown,
    merged: {
      pins: pins.map(({ attribute }) => attribute),
      hold: work.hold === null && other.hold !== null,
      tags,
      groups,
      bound: other.claims.filter((claim) => isOfItem(claim)).map(({ claim_id }) => claim_id),
      name: theirs,
      survivorsName: own,
      ...(work.item ? { survivorsCiName: work.item.ci_name } : {}),
    },
  };
  work.pins = [...work.pins, ...pins];
  work.inheritedFrom.push(other.id);
  work.hold ??= other.hold;
  work.takenOff = withTakenOff(work.takenOff, tags, groups);
  const name = nameAfter(work, own, theirs, parted);
  if (name && work.item) work.item = { ...work.item, ...name };
  other.item = { ...other.item, ...noName };
  work.dirty = true;
}

/** Once names were given: which came with a merge or a split, so that the other way round gives back the former ones. */
export function noteNames(work: Work, works: ReadonlyMap<ItemId, Work>): void {
  const { item } = work;
  const parted = work.isMadeByPerson ? item?.handed_down.parted : undefined;
  if (item && parted) item.handed_down = { ...item.handed_down, parted: { ...parted, given: nameOfWork(work) } };
  for (const id of work.inheritedFrom) {
    const { item: other } = works.get(id) ?? {};
    const merged = other?.handed_down.merged;
    if (other && merged)
      other.handed_down = { ...other.handed_down, merged: { ...merged, nameAfter: nameOfWork(work) } };
  }
}

/** The name that it takes on. What was split off from it gives back the name that went with it then, and no other. */
function nameAfter(work: Work, own: GivenName, theirs: GivenName, parted: HandedDown['parted']): GivenName | undefined {
  if (theirs.ansible_name === null) return undefined;
  if (parted?.from === work.id && parted.given?.ansible_name === theirs.ansible_name) {
    if (parted.name.ansible_name === theirs.ansible_name) return parted.name;
    // One that had a name, and was left without by the split, is named anew, from theirs.
    if (own.ansible_name !== null || parted.name.ansible_name === null) return undefined;
  }
  const isAsked = own.ansible_name_by === 'auto' && isChosen(theirs);
  return own.ansible_name === null || isAsked ? takenOn(own, theirs) : undefined;
}

/** People gave it, rather than asked for another one that was taken. */
function isChosen({ ansible_name, ansible_name_by: by, ansible_name_from: asked }: GivenName): boolean {
  return by === 'people' && (asked === null || asked === ansible_name);
}

/** A name that goes from one item to another, which what people asked for of this one outlasts. */
export function takenOn(own: GivenName, theirs: GivenName): GivenName {
  const asked = own.ansible_name_by === 'people' ? own.ansible_name_from : null;
  return theirs.ansible_name_by === 'people' ? { ...theirs, ansible_name_from: asked } : theirs;
}

export const noName: GivenName = { ansible_name: null, ansible_name_by: null, ansible_name_from: null };

export function nameOfWork({ item }: Work): GivenName {
  if (!item) return noName;
  const { ansible_name, ansible_name_by, ansible_name_from } = item;
  return { ansible_name, ansible_name_by, ansible_name_from };
}

function withTakenOff(former: TakenOff, tags: readonly string[], groups: readonly string[]): TakenOff {
  const all = { tags: [...(former.tags ?? []), ...tags].sort(), groups: [...(former.groups ?? []), ...groups].sort() };
  return {
    ...(all.tags.length > 0 ? { tags: all.tags } : {}),
    ...(all.groups.length > 0 ? { groups: all.groups } : {}),
  };
}

/** What a held reading said of its power counts now. */
export function stop(work: Work, claim: Claim, at: string): void {
  claim.said = { ...claim.said, power: 'stopped' };
  claim.since = { ...claim.since, power: at };
  if (work.source === '') work.source = claim.source;
  touch(work, claim);
}

function touch(work: Work, claim: Claim): void {
  work.dirty = true;
  work.dirtyClaims.add(claim);
}

/**
 * What went to an item when another was merged into it goes back with that one, as far as it is still there; a name
 * that a third one bears by now does not.
 */
export function giveBack(work: Work, target: Work, isTaken: (name: string | null) => boolean): void {
  if (!target.item) return;
  const { merged, ...handedDown } = target.handedDown;
  target.item = { ...target.item, merged_into: null, merged_at: null, merged_by: null };
  target.dirty = true;
  if (!merged) return;
  target.handedDown = handedDown;
  const has = (list: readonly string[]) => (value: string) => !list.includes(value);
  // What was taken off meanwhile, or set anew, stays so.
  const pinned = new Map(work.pins.map((pin) => [pin.attribute, pin]));
  const isTheirs = ({ attribute }: Pin) => merged.pins.includes(attribute) && isSamePin(pinned, target.pins, attribute);
  work.unpinned = work.pins.filter(isTheirs).map(({ attribute }) => attribute);
  target.unpinned = target.pins.flatMap(({ attribute }) => (pinned.has(attribute) ? [] : [attribute]));
  work.pins = work.pins.filter((pin) => !isTheirs(pin));
  target.pins = target.pins.filter(({ attribute }) => pinned.has(attribute));
  // What was released meanwhile is held no more.
  if (work.hold === null) target.hold = null;
  else if (merged.hold && isSameHold(work.hold, target.hold)) work.hold = null;
  work.takenOff = withTakenOff(
    {},
    (work.takenOff.tags ?? []).filter(has(merged.tags)),
    (work.takenOff.groups ?? []).filter(has(merged.groups)),
  );
  const current = nameOfWork(work);
  const { name, survivorsName, survivorsCiName, nameAfter } = merged;
  if (work.item && survivorsCiName !== undefined) work.item = { ...work.item, ci_name: survivorsCiName };
  const cameWithIt = [name.ansible_name, nameAfter?.ansible_name].includes(current.ansible_name);
  if (work.item && cameWithIt && !isTaken(survivorsName.ansible_name)) work.item = { ...work.item, ...survivorsName };
  if (nameOfWork(work).ansible_name !== name.ansible_name && !isTaken(name.ansible_name))
    target.item = { ...target.item, ...name };
  work.dirty = true;
}

function isSameHold(a: Hold, b: Hold | null): boolean {
  return a.reason === b?.reason && a.by === b.by && a.until === b.until;
}

function isSamePin(pinned: ReadonlyMap<string, Pin>, theirs: readonly Pin[], attribute: string): boolean {
  const own = theirs.find((pin) => pin.attribute === attribute);
  return own !== undefined && JSON.stringify(own) === JSON.stringify(pinned.get(attribute));
}
