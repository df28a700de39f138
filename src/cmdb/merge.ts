/** All claims of one item → the item: for each attribute the first in rank that has a word. Pure. */

import { millisecondsOf } from '../time.ts';
import { absenceOf } from './absence.ts';
import type {
  AnsibleWords,
  Claim,
  Document,
  HandedDown,
  Json,
  Lifecycle,
  PlainAttribute,
  Power,
  Specs,
  TakenOff,
  Winners,
} from './item.ts';
import { ansibleKeys, isOfItem, plainAttributes } from './item.ts';
import type { Ranks } from './kinds.ts';
import { pathOf } from './paths.ts';
import { inOrder } from './said.ts';
import { statusOf } from './status.ts';

export interface Pin {
  attribute: string;
  value: Json;
  since: string;
}

/** What of an item does not come out of its claims, and is taken over as it stands. */
export interface Standing {
  hold: Document['hold'];
  ansible_name: string | null;
  generation: number;
  merged_into: Document['merged_into'];
  deleted_at: string | null;
  taken_off: TakenOff;
  handed_down: HandedDown;
  winners: Winners;
}

export interface Merged {
  document: Document;
  winners: Winners;
}

/** How it was settled whose word on an attribute counts. */
export interface Choice {
  attribute: string;
  read: Read;
  /** All that have a word at all, and those of them that have one on this attribute. */
  speaking: readonly Claim[];
  among: readonly Claim[];
  winner: Claim | undefined;
}

/** Throws nothing: an item of which nobody says a name keeps none, which the caller does not let happen. */
export function mergeClaims(
  claims: readonly Claim[],
  pins: readonly Pin[],
  standing: Standing,
  ranks: Ranks,
  defaultSite: string,
  at: string,
  listen?: (choice: Choice) => void,
): Merged {
  const counting = notWithdrawn(claims);
  const speaking = withAWord(counting, ranks);
  const stale = staleOf(speaking, ranks, at);
  const winners: Winners = {};
  let last: Winners[string] | undefined;
  const pinned = new Map(pins.map((pin) => [pin.attribute, pin]));

  const pick = (attribute: string, read: Read, among: readonly Claim[] = speaking): Json | undefined => {
    const pin = pinned.get(attribute);
    const winner = pin ? undefined : firstInRank(among, ranks.of(attribute), attribute, read, stale);
    listen?.({ attribute, read, speaking, among, winner });
    if (pin) {
      winners[attribute] = { source: 'pin', since: pin.since };
      return pin.value;
    }
    if (!winner) return undefined;
    const before = standing.winners[attribute];
    const said = winner.since[attribute] ?? winner.first_said_at;
    const since = before?.source === winner.source ? later(before.since, said) : at;
    // Most attributes of an item share both: one object says it for all of them.
    if (last?.source !== winner.source || last.since !== since) last = { source: winner.source, since };
    winners[attribute] = last;
    return read(winner);
  };
  const manager: Read = (claim) => claim.said.managed_by ?? impliedManager(claim, ranks);

  const values: { [attribute in PlainAttribute]?: string | undefined } = {};
  for (const attribute of plainAttributes) {
    const read = attribute === 'managed_by' ? manager : plainWords[attribute];
    values[attribute] = pick(attribute, read, electorate(attribute, speaking, claims, ranks)) as string | undefined;
  }
  const document: Document = {
    ci_type: values.ci_type ?? 'machine',
    ci_name: values.ci_name ?? '',
    ci_status: '',
    lifecycle: (values.lifecycle ?? 'active') as Lifecycle,
    power: (values.power ?? null) as Power | null,
    hold: standing.hold,
    absence: absenceOf(counting, ranks, at),
    site_id: values.site_id ?? defaultSite,
    environment: values.environment ?? null,
    role: values.role ?? null,
    criticality: values.criticality ?? null,
    technical_specs: mergeSpecs(speaking, pins, pick),
    tags: union(speaking, (claim) => claim.said.tags, standing.handed_down.tags, standing.taken_off.tags),
    ansible: mergeAnsible(speaking, pins, pick, standing),
    ansible_name: standing.ansible_name,
    managed_by: values.managed_by ?? null,
    discovered_by: firstAutomatic(claims, ranks),
    terraform_resource_id: values.terraform_resource_id ?? null,
    external_id: values.external_id ?? null,
    owner: values.owner ?? null,
    notes: values.notes ?? null,
    generation: standing.generation,
    merged_into: standing.merged_into,
    deleted_at: standing.deleted_at,
  };
  document.ci_status = statusOf(document);
  return { document, winners };
}

/** Whose words count, for what is no attribute of the document. What was withdrawn stands nowhere but in that. */
export function speakingOf(claims: readonly Claim[], ranks: Ranks): readonly Claim[] {
  return withAWord(notWithdrawn(claims), ranks).filter((claim) => claim.gone_for_good !== 'withdrawn');
}

type Read = (claim: Claim) => Json | undefined;

/** How each word is read. Made once: made for each item, they would be much of what a large write leaves behind. */
const plainWords = readsOf(plainAttributes, (claim, attribute) => claim.said[attribute]);
const ansibleWords = readsOf(ansibleKeys, (claim, key) => claim.said.ansible?.[key]);

function readsOf<Key extends string>(
  keys: readonly Key[],
  read: (claim: Claim, key: Key) => Json | undefined,
): Record<Key, Read> {
  return Object.fromEntries(keys.map((key) => [key, (claim: Claim) => read(claim, key)])) as Record<Key, Read>;
}

/** What measures or intends a thing manages it, unless somebody says otherwise. */
function impliedManager(claim: Claim, ranks: Ranks): string | undefined {
  return ranks.roleOf(claim.kind) === 'people' ? undefined : claim.kind;
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}

/** What people wrote to an item does not make it another's: while nobody else speaks of it, it is what was withdrawn. */
function notWithdrawn(claims: readonly Claim[]): readonly Claim[] {
  const others = those(claims, (claim) => claim.gone_for_good !== 'withdrawn');
  if (others === claims) return claims;
  const isKnownOtherwise = others.some((claim) => !(isOfItem(claim) && claim.bound_ci_id !== null));
  return isKnownOtherwise ? others : claims;
}

/**
 * What is gone has a word only where it was measured, and nobody of its kind speaks for the item any more. What is of
 * another machine has none. An item of which nobody speaks stands as it was said last.
 */
function withAWord(claims: readonly Claim[], ranks: Ranks): readonly Claim[] {
  const own = those(claims, (claim) => !claim.muted && claim.ghost_of === null);
  const living = those(own, (claim) => !claim.gone_since);
  if (living.length === own.length && own.length > 0) return own;
  const alive = new Set(living.map((claim) => claim.kind));
  const speaking = own.filter(
    (claim) => !claim.gone_since || (ranks.roleOf(claim.kind) === 'measures' && !alive.has(claim.kind)),
  );
  return speaking.length > 0 ? speaking : formerWords(claims);
}

/** What was said last where nobody has a word: of the thing itself, else of what its number meant, else of another. */
function formerWords(claims: readonly Claim[]): readonly Claim[] {
  const unmuted = those(claims, (claim) => !claim.muted);
  const own = those(unmuted, (claim) => claim.ghost_of === null);
  return own.length > 0 ? own : unmuted.length > 0 ? unmuted : claims;
}

/** Those that a test holds of: mostly it holds of all, which are then answered as they are. */
function those(claims: readonly Claim[], test: (claim: Claim) => unknown): readonly Claim[] {
  for (const claim of claims) if (!test(claim)) return claims.filter(test);
  return claims;
}

/** Claims that were heard so long ago that they lose to whatever was heard after them. */
function staleOf(claims: readonly Claim[], ranks: Ranks, at: string): ReadonlySet<Claim> {
  if (claims.length < 2) return noClaims;
  const now = millisecondsOf(at);
  return new Set(
    claims.filter(({ kind, heard_at }) => {
      const ttl = ranks.ttlMilliseconds(kind);
      return ttl !== undefined && now - millisecondsOf(heard_at) > ttl;
    }),
  );
}

const noClaims: ReadonlySet<Claim> = new Set();

function electorate(
  attribute: PlainAttribute,
  speaking: readonly Claim[],
  all: readonly Claim[],
  ranks: Ranks,
): readonly Claim[] {
  // No item is without a name: where only the gone ever said one, they said it.
  if (attribute === 'ci_name') {
    const isNamed = (claim: Claim) => claim.said.ci_name;
    const named = those(speaking, isNamed);
    // A machine never renames itself, however long all others are silent.
    const outside = those(named, (claim) => !ranks.isInside(claim.kind));
    return outside.length > 0 ? outside : named.length > 0 ? named : formerWords(those(all, isNamed));
  }
  if (attribute === 'ci_type') {
    const known = those(speaking, (claim) => claim.said.ci_type && claim.said.ci_type !== 'machine');
    return known.length > 0 ? known : speaking;
  }
  if (attribute === 'site_id' && speaking.some((claim) => claim.said.pve)) {
    // A guest is where its cluster is, unless a person says otherwise.
    return those(speaking, (claim) => claim.said.pve || ranks.roleOf(claim.kind) === 'people');
  }
  if (attribute === 'managed_by') return those(speaking, (claim) => !claim.gone_since);
  return speaking;
}

function firstInRank(
  claims: readonly Claim[],
  rank: readonly string[],
  attribute: string,
  read: Read,
  stale: ReadonlySet<Claim>,
): Claim | undefined {
  const heardLast = stale.size === 0 ? '' : heardAmong(claims.filter((claim) => hasWord(claim, rank, read)));
  let best: Claim | undefined;
  for (const claim of claims) {
    if (!hasWord(claim, rank, read) || (stale.has(claim) && claim.heard_at < heardLast)) continue;
    if (!best || goesBefore(claim, best, rank, attribute)) best = claim;
  }
  return best;
}

function hasWord(claim: Claim, rank: readonly string[], read: Read): boolean {
  const value = read(claim);
  return value !== undefined && value !== null && rank.includes(claim.kind);
}

function heardAmong(claims: readonly Claim[]): string {
  return (
    claims
      .map(({ heard_at }) => heard_at)
      .sort()
      .at(-1) ?? ''
  );
}

/** By rank; then the living before the gone; then the value said last; then source and key in order. */
function goesBefore(a: Claim, b: Claim, rank: readonly string[], attribute: string): boolean {
  const byRank = rank.indexOf(a.kind) - rank.indexOf(b.kind);
  if (byRank !== 0) return byRank < 0;
  if (!a.gone_since !== !b.gone_since) return !a.gone_since;
  const saidA = a.since[attribute] ?? a.first_said_at;
  const saidB = b.since[attribute] ?? b.first_said_at;
  if (saidA !== saidB) return saidA > saidB;
  return a.source === b.source ? a.native_key < b.native_key : a.source < b.source;
}

type Pick = (attribute: string, read: Read) => Json | undefined;

/** The keys in a section that are pinned, whether anybody says something of them or not. */
function pinnedKeys(pins: readonly Pin[], section: string): string[] {
  return pins.flatMap(({ attribute }) => (attribute.startsWith(section) ? [attribute.slice(section.length)] : []));
}

/** The keys that a section has in any of the claims, or under a pin, in order. */
function keysOf(
  claims: readonly Claim[],
  pins: readonly Pin[],
  section: string,
  read: (claim: Claim) => Specs | undefined,
): string[] {
  // Most items have one claim and no pin.
  const [only] = claims;
  if (only && claims.length === 1 && pins.length === 0) return inOrder(Object.keys(read(only) ?? {}));
  const keys = new Set(claims.flatMap((claim) => Object.keys(read(claim) ?? {})));
  for (const key of pinnedKeys(pins, section)) keys.add(key);
  return [...keys].sort();
}

function mergeSpecs(claims: readonly Claim[], pins: readonly Pin[], pick: Pick): Specs {
  const specs: Specs = {};
  for (const key of keysOf(claims, pins, 'technical_specs.', (claim) => claim.said.technical_specs)) {
    const value = pick(pathOf('technical_specs.', key), (claim) => claim.said.technical_specs?.[key]);
    if (value !== undefined) specs[key] = value;
  }
  return specs;
}

function mergeAnsible(
  claims: readonly Claim[],
  pins: readonly Pin[],
  pick: Pick,
  { taken_off, handed_down }: Standing,
): AnsibleWords {
  const isSpoken = claims.some((claim) => claim.said.ansible) || pinnedKeys(pins, 'ansible.').length > 0;
  if (!isSpoken && !handed_down.groups) return {};
  const words: Record<string, Json> = {};
  for (const key of ansibleKeys) {
    const value = pick(`ansible.${key}`, ansibleWords[key]);
    if (value !== undefined) words[key] = value;
  }
  const groups = union(claims, (claim) => claim.said.ansible?.groups, handed_down.groups, taken_off.groups);
  if (groups.length > 0) words.groups = groups;
  const variables = keysOf(claims, pins, 'ansible.vars.', (claim) => claim.said.ansible?.vars);
  if (variables.length > 0) {
    const vars: Specs = {};
    for (const name of variables) {
      const value = pick(`ansible.vars.${name}`, (claim) => claim.said.ansible?.vars?.[name]);
      if (value !== undefined) vars[name] = value;
    }
    if (Object.keys(vars).length > 0) words.vars = vars;
  }
  return words as AnsibleWords;
}

function union(
  claims: readonly Claim[],
  read: (claim: Claim) => readonly string[] | undefined,
  handedDown: readonly string[] = [],
  takenOff: readonly string[] = [],
): string[] {
  const [only] = claims;
  // What one source alone says is in order, and has nothing twice.
  if (only && claims.length === 1 && handedDown.length + takenOff.length === 0) return [...(read(only) ?? [])];
  const all = new Set(claims.flatMap((claim) => read(claim) ?? []));
  for (const value of handedDown) all.add(value);
  for (const value of takenOff) all.delete(value);
  return inOrder([...all]);
}

function firstAutomatic(claims: readonly Claim[], ranks: Ranks): string {
  const rank = ranks.of('power');
  const automatic = claims.filter((claim) => ranks.roleOf(claim.kind) !== 'people' && claim.ghost_of === null);
  const [first] = automatic.sort(
    (a, b) =>
      (a.first_said_at < b.first_said_at ? -1 : a.first_said_at > b.first_said_at ? 1 : 0) ||
      rank.indexOf(a.kind) - rank.indexOf(b.kind) ||
      (a.source < b.source ? -1 : 1),
  );
  return first?.source ?? 'manual';
}
