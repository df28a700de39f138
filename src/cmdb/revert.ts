/**
 * Undoes what a person did, as a change of its own that can be undone as well. What a source said is not taken back:
 * it would say it again; a pin of the former value stands against it.
 */

import { DomainError } from '../errors.ts';
import type { Caller } from '../http/endpoint.ts';
import type { Store, Trx } from '../store/open.ts';
import type { Clock } from '../time.ts';
import type { Anew } from './anew.ts';
import type { Cmdb } from './cmdb.ts';
import { restoreSite } from './describe-site.ts';
import { claimsOn, type Desk, dirty, forget } from './desk.ts';
import type { Claim, ClaimId, GivenName, ItemId, Json } from './item.ts';
import { kindOf, sourceRef } from './kinds.ts';
import { occasionOf } from './occasion.ts';
import { pinRefusal } from './pin.ts';
import { noteNews } from './recognize.ts';
import { reconcile } from './reconcile.ts';
import { normalizeText } from './said.ts';
import { moveClaim } from './seat.ts';
import type { Occasion } from './store/changes.ts';
import { itemsOfClaims } from './store/claims.ts';
import { holdersOfNames } from './store/items.ts';
import { survivingId } from './store/merged.ts';
import { deletePin, type KeptPin, listPins, storePin } from './store/pins.ts';
import { changeThatReverts, findChange, type UndoableChange, undoVerdicts } from './store/undo.ts';
import {
  claimsIn,
  itemsIn,
  mayUndo,
  type Places,
  type Undo,
  type Undone,
  undoGone,
  undoItem,
  undoNames,
  undoStanding,
  undoWords,
} from './undo.ts';
import type { Work } from './work.ts';

export interface Reverted {
  /** The change that this made. */
  change_id: string;
  /** What was not undone, since something later stands there. */
  left: string[];
}

/** Throws `not_found`, and `conflict` for what cannot be undone, with what can be done instead. */
export async function revertChange(
  { cmdb, store, clock }: { cmdb: Cmdb; store: Store; clock: Clock },
  id: string,
  reason: string | undefined,
  caller: Caller,
): Promise<Reverted> {
  return await store.write(async (trx) => {
    const change = await findChange(trx, id);
    if (!change) throw new DomainError('not_found', `There is no change ${id}.`);
    const undone: Undone = { count: 0, left: new Set() };
    const occasion = occasionOf(caller, clock, reason === undefined ? null : normalizeText(reason));
    const doing = { ...occasion, by: sourceRef('manual', caller.tokenName) };
    if (change.subject === 'ci') await revertItems(trx, cmdb, change, doing, undone);
    else await revertOther(trx, cmdb, change, doing, undone);
    const reverting = await changeThatReverts(trx, await primaryOf(trx, change));
    return { change_id: (reverting as UndoableChange).change_id, left: [...undone.left].sort() };
  });
}

type Doing = Occasion & { by: string };

async function revertItems(
  trx: Trx,
  cmdb: Cmdb,
  change: UndoableChange,
  { by, ...occasion }: Doing,
  undone: Undone,
): Promise<void> {
  const primary = await primaryOf(trx, change);
  if (primary.undo === null) throw await notTheirs(trx, change);
  await refuseTwice(trx, primary);
  const undo = await ofLivingItems(trx, primary.undo as Undo);
  if (undo.verdicts) {
    await undoVerdicts(trx, undo.verdicts, occasion.at);
    undone.count += undo.verdicts.made.length + undo.verdicts.ended.length;
  }
  const items = await undoPins(trx, undo, by, undone);
  const claims = claimsIn(undo);
  const wanted = [...new Set([...itemsIn(undo), ...(await itemsOfClaims(trx, claims)).values()])];
  const holders = await holdersOfNames(trx, formerNames(undo));
  const isTaken = (name: string) => holders.has(name) && !wanted.includes(holders.get(name) as ItemId);
  await reconcile(
    trx,
    cmdb.heart,
    [],
    { ...occasion, reverts: primary.change_id },
    {
      items,
      decision: {
        items: wanted,
        claims,
        decide: (desk) => undoOnDesk(desk, cmdb, undo, { by, madeAt: primary.changed_at, isTaken }, undone),
      },
      // What was made ended, and what was ended counts: the other way round for whoever undoes this.
      verdicts: { made: undo.verdicts?.ended ?? [], ended: undo.verdicts?.made ?? [] },
    },
  );
  if (undone.count === 0) throw nothingLeft(primary, undone);
}

/** The change that has the undo of the whole act. */
async function primaryOf(trx: Trx, change: UndoableChange): Promise<UndoableChange> {
  if (change.undo === null || !('with' in change.undo)) return change;
  return (await findChange(trx, change.undo.with)) as UndoableChange;
}

async function refuseTwice(trx: Trx, change: UndoableChange): Promise<void> {
  const line = [];
  for (let one = await changeThatReverts(trx, change); one; one = await changeThatReverts(trx, one)) line.push(one);
  const [first, last] = [line[0], line.at(-1)];
  if (!first || !last) return;
  const isUndone = line.length % 2 === 1;
  const state = isUndone ? 'is undone' : 'was undone, and that was undone again';
  throw new DomainError(
    'conflict',
    `Change ${change.change_no} ${state}: by change ${line.map(({ change_no }) => change_no).join(', then ')}. ` +
      `Revert ${last.change_no} to have it ${isUndone ? 'back' : 'undone'}.`,
    { extra: { reverted_by: first.change_id } },
  );
}

function nothingLeft({ change_no }: UndoableChange, { left }: Undone): DomainError {
  const why =
    left.size > 0
      ? `something later stands on ${[...left].sort().join(', ')}`
      : 'it is all as it was before, by other changes';
  return new DomainError('conflict', `Nothing of change ${change_no} is left to undo: ${why}.`, {
    extra: { left: [...left].sort() },
  });
}

/** What a source said, with the calls that pin the former values. */
async function notTheirs(trx: Trx, change: UndoableChange): Promise<DomainError> {
  const { change_no, source, subject_id, before } = change;
  if (kindOf(source) === 'manual')
    return new DomainError('conflict', `Change ${change_no} keeps nothing that would undo it; write what is right.`);
  const id = (await survivingId(trx, subject_id as ItemId)) ?? subject_id;
  const pin = Object.entries(before).flatMap(([attribute, value]) =>
    value === null || pinRefusal(attribute, []) !== undefined
      ? []
      : [{ ci_id: id, attribute, value, call: `PUT /api/v1/ci/${id}/pins/${encodeURIComponent(attribute)}` }],
  );
  const advice =
    pin.length > 0 ? 'Pin the former value, and it stands whatever is said' : 'Say what is right, and it stands beside';
  return new DomainError(
    'conflict',
    `Change ${change_no} is what ${source} said, which would only say it again. ${advice}.`,
    { extra: { pin } },
  );
}

/** What was done to an item that was merged into another since is undone there. */
async function ofLivingItems(trx: Trx, undo: Undo): Promise<Undo> {
  const living = async (places: Record<string, Places> | undefined) => {
    const moved: Record<string, Places> = {};
    for (const [id, own] of Object.entries(places ?? {})) {
      const isItsOwn = undo.items?.[id]?.merged !== undefined;
      moved[isItsOwn ? id : ((await survivingId(trx, id as ItemId)) ?? id)] = own;
    }
    return moved;
  };
  return { ...undo, items: await living(undo.items), pins: await living(undo.pins) };
}

function formerNames({ items = {} }: Undo): string[] {
  return Object.values(items).flatMap(({ name }) => (name?.was as GivenName | null)?.ansible_name ?? []);
}

async function undoPins(trx: Trx, { pins = {} }: Undo, by: string, undone: Undone): Promise<Anew[]> {
  const items: Anew[] = [];
  for (const [id, places] of Object.entries(pins)) {
    const ci_id = id as ItemId;
    const now = new Map((await listPins(trx, ci_id)).map(({ attribute, ...pin }) => [attribute, pin]));
    const noted: Required<Anew>['noted'] = { before: {}, after: {} };
    for (const [attribute, place] of Object.entries(places)) {
      const pin = (now.get(attribute) ?? null) as Json;
      if (!mayUndo(undone, `pins.${attribute}`, place, pin)) continue;
      if (place.was === null) await deletePin(trx, ci_id, attribute);
      else await storePin(trx, ci_id, { attribute, ...(place.was as unknown as Omit<KeptPin, 'attribute'>) });
      noted.before[`pins.${attribute}`] = pin;
      noted.after[`pins.${attribute}`] = place.was;
    }
    if (Object.keys(noted.after).length > 0) items.push({ ci_id, source: by, noted });
  }
  return items;
}

interface How {
  by: string;
  madeAt: string;
  isTaken: (name: string) => boolean;
}

function undoOnDesk(desk: Desk, cmdb: Cmdb, undo: Undo, how: How, undone: Undone): Claim[] {
  desk.settledSince = how.madeAt;
  const claims = new Map([...claimsOn(desk)].map((claim) => [claim.claim_id, claim]));
  const touched = new Set<Claim>();
  for (const work of desk.works.values()) work.source = how.by;
  for (const [id, places] of Object.entries(undo.claims ?? {})) {
    const claim = claims.get(id as ClaimId);
    if (claim && undoClaim(desk, cmdb, claim, places, how, undone)) touched.add(claim);
  }
  for (const [id, places] of Object.entries(undo.items ?? {})) {
    const work = desk.works.get(id as ItemId);
    if (work?.item) undoItem(undone, work, places);
  }
  for (const [id, { made }] of Object.entries(undo.items ?? {})) {
    const work = desk.works.get(id as ItemId);
    if (made && work?.claims.every((claim) => !speaks(claim))) hide(desk, work, undone);
  }
  undoNames(desk.works, undo, how.isTaken);
  const hasMoved = Object.values(undo.claims ?? {}).some(({ ci_id }) => ci_id !== undefined);
  return hasMoved || undo.verdicts ? [...claimsOn(desk)].filter(speaks) : [...touched].filter(speaks);
}

/** All that was said of it was taken back: as if it had never been. */
function hide(desk: Desk, work: Work, undone: Undone): void {
  if (work.deletedAt !== null || !work.item) return;
  undone.count += 1;
  work.deletedAt = desk.at;
  work.item = { ...work.item, ansible_name: null, ansible_name_by: null, ansible_name_from: null };
  work.dirty = true;
}

const speaks = ({ said }: Claim) => Object.keys(said).length > 0;

/** Answers whether anything of it was undone. */
function undoClaim(desk: Desk, cmdb: Cmdb, claim: Claim, places: Places, how: How, undone: Undone): boolean {
  const before = undone.count;
  const now = { ...claim };
  const { said: former, gone_since, gone_for_good } = claim;
  undoWords(undone, claim, places, how.madeAt);
  undoGone(undone, claim, places, desk.at);
  const work = claim.ci_id ? desk.works.get(claim.ci_id) : undefined;
  if (claim.said !== former && work) {
    const wasGone = gone_since === null ? undefined : { gone_since, gone_for_good };
    noteNews(desk, work, { claim, former, wasGone, isBound: false }, cmdb.heart);
  } else if (claim.said !== former) forget(desk, claim);
  const { bound_ci_id: bound, ci_id: seat } = places;
  if (bound && mayUndo(undone, 'bound_ci_id', bound, claim.bound_ci_id)) claim.bound_ci_id = bound.was as ItemId | null;
  if (seat && mayUndo(undone, 'ci_id', seat, claim.ci_id)) {
    moveClaim(desk, claim, seat.was === null ? undefined : desk.works.get(seat.was as ItemId));
    claim.settled_ci_id = seat.was as ItemId | null;
  }
  undoStanding(claim, places, now);
  if (claim.heard_at !== now.heard_at) desk.heardBefore.set(claim.claim_id, claim.heard_at);
  dirty(desk, claim);
  return undone.count > before;
}

async function revertOther(
  trx: Trx,
  cmdb: Cmdb,
  change: UndoableChange,
  { by, ...occasion }: Doing,
  undone: Undone,
): Promise<void> {
  const { change_no, subject, subject_id, action } = change;
  if (subject === 'credential')
    throw new DomainError(
      'conflict',
      `A credential is written again with PATCH /api/v1/credentials/${subject_id}. What it was before stands in change ${change_no}.`,
    );
  if (subject === 'group' || action === 'created')
    throw new DomainError(
      'conflict',
      subject === 'group'
        ? `A group is described as a whole: write it again with PUT /api/v1/groups/${subject_id}. What it was before stands in change ${change_no}.`
        : `A site is not taken away again; items may stand at ${subject_id}.`,
    );
  await refuseTwice(trx, change);
  await restoreSite(trx, cmdb, change, by, { ...occasion, reverts: change.change_id }, undone);
  if (undone.count === 0) throw nothingLeft(change, undone);
}
