/**
 * Witnesses and items, put together into things step by step. Nothing here decides what belongs together: it only
 * remembers what was joined, and why.
 */

import type { ItemId } from '../item.ts';
import {
  type Contradiction,
  contradictionOf,
  type Leeway,
  type Rules,
  type Traits,
  traitsOf,
} from './contradiction.ts';
import type { Witness, World } from './witness.ts';

export interface Thing {
  witnesses: Witness[];
  items: ItemId[];
  /** The witnesses between which this one waits for a person's answer. */
  waitsFor: readonly string[] | undefined;
  /** Terraform says that its machine was replaced. */
  isReplaced: boolean;
  traits: Traits | undefined;
}

/** What ties a witness or an item to another: the rule, and the value that they share. */
export interface Tie {
  a: string;
  b: string;
  by: string;
  value?: string | undefined;
}

/** A witness is called by its ref, an item by this. */
export const itemKey = (id: ItemId): string => `ci ${id}`;

export class Things {
  readonly ties: Tie[] = [];
  readonly #rules: Rules;
  readonly #parent = new Map<string, string>();
  readonly #things = new Map<string, Thing>();

  constructor(world: World, rules: Rules) {
    this.#rules = rules;
    for (const witness of world.witnesses) this.#add(witness.ref, [witness], []);
    for (const id of world.items.keys()) this.#add(itemKey(id), [], [id]);
  }

  #add(key: string, witnesses: Witness[], items: ItemId[]): void {
    this.#parent.set(key, key);
    this.#things.set(key, { witnesses, items, waitsFor: undefined, isReplaced: false, traits: undefined });
  }

  has(key: string): boolean {
    return this.#parent.has(key);
  }

  /** The name of the thing that a witness or an item is part of now. */
  keyOf(key: string): string {
    let root = key;
    for (let above = this.#parent.get(root) as string; above !== root; above = this.#parent.get(root) as string)
      root = above;
    return root;
  }

  of(key: string): Thing {
    return this.#things.get(this.keyOf(key)) as Thing;
  }

  /** Names of things in an order that no id has a part in, since ids are made at random: the eldest item, then its words. */
  inOrder(keys: Iterable<string>): string[] {
    const list = [...keys];
    if (list.length < 2) return list;
    const ranked = list.map((key) => ({ key, rank: this.#rankOf(key) }));
    return ranked.sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0)).map(({ key }) => key);
  }

  #rankOf(key: string): string {
    const { items, witnesses } = this.of(key);
    const eldest = items.reduce((first, id) => {
      const since = this.#rules.items.get(id)?.createdAt ?? '';
      return first === '' || since < first ? since : first;
    }, '');
    const least = witnesses.reduce((first, { ref }) => (first === '' || ref < first ? ref : first), '');
    return `${items.length > 0 ? `ci ${eldest} ` : ''}${least}`;
  }

  all(): Thing[] {
    return [...this.#things.values()];
  }

  join(a: string, b: string, by: string, value?: string): void {
    const [into, from] = [this.keyOf(a), this.keyOf(b)];
    if (into === from) return;
    const thing = this.#things.get(into) as Thing;
    const other = this.#things.get(from) as Thing;
    this.#parent.set(from, into);
    this.#things.delete(from);
    thing.witnesses.push(...other.witnesses);
    thing.items.push(...other.items);
    thing.waitsFor ??= other.waitsFor;
    thing.isReplaced ||= other.isReplaced;
    thing.traits = undefined;
    this.ties.push({ a, b, by, value });
  }

  traitsOf(thing: Thing): Traits {
    thing.traits ??= traitsOf(thing.witnesses, this.#rules);
    return thing.traits;
  }

  /** What holds two things apart on a level; undefined where nothing does. */
  contradiction(a: Thing, b: Thing, level: string, leeway: Leeway = {}): Contradiction | undefined {
    return a === b ? undefined : contradictionOf(a, b, this.traitsOf(a), this.traitsOf(b), level, leeway, this.#rules);
  }

  /** Joins what does not contradict; answers whether it did. */
  joinUnless(a: string, b: string, by: string, level: string, leeway: Leeway = {}, value?: string): boolean {
    if (this.contradiction(this.of(a), this.of(b), level, leeway)) return false;
    this.join(a, b, by, value);
    return true;
  }
}
