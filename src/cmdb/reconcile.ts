/**
 * The only way an item is ever written: find the item that each statement speaks of, keep the claim, merge all of
 * the item's claims, and write a change where anything differs. Loads a batch, decides in pure code, stores it:
 * a fixed number of statements, however long the batch. What is unchanged is known by a hash, and costs one
 * narrow row.
 */

import { randomUUIDv7 } from 'node:crypto';
import { DomainError } from '../errors.ts';
import type { Trx } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import { millisecondsOf } from '../time.ts';
import { type Difference, differenceOf } from './changes.ts';
import { type Candidate, type Identified, type Identifier, identifiersOf, identify } from './identify.ts';
import type { Claim, ClaimId, Document, Hold, IdentifierKind, Item, ItemId, Json, Said, SourceRef } from './item.ts';
import type { Ranks } from './kinds.ts';
import { mergeClaims, type Pin } from './merge.ts';
import { askOf, giveNames, type Holder, type HostNames, type NameAsk, wantedName } from './names.ts';
import { isSame, type Patch, saidAnew, saidWith, wordsOf } from './said.ts';
import {
  type Change,
  clearAnsibleNames,
  type Glance,
  glanceByItems,
  glanceByKeys,
  groupsOfNames,
  holdersOfNames,
  idsByIdentifiers,
  itemsOfClaims,
  loadCandidates,
  loadClaims,
  loadItems,
  loadPins,
  type Occasion,
  raiseRevision,
  storeChanges,
  storeClaims,
  storeIdentifiers,
  storeItems,
  storeNewSites,
  storeSeen,
  storeSources,
} from './store.ts';

/** What the heart goes by. */
export interface Heart {
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
  /** The whole observation: what it does not speak of is no longer said. */
  whole: boolean;
  /** A registration lifts a retirement. */
  registers: boolean;
  hold: Hold | null | undefined;
  /** The hash of what was heard. */
  heard: string;
}

export interface Outcome {
  index: number;
  ci_id: ItemId;
  outcome: 'created' | 'updated' | 'unchanged';
}

export interface Reconciled {
  outcomes: Outcome[];
  changes: Change[];
  /** The claims that were heard, also where nothing changed. */
  seen: Set<ClaimId>;
}

/** The reason of a hold that came of writing `ci_status: maintenance`. */
export const heldByStatus = 'ci_status was set to maintenance';

const liftsAfterMilliseconds = 15 * 60_000;
const stopsAfterMilliseconds = 30 * 60_000;

export async function reconcile(
  trx: Trx,
  heart: Heart,
  statements: readonly Statement[],
  occasion: Occasion,
  vanished: readonly ClaimId[] = [],
): Promise<Reconciled> {
  const world = await loadWorld(trx, heart, statements);
  const resolved = await resolve(world, statements);
  const slow = resolved.filter(({ unchanged }) => !unchanged);
  const gone = await itemsOfClaims(trx, vanished);
  const works = await loadWorks(trx, [...slow.map(({ id }) => id), ...gone.values()]);
  const outcomes: Outcome[] = [];
  const seen = new Set<ClaimId>();
  for (const [count, entry] of resolved.entries()) {
    if (entry.unchanged) {
      seen.add(entry.unchanged);
      outcomes.push({ index: entry.statement.index, ci_id: entry.id, outcome: 'unchanged' });
    } else {
      const work = works.get(entry.id) as Work;
      const claim = apply(work, entry.statement, heart, occasion.at);
      if (claim) seen.add(claim.claim_id);
      outcomes.push({ index: entry.statement.index, ci_id: entry.id, outcome: 'updated' });
    }
    if (count % 64 === 0) await turn();
  }
  for (const [claimId, id] of gone) {
    const work = works.get(id) as Work;
    const claim = work.claims.find((one) => one.claim_id === claimId);
    if (claim && !claim.gone_since) markGone(work, claim, occasion.at);
  }
  const changes = await settle(trx, heart, [...works.values()], occasion);
  await storeSources(trx, sourcesOf(statements, heart.ranks), occasion.at);
  await storeAll(trx, heart, [...works.values()], changes, occasion);
  await storeSeen(trx, [...seen], occasion.at, occasion.passId ?? null);
  return { outcomes: finalOutcomes(outcomes, works), changes, seen };
}

// ---------- finding the items

interface World {
  glances: Map<string, Glance>;
  byItem: Map<string, Glance[]>;
  candidates: Map<ItemId, Candidate>;
  found: Map<string, Candidate[]>;
  identifiers: Map<Statement, Identifier[]>;
}

const keyed = (source: string, key: string) => `${source}\n${key}`;

async function loadWorld(trx: Trx, heart: Heart, statements: readonly Statement[]): Promise<World> {
  const keys = new Map<string, string[]>();
  for (const { source, key } of statements) {
    if (key === null) continue;
    const list = keys.get(source);
    if (list) list.push(key);
    else keys.set(source, [key]);
  }
  const glances = new Map(
    (await glanceByKeys(trx, keys)).map((glance) => [keyed(glance.source, glance.native_key), glance]),
  );

  const world: World = { glances, byItem: new Map(), candidates: new Map(), found: new Map(), identifiers: new Map() };
  const values: Record<'pve' | 'guest' | 'name', Set<string>> = { pve: new Set(), guest: new Set(), name: new Set() };
  for (const [count, statement] of statements.entries()) {
    if (
      statement.target ||
      statement.companion ||
      (statement.key !== null && glances.has(keyed(statement.source, statement.key)))
    )
      continue;
    const identifiers = identifiersOf(saidOf(statement.patch), heart.defaultSite);
    world.identifiers.set(statement, identifiers);
    for (const { kind, value } of identifiers)
      if (kind === 'pve' || kind === 'guest' || kind === 'name') values[kind].add(value);
    if (count % 256 === 0) await turn();
  }
  const ids = new Set<ItemId>();
  const hits: { kind: IdentifierKind; value: string; ci_id: ItemId }[] = [];
  for (const kind of ['pve', 'guest', 'name'] as const) {
    for (const hit of await idsByIdentifiers(trx, kind, [...values[kind]])) {
      hits.push({ kind, ...hit });
      ids.add(hit.ci_id);
    }
  }
  world.candidates = await loadCandidates(trx, [...ids]);
  for (const { kind, value, ci_id } of hits) {
    const candidate = world.candidates.get(ci_id);
    if (candidate) enter(world.found, kind, value, candidate);
  }
  for (const statement of statements) if (statement.target) ids.add(statement.target);
  if (statements.some((statement) => statement.companion))
    for (const glance of glances.values()) if (glance.ci_id) ids.add(glance.ci_id);
  if (ids.size > 0) {
    const sources = [...new Set(statements.map((statement) => statement.source))];
    for (const glance of await glanceByItems(trx, sources, [...ids])) {
      const key = keyed(glance.source, glance.ci_id as string);
      world.byItem.set(key, [...(world.byItem.get(key) ?? []), glance]);
    }
  }
  return world;
}

function enter(found: Map<string, Candidate[]>, kind: string, value: string, candidate: Candidate): void {
  const key = `${kind} ${value}`;
  const list = found.get(key);
  if (!list) found.set(key, [candidate]);
  else if (!list.includes(candidate)) list.push(candidate);
}

interface Resolved {
  statement: Statement;
  id: ItemId;
  /** The claim that says just this already; nothing but its time is written. */
  unchanged: ClaimId | undefined;
}

async function resolve(world: World, statements: readonly Statement[]): Promise<Resolved[]> {
  const resolved: Resolved[] = [];
  const touched = new Set<string>();
  const newKeys = new Map<string, ItemId>();
  const known = {
    byKey: (source: string, key: string) =>
      newKeys.get(keyed(source, key)) ?? world.glances.get(keyed(source, key))?.ci_id ?? undefined,
    byIdentifier: (kind: IdentifierKind, value: string) => world.found.get(`${kind} ${value}`) ?? [],
  };
  for (const [count, statement] of statements.entries()) {
    const previous = resolved.at(-1);
    const glance = glanceOf(world, statement, previous);
    const id = statement.companion
      ? (previous as Resolved).id
      : (statement.target ?? glance?.ci_id ?? find(statement, world, known)?.ci_id);
    const settled = id === undefined ? undefined : glance?.ci_id === id ? glance : ownGlance(world, statement, id);
    const unchanged =
      id !== undefined && settled && !touched.has(id) && isUnchanged(settled, statement) ? settled.claim_id : undefined;
    const item = id ?? newItemId();
    if (!unchanged) touched.add(item);
    if (id === undefined) announce(world, statement, item);
    if (statement.key !== null) newKeys.set(keyed(statement.source, statement.key), item);
    resolved.push({ statement, id: item, unchanged });
    if (count % 128 === 0) await turn();
  }
  return resolved;
}

function glanceOf(world: World, statement: Statement, previous: Resolved | undefined): Glance | undefined {
  if (statement.companion) return previous && ownGlance(world, statement, previous.id);
  return statement.key === null ? undefined : world.glances.get(keyed(statement.source, statement.key));
}

/** The claim of this very source on an item, where the statement brings no key of its own. */
function ownGlance(world: World, statement: Statement, id: ItemId): Glance | undefined {
  return statement.key === null || statement.companion ? world.byItem.get(keyed(statement.source, id))?.[0] : undefined;
}

function find(statement: Statement, world: World, known: Parameters<typeof identify>[4]): Identified | undefined {
  return identify(
    statement.source,
    statement.key,
    saidOf(statement.patch),
    world.identifiers.get(statement) ?? [],
    known,
  );
}

/** A new item can be found by the statements after it. */
function announce(world: World, statement: Statement, id: ItemId): void {
  const said = saidOf(statement.patch);
  const candidate: Candidate = {
    ci_id: id,
    ci_type: said.ci_type ?? 'machine',
    site_id: said.site_id ?? '',
    retired: false,
    created_at: id,
    keys: new Map(statement.key === null ? [] : [[statement.source, new Set([statement.key])]]),
    numbers: new Set(said.pve ? [said.pve] : []),
  };
  world.candidates.set(id, candidate);
  for (const { kind, value } of world.identifiers.get(statement) ?? []) enter(world.found, kind, value, candidate);
}

function isUnchanged(glance: Glance, statement: Statement): boolean {
  return (
    glance.hash === statement.heard &&
    !statement.hold &&
    glance.ci_id !== null &&
    glance.gone_since === null &&
    glance.deleted_at === null &&
    glance.lifecycle !== 'retired' &&
    !(glance.power === 'stopped' && glance.stop_confirmed === 0)
  );
}

function newItemId(): ItemId {
  return randomUUIDv7() as string as ItemId;
}

/** A patch as what is said of a thing that is not known yet: nulls say nothing. */
function saidOf(patch: Patch): Said {
  return saidWith({}, patch);
}

// ---------- applying what is said

interface Work {
  id: ItemId;
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
}

async function loadWorks(trx: Trx, ids: readonly ItemId[]): Promise<Map<ItemId, Work>> {
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
    });
  }
  return works;
}

/** Puts one statement into the item's claims; answers its claim, or undefined where nothing is left to claim. */
function apply(work: Work, statement: Statement, heart: Heart, at: string): Claim | undefined {
  const existing = claimFor(work, statement);
  const measures = heart.ranks.roleOf(statement.kind) === 'measures';
  work.measuredNow ||= measures;
  if (work.source === '') work.source = statement.source;
  liftRetirement(work, statement, measures, at);
  if (work.deletedAt !== null) {
    work.deletedAt = null;
    work.dirty = true;
  }
  holdOrRelease(work, statement.hold);
  const former = existing?.said ?? {};
  const patch =
    statement.kind === 'manual' && !statement.whole
      ? personsPatch(work, former, statement.patch, heart)
      : statement.patch;
  const said = statement.whole ? saidAnew(former, saidOf(patch)) : saidWith(former, patch);
  const isSpoken = Object.keys(said).length > 0;
  if (!existing && !isSpoken && !work.isNew) return undefined;

  const claim = existing ?? newClaim(work, statement, at);
  if (!existing) work.claims.push(claim);
  const differs = !existing || !sameSaid(former, said);
  if (differs) {
    noteSince(claim, former, said, at);
    claim.said = said;
    claim.said_at = at;
    claim.hash = statement.heard;
  }
  if (claim.gone_since) claim.gone_since = null;
  else if (!differs) {
    work.dirty ||= work.item?.power === 'stopped' && measures && !work.item.stop_confirmed;
    return claim;
  }
  work.dirty = true;
  work.dirtyClaims.add(claim);
  return claim;
}

/** A hold that stands is kept as it was said; a status word releases only what a status word held. */
function holdOrRelease(work: Work, hold: Statement['hold']): void {
  if (hold === undefined || (hold === null ? work.hold?.reason !== heldByStatus : work.hold !== null)) return;
  work.hold = hold;
  work.dirty = true;
}

/** The source's claim under this key; one that it made on this item without a key takes the key on. */
function claimFor(work: Work, statement: Statement): Claim | undefined {
  const own = work.claims.filter((claim) => claim.source === statement.source);
  if (statement.key === null) return own.find((claim) => !claim.gone_since) ?? own[0];
  const exact = own.find((claim) => claim.native_key === statement.key);
  if (exact) return exact;
  const keyless = own.find((claim) => claim.native_key === keyOfItem(work.id));
  if (keyless) {
    keyless.native_key = statement.key;
    work.dirtyClaims.add(keyless);
  }
  return keyless;
}

function keyOfItem(id: ItemId): string {
  return `ci:${id}`;
}

function newClaim(work: Work, statement: Statement, at: string): Claim {
  return {
    claim_id: randomUUIDv7() as string as ClaimId,
    source: statement.source,
    kind: statement.kind,
    native_key: statement.key ?? keyOfItem(work.id),
    ci_id: work.id,
    said: {},
    hash: statement.heard,
    since: {},
    said_at: at,
    first_said_at: at,
    gone_since: null,
  };
}

function sameSaid(a: Said, b: Said): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof Said>;
  return [...keys].every((key) => a[key] === b[key] || JSON.stringify(a[key]) === JSON.stringify(b[key]));
}

function noteSince(claim: Claim, former: Said, said: Said, at: string): void {
  if (at === claim.first_said_at) return;
  const before = new Map(wordsOf(former));
  const since: Record<string, string> = {};
  for (const [attribute, value] of wordsOf(said)) {
    const known = before.get(attribute);
    const unchanged = known !== undefined && JSON.stringify(known) === JSON.stringify(value);
    const when = unchanged ? claim.since[attribute] : at;
    if (when !== undefined) since[attribute] = when;
  }
  claim.since = since;
}

/** `retired` said by a person ends by a registration, or once a measuring source sees the thing a while later. */
function liftRetirement(work: Work, statement: Statement, measures: boolean, at: string): void {
  if (statement.patch.lifecycle === 'retired' || (!statement.registers && !measures)) return;
  for (const claim of work.claims) {
    if (claim.kind !== 'manual' || claim.said.lifecycle !== 'retired') continue;
    const since = claim.since.lifecycle ?? claim.first_said_at;
    if (!statement.registers && millisecondsOf(at) - millisecondsOf(since) <= liftsAfterMilliseconds) continue;
    const { lifecycle: _, ...said } = claim.said;
    claim.said = said;
    claim.hash = '';
    work.dirtyClaims.add(claim);
    work.dirty = true;
  }
}

/**
 * What of a person's write is theirs: people read an item, edit it and write it back whole, so a value that is in
 * force and that they have not claimed is not claimed. What they left out of a list, they took off.
 */
function personsPatch(work: Work, former: Said, patch: Patch, heart: Heart): Patch {
  if (work.isNew && work.claims.length === 0) return patch;
  const force = documentOf(work, heart, '').document;
  const own: Patch = {};
  for (const [key, value] of Object.entries(patch) as [keyof Patch, unknown][]) {
    if (key === 'technical_specs' && value !== null) {
      own.technical_specs = unclaimed(value as Record<string, Json>, former.technical_specs, force.technical_specs);
    } else if (key === 'ansible' && value !== null) {
      own.ansible = personsAnsible(work, former, value as NonNullable<Patch['ansible']>, force);
    } else if (key === 'tags' && value !== null) {
      own.tags = personsList(work, 'tags', former.tags, value as string[], force.tags);
    } else if (value === null || former[key] !== undefined || !sameJson(force[key as keyof Document], value)) {
      Object.assign(own, { [key]: value });
    }
  }
  return own;
}

function unclaimed<T extends object>(said: T, former: object | undefined, force: object): T {
  const claimed = (former ?? {}) as Record<string, unknown>;
  const inForce = force as Record<string, Json>;
  return Object.fromEntries(
    Object.entries(said).filter(
      ([key, value]) => key in claimed || value === null || !isSame(key, inForce[key], value as Json),
    ),
  ) as T;
}

function personsAnsible(
  work: Work,
  former: Said,
  said: NonNullable<Patch['ansible']>,
  force: Document,
): Patch['ansible'] {
  const { vars, groups, name, ...plain } = said;
  const own: Record<string, unknown> = unclaimed(plain, former.ansible, force.ansible);
  if (name !== undefined && (name === null || former.ansible?.name !== undefined || name !== work.item?.ansible_name))
    own.name = name;
  if (vars === null) own.vars = null;
  else if (vars) own.vars = unclaimed(vars, former.ansible?.vars, force.ansible.vars ?? {});
  if (groups === null) own.groups = null;
  else if (groups) {
    const list = personsList(work, 'groups', former.ansible?.groups, groups, force.ansible.groups ?? []);
    if (list !== undefined) own.groups = list;
  }
  return own as Patch['ansible'];
}

/** Lists that add up over all claims: a person adds what was not there, and takes off what is left out. */
function personsList(
  work: Work,
  list: 'tags' | 'groups',
  former: readonly string[] | undefined,
  said: readonly string[],
  force: readonly string[],
): string[] | undefined {
  const off = new Set(work.takenOff[list] ?? []);
  for (const value of force) if (!said.includes(value)) off.add(value);
  for (const value of said) off.delete(value);
  const takenOff = [...off].sort();
  if (JSON.stringify(takenOff) !== JSON.stringify(work.takenOff[list] ?? [])) {
    work.takenOff = { ...work.takenOff, [list]: takenOff };
    if (takenOff.length === 0) delete work.takenOff[list];
    work.dirty = true;
  }
  const own = [
    ...new Set([
      ...(former ?? []).filter((value) => said.includes(value)),
      ...said.filter((value) => !force.includes(value)),
    ]),
  ].sort();
  return own.length > 0 || former !== undefined ? own : undefined;
}

function sameJson(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function markGone(work: Work, claim: Claim, at: string): void {
  claim.gone_since = at;
  work.dirty = true;
  work.dirtyClaims.add(claim);
  if (work.source === '') work.source = claim.source;
}

// ---------- merging, naming, storing

function documentOf(work: Work, heart: Heart, at: string) {
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

/** Merges what was touched, gives names, and answers the changes. Leaves each work's item as it is to be stored. */
async function settle(trx: Trx, heart: Heart, works: readonly Work[], occasion: Occasion): Promise<Change[]> {
  const { at } = occasion;
  const before = new Map<ItemId, Item | undefined>();
  const asks: NameAsk[] = [];
  for (const [count, work] of works.entries()) {
    if (!work.dirty) continue;
    before.set(work.id, work.item);
    work.item = mergedItem(work, heart, at);
    const ask = askOf(work.item, work.claims, heart.ranks, heart.names.followRenames);
    if (ask) asks.push(ask);
    if (count % 64 === 0) await turn();
  }
  await nameItems(trx, heart, works, before, asks);
  const changes: Change[] = [];
  for (const [count, work] of works.entries()) {
    if (!before.has(work.id) || !work.item) continue;
    const former = before.get(work.id);
    work.difference = differenceOf(former && pureDocument(former), pureDocument(work.item));
    if (work.difference) {
      work.item.updated_at = at;
      changes.push({
        subject: 'ci',
        subject_id: work.id,
        action: actionOf(former, work.item),
        source: work.source,
        ...work.difference,
      });
    }
    if (count % 64 === 0) await turn();
  }
  return changes;
}

function mergedItem(work: Work, heart: Heart, at: string): Item {
  const { document, winners } = documentOf(work, heart, at);
  const former = work.item;
  if (document.ci_name === '')
    throw new DomainError('invalid', 'An item needs a name.', {
      errors: [{ pointer: '/ci_name', detail: '"ci_name" is missing' }],
    });
  const measured = winners.power && heart.ranks.roleOf(winners.power.source.split(':')[0] as string) === 'measures';
  const longStopped =
    work.measuredNow && millisecondsOf(at) - millisecondsOf(winners.power?.since ?? at) >= stopsAfterMilliseconds;
  return {
    ...document,
    ci_id: work.id,
    absent_since: document.absence === null ? null : (former?.absent_since ?? at),
    stop_confirmed: document.power === 'stopped' && (!measured || former?.stop_confirmed === true || longStopped),
    ansible_name_by: former?.ansible_name_by ?? null,
    ansible_name_from: former?.ansible_name_from ?? null,
    winners,
    taken_off: work.takenOff,
    revision: former?.revision ?? 0,
    first_seen_at: former?.first_seen_at ?? at,
    created_at: former?.created_at ?? at,
    updated_at: former?.updated_at ?? at,
  };
}

async function nameItems(
  trx: Trx,
  heart: Heart,
  works: readonly Work[],
  before: ReadonlyMap<ItemId, Item | undefined>,
  asks: readonly NameAsk[],
): Promise<void> {
  if (asks.length === 0) return;
  const byId = new Map(works.map((work) => [work.id, work]));
  const wanted = asks.flatMap((ask) => [...heart.names.candidates(ask), ...(ask.wanted === null ? [] : [ask.wanted])]);
  const holderIds = await holdersOfNames(trx, wanted);
  const others = await loadWorks(
    trx,
    holderIds.filter((id) => !byId.has(id)),
  );
  const holders = new Map<string, Holder>();
  for (const id of holderIds) {
    const work = byId.get(id) ?? others.get(id);
    if (!work?.item?.ansible_name) continue;
    holders.set(work.item.ansible_name, { item: work.item, claimedByPeople: isClaimedByPeople(work, heart) });
  }
  const groups = new Set(await groupsOfNames(trx, wanted));
  const ordered = [...asks].sort((a, b) =>
    orderOf(byId.get(a.ci_id)).localeCompare(orderOf(byId.get(b.ci_id)), 'en', { numeric: true }),
  );
  const cleared: ItemId[] = [];
  for (const naming of giveNames(ordered, holders, groups, heart.names)) {
    const work = byId.get(naming.ci_id) ?? others.get(naming.ci_id);
    if (!work?.item) continue;
    if (!before.has(work.id)) {
      // The former bearer of a name, which this write did not speak of.
      (before as Map<ItemId, Item | undefined>).set(work.id, work.item);
      (works as Work[]).push(work);
      work.item = { ...work.item };
      work.dirty = true;
      work.source = byId.get(ordered[0]?.ci_id as ItemId)?.source ?? '';
    }
    if (work.item.ansible_name !== null && work.item.ansible_name !== naming.name) cleared.push(work.id);
    Object.assign(work.item, { ansible_name: naming.name, ansible_name_by: naming.by, ansible_name_from: naming.from });
  }
  refuseTakenNames(asks, byId);
  await clearAnsibleNames(trx, cleared);
}

function isClaimedByPeople(work: Work, heart: Heart): boolean {
  return (
    work.claims.some((claim) => !claim.gone_since && heart.ranks.roleOf(claim.kind) === 'people') ||
    wantedName(work.claims, heart.ranks) !== null
  );
}

/** A name that a person asks for in so many words is given or refused; an import's gives way. */
function refuseTakenNames(asks: readonly NameAsk[], works: ReadonlyMap<ItemId, Work>): void {
  for (const { ci_id, wanted } of asks) {
    const work = works.get(ci_id);
    const asked = work?.claims.some((claim) => claim.kind === 'manual' && claim.said.ansible?.name === wanted);
    if (wanted !== null && asked && work?.item?.ansible_name !== wanted) {
      throw new DomainError('conflict', `Another item bears the name ${wanted} in the inventory.`, {
        errors: [{ pointer: '/ansible/name', detail: 'is taken' }],
      });
    }
  }
}

function orderOf(work: Work | undefined): string {
  return work?.claims[0]?.native_key.replace(/^ci:.*/, work.item?.ci_name ?? '') ?? '';
}

/** The document alone: bookkeeping beside it is no change. */
function pureDocument(item: Item): Document {
  const {
    ci_id: _id,
    absent_since: _since,
    stop_confirmed: _stop,
    ansible_name_by: _by,
    ansible_name_from: _from,
    winners: _winners,
    taken_off: _off,
    revision: _revision,
    first_seen_at: _seen,
    created_at: _created,
    updated_at: _updated,
    ...document
  } = item;
  return document;
}

function actionOf(former: Item | undefined, item: Item): string {
  if (!former) return 'created';
  if (former.deleted_at && !item.deleted_at) return 'restored';
  if (former.ci_status !== 'retired' && item.ci_status === 'retired') return 'retired';
  if (former.absence === null && item.absence === 'missing') return 'missing';
  return 'updated';
}

function sourcesOf(statements: readonly Statement[], ranks: Ranks) {
  const kinds = new Map(statements.map(({ source, kind }) => [source, kind]));
  return [...kinds].map(([source, kind]) => ({ source, kind, role: ranks.roleOf(kind) }));
}

async function storeAll(
  trx: Trx,
  heart: Heart,
  works: readonly Work[],
  changes: readonly Change[],
  occasion: Occasion,
): Promise<void> {
  const dirty = works.filter((work) => work.dirty && work.item);
  if (dirty.length === 0) return;
  const stopped = dirty.filter((work) => !work.difference && work.item?.stop_confirmed);
  const revision = changes.length > 0 || stopped.length > 0 ? await raiseRevision(trx) : 0;
  for (const work of dirty)
    if (revision > 0 && work.item && (work.difference || work.item.stop_confirmed)) work.item.revision = revision;
  await storeNewSites(trx, [...new Set(dirty.map((work) => (work.item as Item).site_id))], occasion.at);
  await storeItems(
    trx,
    dirty.map((work) => work.item as Item),
  );
  const claims = dirty.flatMap((work) => [...work.dirtyClaims]);
  await storeClaims(trx, claims);
  const identifiers = new Map<ClaimId, Identifier[]>();
  const known = new Set<ClaimId>();
  for (const work of dirty) {
    for (const claim of work.dirtyClaims)
      identifiers.set(claim.claim_id, identifiersOf(withDefaults(claim.said, work.item as Item), heart.defaultSite));
    for (const id of work.knownClaims) known.add(id);
  }
  await storeIdentifiers(trx, identifiers, known, occasion.at);
  await storeChanges(trx, changes, revision, occasion);
}

/** What a claim leaves unsaid does not make it another machine's: its item is found by the item's type and name too. */
function withDefaults(said: Said, item: Item): Said {
  return { ci_type: item.ci_type, ci_name: item.ci_name, site_id: item.site_id, ...said };
}

/** An item is created by the first input that spoke of it; one that changed nothing visible left it unchanged. */
function finalOutcomes(outcomes: readonly Outcome[], works: ReadonlyMap<ItemId, Work>): Outcome[] {
  const creators = new Map<ItemId, number>();
  for (const { ci_id, index } of outcomes) if (!creators.has(ci_id)) creators.set(ci_id, index);
  return outcomes.map((outcome) => {
    const work = works.get(outcome.ci_id);
    if (outcome.outcome === 'unchanged' || !work) return outcome;
    if (work.isNew && creators.get(outcome.ci_id) === outcome.index) return { ...outcome, outcome: 'created' };
    return { ...outcome, outcome: work.difference ? 'updated' : 'unchanged' };
  });
}
