/** What items are to each other: what a body says of it, and to which items that comes. Pure. */

import type { Fault } from '../errors.ts';
import type { Claim, ItemId, SaidRelationship, SourceRef, Specs, Strength } from './item.ts';
import { strengths } from './item.ts';
import type { Ranks } from './kinds.ts';
import { speakingOf } from './merge.ts';
import { normalizeText } from './said.ts';

/** As it stands in a body. */
export interface WrittenRelationship {
  relationship_type: string;
  relationship_strength?: Strength | null;
  ci_id?: string | null;
  ci_name?: string | null;
  note?: string | null;
}

/** The ids that a body names, each with its place. */
export function idsIn(body: Readonly<Record<string, unknown>>): { pointer: string; id: string }[] {
  // It may not have been checked yet.
  if (!Array.isArray(body.relationships)) return [];
  return (body.relationships as (Partial<WrittenRelationship> | null)[]).flatMap((one, index) =>
    typeof one?.ci_id === 'string' ? [{ pointer: `/relationships/${index}/ci_id`, id: one.ci_id.toLowerCase() }] : [],
  );
}

/** In one order, each once; null where nothing is said. Where both an id and a name are given, the id counts. */
export function readRelationships(
  written: readonly WrittenRelationship[] | null,
  faults: Fault[],
): SaidRelationship[] | null {
  const said: SaidRelationship[] = [];
  for (const [index, one] of (written ?? []).entries()) {
    const { relationship_type, note } = one;
    const relationship_strength = one.relationship_strength ?? 'strong';
    const plain = { relationship_type, relationship_strength, ...(note ? { note: normalizeText(note) } : {}) };
    if (one.ci_id) said.push({ ...plain, ci_id: one.ci_id.toLowerCase() as ItemId });
    else if (one.ci_name) said.push({ ...plain, ci_name: normalizeText(one.ci_name) });
    else faults.push({ pointer: `/relationships/${index}`, detail: 'needs ci_id or ci_name: to which item it is' });
  }
  return distinct(said);
}

/** Of two that say the same of the same, the later one counts. */
export function distinct(said: readonly SaidRelationship[]): SaidRelationship[] | null {
  const byKey = new Map(said.map((one) => [`${one.relationship_type} ${targetOf(one)}`, one]));
  if (byKey.size === 0) return null;
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** By what the other item is found: its id, a claim on it, or its name in whatever case. */
export function targetOf({ ci_id, ci_name, claim }: SaidRelationship): string {
  return ci_id ?? claim ?? folded(ci_name as string);
}

/** As SQLite's `lower` does it, with which it has to agree. */
export function folded(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** An item that a relationship may be to. */
export interface End {
  ci_id: ItemId;
  ci_name: string;
  site_id: string;
  /** What it lives on, where that tells it apart from its namesakes. */
  parent: string | null;
  ci_status: string;
  deleted_at: string | null;
  /** The living item that goes on for this dead one. */
  adopted_by: ItemId | null;
}

/** Who may be meant: the item that answers for an id, the one of a claim, and those that bear a name and are not hidden. */
export interface Ends {
  byId: ReadonlyMap<string, End>;
  byClaim: ReadonlyMap<string, End>;
  byName: ReadonlyMap<string, readonly End[]>;
}

/** The item that has the relationships. */
export interface Bearer {
  ci_id: ItemId;
  site_id: string;
  technical_specs: Specs;
  deleted_at: string | null;
  merged_into: ItemId | null;
}

export interface Edge {
  ci_id: ItemId;
  relationship_type: string;
  target_ci_id: ItemId;
  source: SourceRef;
  claim_id: string;
  relationship_strength: Strength;
  note: string | null;
}

/** What all that is said of an item comes to. One source says a thing once: the strongest of its claims counts. */
export function edgesOf(bearer: Bearer, claims: readonly Claim[], ends: Ends, ranks: Ranks): Edge[] {
  if (bearer.deleted_at !== null || bearer.merged_into !== null) return [];
  const edges = new Map<string, Edge>();
  for (const claim of speakingOf(claims, ranks)) {
    for (const said of claim.said.relationships ?? []) {
      const end = endOf(said, bearer, ends, ranks.roleOf(claim.kind) === 'people');
      if (!end) continue;
      const { relationship_type, relationship_strength, note = null } = said;
      const { source, claim_id } = claim;
      const key = `${relationship_type} ${end.ci_id} ${source}`;
      const twin = edges.get(key);
      const isWeaker =
        twin && strengths.indexOf(twin.relationship_strength) <= strengths.indexOf(relationship_strength);
      if (isWeaker) twin.note ??= note;
      else {
        edges.set(key, {
          ci_id: bearer.ci_id,
          relationship_type,
          target_ci_id: end.ci_id,
          source,
          claim_id,
          relationship_strength,
          note: note ?? twin?.note ?? null,
        });
      }
    }
  }
  return [...edges].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, edge]) => edge);
}

/** What of the bearer tells whom it names. */
type Namer = Pick<Bearer, 'ci_id' | 'site_id' | 'technical_specs'>;

/**
 * The item that is meant; undefined where there is none, several, or the bearer itself. What people say of a dead item
 * is of the one that goes on for it.
 */
export function endOf(
  said: SaidRelationship,
  bearer: Namer,
  { byId, byClaim, byName }: Ends,
  isPersons: boolean,
): End | undefined {
  let end: End | undefined;
  if (said.ci_id !== undefined) end = byId.get(said.ci_id);
  else if (said.claim !== undefined) end = byClaim.get(said.claim);
  else end = bestOf(byName.get(folded(said.ci_name)) ?? [], bearer);
  const passed = new Set<End>();
  while (isPersons && end?.adopted_by && !passed.has(end)) {
    passed.add(end);
    end = byId.get(end.adopted_by);
  }
  return end && end.deleted_at === null && end.ci_id !== bearer.ci_id ? end : undefined;
}

/**
 * The living before the retired; of these the one at the item's own site, else the only one anywhere. Of several, such
 * as the containers of one project on two hosts, the one that lives where the item lives.
 */
function bestOf(ends: readonly End[], bearer: Namer): End | undefined {
  const others = ends.filter(({ ci_id }) => ci_id !== bearer.ci_id);
  const living = others.filter(({ ci_status }) => ci_status !== 'retired');
  const among = living.length > 0 ? living : others;
  const near = among.filter(({ site_id }) => site_id === bearer.site_id);
  const fitting = near.length > 0 ? near : among;
  if (fitting.length === 1) return fitting[0];
  const beside = fitting.filter(({ parent }) => parent !== null && parent === bearer.technical_specs.parent);
  return beside.length === 1 ? beside[0] : undefined;
}
