/**
 * All that a write has to know of identity, laid out: the claims that were touched, whoever shares an identifier, an
 * item or a verdict with one of them, and the items that they stand for. Loaded in rounds of few statements each,
 * however many claims there are.
 */

import type { ReadDb } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import type { Clusters } from './clusters.ts';
import type { DomainsOf, Identifier } from './identity/marks.ts';
import { identifiersOf, marksOf } from './identity/marks.ts';
import type { Marks } from './identity/witness.ts';
import type { Claim, ClaimId, IdentifierKind, ItemId, Said } from './item.ts';
import type { Heart } from './statement.ts';
import { loadWaitingClaims } from './store/claims.ts';
import {
  claimsByValues,
  claimsTiedTo,
  loadSaidSince,
  loadVerdicts,
  type Place,
  type Verdicts,
} from './store/identity.ts';
import { loadWorks, type Work } from './work.ts';

export interface Desk {
  at: string;
  works: Map<ItemId, Work>;
  /** Claims that have no item. */
  waiting: Map<ClaimId, Claim>;
  /** What was said before this write by claims that say something else now, or that are new. */
  before: Map<ClaimId, Before | undefined>;
  /** Claims that came back in this write and had been given up. */
  backFromRetirement: Set<ClaimId>;
  heard: Set<ClaimId>;
  /** Claims that what is undone made heard: as of then they were heard when they were before. */
  heardBefore: Map<ClaimId, string>;
  /** In which reading; null outside of one. */
  passId: string | null;
  /** Where an act is undone: when it was done. What nothing happened to since stays where it is put back. */
  settledSince: string | undefined;
  dirtyWaiting: Set<Claim>;
  marks: Map<ClaimId, Marks>;
  identifiers: Map<ClaimId, readonly Identifier[]>;
  saidSince: Map<ClaimId, Map<string, string>>;
  verdicts: Verdicts;
  clusters: Clusters;
  domainsOf: DomainsOf;
}

/** What identity needs of what a claim said before. */
export interface Before {
  name: string | undefined;
  marks: Marks;
  identifiers: readonly Identifier[];
}

export function newDesk(at: string, passId: string | null, clusters: Clusters, domainsOf: DomainsOf): Desk {
  return {
    at,
    passId,
    settledSince: undefined,
    works: new Map(),
    waiting: new Map(),
    before: new Map(),
    backFromRetirement: new Set(),
    heard: new Set(),
    heardBefore: new Map(),
    dirtyWaiting: new Set(),
    marks: new Map(),
    identifiers: new Map(),
    saidSince: new Map(),
    verdicts: { same: new Map(), apart: [], beside: [] },
    clusters,
    domainsOf,
  };
}

/** What identifies a claim, with its number as its cluster gives it. Worked out once in a write. */
export function identify(desk: Desk, claim: Claim, heart: Heart): readonly Identifier[] {
  let identifiers = desk.identifiers.get(claim.claim_id);
  if (!identifiers) {
    const marked = markedBy(desk, claim.said, heart);
    desk.marks.set(claim.claim_id, marked.marks);
    identifiers = marked.identifiers;
    desk.identifiers.set(claim.claim_id, identifiers);
  }
  return identifiers;
}

/** With what it said before this write: who shared that with it may stand otherwise now. */
export function identifiersNowAndBefore(desk: Desk, claim: Claim, heart: Heart): readonly Identifier[] {
  const former = desk.before.get(claim.claim_id)?.identifiers;
  const said = identify(desk, claim, heart);
  return former ? [...said, ...former] : said;
}

/** It is to be stored, and what it is on to be merged anew. */
export function dirty(desk: Desk, claim: Claim): void {
  const work = claim.ci_id ? desk.works.get(claim.ci_id) : undefined;
  if (!work) {
    desk.dirtyWaiting.add(claim);
    return;
  }
  desk.dirtyWaiting.delete(claim);
  work.dirtyClaims.add(claim);
  work.dirty = true;
}

export function forget(desk: Desk, claim: Claim): void {
  desk.identifiers.delete(claim.claim_id);
  desk.marks.delete(claim.claim_id);
}

/** What identifies a thing of which this is said. */
export function markedBy(desk: Desk, said: Said, heart: Heart): Pick<Before, 'marks' | 'identifiers'> {
  const own = marksOf(said);
  const pve = own.pve ?? desk.clusters.numberOf(said, heart.defaultSite);
  const marks = pve === own.pve ? own : { ...own, pve };
  return { marks, identifiers: identifiersOf(said, heart.defaultSite, desk.domainsOf, marks) };
}

/** The claims on the desk: of items, and waiting. */
export function* claimsOn(desk: Desk): Generator<Claim> {
  for (const work of desk.works.values()) yield* work.claims;
  yield* desk.waiting.values();
}

/**
 * Loads whoever is connected with the seeds, which are on the desk already. Answers the seeds that have something in
 * common with anything: the others are new, and have the item that was made for them.
 */
export async function gather(db: ReadDb, heart: Heart, desk: Desk, seeds: readonly Claim[]): Promise<Claim[]> {
  const asked: Asked = { values: new Map(), shared: new Set(), claims: new Set(), items: new Set() };
  let fresh = seeds;
  while (fresh.length > 0) {
    for (const claim of fresh) asked.claims.add(claim.claim_id);
    const values = newValues(desk, heart, fresh, asked);
    const stored = fresh.filter((claim) => !isNew(desk, claim)).map(({ claim_id }) => claim_id);
    const ids = newItems(desk, fresh, asked.items);
    const verdicts = stored.length > 0 || ids.length > 0 ? await loadVerdicts(db, stored, ids) : undefined;
    if (verdicts) addVerdicts(desk, verdicts);
    if (stored.length > 0) for (const [id, since] of await loadSaidSince(db, stored)) desk.saidSince.set(id, since);
    const bearers = await claimsByValues(db, values);
    for (const { kind, value } of bearers) asked.shared.add(`${kind} ${value}`);
    const places = [...bearers, ...(await claimsTiedTo(db, ids))];
    await place(db, desk, places, [...ids, ...(verdicts?.same.values() ?? []), ...(verdicts?.beside.flat() ?? [])]);
    await turn();
    fresh = [...connected(desk, [...ids, ...places.flatMap(({ ci_id }) => ci_id ?? [])], places)].filter(
      (claim) => !asked.claims.has(claim.claim_id),
    );
  }
  if (asked.shared.size === 0) return seeds.filter((claim) => !isAlone(desk, claim));
  const hasCompany = ({ kind, value }: Identifier) => asked.shared.has(`${kind} ${value}`);
  return seeds.filter((claim) => !isAlone(desk, claim) || identify(desk, claim, heart).some(hasCompany));
}

interface Asked {
  /** Who was the first to bear a value. */
  values: Map<string, ClaimId>;
  /** Values that more than one bears. */
  shared: Set<string>;
  claims: Set<ClaimId>;
  items: Set<ItemId>;
}

/** A new claim on an item that was made for it alone. */
function isAlone(desk: Desk, claim: Claim): boolean {
  const work = claim.ci_id ? desk.works.get(claim.ci_id) : undefined;
  return work?.isNew === true && work.claims.length === 1 && claim.bound_ci_id === null && isNew(desk, claim);
}

/** It was made in this write. */
export function isNew(desk: Desk, claim: Claim): boolean {
  return desk.before.has(claim.claim_id) && desk.before.get(claim.claim_id) === undefined;
}

function newValues(desk: Desk, heart: Heart, claims: readonly Claim[], asked: Asked): Map<IdentifierKind, string[]> {
  const values = new Map<IdentifierKind, string[]>();
  for (const claim of claims) {
    for (const { kind, value } of identifiersNowAndBefore(desk, claim, heart)) {
      const mark = `${kind} ${value}`;
      const first = asked.values.get(mark);
      if (first !== undefined) {
        if (first !== claim.claim_id) asked.shared.add(mark);
        continue;
      }
      asked.values.set(mark, claim.claim_id);
      const list = values.get(kind);
      if (list) list.push(value);
      else values.set(kind, [value]);
    }
  }
  return values;
}

/** The items that claims stand for, stood for or are bound to, and that were there before this write. */
function newItems(desk: Desk, claims: readonly Claim[], asked: Set<ItemId>): ItemId[] {
  const ids: ItemId[] = [];
  for (const claim of claims) {
    for (const id of [claim.ci_id, claim.bound_ci_id, claim.settled_ci_id, claim.replaces_ci_id]) {
      if (!id || asked.has(id)) continue;
      asked.add(id);
      if (!desk.works.get(id)?.isNew) ids.push(id);
    }
  }
  return ids;
}

function addVerdicts(desk: Desk, { same, apart, beside }: Verdicts): void {
  for (const [claim, item] of same) desk.verdicts.same.set(claim, item);
  desk.verdicts.apart.push(...apart);
  desk.verdicts.beside.push(...beside);
}

/** Puts items with all their claims, and claims that wait, on the desk. */
export async function place(db: ReadDb, desk: Desk, places: readonly Place[], items: readonly ItemId[]): Promise<void> {
  const wanted = new Set<ItemId>([...items, ...places.flatMap(({ ci_id }) => ci_id ?? [])]);
  for (let ids = [...wanted].filter((id) => !desk.works.has(id)); ids.length > 0; ) {
    const loaded = await layWorks(db, desk, ids);
    // What was merged into another answers with that one.
    ids = loaded.flatMap(({ item }) => item?.merged_into ?? []).filter((id) => !desk.works.has(id));
  }
  // One that was heard in this write lies there already.
  const homeless = places.filter(
    ({ ci_id, claim_id }) => ci_id === null && !desk.waiting.has(claim_id) && !desk.heard.has(claim_id),
  );
  for (const claim of await loadWaitingClaims(
    db,
    homeless.map(({ claim_id }) => claim_id),
  ))
    desk.waiting.set(claim.claim_id, claim);
}

/** Puts items on the desk; what was heard of them in this write, though it was nothing new, was heard now. */
export async function layWorks(db: ReadDb, desk: Desk, ids: readonly ItemId[]): Promise<Work[]> {
  const works = [...(await loadWorks(db, ids)).values()];
  for (const work of works) {
    desk.works.set(work.id, work);
    for (const claim of work.claims) if (desk.heard.has(claim.claim_id)) hear(desk, claim);
  }
  return works;
}

export function hear(desk: Desk, claim: Claim): void {
  claim.heard_at = desk.at;
  claim.heard_pass_id = desk.passId;
}

function* connected(desk: Desk, items: readonly ItemId[], places: readonly Place[]): Generator<Claim> {
  for (const id of items) {
    const work = desk.works.get(id);
    yield* work?.claims ?? [];
    const survivor = work?.item?.merged_into;
    if (survivor) yield* desk.works.get(survivor)?.claims ?? [];
  }
  for (const { claim_id } of places) {
    const claim = desk.waiting.get(claim_id);
    if (claim) yield claim;
  }
}
