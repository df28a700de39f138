/** Keeps with a person's changes what undoes their part; what sources said is not theirs to take back. */

import { randomUUIDv7 } from 'node:crypto';
import type { Trx } from '../store/open.ts';
import type { Anew } from './anew.ts';
import { type Desk, isNew } from './desk.ts';
import type { Claim, Item, ItemId, Json } from './item.ts';
import type { Statement } from './statement.ts';
import type { Change } from './store/changes.ts';
import { loadClaimsById } from './store/claims.ts';
import { type KeptPin, listPins } from './store/pins.ts';
import {
  claimPlaces,
  handPlaces,
  isNews,
  itemPlaces,
  type Places,
  pinPlaces,
  type Undo,
  type VerdictsMade,
  wordPlaces,
} from './undo.ts';
import type { Work } from './work.ts';

const person = 'manual';

/** What is written at once. */
export interface Act {
  statements: readonly Statement[];
  /** Where a person decided who is whom. */
  verdicts: VerdictsMade | undefined;
  items: readonly Anew[];
}

/** Before anything of it is stored. A word that nothing shows of is a change too: else nobody could take it back. */
export async function keepUndo(trx: Trx, desk: Desk, changes: readonly Change[], act: Act): Promise<Change[]> {
  const spoke = act.statements.some(({ kind }) => kind === person);
  const byHand = act.items.some(({ source }) => source.startsWith(`${person}:`));
  if (!spoke && !byHand && act.verdicts === undefined) return [...changes];
  const isOneAct = new Set(act.statements.map(({ index }) => index)).size <= 1;
  const isAlone = act.statements.every(({ kind }) => kind === person);
  const undos = new Map<ItemId, Undo>();
  const undoOf = (id: ItemId) => {
    const undo = undos.get(id) ?? {};
    undos.set(id, undo);
    return undo;
  };
  for (const work of desk.works.values()) {
    if (!work.dirty || !work.item) continue;
    const places = isAlone ? itemPlaces(work.former, work.item) : work.former && handPlaces(work.former, work.item);
    if (places && Object.keys(places).length > 0) undoOf(work.id).items = placesById(undefined, work.id, places);
  }
  for (const [claim, places] of await claimsTouched(trx, desk, isAlone)) {
    const undo = undoOf((claim.ci_id ?? places.ci_id?.was ?? '') as ItemId);
    undo.claims = placesById(undo.claims, claim.claim_id, places);
  }
  for (const [id, places] of await pinsTouched(trx, desk, act.items))
    undoOf(id).pins = placesById(undefined, id, places);
  for (const [id, undo] of undos) if (!isOneAct && isNothing(undo)) undos.delete(id);
  return isOneAct ? onOne(desk, changes, [...undos], act.verdicts) : onEach(desk, changes, undos);
}

/** A table, and no object with a form of its own: of objects whose keys are ids, each form would be kept for ever. */
function placesById(known: Record<string, Places> | undefined, id: string, places: Places): Record<string, Places> {
  const table = known ?? (Object.create(null) as Record<string, Places>);
  table[id] = places;
  return table;
}

async function claimsTouched(trx: Trx, desk: Desk, isAlone: boolean): Promise<[Claim, Places][]> {
  const dirty = [...desk.works.values()].flatMap((work) => (work.dirty && work.item ? [...work.dirtyClaims] : []));
  const claims = [...dirty, ...desk.dirtyWaiting].filter(({ kind }) => isAlone || kind === person);
  const known = claims.filter((claim) => !isNew(desk, claim)).map(({ claim_id }) => claim_id);
  const formers = new Map((await loadClaimsById(trx, known)).map((claim) => [claim.claim_id, claim]));
  return claims.flatMap((claim) => {
    const former = formers.get(claim.claim_id);
    const places = isAlone || !former ? claimPlaces(former, claim) : wordPlaces(former, claim);
    return places && Object.keys(places).length > 0 ? [[claim, places] as [Claim, Places]] : [];
  });
}

/** Written to another item by its id, with the same words: nothing to take back. */
function isNothing({ items, claims = {}, pins }: Undo): boolean {
  return items === undefined && pins === undefined && !Object.values(claims).some(isNews);
}

/** Pins that were set by hand, came with a merge, or went with a split. */
async function pinsTouched(trx: Trx, desk: Desk, items: readonly Anew[]): Promise<[ItemId, Places][]> {
  const touched: [ItemId, Places][] = items.flatMap(({ ci_id, noted }) => {
    const places: Places = {};
    for (const [name, was] of Object.entries(noted?.before ?? {}))
      if (name.startsWith('pins.')) places[name.slice(5)] = { was, is: noted?.after[name] as Json };
    return Object.keys(places).length > 0 ? [[ci_id, places] as [ItemId, Places]] : [];
  });
  for (const work of desk.works.values()) {
    if (work.inheritedFrom.length + work.unpinned.length === 0) continue;
    const before = await listPins(trx, work.id);
    const after = new Map(before.map((pin) => [pin.attribute, pin]));
    for (const other of work.inheritedFrom)
      for (const pin of await listPins(trx, other)) if (!after.has(pin.attribute)) after.set(pin.attribute, pin);
    for (const attribute of work.unpinned) after.delete(attribute);
    const places = pinPlaces(before.map(withoutName), [...after.values()].map(withoutName));
    if (places) touched.push([work.id, places]);
  }
  return touched;
}

function withoutName(pin: KeptPin): [string, Json] {
  const { attribute, ...rest } = pin;
  return [attribute, rest];
}

/** All of one act is undone at once: one of its changes has the undo, and the others name that one. */
function onOne(
  desk: Desk,
  changes: readonly Change[],
  undos: readonly (readonly [ItemId, Undo])[],
  verdicts: VerdictsMade | undefined,
): Change[] {
  const undo: Undo = {};
  for (const [, one] of undos)
    for (const part of ['items', 'claims', 'pins'] as const)
      if (one[part]) undo[part] = { ...undo[part], ...one[part] };
  const hasVerdicts = verdicts !== undefined && verdicts.made.length + verdicts.ended.length > 0;
  if (hasVerdicts) undo.verdicts = verdicts;
  if (!hasVerdicts && isNothing(undo)) return [...changes];
  const [first, ...others] = changes.length > 0 ? changes : changeOf(desk, undo);
  if (!first) return [...changes];
  const change_id = randomUUIDv7();
  return [{ ...first, change_id, undo }, ...others.map((change) => ({ ...change, undo: { with: change_id } }))];
}

function onEach(desk: Desk, changes: readonly Change[], undos: ReadonlyMap<ItemId, Undo>): Change[] {
  const rest = new Map(undos);
  const told = changes.map((change) => {
    const undo = rest.get(change.subject_id as ItemId);
    rest.delete(change.subject_id as ItemId);
    return undo ? { ...change, undo } : change;
  });
  return [
    ...told,
    ...[...rest.values()].flatMap((undo) => changeOf(desk, undo).map((change) => ({ ...change, undo }))),
  ];
}

/** What changed nothing that shows: a word that another outranks. */
function changeOf(desk: Desk, { items = {}, claims = {}, pins = {} }: Undo): Change[] {
  const places = Object.values(claims);
  const ids = [...Object.keys(items), ...Object.keys(pins)];
  const claim = [...desk.works.values()].find((work) => work.claims.some(({ claim_id }) => claim_id in claims));
  const work = claim ?? desk.works.get(ids[0] as ItemId) ?? [...desk.works.values()].find(({ item }) => item);
  if (!work?.item) return [];
  const words = places.flatMap((place) => Object.entries(place).filter(([name]) => name.startsWith('said.')));
  tell(work, desk.at);
  return [
    {
      subject: 'ci',
      subject_id: work.id,
      ci_name: work.item.ci_name,
      action: 'updated',
      source: work.source,
      before: Object.fromEntries(words.map(([name, { was }]) => [name, was])),
      after: Object.fromEntries(words.map(([name, { is }]) => [name, is])),
    },
  ];
}

function tell(work: Work, at: string): void {
  (work.item as Item).updated_at = at;
  work.visible = true;
}
