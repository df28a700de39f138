/**
 * What brings the former state of a person's part back: place by place what stood there before, and what they put
 * there. A place where something else stands by now is left as it is. Pure, over what lies on the desk.
 */

import type { Claim, ClaimId, GivenName, Item, ItemId, Json, Said } from './item.ts';
import { eachWord, saidWith, wordsOf } from './said.ts';
import { noName, type Work } from './work.ts';

export interface Place {
  was: Json;
  is: Json;
  /** Of a word: since when it was said. */
  since?: string | undefined;
}
export type Places = Record<string, Place>;

export interface Undo {
  items?: Record<string, Places>;
  claims?: Record<string, Places>;
  pins?: Record<string, Places>;
  verdicts?: VerdictsMade;
}

/** Another change of the same act has the undo of all of it. */
export interface UndoneWith {
  with: string;
}

export interface VerdictsMade {
  made: string[];
  ended: string[];
}

/** What identity knows of a claim beside its words and its item. */
const standings = [
  'native_key',
  'said_at',
  'heard_at',
  'returned_at',
  'settled_ci_id',
  'settled_at',
  'former_ci_ids',
  'replaces_ci_id',
  'body_since',
  'rebuilt_at',
  'number_left_behind',
  'muted',
  'alarm',
  'alarm_since',
] as const satisfies readonly (keyof Claim)[];

/** What of a claim an act may change, as it was before. */
export type FormerClaim = Pick<
  Claim,
  | 'said'
  | 'since'
  | 'first_said_at'
  | 'ci_id'
  | 'bound_ci_id'
  | 'gone_since'
  | 'gone_for_good'
  | 'gone_passes'
  | (typeof standings)[number]
>;

const wordPlace = 'said.';
const standing = 'standing.';

/** What became of a claim; undefined where nothing did. One that is new has no former. */
export function claimPlaces(former: FormerClaim | undefined, claim: Claim): Places | undefined {
  const places = wordPlaces(former, claim);
  if (!former) return { ...places, made: { was: null, is: true } };
  note(places, 'ci_id', former.ci_id, claim.ci_id);
  note(places, 'bound_ci_id', former.bound_ci_id, claim.bound_ci_id);
  note(places, 'gone', goneOf(former), goneOf(claim));
  for (const name of standings) note(places, standing + name, former[name], claim[name]);
  return isEmpty(places) ? undefined : places;
}

/** Whether anything became of a claim that a person would want to have undone by itself. */
export function isNews(places: Places): boolean {
  return Object.keys(places).some((name) => name !== 'bound_ci_id' && !name.startsWith(standing));
}

export function wordPlaces(former: FormerClaim | undefined, claim: Claim): Places {
  const places: Places = {};
  if (!former) {
    eachWord(claim.said, (attribute, is) => {
      places[wordPlace + attribute] = { was: null, is };
    });
    return places;
  }
  const before = new Map(wordsOf(former.said));
  const after = new Map(wordsOf(claim.said));
  for (const attribute of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(attribute) ?? null, after.get(attribute) ?? null];
    const since = was === null ? undefined : (former.since[attribute] ?? former.first_said_at);
    if (!same(was, is)) places[wordPlace + attribute] = { was, is, ...(since === undefined ? {} : { since }) };
  }
  return places;
}

function goneOf({ gone_since, gone_for_good, gone_passes }: FormerClaim): Json {
  return gone_since === null ? null : { gone_since, gone_for_good, gone_passes };
}

/** What of an item is people's, beside its claims. */
export function itemPlaces(former: Item | undefined, item: Item): Places | undefined {
  if (!former) return { made: { was: null, is: true } };
  const places = handPlaces(former, item);
  note(places, 'handed_down', former.handed_down as Json, item.handed_down as Json);
  note(places, 'deleted_at', former.deleted_at, item.deleted_at);
  note(places, 'merged', mergedOf(former), mergedOf(item));
  note(places, 'name', nameOf(former), nameOf(item));
  note(places, 'ci_name', former.ci_name, item.ci_name);
  note(places, 'body', bodyOf(former), bodyOf(item));
  return isEmpty(places) ? undefined : places;
}

/** Of an item that a source wrote to at the same time, what only a person writes. */
export function handPlaces(former: Item, item: Item): Places {
  const places: Places = {};
  note(places, 'hold', former.hold as Json, item.hold as Json);
  note(places, 'taken_off.tags', former.taken_off.tags ?? null, item.taken_off.tags ?? null);
  note(places, 'taken_off.groups', former.taken_off.groups ?? null, item.taken_off.groups ?? null);
  return places;
}

function mergedOf({ merged_into, merged_at, merged_by }: Item): Json {
  return merged_into === null ? null : { merged_into, merged_at, merged_by };
}

function nameOf({ ansible_name, ansible_name_by, ansible_name_from }: GivenName): Json {
  return ansible_name === null ? null : { ansible_name, ansible_name_by, ansible_name_from };
}

function bodyOf({ generation, body_since, first_anchor }: Item): Json {
  return { generation, body_since, first_anchor };
}

/** Of pins by what they pin. */
export function pinPlaces(
  before: readonly (readonly [string, Json])[],
  after: readonly (readonly [string, Json])[],
): Places | undefined {
  const places: Places = {};
  const [was, is] = [new Map(before), new Map(after)];
  for (const attribute of new Set([...was.keys(), ...is.keys()]))
    note(places, attribute, was.get(attribute) ?? null, is.get(attribute) ?? null);
  return isEmpty(places) ? undefined : places;
}

function note(places: Places, name: string, was: Json, is: Json): void {
  if (!same(was, is)) places[name] = { was, is };
}

function isEmpty(places: Places): boolean {
  return Object.keys(places).length === 0;
}

function same(a: Json, b: Json): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** What came of undoing: how much, and which places were left since something later stands there. */
export interface Undone {
  count: number;
  left: Set<string>;
}

/** Puts a place back, unless it is so already or something later stands there. Answers whether it is to be put back. */
export function mayUndo(undone: Undone, name: string, { was, is }: Place, now: Json): boolean {
  if (same(now, was)) return false;
  if (!same(now, is)) {
    undone.left.add(name);
    return false;
  }
  undone.count += 1;
  return true;
}

/** The claim's words as they were before the change; `later` is when the change was made. */
export function undoWords(undone: Undone, claim: Claim, places: Places, madeAt: string): void {
  const words = new Map(wordsOf(claim.said));
  const since: Record<string, string> = { ...claim.since };
  let said: Said = claim.said;
  for (const [name, place] of Object.entries(places)) {
    if (!name.startsWith(wordPlace)) continue;
    const attribute = name.slice(wordPlace.length);
    const isLater = (claim.since[attribute] ?? claim.first_said_at) > madeAt;
    const now = words.get(attribute) ?? null;
    if (!mayUndo(undone, attribute, isLater ? { ...place, is: null } : place, now)) continue;
    // Taken back first, so that it is the former value to the last digit.
    said = saidWith(said, patchOf(attribute, null));
    if (place.was !== null) said = saidWith(said, patchOf(attribute, place.was));
    if (place.since === undefined) delete since[attribute];
    else since[attribute] = place.since;
  }
  if (said === claim.said) return;
  claim.said = said;
  claim.since = since;
  claim.hash = '';
}

function patchOf(attribute: string, value: Json): Parameters<typeof saidWith>[1] {
  const [, section, key] = /^(technical_specs|ansible\.vars|ansible)\.(.+)$/s.exec(attribute) ?? [];
  if (section === undefined || key === undefined) return { [attribute]: value };
  return section === 'ansible.vars'
    ? { ansible: { vars: { [key]: value as string } } }
    : { [section]: { [key]: value } };
}

/** Whether its source no longer reports it, and what became of a claim that this act made. */
export function undoGone(undone: Undone, claim: Claim, { gone, made }: Places, at: string): void {
  if (made && Object.keys(claim.said).length === 0 && claim.gone_since === null) {
    Object.assign(claim, { gone_since: at, gone_for_good: 'withdrawn' });
    undone.count += 1;
  } else if (gone && mayUndo(undone, 'gone', gone, goneOf(claim)))
    Object.assign(claim, gone.was ?? { gone_since: null, gone_for_good: null, gone_passes: 0 });
}

/** Once it is where it was: whatever of it is still as the act left it is as it was before. */
export function undoStanding(claim: Claim, places: Places, now: FormerClaim): void {
  for (const name of standings) {
    const place = places[standing + name];
    if (place && same(now[name], place.is)) Object.assign(claim, { [name]: place.was });
  }
}

/** The item beside its claims and its name. */
export function undoItem(undone: Undone, work: Work, places: Places): void {
  const { item } = work;
  if (!item) return;
  const undo = (name: string, now: Json) => {
    const place = places[name];
    return place !== undefined && mayUndo(undone, name, place, now);
  };
  const was = (name: string) => places[name]?.was ?? null;
  if (undo('hold', work.hold as Json)) work.hold = was('hold') as Work['hold'];
  for (const list of ['tags', 'groups'] as const) {
    if (!undo(`taken_off.${list}`, work.takenOff[list] ?? null)) continue;
    const { [list]: _, ...rest } = work.takenOff;
    const former = was(`taken_off.${list}`) as string[] | null;
    work.takenOff = former ? { ...rest, [list]: former } : rest;
  }
  if (undo('handed_down', work.handedDown as Json)) work.handedDown = was('handed_down') as Work['handedDown'];
  if (undo('deleted_at', work.deletedAt)) work.deletedAt = was('deleted_at') as string | null;
  if (undo('merged', mergedOf(item)))
    work.item = {
      ...item,
      ...((was('merged') as object | null) ?? { merged_into: null, merged_at: null, merged_by: null }),
    };
  // Where nobody says a name any more, it keeps the one that it had.
  const { ci_name, body } = places;
  if (ci_name && same(item.ci_name, ci_name.is)) work.item = { ...work.item, ci_name: ci_name.was as string } as Item;
  if (body && same(bodyOf(item), body.is)) {
    const { generation, body_since, first_anchor } = body.was as unknown as Item;
    Object.assign(work, { generation, rebuiltAt: body_since, firstAnchor: first_anchor });
  }
  work.dirty = true;
}

/**
 * Names go back together, since one may pass to another. One that something else bears by now stays there; and where
 * something was made of a name meanwhile, that goes on.
 */
export function undoNames(
  works: ReadonlyMap<ItemId, Work>,
  { items = {} }: Undo,
  isTaken: (name: string) => boolean,
): void {
  const going = Object.entries(items).flatMap(([id, { name }]) => {
    const work = works.get(id as ItemId);
    return name && work?.item && same(nameOf(work.item), name.is) ? [{ work, name }] : [];
  });
  for (const { work } of going) give(work, noName);
  for (const { merged, name } of Object.values(items)) {
    const survivor = works.get((merged?.is as { merged_into?: ItemId } | null)?.merged_into as ItemId);
    const former = (name?.was as GivenName | null)?.ansible_name;
    // It took the name of the other one on later: now it asks for one of its own.
    if (former && survivor?.item?.ansible_name === former) give(survivor, noName);
  }
  const isBorne = (name: string) =>
    isTaken(name) || [...works.values()].some(({ item }) => item?.ansible_name === name);
  // One that had none asks for one, if it is to have any; of all others first the former names are given.
  for (const part of ['was', 'is'] as const)
    for (const { work, name } of going) {
      const given = name.was === null ? null : (name[part] as unknown as GivenName | null);
      if (work.item?.ansible_name === null && given?.ansible_name && !isBorne(given.ansible_name)) give(work, given);
    }
}

function give(work: Work, name: GivenName): void {
  work.item = { ...(work.item as Item), ...name };
  work.dirty = true;
}

export function itemsIn({ items = {}, claims = {}, pins = {} }: Undo): ItemId[] {
  const moved = Object.values(claims).flatMap(({ ci_id, bound_ci_id }) => [
    ci_id?.was,
    ci_id?.is,
    bound_ci_id?.was,
    bound_ci_id?.is,
  ]);
  const ids = [...Object.keys(items), ...Object.keys(pins), ...moved];
  return [...new Set(ids.filter((id) => typeof id === 'string'))] as ItemId[];
}

export function claimsIn({ claims = {} }: Undo): ClaimId[] {
  return Object.keys(claims) as ClaimId[];
}
