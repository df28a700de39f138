/**
 * The only way an item is ever written: find the item that each statement speaks of, keep the claim, merge all of
 * the item's claims, and write a change where anything differs. Loads a batch, decides in pure code, stores it:
 * a fixed number of statements, however long the batch. What is unchanged is known by a hash, and costs one
 * narrow row.
 */

import type { Trx } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import { type Anew, changesAnew, touchAnew } from './anew.ts';
import { apply } from './apply.ts';
import { type Identifier, identifiersOf } from './identify.ts';
import type { ClaimId, Item, ItemId, Said } from './item.ts';
import type { Ranks } from './kinds.ts';
import { loadWorld, resolve } from './resolve.ts';
import { settle } from './settle.ts';
import type { Heart, Outcome, Statement } from './statement.ts';
import { type Change, type Occasion, raiseRevision, storeChanges } from './store/changes.ts';
import { itemsOfClaims, storeClaims, storeIdentifiers, storeSeen } from './store/claims.ts';
import { storeItems } from './store/items.ts';
import { storeSources } from './store/passes.ts';
import { storeNewSites } from './store/sites.ts';
import { loadWorks, markGone, markWithdrawn, type Work } from './work.ts';

export interface Reconciled {
  outcomes: Outcome[];
  changes: Change[];
  /** The claims that were heard, also where nothing changed. */
  seen: Set<ClaimId>;
}

/** What is settled besides what is said. */
export interface Besides {
  /** Claims that a reading no longer holds. */
  vanished?: readonly ClaimId[];
  /** Claims whose source a person took the word from. */
  withdrawn?: { claims: readonly ClaimId[]; by: string };
  /** Items that are merged anew; they exist. */
  items?: readonly Anew[];
}

export async function reconcile(
  trx: Trx,
  heart: Heart,
  statements: readonly Statement[],
  occasion: Occasion,
  { vanished = [], withdrawn = { claims: [], by: '' }, items = [] }: Besides = {},
): Promise<Reconciled> {
  const world = await loadWorld(trx, heart, statements);
  const resolved = await resolve(world, statements);
  const slow = resolved.filter(({ unchanged }) => !unchanged);
  const gone = await itemsOfClaims(trx, [...vanished, ...withdrawn.claims]);
  const works = await loadWorks(trx, [
    ...slow.map(({ id }) => id),
    ...gone.values(),
    ...items.map(({ ci_id }) => ci_id),
  ]);
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
  const isWithdrawn = new Set(withdrawn.claims);
  for (const [claimId, id] of gone) {
    const work = works.get(id) as Work;
    const claim = work.claims.find((one) => one.claim_id === claimId);
    if (claim && isWithdrawn.has(claimId)) markWithdrawn(work, claim, withdrawn.by, occasion.at);
    else if (claim && !claim.gone_since) markGone(work, claim, occasion.at);
  }
  touchAnew(works, items);
  const changes = changesAnew(await settle(trx, heart, works, occasion), works, items, occasion.at);
  await storeSources(trx, sourcesOf(statements, heart.ranks), occasion.at);
  await storeAll(trx, heart, [...works.values()], changes, occasion);
  await storeSeen(trx, [...seen], occasion.at, occasion.passId ?? null);
  return { outcomes: finalOutcomes(outcomes, works), changes, seen };
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
  const visible = dirty.filter((work) => work.visible || work.difference || isNowStopped(work));
  const revision = visible.length > 0 ? await raiseRevision(trx) : 0;
  for (const work of visible) (work.item as Item).revision = revision;
  const sites = dirty.flatMap((work) => [
    (work.item as Item).site_id,
    ...[...work.dirtyClaims].map((claim) => claim.said.site_id),
  ]);
  await storeNewSites(trx, [...new Set(sites.filter((site) => site !== undefined))], occasion.at);
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

/** It leaves the inventory now, though its status said so before. */
function isNowStopped({ item, former }: Work): boolean {
  return item?.stop_confirmed === true && former?.stop_confirmed !== true;
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
