/**
 * What belongs together by what it shares: one kind of identifier at a time. A value joins the things that carry it
 * where these do not contradict; one that several things carry, which do, identifies none of them; a thing between
 * two that contradict each other waits for a person.
 */

import type { IdentifierKind } from '../item.ts';
import { isGuest } from './contradiction.ts';
import type { Thing, Things } from './things.ts';
import { isAnchor, isHypervisors, type Witness, type World } from './witness.ts';

export type Level = Exclude<IdentifierKind, 'pve' | 'guest'>;

/** Joins by one kind; answers the values that several things carry, which contradict each other. */
export function joinBy(level: Level, world: World, things: Things, isWaiting: (witness: Witness) => boolean): string[] {
  const carriers = carriersOf(level, world, things, isWaiting);
  const { edges, shared } = edgesOf(level, carriers, things);
  if (edges.length > 0) joinAlong(level, edges, things);
  return shared;
}

function valuesAt(witness: Witness, level: Level): readonly string[] {
  return witness.values.get(level) ?? [];
}

/** For each value the things that carry it, by their keys. */
function carriersOf(
  level: Level,
  world: World,
  things: Things,
  isWaiting: (witness: Witness) => boolean,
): Map<string, Set<string>> {
  const carriers = new Map<string, Set<string>>();
  /** Things that carry a value by nothing but facts that were bound to them. */
  const onlyByFacts = new Map<string, Set<string>>();
  for (const witness of world.witnesses) {
    const values = valuesAt(witness, level);
    if (values.length === 0 || isWaiting(witness)) continue;
    const thing = things.of(witness.ref);
    if (thing.waitsFor || !lends(witness, thing)) continue;
    const key = things.keyOf(witness.ref);
    const isFact = witness.isInside && witness.bound !== undefined;
    for (const value of values) {
      const keys = carriers.get(value) ?? new Set();
      const facts = onlyByFacts.get(value) ?? new Set();
      if (!isFact) facts.delete(key);
      else if (!keys.has(key)) facts.add(key);
      carriers.set(value, keys.add(key));
      onlyByFacts.set(value, facts);
    }
  }
  for (const [value, facts] of onlyByFacts)
    if (facts.size > 0) withoutFacts(carriers.get(value) as Set<string>, facts, things);
  return carriers;
}

/** Facts bound by id unite no two items: they lend only to what has none yet. */
function withoutFacts(keys: Set<string>, facts: ReadonlySet<string>, things: Things): void {
  for (const key of keys) {
    if (!facts.has(key)) continue;
    const own = things.of(key);
    const isElsewhere = ({ item }: Witness) => item !== undefined && !own.items.includes(item);
    const unites = [...keys].some((other) => {
      if (other === key) return false;
      const thing = things.of(other);
      return thing.items.length > 0 || thing.witnesses.some(isElsewhere);
    });
    if (unites) keys.delete(key);
  }
}

/** What a guest says of itself finds it, but nobody is found by it. What is gone lends while nothing living does. */
function lends(witness: Witness, thing: Thing): boolean {
  if (witness.isGone) return isHypervisors(witness) && thing.items.length > 0 && !thing.witnesses.some(isAnchor);
  if (!witness.isInside) return true;
  return !isGuest(thing.witnesses) && !(witness.bound !== undefined && witness.isMuted);
}

interface Edge {
  a: string;
  b: string;
  value: string;
}

function edgesOf(
  level: Level,
  carriers: ReadonlyMap<string, ReadonlySet<string>>,
  things: Things,
): { edges: Edge[]; shared: string[] } {
  const edges: Edge[] = [];
  const shared: string[] = [];
  for (const [value, set] of carriers) {
    if (set.size < 2) continue;
    const keys = things.inOrder(set);
    const agree = (a: string, b: string) => !things.contradiction(things.of(a), things.of(b), level);
    if (level === 'name' || level === 'fqdn') {
      for (const [a, b] of pairsOf(keys)) if (agree(a, b)) edges.push({ a, b, value });
      continue;
    }
    const reported = keys.filter((key) => isReportedWith(things.of(key), level, value));
    const [own] = reported;
    if (own !== undefined && reported.length === 1) {
      for (const key of keys) if (key !== own && agree(own, key)) edges.push({ a: own, b: key, value });
    } else if (hasClash(keys, (a, b) => !agree(a, b))) shared.push(value);
    else for (const key of keys.slice(1)) edges.push({ a: keys[0] as string, b: key, value });
  }
  return { edges, shared };
}

/** A hypervisor reports it with this value. */
function isReportedWith(thing: Thing, level: Level, value: string): boolean {
  return thing.witnesses.some((witness) => isAnchor(witness) && valuesAt(witness, level).includes(value));
}

function* pairsOf(keys: readonly string[]): Generator<readonly [string, string]> {
  for (const [index, a] of keys.entries()) for (const b of keys.slice(index + 1)) yield [a, b];
}

function hasClash(keys: readonly string[], clash: (a: string, b: string) => boolean): boolean {
  for (const [a, b] of pairsOf(keys)) if (clash(a, b)) return true;
  return false;
}

/** Joins what edges connect; where that holds two that contradict, whoever stands between them waits. */
function joinAlong(level: Level, edges: readonly Edge[], things: Things): void {
  const near = new Map<string, Set<string>>();
  const meet = (a: string, b: string) => near.set(a, (near.get(a) ?? new Set()).add(b));
  for (const { a, b } of edges) {
    meet(a, b);
    meet(b, a);
  }
  const parts = partsOf(near, things);
  const torn = new Set<string>();
  for (const part of parts) for (const key of tornIn(level, part, near, things)) torn.add(key);
  for (const { a, b, value } of edges)
    if (!torn.has(a) && !torn.has(b)) things.joinUnless(a, b, level, level, {}, value);
}

function partsOf(near: ReadonlyMap<string, ReadonlySet<string>>, things: Things): string[][] {
  const done = new Set<string>();
  const parts: string[][] = [];
  for (const start of things.inOrder(near.keys())) {
    if (done.has(start)) continue;
    const part: string[] = [];
    const todo = [start];
    for (let key = todo.pop(); key !== undefined; key = todo.pop()) {
      if (done.has(key)) continue;
      done.add(key);
      part.push(key);
      todo.push(...(near.get(key) ?? []));
    }
    parts.push(part);
  }
  return parts;
}

/** Those from which two that contradict each other can be reached, without passing a third that contradicts anyone. */
function tornIn(
  level: Level,
  part: readonly string[],
  near: ReadonlyMap<string, ReadonlySet<string>>,
  things: Things,
): string[] {
  if (part.length < 3) return [];
  const clash = (a: string, b: string) =>
    a !== b && things.contradiction(things.of(a), things.of(b), level) !== undefined;
  const opposed = new Set(part.filter((a) => part.some((b) => clash(a, b))));
  if (opposed.size === 0) return [];
  const torn: string[] = [];
  for (const key of part) {
    const reached = reachedFrom(key, near, opposed);
    if (!reached.some((a) => reached.some((b) => clash(a, b)))) continue;
    torn.push(key);
    const thing = things.of(key);
    if (!thing.witnesses.some(isAnchor))
      thing.waitsFor = reached.flatMap((other) => things.of(other).witnesses.map(({ ref }) => ref));
  }
  return torn;
}

function reachedFrom(
  start: string,
  near: ReadonlyMap<string, ReadonlySet<string>>,
  opposed: ReadonlySet<string>,
): string[] {
  const reached = new Set<string>();
  const seen = new Set([start]);
  const todo = [...(near.get(start) ?? [])];
  for (let key = todo.pop(); key !== undefined; key = todo.pop()) {
    if (seen.has(key)) continue;
    seen.add(key);
    if (opposed.has(key)) reached.add(key);
    else todo.push(...(near.get(key) ?? []));
  }
  return [...reached];
}
