/**
 * What a change to one item means for all others: read level by level through the edges of the store, each item
 * once, then weighed in memory. Nothing is written.
 */

import type { ReadDb } from '../store/open.ts';
import { inTurns, turn } from '../store/turn.ts';
import { type Carrying, carryingOf, type RelationshipRules } from './carrying.ts';
import { type ItemId, type Strength, strengths } from './item.ts';
import { edgesFrom, edgesTo, type Face, facesInUse, typesInUse, type WalkedEdge } from './store/impact.ts';
import { circlesIn, type Hit, pathTo, strongestPaths } from './strongest.ts';

/** An item on the way, and what it is to the one before it: `{ci_name: web-1, relationship_type: depends_on}`. */
export interface Step {
  ci_id: ItemId;
  ci_name: string;
  relationship_type: string;
}

export interface Affected extends Face {
  /** Of the strongest path: that of its weakest relationship. */
  strength: Strength;
  /** From the item that is changed, which it leaves out, to this one, which is its last step. */
  path: Step[];
}

/** A credential of the item that another one uses as well. */
export interface AffectedCredential {
  credential_id: string;
  credential_name: string;
  ci_id: string;
  ci_name: string;
  role: string | null;
  path: Step[];
}

/** Who keeps credentials tells which other items use one of this item's. Handed to the heart where there is one. */
export type CredentialsAffected = (id: ItemId) => Promise<readonly AffectedCredential[]>;

export interface Impact {
  primary_ci: Pick<Face, 'ci_id' | 'ci_name' | 'ci_type'>;
  change_type: string | null;
  directly_affected: Affected[];
  indirectly_affected: Affected[];
  credentials_affected: readonly AffectedCredential[];
  /** Items that hit each other in turn. Each step follows from the one before it, and the first from the last. */
  cycles: Step[][];
  /** More is affected than is told. */
  truncated: boolean;
}

export interface ImpactQuestion {
  changeType: string | null;
  /** Relationships of this strength and more. */
  minStrength: Strength;
}

export interface Limits {
  items: number;
  /** How far it is looked. */
  hops: number;
  /** In all paths together: a long chain has many, though it has few items. */
  steps: number;
  cycles: number;
}

const limits: Limits = { items: 10_000, hops: 1000, steps: 200_000, cycles: 100 };
const idsAtOnce = 500;

export async function impactOf(
  db: ReadDb,
  rules: RelationshipRules,
  primary: Face,
  { changeType, minStrength }: ImpactQuestion,
  credentialsAffected?: CredentialsAffected,
  most: Limits = limits,
): Promise<Impact> {
  const weakest = strengths.indexOf(minStrength);
  const walk = await walked(db, carryingOf(rules, changeType), primary, weakest, most);
  const direct: Affected[] = [];
  const indirect: Affected[] = [];
  let { isCut } = walk;
  let steps = 0;
  const all = await strongestPaths(walk.hits, weakest);
  all.sort((a, b) => a.rank - b.rank || a.hops - b.hops || byName(walk.faces[a.place], walk.faces[b.place]));
  for (const reached of all) {
    steps += reached.hops;
    if (steps > most.steps) {
      isCut = true;
      break;
    }
    const strength = strengths[reached.rank] as Strength;
    const row = { ...(walk.faces[reached.place] as Face), strength, path: pathTo(reached) };
    (reached.hops === 1 ? direct : indirect).push(row);
    if (indirect.length % 256 === 0) await turn();
  }
  const circles = await circlesIn(walk.hits);
  const { ci_id, ci_name, ci_type } = primary;
  return {
    primary_ci: { ci_id, ci_name, ci_type },
    change_type: changeType,
    directly_affected: direct,
    indirectly_affected: indirect,
    credentials_affected: (await credentialsAffected?.(ci_id)) ?? [],
    cycles: circles.slice(0, most.cycles),
    truncated: isCut || circles.length > most.cycles,
  };
}

function byName(a?: Face, b?: Face): number {
  if (!a || !b) return 0;
  if (a.ci_name !== b.ci_name) return a.ci_name < b.ci_name ? -1 : 1;
  return a.ci_id < b.ci_id ? -1 : 1;
}

interface Walked {
  /** By place; the changed item is the first. None of what is not in use. */
  faces: readonly (Face | undefined)[];
  hits: readonly Hit<Step>[][];
  isCut: boolean;
}

interface Found {
  by: number;
  to: number;
  rank: number;
  word: string;
}

/** Level by level, everything that is hit at all, each item once however many ways and circles lead to it. */
async function walked(db: ReadDb, carrying: Carrying, primary: Face, weakest: number, most: Limits): Promise<Walked> {
  const faces: (Face | undefined)[] = [primary];
  const hits: Hit<Step>[][] = [[]];
  const places = new Map<ItemId, number>([[primary.ci_id, 0]]);
  const outward = await typesInUse(db, carrying.outward);
  let room = most.items;
  let isCut = false;
  let level: readonly number[] = [0];
  for (let hops = 0; level.length > 0; hops += 1) {
    const found: Found[] = [];
    const unknown: ItemId[] = [];
    const note = (by: number, { ci_id, relationship_type, relationship_strength }: WalkedEdge, word: string) => {
      const rank = carrying.rankOf(relationship_type, relationship_strength);
      if (rank === undefined || rank > weakest) return;
      let to = places.get(ci_id);
      if (to === undefined) {
        to = places.size;
        places.set(ci_id, to);
        faces.push(undefined);
        hits.push([]);
        unknown.push(ci_id);
      }
      found.push({ by, to, rank, word });
    };
    await edgesAround(db, carrying, outward, { level, faces }, note);
    if (hops === most.hops && unknown.length > 0) room = 0;
    const next: number[] = [];
    // Ids grow with time: in their order they lie beside each other.
    for await (const ids of inTurns(unknown.sort(), idsAtOnce)) {
      for (const face of await facesInUse(db, ids)) {
        if (room === 0) isCut = true;
        else {
          const place = places.get(face.ci_id) as number;
          room -= 1;
          faces[place] = face;
          next.push(place);
        }
      }
    }
    for (const { by, to, rank, word } of found) {
      const face = faces[to];
      if (!face) continue;
      const step = { ci_id: face.ci_id, ci_name: face.ci_name, relationship_type: word };
      (hits[by] as Hit<Step>[]).push({ to, rank, step });
    }
    level = next;
  }
  return { faces, hits, isCut };
}

type Note = (by: number, edge: WalkedEdge, word: string) => void;

/** Whom these items hit at once. */
async function edgesAround(
  db: ReadDb,
  carrying: Carrying,
  outward: readonly string[],
  { level, faces }: { level: readonly number[]; faces: Walked['faces'] },
  note: Note,
) {
  for await (const part of inTurns(level, idsAtOnce)) {
    const ids = part.map((place) => (faces[place] as Face).ci_id);
    for (const edge of await edgesTo(db, ids)) {
      const { hits } = carrying.ruleOf(edge.relationship_type);
      if (hits === 'item' || hits === 'both') note(part[edge.at] as number, edge, edge.relationship_type);
    }
    await turn();
    for (const edge of outward.length > 0 ? await edgesFrom(db, ids, outward) : []) {
      // Said from the other side, it reads as all steps do: what the item is to the one before it.
      const word = carrying.ruleOf(edge.relationship_type).reverse ?? edge.relationship_type;
      note(part[edge.at] as number, edge, word);
    }
  }
}
