/**
 * Keeps the edges between items in step with what is said. Claims keep relationships as they were said, by id or by
 * name; edges are worked out of the claims that have a word and are never written otherwise. So nothing dangles and
 * nothing is moved: a merge takes the claims to the survivor and the id answers with it, a split gives both back, and
 * a name finds its item when that appears. After each write this is done anew for the items that were touched, and for
 * those whose claims name an item that is called, placed or merged otherwise than before; those are found by an
 * index of whom claims name. A fixed number of statements, however many items there are; one where nothing is related.
 */

import type { Trx } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import { type Claim, type Item, type ItemId, type Json, refOf } from './item.ts';
import type { Ranks } from './kinds.ts';
import { type Edge, edgesOf, folded, targetOf } from './relationship.ts';
import type { Change } from './store/changes.ts';
import {
  isAnythingRelated,
  itemsNaming,
  type KeptEdge,
  loadEdges,
  loadEnds,
  namesOfItems,
  noteUpdated,
  storeEdges,
  storeTargets,
} from './store/edges.ts';
import { loadWorks, type Work } from './work.ts';

/** An item that a write touched and that is stored, with all its claims. */
export type Touched = Pick<Work, 'id' | 'item' | 'former' | 'claims' | 'source'>;

/** What became of an item's relationships: all that it had, and all that it has. */
interface Related {
  ci_id: ItemId;
  ci_name: string;
  source: string;
  before: Json;
  after: Json;
}

/**
 * After items and claims are stored: stores whom the claims name and the edges of all items that this concerns.
 * Answers the changes with what differs, also of items that nobody touched.
 */
export async function relate(
  trx: Trx,
  ranks: Ranks,
  touched: readonly Touched[],
  claims: readonly Claim[],
  changes: readonly Change[],
  at: string,
): Promise<readonly Change[]> {
  const speaks = claims.some(({ said }) => said.relationships) || touched.some(isSpokenOf);
  if (!speaks && !(await isAnythingRelated(trx))) return changes;
  await storeTargets(trx, new Map(claims.map(({ claim_id, said }) => [claim_id, targetsOf(said.relationships)])));
  const all = [...touched, ...(await othersNaming(trx, touched, claims))];
  const related = await storeRelated(trx, ranks, all, at);
  return withRelated(changes, related);
}

function isSpokenOf({ claims }: Pick<Touched, 'claims'>): boolean {
  return claims.some(({ said }) => said.relationships);
}

function targetsOf(said: Claim['said']['relationships'] = []): string[] {
  return said.map(targetOf);
}

/** Items of which nobody spoke, and whose claims name one that is to be found otherwise than before. */
async function othersNaming(trx: Trx, touched: readonly Touched[], claims: readonly Claim[]): Promise<Touched[]> {
  const causes = new Map<string, string>();
  const [names, ids] = [new Set<string>(), new Set<ItemId>()];
  // A claim may have moved to another item.
  for (const claim of claims) {
    const ref = refOf(claim);
    names.add(ref);
    causes.set(ref, claim.source);
  }
  for (const { id, item, former, source } of touched) {
    if (!item || (former && findingOf(former) === findingOf(item))) continue;
    if (former) ids.add(id);
    for (const name of [item.ci_name, ...(former ? [former.ci_name] : [])]) {
      names.add(folded(name));
      causes.set(folded(name), source);
    }
    causes.set(id, source);
  }
  if (names.size === 0) return [];
  const sources = new Map<ItemId, string>();
  const known = new Set(touched.map(({ id }) => id));
  for (const { ci_id, named } of await itemsNaming(trx, [...names], [...ids]))
    if (!known.has(ci_id)) sources.set(ci_id, causes.get(named) ?? '');
  if (sources.size === 0) return [];
  const works = await loadWorks(trx, [...sources.keys()]);
  return [...works.values()].map((work) => ({ ...work, source: sources.get(work.id) as string }));
}

/** All by which an item is found, or is not. */
function findingOf({
  ci_name,
  site_id,
  technical_specs,
  ci_status,
  deleted_at,
  merged_into,
  handed_down,
}: Item): string {
  const isGone = [ci_status === 'retired', deleted_at !== null];
  return JSON.stringify([ci_name, site_id, technical_specs.parent, isGone, merged_into, handed_down.adopted_by]);
}

async function storeRelated(trx: Trx, ranks: Ranks, all: readonly Touched[], at: string): Promise<Related[]> {
  const stored = await loadEdges(
    trx,
    all.map(({ id }) => id),
  );
  const concerned = all.filter((one) => isSpokenOf(one) || stored.has(one.id));
  if (concerned.length === 0) return [];
  const wanted = { ids: new Set<string>(), claims: new Set<string>(), names: new Set<string>() };
  for (const { claims } of concerned)
    for (const { said } of claims)
      for (const one of said.relationships ?? []) {
        const kind = one.ci_id !== undefined ? 'ids' : one.claim !== undefined ? 'claims' : 'names';
        wanted[kind].add(targetOf(one));
      }
  const ends = await loadEnds(trx, [...wanted.ids], [...wanted.names], [...wanted.claims]);
  const edges = new Map<ItemId, KeptEdge[]>();
  const differing: Touched[] = [];
  for (const [count, one] of concerned.entries()) {
    const former = stored.get(one.id) ?? [];
    const now = edgesOf(one.item as Item, one.claims, ends, ranks).map((edge) => withSince(edge, former, at));
    if (JSON.stringify(former.map(columnsOf)) === JSON.stringify(now.map(columnsOf))) continue;
    edges.set(one.id, now);
    if (JSON.stringify(former.map(wordsOf)) !== JSON.stringify(now.map(wordsOf))) differing.push(one);
    if (count % 64 === 0) await turn();
  }
  if (edges.size === 0) return [];
  await storeEdges(trx, edges);
  if (differing.length === 0) return [];
  await noteUpdated(
    trx,
    differing.map(({ id }) => id),
    at,
  );
  const told = differing.map((one) => ({ one, was: stored.get(one.id) ?? [], is: edges.get(one.id) ?? [] }));
  const named = await namesOfItems(trx, [
    ...new Set(told.flatMap(({ was, is }) => [...was, ...is].map(({ target_ci_id }) => target_ci_id))),
  ]);
  return told.map(({ one, was, is }) => ({
    ci_id: one.id,
    ci_name: (one.item as Item).ci_name,
    source: one.source,
    before: shown(was, named),
    after: shown(is, named),
  }));
}

function withSince(edge: Edge, former: readonly KeptEdge[], at: string): KeptEdge {
  const same = former.find(
    ({ relationship_type, target_ci_id, source }) =>
      relationship_type === edge.relationship_type && target_ci_id === edge.target_ci_id && source === edge.source,
  );
  return { ...edge, since: same?.since ?? at };
}

/** What a change is about; which claim says it is not. */
function wordsOf({ relationship_type, relationship_strength, target_ci_id, source, note }: Edge): Json {
  return [relationship_type, target_ci_id, source, relationship_strength, note];
}

function columnsOf(edge: Edge): Json {
  return [wordsOf(edge), edge.claim_id];
}

/** As a change tells it: with the names that the others have at that time. */
function shown(edges: readonly Edge[], names: ReadonlyMap<ItemId, string>): Json {
  if (edges.length === 0) return null;
  const told = edges.map(({ relationship_type, relationship_strength, target_ci_id, source, note }) => ({
    relationship_type,
    relationship_strength,
    ci_id: target_ci_id,
    ci_name: names.get(target_ci_id) ?? null,
    source,
    note,
  }));
  const keyOf = ({ relationship_type, ci_name, ci_id, source }: (typeof told)[number]) =>
    [relationship_type, ci_name, ci_id, source].join('\n');
  return told.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const wordOfMouth = 'said.relationships';

/** One change to one item, however much differs. */
function withRelated(changes: readonly Change[], related: readonly Related[]): readonly Change[] {
  const byId = new Map(related.map((one) => [one.ci_id as string, one]));
  const all = changes.map((change) => {
    const one = change.subject === 'ci' ? byId.get(change.subject_id) : undefined;
    if (!one) return change;
    byId.delete(change.subject_id);
    // What was said, as it was said, is told where nothing else shows of it.
    const { [wordOfMouth]: _, ...before } = change.before;
    const { [wordOfMouth]: __, ...after } = change.after;
    // Of what is new there is no before.
    if (change.action !== 'created') before.relationships = one.before;
    return { ...change, before, after: { ...after, relationships: one.after } };
  });
  for (const { ci_id, ci_name, source, before, after } of byId.values())
    all.push({
      subject: 'ci',
      subject_id: ci_id,
      ci_name,
      action: 'updated',
      source,
      before: { relationships: before },
      after: { relationships: after },
    });
  return all;
}
