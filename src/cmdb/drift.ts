/** Drift: where what was intended of an item, or what a person says of it, is not what is measured. */

import type { ReadDb } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import { differenceOf } from './changes.ts';
import type { ItemId, Json, PlainAttribute, Said } from './item.ts';
import type { Ranks } from './kinds.ts';
import type { Pin } from './merge.ts';
import { isSame, wordsOf } from './said.ts';
import { loadPins } from './store/claims.ts';
import { type DriftFilter, findDriftCandidates, loadLivingClaims, type SpokenClaim } from './store/drift.ts';
import { loadItems } from './store/items.ts';

export interface Word {
  source: string;
  value: Json;
  said_at: string;
}

export interface Disagreement {
  attribute: string;
  measured: Word;
  intended: Word;
  since: string;
}

export interface Drift extends Disagreement {
  ci_id: string;
  ci_name: string;
  site_id: string;
  /** In force. */
  value: Json;
}

const itemsAtOnce = 256;

export async function listDrift(db: ReadDb, ranks: Ranks, filter: DriftFilter): Promise<Drift[]> {
  const rows: Drift[] = [];
  for (let last = ''; ; ) {
    const ids = await findDriftCandidates(db, filter, last, itemsAtOnce);
    if (ids.length === 0) return rows;
    last = ids.at(-1) as string;
    await turn();
    const [claims, pins] = [await loadLivingClaims(db, ids), await loadPins(db, ids)];
    const found = new Map<ItemId, Disagreement[]>();
    for (const [count, [id, own]] of [...claims].entries()) {
      const differing = disagreementsOf(own, pins.get(id) ?? [], ranks);
      if (differing.length > 0) found.set(id, differing);
      if (count % 64 === 0) await turn();
    }
    for (const [id, item] of await loadItems(db, [...found.keys()])) {
      const { ci_id, ci_name, site_id } = item;
      const inForce = differenceOf(undefined, item)?.after ?? {};
      for (const one of found.get(id) ?? [])
        rows.push({ ci_id, ci_name, site_id, value: inForce[one.attribute] ?? null, ...one });
    }
  }
}

/** A source's own names for the thing and for itself differ by nature; lists that add up cannot disagree. */
const incomparable = new Set([
  'managed_by',
  'external_id',
  'terraform_resource_id',
  'tags',
  'relationships',
  'technical_specs.power_state',
]);

/** Of the measured values the first in rank is held against each that was intended. A pin is its people's last word. */
export function disagreementsOf(claims: readonly SpokenClaim[], pins: readonly Pin[], ranks: Ranks): Disagreement[] {
  const measuring = claims.filter(({ kind }) => ranks.roleOf(kind) === 'measures');
  const pinned = new Set(pins.map((pin) => pin.attribute));
  const found: Disagreement[] = [];
  for (const claim of claims) {
    const role = ranks.roleOf(claim.kind);
    if (role === 'measures') continue;
    for (const [attribute, value] of wordsOf(claim.said)) {
      if (role === 'people' && pinned.has(attribute)) continue;
      const best = isComparable(claim, attribute, value, ranks) && measuredBest(measuring, attribute, ranks);
      if (best && differs(best, attribute, value)) found.push(disagreement(best, attribute, wordOf(claim, attribute)));
    }
  }
  for (const { attribute, value, since } of pins) {
    const best = measuredBest(measuring, attribute, ranks);
    if (best && differs(best, attribute, value))
      found.push(disagreement(best, attribute, { source: 'pin', value, said_at: since }));
  }
  return found;
}

function measuredBest(measuring: readonly SpokenClaim[], attribute: string, ranks: Ranks): SpokenClaim | undefined {
  let best: SpokenClaim | undefined;
  for (const claim of measuring) {
    const value = saidValue(claim.said, attribute);
    if (value === undefined || !isComparable(claim, attribute, value, ranks)) continue;
    if (!best || goesBefore(claim, best, attribute, ranks)) best = claim;
  }
  return best;
}

/** As where claims are merged: of one kind, the value said last. */
function goesBefore(a: SpokenClaim, b: SpokenClaim, attribute: string, ranks: Ranks): boolean {
  const rank = ranks.of(attribute);
  if (a.kind !== b.kind) return rank.indexOf(a.kind) < rank.indexOf(b.kind);
  const [saidA, saidB] = [saidAt(a, attribute), saidAt(b, attribute)];
  return saidA === saidB ? a.source < b.source : saidA > saidB;
}

function isComparable({ kind }: SpokenClaim, attribute: string, value: Json, ranks: Ranks): boolean {
  if (value === null || incomparable.has(attribute) || !ranks.of(attribute).includes(kind)) return false;
  // Who calls it a machine does not know better.
  return attribute !== 'ci_type' || value !== 'machine';
}

const specs = 'technical_specs.';

/** What people alone say, of Ansible, is not measured. */
function saidValue(said: Said, attribute: string): Json | undefined {
  if (attribute.startsWith(specs)) return said.technical_specs?.[attribute.slice(specs.length)];
  return said[attribute as PlainAttribute];
}

function differs(measured: SpokenClaim, attribute: string, value: Json): boolean {
  const reality = saidValue(measured.said, attribute);
  return reality !== value && !isSame(attribute.split('.').at(-1) as string, reality, value);
}

function disagreement(best: SpokenClaim, attribute: string, intended: Word): Disagreement {
  const measured = wordOf(best, attribute);
  const [, since = ''] = [measured.said_at, intended.said_at].sort();
  return { attribute, measured, intended, since };
}

function wordOf(claim: SpokenClaim, attribute: string): Word {
  return {
    source: claim.source,
    value: saidValue(claim.said, attribute) ?? null,
    said_at: saidAt(claim, attribute),
  };
}

function saidAt(claim: SpokenClaim, attribute: string): string {
  return claim.since[attribute] ?? claim.first_said_at;
}
