/**
 * Why an item is as it is: for each attribute the value, whose word it is and by which rule, and what the others say.
 * It listens to the very merge that makes an item, and only puts into words what that chose. Pure.
 */

import type { Claim, Document, Item, Json } from './item.ts';
import type { Ranks } from './kinds.ts';
import { type Choice, mergeClaims } from './merge.ts';
import { pathOf } from './pin.ts';
import type { KeptPin } from './store/pins.ts';

export interface OtherWord {
  source: string;
  value: Json;
  said_at: string;
}

export interface Explained {
  attribute: string;
  value: Json;
  /** A source, or `pin`; null where no one's word alone is the value. */
  winner: string | null;
  rule: string;
  since: string | null;
  others: OtherWord[];
  /** Of a pin or a hold. */
  reason?: string;
  until?: string | null;
}

/** Every attribute on which anybody has a word, and what follows from them. */
export function explain(
  item: Item,
  claims: readonly Claim[],
  pins: readonly KeptPin[],
  ranks: Ranks,
  defaultSite: string,
): Explained[] {
  const choices: Choice[] = [];
  const { document, winners } = mergeClaims(claims, pins, item, ranks, defaultSite, item.weighed_at, (choice) =>
    choices.push(choice),
  );
  const pinned = new Map(pins.map((pin) => [pin.attribute, pin]));
  const explained: Explained[] = [];
  for (const choice of choices) {
    const { attribute, read, speaking, winner } = choice;
    const pin = pinned.get(attribute);
    const others = speaking.filter((claim) => claim !== winner).flatMap((claim) => wordOf(claim, attribute, read));
    if (!pin && !winner && others.length === 0) continue;
    const since = (item.winners[attribute] ?? winners[attribute])?.since ?? null;
    const entry = { attribute, value: valueAt(document, attribute), since, others };
    explained.push(
      pin
        ? { ...entry, winner: 'pin', rule: `pinned by ${pin.pinned_by}`, reason: pin.reason, until: pin.until }
        : { ...entry, winner: winner?.source ?? null, rule: ruleOf(choice, ranks) },
    );
  }
  const speaking = choices[0]?.speaking ?? [];
  return [
    statusExplained(document),
    ...explained,
    ...unionExplained('tags', document.tags, speaking, (claim) => claim.said.tags, item.taken_off.tags),
    ...unionExplained(
      'ansible.groups',
      document.ansible.groups ?? [],
      speaking,
      (claim) => claim.said.ansible?.groups,
      item.taken_off.groups,
    ),
    ...nameExplained(item, speaking),
  ];
}

function wordOf(claim: Claim, attribute: string, read: Choice['read']): OtherWord[] {
  const value = read(claim);
  return hasWord(value) ? [{ source: claim.source, value, said_at: saidAt(claim, attribute) }] : [];
}

function hasWord(value: Json | undefined): value is Json {
  return value !== undefined && value !== null;
}

function saidAt(claim: Claim, attribute: string): string {
  return claim.since[attribute] ?? claim.first_said_at;
}

function valueAt(document: Document, attribute: string): Json {
  const value = pathOf(attribute).reduce<unknown>(
    (part, key) => (part as Record<string, unknown> | undefined)?.[key],
    document,
  );
  return (value ?? null) as Json;
}

/** Whose words on some attributes are not asked at all, where others have one. */
const narrowings: Readonly<Record<string, string>> = {
  ci_type: '"machine" says nothing where another type is known',
  site_id: 'a guest is where its cluster is, unless a person says otherwise',
  managed_by: 'what is gone manages nothing',
};

function ruleOf({ attribute, read, speaking, among, winner }: Choice, ranks: Ranks): string {
  const order = `ranks: ${ranks.of(attribute).join(', ')}`;
  if (!winner) return `nobody who is asked says it; ${order}`;
  const speakers = (claims: readonly Claim[]) =>
    claims.filter((claim) => claim !== winner && hasWord(read(claim)) && ranks.of(attribute).includes(claim.kind));
  const rivals = speakers(among);
  const likes = rivals.filter(({ kind, gone_since }) => kind === winner.kind && !gone_since === !winner.gone_since);
  const isLast = likes.every((claim) => saidAt(claim, attribute) < saidAt(winner, attribute));
  const words = [
    ...(speakers(speaking).length > rivals.length ? [narrowings[attribute]] : []),
    ...(likes.length > 0
      ? [`${isLast ? 'said last' : 'first in order'} among ${namesOf([winner, ...likes]).join(', ')}`]
      : []),
    ...(likes.length === 0 || rivals.some(({ kind }) => kind !== winner.kind) ? [order] : []),
  ];
  return words.filter((word) => word !== undefined).join('; ');
}

/** By their sources, and by their keys too where one source has several. */
function namesOf(claims: readonly Claim[]): string[] {
  const sources = new Set(claims.map(({ source }) => source));
  return sources.size === claims.length
    ? [...sources].sort()
    : claims.map(({ source, native_key }) => `${source} (${native_key})`).sort();
}

function unionExplained(
  attribute: string,
  value: string[],
  speaking: readonly Claim[],
  read: (claim: Claim) => string[] | undefined,
  takenOff: readonly string[] = [],
): Explained[] {
  const others = speaking.flatMap((claim) => wordOf(claim, attribute, read));
  if (others.length === 0) return [];
  const off = takenOff.filter((one) => others.some((other) => (other.value as string[]).includes(one)));
  const rule = off.length > 0 ? `union, less what a person took off: ${off.join(', ')}` : 'union';
  return [{ attribute, value, winner: null, rule, since: null, others }];
}

/** A name in the inventory is given and not merged; it is explained where somebody asked for one. */
function nameExplained(item: Item, speaking: readonly Claim[]): Explained[] {
  const others = speaking.flatMap((claim) => wordOf(claim, 'ansible.name', ({ said }) => said.ansible?.name));
  if (others.length === 0) return [];
  const isAsked = others.some(({ value }) => value === item.ansible_name);
  const rule = `given once, ${isAsked ? 'as a person asked' : 'by rule'}; "rollcall inventory why" says more`;
  return [{ attribute: 'ansible.name', value: item.ansible_name, winner: null, rule, since: null, others }];
}

function statusExplained({ ci_status, lifecycle, hold, power }: Document): Explained {
  const plain = { attribute: 'ci_status', value: ci_status, winner: null, since: null, others: [] };
  if (ci_status === 'maintenance' && hold)
    return { ...plain, rule: `held by ${hold.by}`, reason: hold.reason, until: hold.until };
  return { ...plain, rule: statusRule(ci_status, lifecycle, power) };
}

function statusRule(status: string, lifecycle: string, power: string | null): string {
  if (status === 'retired') return lifecycle === 'retired' ? 'its lifecycle' : 'it was missing for too long';
  if (status === 'missing') return 'no source that once reported it does so any more';
  return power === null ? 'its lifecycle, since nobody says a power' : 'its power';
}
