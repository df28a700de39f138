/**
 * Why the claims of an item are one thing, and why others that share something with it are not it. It puts into words
 * what identity decided, and decides nothing itself. Pure.
 */

import { contradictions } from './identity/contradiction.ts';
import { oldestFirst, type Partition } from './identity/identity.ts';
import { itemKey, type Thing, type Tie } from './identity/things.ts';
import type { Witness, World } from './identity/witness.ts';
import { type IdentifierKind, type ItemId, identifierKinds } from './item.ts';

export interface ToldTie {
  /** As `source key`. */
  claim: string;
  /** Another claim, or the id of the item itself. */
  with: string;
  /** A kind of identifier, or a sentence. */
  by: string;
  value?: string;
  /** Of a claim that is tied to the item itself: what it has in common with other claims of it. */
  shares?: string[];
}

export interface Neighbour {
  ci_id: ItemId;
  shares: string[];
  because: string;
}

export interface ToldQuestion {
  claim: string;
  candidates: readonly string[];
}

export interface ToldIdentity {
  ties: ToldTie[];
  apart: Neighbour[];
  /** What several things carry, and what therefore identifies none. */
  shared: string[];
  questions: ToldQuestion[];
}

/** `known` is a claim of the item, as `source key`. */
export function tellIdentity(id: ItemId, known: string, world: World, partition: Partition): ToldIdentity {
  const mine = partition.joined.of(partition.joined.has(itemKey(id)) ? itemKey(id) : known);
  const isMine = (ref: string) => mine.witnesses.some((witness) => witness.ref === ref);
  return {
    ties: tiesOf(id, mine, partition),
    apart: neighboursOf(mine, world, partition),
    shared: marksOf(mine).filter(isSharedIn(partition)).map(inWords),
    questions: [...partition.questions]
      .filter(([ref, candidates]) => isMine(ref) || candidates.some(isMine))
      .map(([claim, candidates]) => ({ claim, candidates })),
  };
}

/** In the order in which they were found. Identity joins whole groups: a tie is told of those in them who carry its value. */
function tiesOf(id: ItemId, mine: Thing, { joined }: Partition): ToldTie[] {
  const witnesses = new Map(mine.witnesses.map((witness) => [witness.ref, witness]));
  const groups = new Map<string, string[]>();
  const told: ToldTie[] = [];
  for (const tie of joined.ties) {
    if (joined.of(tie.a) !== mine) continue;
    const [a, b] = [groups.get(tie.a) ?? [tie.a], groups.get(tie.b) ?? [tie.b]];
    const [one, other] = [carrierIn(a, tie.a, tie, witnesses), carrierIn(b, tie.b, tie, witnesses)];
    told.push(toldTie(id, tie, witnesses.has(other) ? [other, one] : [one, other], witnesses));
    const both = [...a, ...b];
    for (const key of both) groups.set(key, both);
  }
  return told;
}

function carrierIn(
  group: readonly string[],
  key: string,
  { by, value }: Tie,
  witnesses: ReadonlyMap<string, Witness>,
): string {
  if (value === undefined) return key;
  const carries = (ref: string) =>
    witnesses
      .get(ref)
      ?.values.get(by as IdentifierKind)
      ?.includes(value) === true;
  return carries(key) ? key : (group.find(carries) ?? key);
}

function toldTie(
  id: ItemId,
  { by, value }: Tie,
  [claim, other]: readonly [string, string],
  witnesses: ReadonlyMap<string, Witness>,
): ToldTie {
  const told = { claim, by, ...(value === undefined ? {} : { value: plain(by, value) }) };
  if (witnesses.has(other)) return { ...told, with: other };
  const own = witnesses.get(claim);
  const others = [...witnesses.values()].filter((witness) => witness !== own && !witness.isGone);
  const shares = own
    ? marksOf({ witnesses: [own] })
        .filter(isCarriedBy(others))
        .map(inWords)
    : [];
  return { ...told, with: id, ...(shares.length > 0 ? { shares } : {}) };
}

/** Other items with which it has something in common. */
function neighboursOf(mine: Thing, world: World, partition: Partition): Neighbour[] {
  const marks = marksOf(mine);
  const found: Neighbour[] = [];
  for (const other of partition.things) {
    const [ci_id] = oldestFirst(world, other.items);
    if (other === mine || ci_id === undefined) continue;
    const shares = marks.filter(isCarriedBy(other.witnesses));
    if (shares.length > 0)
      found.push({ ci_id, shares: shares.map(inWords), because: whyApart(mine, other, shares, partition) });
  }
  return found;
}

/** By the strongest thing that they share. */
function whyApart(mine: Thing, other: Thing, shares: readonly Mark[], partition: Partition): string {
  for (const mark of shares) {
    const contradiction = partition.joined.contradiction(mine, other, mark.kind);
    if (contradiction) return contradictions[contradiction];
    if (isSharedIn(partition)(mark)) return 'several things carry it, and cannot be one, so it identifies none of them';
  }
  const isAsked = [...partition.questions].some(([ref, candidates]) => {
    const holds = (thing: Thing) => thing.witnesses.some((one) => one.ref === ref || candidates.includes(one.ref));
    return holds(mine) && holds(other);
  });
  if (isAsked) return 'a person has to say';
  const carriersOf = (thing: Thing) => thing.witnesses.filter((witness) => shares.some(isCarriedBy([witness])));
  const either = [carriersOf(mine), carriersOf(other)];
  if (either.some((carriers) => carriers.every(({ isGone }) => isGone)))
    return 'of one of them it is said by nobody who still reports it';
  if (either.some((carriers) => carriers.every(({ isInside }) => isInside)))
    return 'one of them says it of itself alone, and that unites no two items';
  return 'nothing has joined them';
}

interface Mark {
  kind: IdentifierKind;
  value: string;
}

/** By what its claims are found, strongest first. */
function marksOf({ witnesses }: Pick<Thing, 'witnesses'>): Mark[] {
  return identifierKinds
    .filter((kind) => kind !== 'guest')
    .flatMap((kind) =>
      [...new Set(witnesses.flatMap(({ values }) => values.get(kind) ?? []))].map((value) => ({ kind, value })),
    );
}

function isCarriedBy(witnesses: readonly Witness[]) {
  return ({ kind, value }: Mark) => witnesses.some(({ values }) => values.get(kind)?.includes(value));
}

function isSharedIn({ shared }: Partition) {
  return ({ kind, value }: Mark) => shared.has(`${kind} ${value}`);
}

const kindsInWords: Partial<Record<IdentifierKind, string>> = {
  pve: 'number',
  uuid: 'UUID',
  mac: 'MAC',
  machine_id: 'machine-id',
  fqdn: 'FQDN',
};

function inWords({ kind, value }: Mark): string {
  return `${kindsInWords[kind] ?? kind} ${plain(kind, value)}`;
}

/** Without the type and the site within which a name is one, and the name that a machine-id goes with. */
function plain(kind: string, value: string): string {
  const words = value.split(' ');
  if (kind === 'name') return words.slice(2).join(' ').trim();
  if (kind === 'fqdn') return words.slice(1).join(' ');
  return kind === 'machine_id' ? (words[0] as string) : value;
}
