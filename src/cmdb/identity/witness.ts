/** What identity goes by: claims as witnesses of things, the items that they stood for, and what people decided. */

import type { ClaimId, IdentifierKind, ItemId } from '../item.ts';
import type { SourceRole } from '../kinds.ts';

/** By what a thing can be found, normalised; what does not identify is left out. */
export interface Marks {
  pve: string | undefined;
  uuid: string | undefined;
  serial: string | undefined;
  macs: readonly string[];
  machineId: string | undefined;
  fqdn: string | undefined;
}

/** A claim, as far as it says which thing it speaks of. */
export interface Witness {
  /** Source and key: what it is called, and the order in which witnesses are heard. */
  ref: string;
  claimId: ClaimId;
  source: string;
  kind: string;
  role: SourceRole;
  /** What runs inside a machine and may say anything of itself: facts, agents. */
  isInside: boolean;
  key: string;
  type: string;
  name: string | undefined;
  site: string;
  marks: Marks;
  /** The values by which it is found, by kind. */
  values: ReadonlyMap<IdentifierKind, readonly string[]>;
  /** Since when it says a value (`kind value`), where that is earlier than this moment. */
  saidSince: ReadonlyMap<string, string>;
  /** The item that it stood for before this moment. */
  item: ItemId | undefined;
  /** The item to which it was tied by id. */
  bound: ItemId | undefined;
  isGone: boolean;
  goneSince: string | undefined;
  isRetired: boolean;
  /** It said something else, or stopped or began speaking, in this moment. */
  isNews: boolean;
  /** It came back in this moment, and had been given up. */
  isBackFromRetirement: boolean;
  firstSaidAt: string;
  heardAt: string;
  /** What it was called and which number it gave before this moment, where it said something else then. */
  before: { name: string | undefined; pve: string | undefined } | undefined;
  /** Since when its guest has the body that it has. */
  bodySince: string | undefined;
  /** Another body under the same number and name, in this moment. */
  isRebuilt: boolean;
  /** Another body and another name under the same number, in this moment: another guest. */
  isAnotherGuest: boolean;
  /** A copy of what a number's former guest said last: it keeps the former item. */
  isGhost: boolean;
  /** The number went to another guest while this was said of the former one: it says nothing until it changes. */
  numberLeftBehind: { pve: string | undefined; name: string | undefined } | undefined;
  /** The item whose machine Terraform replaced by another one under the same address and name. */
  replaces: ItemId | undefined;
  isMuted: boolean;
}

export interface KnownItem {
  id: ItemId;
  createdAt: string;
  /** The hypervisor's claim with which it began. */
  firstAnchor: string | undefined;
  /** When its machine was rebuilt or replaced last. */
  bodySince: string | undefined;
}

export interface World {
  now: string;
  witnesses: readonly Witness[];
  /** The items that stood before this moment. */
  items: ReadonlyMap<ItemId, KnownItem>;
  /** A person said that this witness speaks of that item. */
  same: ReadonlyMap<string, ItemId>;
  /** A person said that these two witnesses do not speak of one thing. */
  apart: ReadonlyMap<string, ReadonlySet<string>>;
  /** Copies that stood beside their originals, in both directions. */
  beside: ReadonlyMap<ItemId, ReadonlySet<ItemId>>;
}

/** A hypervisor's word on a guest of its own, while it reports it: what all others are held against. */
export function isAnchor(witness: Witness): boolean {
  return isHypervisors(witness) && !witness.isGone;
}

export function isHypervisors({ role, isInside }: Witness): boolean {
  return role === 'measures' && !isInside;
}

export function meets<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.some((value) => b.includes(value));
}

/** Both say something, and nothing in common. */
export function differs<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length > 0 && b.length > 0 && !meets(a, b);
}
