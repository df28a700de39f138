/**
 * The only way an item is ever written: find the item that each statement speaks of, keep the claim, merge all of
 * the item's claims, and write a change where anything differs. Loads a batch, decides in pure code, stores it:
 * a fixed number of statements, however long the batch. What is unchanged is known by a hash, and costs one
 * narrow row.
 */

import type { Trx } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import { type Anew, changesAnew, touchAnew } from './anew.ts';
import { type Applied, apply, liftRetirement } from './apply.ts';
import { Clusters } from './clusters.ts';
import { claimsOn, type Desk, dirty, identify, isNew, layWorks, newDesk, place } from './desk.ts';
import type { Identifier } from './identity/marks.ts';
import type { Claim, ClaimId, Item, ItemId } from './item.ts';
import { keepUndo } from './keep-undo.ts';
import type { Ranks } from './kinds.ts';
import { storeQuestions } from './questions.ts';
import { noteNews, type Recognized, recognize } from './recognize.ts';
import { relate } from './relate.ts';
import { loadWorld, type Resolved, resolve } from './resolve.ts';
import { settle } from './settle.ts';
import type { Heart, Outcome, Statement } from './statement.ts';
import { type Change, currentRevision, type Occasion, raiseRevision, storeChanges } from './store/changes.ts';
import { itemsOfClaims, loadWaitingClaims, storeClaims, storeIdentifiers, storeSeen } from './store/claims.ts';
import { claimsWithoutNumber, clusterNodes, passVerdictsOn, storeClusterNodes } from './store/identity.ts';
import { clearAnsibleNames, storeItems } from './store/items.ts';
import { storeSources } from './store/passes.ts';
import { deletePin, movePins } from './store/pins.ts';
import { storeNewSites } from './store/sites.ts';
import type { VerdictsMade } from './undo.ts';
import { lose, markGone, markWithdrawn, newWork, stop, type Work } from './work.ts';

export interface Reconciled {
  outcomes: Outcome[];
  changes: Change[];
}

/** What is settled besides what is said. */
export interface Besides {
  /** Claims that a reading no longer holds. */
  vanished?: readonly ClaimId[];
  /** Claims whose source a person took the word from. */
  withdrawn?: { claims: readonly ClaimId[]; by: string };
  /** Claims whose guests a held reading saw stopped, which a person accepted. */
  stopped?: readonly ClaimId[];
  /** Claims that were missing for long enough to be given up. */
  givenUp?: readonly ClaimId[];
  /** Claims to find a place for anew, and who wants it. */
  asked?: readonly ClaimId[];
  by?: string;
  /** Items to lay out, and what a person decides over them: answers the claims to find a place for anew. */
  decision?: { items: readonly ItemId[]; claims?: readonly ClaimId[]; decide(desk: Desk): Iterable<Claim> };
  /** What a person decided before, and what counts no more with that. */
  verdicts?: VerdictsMade;
  /** Items that are merged anew; they exist. */
  items?: readonly Anew[];
}

export async function reconcile(
  trx: Trx,
  heart: Heart,
  statements: readonly Statement[],
  occasion: Occasion,
  besides: Besides = {},
): Promise<Reconciled> {
  const { at } = occasion;
  const world = await loadWorld(trx, heart, statements, at);
  const resolved = await resolve(world, statements);
  const desk = await openDesk(trx, heart, resolved, occasion);
  await layOut(trx, desk, resolved, besides);
  const spoken = await applyAll(desk, heart, resolved, at);
  const gone = takeAway(desk, besides, at);
  const decided = [...(besides.decision?.decide(desk) ?? []), ...(await askedClaims(trx, desk, besides))];
  const numbered = await nowNumbered(trx, desk);
  const recognized = await recognize(trx, heart, desk, [...spoken.seeds, ...gone, ...numbered, ...decided]);
  liftRetirements(desk, heart, spoken, at);
  applyCompanions(desk, heart, spoken, at);
  const { items = [] } = besides;
  touchAnew(desk.works, items);
  const settled = await settle(trx, heart, desk.works, occasion);
  for (const claim of dirtyClaims(desk)) noteItem(desk, claim);
  const act = { statements, items, verdicts: besides.verdicts };
  const merged = await keepUndo(trx, desk, changesAnew(settled, desk.works, items, at), act);
  await storeSources(trx, sourcesOf(statements, heart.ranks), at);
  const changes = await storeAll(trx, heart, desk, merged, occasion);
  await storeSeen(trx, seenBy(desk, spoken), occasion.passId ?? null);
  await storeQuestions(trx, desk, recognized);
  return { outcomes: outcomesOf(spoken, desk, recognized), changes };
}

async function openDesk(
  trx: Trx,
  heart: Heart,
  resolved: readonly Resolved[],
  { at, passId }: Occasion,
): Promise<Desk> {
  const clusters = new Clusters(await clusterNodes(trx));
  for (const { statement, unchanged } of resolved)
    if (!unchanged) clusters.learn(statement.said, statement.source, heart.defaultSite);
  const desk = newDesk(at, passId ?? null, clusters, await heart.domainsOf(trx));
  for (const { unchanged } of resolved) if (unchanged) desk.heard.add(unchanged);
  return desk;
}

/** Loads what is spoken of, taken away or merged anew; what is new gets an item until it is known whose it is. */
async function layOut(
  trx: Trx,
  desk: Desk,
  resolved: readonly Resolved[],
  { vanished = [], withdrawn, stopped = [], givenUp = [], decision, items = [] }: Besides,
): Promise<void> {
  const slow = resolved.filter(({ unchanged }) => !unchanged);
  const silenced = [...vanished, ...(withdrawn?.claims ?? [])];
  const gone = await itemsOfClaims(trx, [...silenced, ...stopped, ...givenUp]);
  const known = new Set<ItemId>([...gone.values(), ...(decision?.items ?? []), ...items.map(({ ci_id }) => ci_id)]);
  for (const { id, isNew } of slow) {
    if (isNew) desk.works.set(id, newWork(id));
    else known.add(id);
  }
  await layWorks(trx, desk, [...known]);
  const waitedInVain = silenced.filter((claim) => !gone.has(claim));
  await placeClaims(trx, desk, [...(decision?.claims ?? []), ...waitedInVain]);
  const waiting = slow.flatMap(({ waiting: claim, id }) => (claim ? [{ claim, id }] : []));
  const claims = new Map(
    (
      await loadWaitingClaims(
        trx,
        waiting.map(({ claim }) => claim),
      )
    ).map((claim) => [claim.claim_id, claim]),
  );
  for (const { claim: claimId, id } of waiting) {
    const claim = claims.get(claimId);
    if (!claim || claim.ci_id) continue;
    claim.ci_id = id;
    desk.works.get(id)?.claims.push(claim);
    desk.heard.add(claimId);
    dirty(desk, claim);
  }
}

interface Spoken {
  /** With the claim that it speaks through, if it has one; nothing comes of what is said late. */
  entries: { entry: Resolved; claim: Claim | undefined; applied: Applied | undefined }[];
  /** Claims that may be of another item than before. */
  seeds: Claim[];
}

async function applyAll(desk: Desk, heart: Heart, resolved: readonly Resolved[], at: string): Promise<Spoken> {
  const spoken: Spoken = { entries: [], seeds: [] };
  const seeds = new Set<Claim>();
  for (const [count, entry] of resolved.entries()) {
    let applied: Applied | undefined;
    let claim: Claim | undefined;
    if (!entry.unchanged && !entry.statement.companion) {
      const work = desk.works.get(entry.id) as Work;
      applied = apply(work, entry.statement, heart, at);
      if (applied) {
        applied.claim.heard_pass_id = desk.passId;
        if (noteNews(desk, work, applied, heart)) seeds.add(applied.claim);
      }
      const waiting = entry.waiting && work.claims.find(({ claim_id }) => claim_id === entry.waiting);
      if (waiting) seeds.add(waiting);
      claim = applied?.claim ?? waiting;
    }
    spoken.entries.push({ entry, claim, applied });
    if (count % 64 === 0) await turn();
  }
  spoken.seeds = [...seeds];
  return spoken;
}

/** Of the items of which it turned out to speak. */
function liftRetirements(desk: Desk, heart: Heart, { entries }: Spoken, at: string): void {
  for (const { entry, claim, applied } of entries) {
    const { statement, id } = entry;
    if (!applied && !statement.registers) continue;
    const work = desk.works.get(claim ? (claim.ci_id as ItemId) : id);
    if (work) liftRetirement(work, statement, heart, at);
  }
}

/** What a person says beside what a machine says is of the same item, whichever that turned out to be. */
function applyCompanions(desk: Desk, heart: Heart, spoken: Spoken, at: string): void {
  let main: Spoken['entries'][number] | undefined;
  for (const one of spoken.entries) {
    if (!one.entry.statement.companion) {
      main = one;
      continue;
    }
    const id = main?.claim ? main.claim.ci_id : one.entry.id;
    const work = id ? desk.works.get(id) : undefined;
    if (one.entry.unchanged || !work) continue;
    one.applied = apply(work, { ...one.entry.statement, target: work.id }, heart, at);
    if (!one.applied) continue;
    one.claim = one.applied.claim;
    noteNews(desk, work, one.applied, heart);
  }
}

async function askedClaims(trx: Trx, desk: Desk, { asked = [], by = '' }: Besides): Promise<Claim[]> {
  if (asked.length === 0) return [];
  const items = await placeClaims(trx, desk, asked);
  for (const id of items) (desk.works.get(id) as Work).source = by;
  const wanted = new Set(asked);
  return [...claimsOn(desk)].filter(({ claim_id }) => wanted.has(claim_id));
}

/** Puts claims on the desk with their items, which it answers. */
async function placeClaims(trx: Trx, desk: Desk, claims: readonly ClaimId[]): Promise<ItemId[]> {
  if (claims.length === 0) return [];
  const items = await itemsOfClaims(trx, claims);
  const places = claims.map((claim_id) => ({ claim_id, ci_id: items.get(claim_id) ?? null }));
  await place(trx, desk, places, []);
  return [...items.values()];
}

function takeAway(desk: Desk, { vanished = [], withdrawn, stopped = [], givenUp = [] }: Besides, at: string): Claim[] {
  const lost = new Set(vanished);
  const taken = new Set(withdrawn?.claims ?? []);
  const halted = new Set(stopped);
  const ended = new Set(givenUp);
  if (lost.size + taken.size + halted.size + ended.size === 0) return [];
  const gone: Claim[] = [];
  for (const claim of claimsOn(desk)) {
    const work = claim.ci_id ? desk.works.get(claim.ci_id) : undefined;
    const isTaken = taken.has(claim.claim_id);
    if (isTaken) markWithdrawn(claim, at);
    else if (lost.has(claim.claim_id) && !claim.gone_since) markGone(claim, at);
    else if (ended.has(claim.claim_id)) claim.gone_for_good = 'retired';
    else {
      if (work && halted.has(claim.claim_id)) stop(work, claim, at);
      continue;
    }
    if (work && !ended.has(claim.claim_id)) lose(work, claim, isTaken ? withdrawn?.by : undefined);
    dirty(desk, claim);
    gone.push(claim);
  }
  return gone;
}

/** Claims that know a guest by node and number, of whose cluster nobody had spoken before. */
async function nowNumbered(trx: Trx, desk: Desk): Promise<Claim[]> {
  const nodes = [...new Set(desk.clusters.added.map(({ node }) => node))];
  if (nodes.length === 0) return [];
  const places = await claimsWithoutNumber(trx, nodes);
  await place(trx, desk, places, []);
  const wanted = new Set(places.map(({ claim_id }) => claim_id));
  return [...claimsOn(desk)].filter(({ claim_id }) => wanted.has(claim_id));
}

function sourcesOf(statements: readonly Statement[], ranks: Ranks) {
  const kinds = new Map(statements.map(({ source, kind }) => [source, kind]));
  return [...kinds].map(([source, kind]) => ({ source, kind, role: ranks.roleOf(kind) }));
}

function dirtyWorks(desk: Desk): Work[] {
  return [...desk.works.values()].filter((work) => work.dirty && work.item);
}

function dirtyClaims(desk: Desk): Claim[] {
  return [...dirtyWorks(desk).flatMap((work) => [...work.dirtyClaims]), ...desk.dirtyWaiting];
}

async function storeAll(
  trx: Trx,
  heart: Heart,
  desk: Desk,
  changes: readonly Change[],
  occasion: Occasion,
): Promise<Change[]> {
  const dirty = dirtyWorks(desk);
  const claims = dirtyClaims(desk);
  if (dirty.length + claims.length === 0) return [...changes];
  const visible = dirty.filter((work) => work.visible || work.difference || isNowStopped(work));
  const revision = visible.length > 0 ? await raiseRevision(trx) : 0;
  for (const work of visible) (work.item as Item).revision = revision;
  const sites = [...dirty.map((work) => (work.item as Item).site_id), ...claims.map((claim) => claim.said.site_id)];
  await storeNewSites(trx, [...new Set(sites.filter((site) => site !== undefined))], occasion.at);
  await clearAnsibleNames(
    trx,
    dirty
      .filter(({ former, item }) => former?.ansible_name && former.ansible_name !== item?.ansible_name)
      .map(({ id }) => id),
  );
  await storeItems(
    trx,
    dirty.map((work) => work.item as Item),
  );
  await storeClaims(trx, claims);
  const kept = claims.filter(({ ghost_of, gone_since }) => ghost_of !== null && gone_since === occasion.at);
  await passVerdictsOn(trx, new Map(kept.map(({ claim_id, ghost_of }) => [ghost_of as ClaimId, claim_id])));
  const identifiers = new Map<ClaimId, readonly Identifier[]>();
  const known = new Set<ClaimId>();
  for (const claim of claims) {
    identifiers.set(claim.claim_id, identify(desk, claim, heart));
    if (!isNew(desk, claim)) known.add(claim.claim_id);
  }
  await storeIdentifiers(trx, identifiers, known, occasion.at);
  await storeClusterNodes(trx, desk.clusters.added);
  await storeInherited(trx, dirty);
  const all = await relate(trx, heart.ranks, dirty, claims, changes, occasion.at);
  for (const { subject_id, before, after } of all) {
    const work = desk.works.get(subject_id as ItemId);
    if (work && 'relationships' in after) work.difference ??= { before, after };
  }
  // What is related to what, the inventory does not show.
  const told = all.length > 0 && revision === 0 ? await currentRevision(trx) : revision;
  await storeChanges(trx, withAuthors(all, claims, occasion), told, occasion);
  return [...all];
}

/** What a source found changed was done by somebody whom it may know. */
function withAuthors(changes: readonly Change[], claims: readonly Claim[], { authors }: Occasion): readonly Change[] {
  if (!authors || authors.size === 0) return changes;
  const byItem = new Map<string, string>();
  for (const { ci_id, native_key } of claims) {
    const author = authors.get(native_key);
    if (ci_id && author !== undefined) byItem.set(ci_id, author);
  }
  return changes.map((change) => ({ ...change, actor: byItem.get(change.subject_id) }));
}

/** The pins that came with a merge. */
async function storeInherited(trx: Trx, works: readonly Work[]): Promise<void> {
  for (const { id, inheritedFrom, unpinned } of works) {
    for (const other of inheritedFrom) await movePins(trx, other, id);
    for (const attribute of unpinned) await deletePin(trx, id, attribute);
  }
}

/** Every item that a claim was ever on is remembered: a split gives it back. What was never made is not. */
function noteItem(desk: Desk, claim: Claim): void {
  for (const key of ['bound_ci_id', 'settled_ci_id'] as const) {
    const work = claim[key] ? desk.works.get(claim[key]) : undefined;
    // It was meant to be a new one, and turned out to be another that is known.
    if (work?.isNew && !work.item) claim[key] = null;
  }
  if (claim.ci_id && !claim.former_ci_ids.includes(claim.ci_id))
    claim.former_ci_ids = [...claim.former_ci_ids, claim.ci_id];
}

/** It leaves the inventory now, though its status said so before. */
function isNowStopped({ item, former }: Work): boolean {
  return item?.stop_confirmed === true && former?.stop_confirmed !== true;
}

/** The claims that were heard, and when. */
function seenBy(desk: Desk, { entries }: Spoken): Map<ClaimId, string> {
  const seen = new Map<ClaimId, string>(desk.heardBefore);
  for (const { entry, applied } of entries) {
    if (entry.unchanged) seen.set(entry.unchanged, desk.at);
    else if (applied) seen.set(applied.claim.claim_id, applied.claim.heard_at);
  }
  return seen;
}

/** An item is created by the first input that spoke of it; one that changed nothing visible left it unchanged. */
function outcomesOf({ entries }: Spoken, desk: Desk, recognized: Recognized): Outcome[] {
  const creators = new Set<ItemId>();
  return entries.map(({ entry: { statement, id, unchanged }, claim }): Outcome => {
    const { index } = statement;
    if (claim && claim.ci_id === null) {
      const candidates = recognized.questions.get(claim.claim_id) ?? [];
      return { index, ci_id: null, outcome: 'waiting', candidates };
    }
    const ci_id = claim?.ci_id ?? id;
    const work = desk.works.get(ci_id);
    if (unchanged || !work) return { index, ci_id, outcome: 'unchanged' };
    if (work.isNew && !creators.has(ci_id)) {
      creators.add(ci_id);
      return { index, ci_id, outcome: 'created' };
    }
    return { index, ci_id, outcome: work.difference ? 'updated' : 'unchanged' };
  });
}
