/**
 * Which claims speak of one thing. Worked out from what all of them say now and from what was settled before this
 * moment, never from the order of arrival. Three questions, in this order: which guest is this (guests.ts), whose
 * claim is this (whose.ts), and what of the rest belongs together (together.ts). Pure.
 */

import type { ItemId } from '../item.ts';
import type { Rules } from './contradiction.ts';
import { keepGuests } from './guests.ts';
import { type Thing, Things } from './things.ts';
import { joinBy, type Level } from './together.ts';
import {
  bindByWord,
  joinByDeadNumber,
  joinByNumber,
  keepTies,
  numbersOf,
  type Questions,
  tornBetween,
  waitForShared,
} from './whose.ts';
import type { Witness, World } from './witness.ts';

export interface Partition {
  things: readonly Thing[];
  /** Things that wait for a person's answer, and have no item meanwhile. */
  homeless: ReadonlySet<Thing>;
  /** Open questions: the claim, and the claims of all that it might speak of. */
  questions: Questions;
  /** `kind value`: hardware that several things carry, and that therefore identifies none. */
  shared: ReadonlySet<string>;
  /** Guests that were rebuilt under another key in this moment. */
  retyped: ReadonlySet<Witness>;
  /** What was joined, and why, for whoever asks. */
  joined: Things;
}

/** From the strongest. */
export const hardwareLevels: readonly Level[] = ['uuid', 'serial', 'mac', 'machine_id'];
const nameLevels: readonly Level[] = ['fqdn', 'name'];
const mostRounds = 20;

/** The witnesses must be in the order of their refs. */
export function identify(world: World): Partition {
  const waiting: Questions = new Map();
  for (let round = 1; ; round++) {
    const { torn, ...partition } = partitionOf(world, waiting);
    if (torn.size === 0 || round === mostRounds) return partition;
    for (const [ref, candidates] of torn) waiting.set(ref, candidates);
  }
}

function partitionOf(world: World, waiting: Questions): Partition & { torn: Questions } {
  const numbers = numbersOf(world);
  const rules: Rules = { numberOf: numbers.of, items: world.items, apart: world.apart, beside: world.beside };
  const things = new Things(world, rules);
  const isWaiting = ({ ref }: Witness) => waiting.has(ref);
  bindByWord(world, things);
  joinByNumber(world, things, numbers, isWaiting);
  const retyped = keepGuests(world, things);
  joinByDeadNumber(world, things, numbers, isWaiting);
  const shared = new Set<string>();
  const join = (level: Level) => {
    for (const value of joinBy(level, world, things, isWaiting)) shared.add(`${level} ${value}`);
  };
  for (const level of hardwareLevels) join(level);
  const { waiting: torn, asked } = tornBetween(world, things, numbers, isWaiting);
  keepTies(world, things, isWaiting);
  for (const level of nameLevels) join(level);
  waitForShared(world, things, numbers, shared, isWaiting);
  return { things: things.all(), ...questionsOf(things, waiting, asked), shared, retyped, joined: things, torn };
}

function questionsOf(things: Things, waiting: Questions, asked: Questions): Pick<Partition, 'questions' | 'homeless'> {
  const questions: Questions = new Map(asked);
  const homeless = new Set<Thing>();
  for (const thing of things.all()) {
    const [only] = thing.witnesses;
    const candidates = thing.waitsFor ?? (thing.witnesses.length === 1 && only ? waiting.get(only.ref) : undefined);
    if (!candidates || candidates.length === 0) continue;
    if (thing.items.length === 0) homeless.add(thing);
    for (const witness of thing.witnesses)
      if (!witness.isGone && witness.bound === undefined) questions.set(witness.ref, candidates);
  }
  return { questions, homeless };
}

/** The item that outlives a merge, and then the others. Of one age the one goes first whose words do: ids are made at random. */
export function oldestFirst(world: World, ids: readonly ItemId[]): ItemId[] {
  if (ids.length < 2) return [...ids];
  const leastRef = (id: ItemId) =>
    world.witnesses.reduce((least, { item, ref }) => (item === id && (least === '' || ref < least) ? ref : least), '');
  const ranked = ids.map((id) => ({ id, rank: `${world.items.get(id)?.createdAt ?? ''} ${leastRef(id)} ${id}` }));
  return ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ id }) => id);
}
