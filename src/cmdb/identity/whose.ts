/**
 * Whose claim is this? What others say of a guest, or of anything that stood before: a person's verdict, the item
 * that a claim was bound to by id, the number that the cluster reports, and the tie that was settled before.
 */

import type { IdentifierKind, ItemId } from '../item.ts';
import { isGuest, lastName } from './contradiction.ts';
import { natural } from './guests.ts';
import { itemKey, type Thing, type Things } from './things.ts';
import { isAnchor, isHypervisors, meets, type Witness, type World } from './witness.ts';

export const ties = {
  verdict: 'a person said so',
  bound: 'it was written to the item, or came back with its id',
  settled: 'it was settled before',
  number: 'number',
  replaced: 'Terraform replaced its machine under the same address and name',
  heir: 'what it named is gone, and one living machine bears the name',
} as const;

/** What people said, and what came with an item's id; what is gone stays where it was. */
export function bindByWord(world: World, things: Things): void {
  for (const [ref, id] of world.same)
    if (things.has(ref) && things.has(itemKey(id))) things.join(itemKey(id), ref, ties.verdict);
  for (const witness of world.witnesses) {
    if (world.same.has(witness.ref)) continue;
    const id = witness.bound ?? (witness.isGone ? witness.item : undefined);
    if (id !== undefined && things.has(itemKey(id)))
      things.join(itemKey(id), witness.ref, witness.bound === undefined ? ties.settled : ties.bound);
  }
}

export interface Numbers {
  /** The number of a witness, while it says anything: not of one that is gone, that went to another guest, or that no cluster reports. */
  of: (witness: Witness) => string | undefined;
  /** Numbers that a cluster reported and does no longer. */
  dead: ReadonlySet<string>;
}

export function numbersOf(world: World): Numbers {
  const dead = new Set<string>();
  for (const { isGone, marks, ...witness } of world.witnesses)
    if (isGone && marks.pve !== undefined && isHypervisors({ ...witness, isGone, marks })) dead.add(marks.pve);
  if (dead.size > 0)
    for (const witness of world.witnesses)
      if (isAnchor(witness) && witness.marks.pve !== undefined) dead.delete(witness.marks.pve);
  return {
    dead,
    of: ({ marks: { pve }, isGone, numberLeftBehind: left, name }) => {
      if (pve === undefined || isGone || dead.has(pve)) return undefined;
      return left && left.pve === pve && left.name === name ? undefined : pve;
    },
  };
}

/** One number is one guest of its cluster: whoever gives it speaks of that one. */
export function joinByNumber(
  world: World,
  things: Things,
  numbers: Numbers,
  isWaiting: (witness: Witness) => boolean,
): void {
  const byNumber = new Map<string, Witness[]>();
  for (const witness of world.witnesses) {
    const number = numbers.of(witness);
    if (number === undefined || witness.bound !== undefined || isWaiting(witness)) continue;
    byNumber.set(number, [...(byNumber.get(number) ?? []), witness]);
  }
  for (const [number, witnesses] of byNumber) {
    const first = witnesses.find(isAnchor) ?? witnesses[0];
    for (const witness of witnesses)
      if (first && witness !== first) things.joinUnless(first.ref, witness.ref, ties.number, 'pve', {}, number);
  }
}

/** A number that is no longer reported means its guest only together with the name. */
export function joinByDeadNumber(
  world: World,
  things: Things,
  { dead }: Numbers,
  isWaiting: (witness: Witness) => boolean,
): void {
  if (dead.size === 0) return;
  for (const witness of world.witnesses) {
    const { pve } = witness.marks;
    if (witness.isGone || isWaiting(witness) || pve === undefined || !dead.has(pve)) continue;
    if (witness.item !== undefined || witness.bound !== undefined) continue;
    const former = world.witnesses.filter(
      (one) => one.isGone && isHypervisors(one) && one.marks.pve === pve && one.name === witness.name,
    );
    if (former.length === 1) things.joinUnless((former[0] as Witness).ref, witness.ref, ties.number, 'key', {}, pve);
  }
}

/** Ties that were settled before hold while nothing contradicts them now; those of whom there is news come last. */
export function keepTies(world: World, things: Things, isWaiting: (witness: Witness) => boolean): void {
  const tied = world.witnesses.filter(
    (one) =>
      !one.isGone &&
      !isWaiting(one) &&
      !isAnchor(one) &&
      one.bound === undefined &&
      one.item &&
      things.has(itemKey(one.item)),
  );
  const heirs = new Heirs(world);
  for (const witness of tied.sort((a, b) => Number(a.isNews) - Number(b.isNews) || natural(a.ref, b.ref))) {
    const key = itemKey(witness.item as ItemId);
    if (things.keyOf(key) === things.keyOf(witness.ref) || things.of(witness.ref).waitsFor) continue;
    const thing = things.of(key);
    const heir = witness.kind === 'import' ? heirs.of(witness, thing, things) : undefined;
    if (heir !== undefined && things.joinUnless(heir, witness.ref, ties.heir, 'name')) continue;
    const isReplaced = witness.kind === 'terraform' && bearsItsName(witness, thing);
    const leeway = { isReplaced, isRebuilt: isOldFact(world, witness, thing) };
    if (things.contradiction(thing, things.of(witness.ref), 'key', leeway)) continue;
    const isRebuild = isReplaced && things.contradiction(thing, things.of(witness.ref), 'key') !== undefined;
    things.join(key, witness.ref, isRebuild ? ties.replaced : ties.settled);
    if (isRebuild) things.of(key).isReplaced = true;
  }
  followReplacements(world, things, isWaiting);
}

/** Facts of a body that its guest has no more stay where they were, without a word. */
function isOldFact({ items }: World, witness: Witness, { witnesses, items: own }: Thing): boolean {
  if (!witness.isInside || witness.isNews) return false;
  const anchors = witnesses.filter(isAnchor);
  const known = own.map((id) => items.get(id));
  return anchors.length > 0 && [...anchors, ...known].some((one) => (one?.bodySince ?? '') >= witness.heardAt);
}

/** Terraform gave its address another number, or calls it as the cluster did last. */
function bearsItsName({ before, name, marks }: Witness, thing: Thing): boolean {
  return (
    (before !== undefined && before.name === name && before.pve !== marks.pve) || name === lastName(thing.witnesses)
  );
}

/** What an import named and is dead passes it on to the living machine of that name, if just one bears it. */
class Heirs {
  readonly #anchors: readonly Witness[];

  constructor(world: World) {
    this.#anchors = world.witnesses.filter(isAnchor);
  }

  of(witness: Witness, thing: Thing, things: Things): string | undefined {
    if (!isGuest(thing.witnesses) || thing.witnesses.some(isAnchor)) return undefined;
    const names = witness.values.get('name') ?? [];
    const found = new Set<string>();
    for (const anchor of this.#anchors)
      if (meets(anchor.values.get('name') ?? [], names)) found.add(things.keyOf(anchor.ref));
    return found.size === 1 ? [...found][0] : undefined;
  }
}

/** An address of Terraform that was given another number while its former guest was still reported. */
function followReplacements(world: World, things: Things, isWaiting: (witness: Witness) => boolean): void {
  for (const witness of world.witnesses) {
    if (witness.replaces === undefined || witness.isGone || isWaiting(witness)) continue;
    const key = itemKey(witness.replaces);
    if (!things.has(key) || things.keyOf(key) === things.keyOf(witness.ref)) continue;
    if (witness.name !== lastName(things.of(key).witnesses)) continue;
    if (things.joinUnless(key, witness.ref, ties.replaced, 'key', { isReplaced: true }))
      things.of(key).isReplaced = true;
  }
}

/** A claim, and all that it might speak of: a person has to say. */
export type Questions = Map<string, readonly string[]>;

const hardware: readonly IdentifierKind[] = ['uuid', 'serial', 'mac'];
const spoken: readonly IdentifierKind[] = [...hardware, 'fqdn', 'name'];

/**
 * Claims whose hardware belongs to two machines that contradict each other: those that wait without an item, and
 * those that keep theirs while the question is asked.
 */
export function tornBetween(world: World, things: Things, numbers: Numbers, isWaiting: (witness: Witness) => boolean) {
  const waiting: Questions = new Map();
  const asked: Questions = new Map();
  const reported = reportersOf(world);
  for (const witness of world.witnesses) {
    if (!mayBeAsked(witness, world, numbers) || isWaiting(witness) || things.of(witness.ref).waitsFor) continue;
    const mine = things.of(witness.ref);
    if (!mine.witnesses.some(isAnchor)) continue;
    const { found, byHardware, isFirm } = othersOf(witness, mine, things, reported);
    const isApart = (thing: Thing) => thing.witnesses.some(({ ref }) => world.apart.get(witness.ref)?.has(ref));
    if (!isFirm || ![...found].some((thing) => !isApart(thing))) continue;
    const candidates = [
      ...mine.witnesses.filter((one) => one !== witness),
      ...[...found].flatMap((one) => one.witnesses),
    ];
    const isSettled = witness.item !== undefined && mine.items.includes(witness.item) && !witness.isNews;
    const question = isSettled && ![...byHardware].some((thing) => !isApart(thing)) ? asked : waiting;
    question.set(witness.ref, [...new Set(candidates.map(({ ref }) => ref))]);
  }
  return { waiting, asked };
}

function mayBeAsked(witness: Witness, world: World, numbers: Numbers): boolean {
  return (
    !witness.isGone &&
    witness.bound === undefined &&
    !isAnchor(witness) &&
    numbers.of(witness) === undefined &&
    !world.same.has(witness.ref)
  );
}

/** Who reports a value: `kind value` → the hypervisors' claims that carry it. */
function reportersOf(world: World): Map<string, Witness[]> {
  const reporters = new Map<string, Witness[]>();
  for (const witness of world.witnesses) {
    if (!isAnchor(witness)) continue;
    for (const kind of spoken)
      for (const value of witness.values.get(kind) ?? [])
        reporters.set(`${kind} ${value}`, [...(reporters.get(`${kind} ${value}`) ?? []), witness]);
  }
  return reporters;
}

/** The other things that a claim's values belong to, and whether its hardware is of its own thing. */
function othersOf(witness: Witness, mine: Thing, things: Things, reported: ReadonlyMap<string, readonly Witness[]>) {
  const found = new Set<Thing>();
  const byHardware = new Set<Thing>();
  let isFirm = false;
  for (const kind of witness.role === 'people' ? spoken : hardware) {
    for (const value of witness.values.get(kind) ?? []) {
      const bearers = (reported.get(`${kind} ${value}`) ?? []).filter((one) => one !== witness);
      const bearing = new Set(bearers.map(({ ref }) => things.of(ref)));
      if (bearing.has(mine)) {
        isFirm ||= hardware.includes(kind);
        continue;
      }
      const [other] = bearing;
      if (bearing.size !== 1 || !other || !things.contradiction(mine, other, kind)) continue;
      found.add(other);
      if (hardware.includes(kind)) byHardware.add(other);
    }
  }
  return { found, byHardware, isFirm };
}

/** What has nothing but values that several machines share waits. */
export function waitForShared(
  world: World,
  things: Things,
  numbers: Numbers,
  shared: ReadonlySet<string>,
  isWaiting: (witness: Witness) => boolean,
): void {
  if (shared.size === 0) return;
  for (const witness of world.witnesses) {
    if (!mayBeAsked(witness, world, numbers) || isWaiting(witness)) continue;
    const thing = things.of(witness.ref);
    if (thing.waitsFor || thing.items.length > 0 || thing.witnesses.some(isAnchor)) continue;
    const candidates = new Set<string>();
    for (const kind of hardware)
      for (const value of witness.values.get(kind) ?? [])
        if (shared.has(`${kind} ${value}`))
          for (const one of world.witnesses)
            if (isAnchor(one) && one.values.get(kind)?.includes(value) && !world.apart.get(witness.ref)?.has(one.ref))
              candidates.add(one.ref);
    if (candidates.size > 1) thing.waitsFor = [...candidates];
  }
}
