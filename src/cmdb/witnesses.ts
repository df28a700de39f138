/** The claims and items on the desk as identity sees them, in parts that have nothing in common. Pure. */

import type { Desk } from './desk.ts';
import { identifiersNowAndBefore, identify } from './desk.ts';
import { nameOf } from './identity/marks.ts';
import type { KnownItem, Witness, World } from './identity/witness.ts';
import { type Claim, type ClaimId, type IdentifierKind, type ItemId, isOfItem, refOf } from './item.ts';
import type { Heart } from './statement.ts';

/** A part of the desk that can be decided by itself. */
export interface Part {
  claims: Claim[];
  items: ItemId[];
}

/** Claims that share an identifier, an item or a verdict are of one part; so are the items that they stand for. */
export function* partsOf(desk: Desk, heart: Heart, claims: Iterable<Claim>): Generator<Part> {
  const parent = new Map<string, string>();
  const find = (key: string): string => {
    let root = key;
    for (let above = parent.get(root); above !== undefined && above !== root; above = parent.get(root)) root = above;
    return root;
  };
  const link = (a: string, b: string) => {
    const [x, y] = [find(a), find(b)];
    if (x !== y) parent.set(y, x);
  };
  const list = [...claims];
  for (const claim of list) {
    for (const id of itemsOf(desk, claim)) link(claim.claim_id, id);
    for (const { kind, value } of identifiersNowAndBefore(desk, claim, heart))
      if (kind !== 'guest') link(claim.claim_id, `${kind} ${value}`);
  }
  const parts = new Map<string, Part>();
  for (const claim of list) {
    const root = find(claim.claim_id);
    const part = parts.get(root);
    if (part) part.claims.push(claim);
    else parts.set(root, { claims: [claim], items: [] });
  }
  for (const id of desk.works.keys()) parts.get(find(id))?.items.push(id);
  yield* parts.values();
}

/** Every item that has to do with a claim: where it is, was before this moment, is bound to, or was said to be. */
function itemsOf(desk: Desk, claim: Claim): ItemId[] {
  const direct = [
    claim.ci_id,
    claim.bound_ci_id,
    claim.settled_at === desk.at ? claim.settled_ci_id : null,
    claim.replaces_ci_id,
    desk.verdicts.same.get(claim.claim_id),
  ];
  return direct.flatMap((id) => (id ? [id, survivorOf(desk, id, false) as ItemId] : []));
}

/** The item that answers for an id. `settled`: as it was before this moment, unless a person merged it. */
export function survivorOf(desk: Desk, id: ItemId | null | undefined, settled: boolean): ItemId | undefined {
  let current = id ?? undefined;
  while (current !== undefined) {
    const item = desk.works.get(current)?.item;
    if (!item?.merged_into || (settled && item.merged_at === desk.at && item.merged_by === null)) return current;
    current = item.merged_into;
  }
  return undefined;
}

/** Items that somebody meant by their id: they are known, though they were made in this very moment. */
function addressedItems(desk: Desk, part: Part): Set<ItemId> {
  const addressed = new Set<ItemId>();
  for (const { bound_ci_id, claim_id } of part.claims)
    for (const id of [bound_ci_id, desk.verdicts.same.get(claim_id)]) {
      const item = survivorOf(desk, id, true);
      const made = item && desk.works.get(item);
      if (made && !made.isNew && (made.item?.created_at ?? '') >= desk.at) addressed.add(made.id);
    }
  return addressed;
}

/** The item of a claim before this moment. */
function settledItem(desk: Desk, claim: Claim, addressed: ReadonlySet<ItemId>): ItemId | undefined {
  if (claim.ci_id && claim.settled_at === desk.at && claim.settled_ci_id === null && addressed.has(claim.ci_id))
    return claim.ci_id;
  const id = survivorOf(desk, claim.settled_at === desk.at ? claim.settled_ci_id : claim.ci_id, true);
  const work = id && desk.works.get(id);
  return work?.isNew && !work.isMadeByPerson ? undefined : id;
}

export function worldOf(desk: Desk, part: Part, heart: Heart): World {
  const addressed = addressedItems(desk, part);
  const reused = reusedNow(desk, part);
  const witnesses = part.claims.map((claim) => witnessOf(desk, claim, heart, addressed, reused));
  witnesses.sort((a, b) => (a.ref < b.ref ? -1 : 1));
  // What was decided of a number's former guest is of that one, and not of its next.
  const refs = new Map(witnesses.map(({ claimId, ref }) => [claimId, ref]));
  for (const [claimId, ghost] of reused) refs.set(claimId, refs.get(ghost) as string);
  const same = new Map<string, ItemId>();
  for (const [claimId, id] of desk.verdicts.same) {
    const [ref, item] = [refs.get(claimId), survivorOf(desk, id, true)];
    if (ref !== undefined && item !== undefined) same.set(ref, item);
  }
  const items = new Map<ItemId, KnownItem>();
  const wanted = witnesses.flatMap(({ item, bound }) => [item, bound]);
  for (const id of [...wanted, ...same.values()]) {
    const item = id && knownItem(desk, id, addressed.has(id));
    if (item) items.set(item.id, item);
  }
  return {
    now: desk.at,
    witnesses,
    items,
    same,
    apart: pairs(desk.verdicts.apart, (id) => refs.get(id)),
    beside: pairs(desk.verdicts.beside, (id) => survivorOf(desk, id, true)),
  };
}

/** Claims whose number went to another guest in this moment, with what is kept of what the former one said last. */
function reusedNow({ at }: Desk, { claims }: Part): Map<ClaimId, ClaimId> {
  const reused = new Map<ClaimId, ClaimId>();
  for (const { claim_id, ghost_of, gone_since } of claims)
    if (ghost_of !== null && gone_since === at) reused.set(ghost_of, claim_id);
  return reused;
}

/** An item that was made in this moment is no tie yet, unless a person made it. */
function knownItem(desk: Desk, id: ItemId, isAddressed: boolean): KnownItem | undefined {
  const work = desk.works.get(id);
  const { item } = work ?? {};
  const isTie = work?.isMadeByPerson || (item && (item.created_at < desk.at || isAddressed));
  if (!work || !isTie) return undefined;
  const bodySince = item?.body_since ?? undefined;
  return { id, createdAt: item?.created_at ?? desk.at, firstAnchor: work.firstAnchor ?? undefined, bodySince };
}

function pairs<Id, Key>(list: readonly [Id, Id][], keyOf: (id: Id) => Key | undefined): Map<Key, Set<Key>> {
  const found = new Map<Key, Set<Key>>();
  for (const pair of list) {
    const [a, b] = pair.map(keyOf);
    if (a === undefined || b === undefined) continue;
    found.set(a, (found.get(a) ?? new Set()).add(b));
    found.set(b, (found.get(b) ?? new Set()).add(a));
  }
  return found;
}

function witnessOf(
  desk: Desk,
  claim: Claim,
  heart: Heart,
  addressed: ReadonlySet<ItemId>,
  reused: ReadonlyMap<ClaimId, ClaimId>,
): Witness {
  const identifiers = identify(desk, claim, heart);
  const values = new Map<IdentifierKind, string[]>();
  for (const { kind, value } of identifiers) {
    const list = values.get(kind);
    if (list) list.push(value);
    else values.set(kind, [value]);
  }
  const isNews = desk.before.has(claim.claim_id) || claim.gone_since === desk.at || claim.said_at === desk.at;
  const before = desk.before.get(claim.claim_id);
  return {
    ref: refOf(claim),
    claimId: claim.claim_id,
    source: claim.source,
    kind: claim.kind,
    role: heart.ranks.roleOf(claim.kind),
    isInside: heart.ranks.isInside(claim.kind),
    key: isOfItem(claim) ? '' : claim.native_key,
    type: claim.said.ci_type ?? 'machine',
    name: nameOf(claim.said.ci_name),
    site: claim.said.site_id ?? heart.defaultSite,
    marks: desk.marks.get(claim.claim_id) as Witness['marks'],
    values,
    saidSince: saidSince(desk, claim, identifiers),
    item: settledItem(desk, claim, addressed),
    bound: survivorOf(desk, claim.bound_ci_id, true),
    isGone: claim.gone_since !== null,
    goneSince: claim.gone_since ?? undefined,
    isRetired: claim.gone_since !== null && claim.gone_for_good !== null,
    isNews,
    isBackFromRetirement: desk.backFromRetirement.has(claim.claim_id),
    firstSaidAt: claim.first_said_at,
    heardAt: claim.heard_at,
    before: before && { name: before.name, pve: before.marks.pve },
    bodySince: claim.body_since ?? undefined,
    isRebuilt: claim.rebuilt_at === desk.at,
    isAnotherGuest: reused.has(claim.claim_id),
    isGhost: claim.ghost_of !== null,
    numberLeftBehind: claim.number_left_behind
      ? { pve: claim.number_left_behind.pve, name: claim.number_left_behind.name ?? undefined }
      : undefined,
    replaces: survivorOf(desk, claim.replaces_ci_id, true),
    isMuted: claim.muted,
  };
}

function saidSince(
  desk: Desk,
  { claim_id }: { claim_id: ClaimId },
  identifiers: readonly { kind: string; value: string }[],
): Map<string, string> {
  const stored = desk.saidSince.get(claim_id);
  return new Map(
    identifiers.map(({ kind, value }) => [`${kind} ${value}`, stored?.get(`${kind} ${value}`) ?? desk.at]),
  );
}
