/**
 * What a person decides of who is whom: two items are one, claims are of another item, a living item goes on for a dead
 * one, a question is answered. Each is remembered, so that no later reading undoes it, and each can be undone.
 */

import { randomUUIDv7 } from 'node:crypto';
import { DomainError } from '../errors.ts';
import type { Caller } from '../http/endpoint.ts';
import type { Store, Trx } from '../store/open.ts';
import type { Clock } from '../time.ts';
import { unretire } from './apply.ts';
import type { Cmdb } from './cmdb.ts';
import { type Desk, dirty } from './desk.ts';
import { type Claim, type ClaimId, type HandedDown, type ItemId, isOfItem } from './item.ts';
import { sourceRef } from './kinds.ts';
import { occasionOf } from './occasion.ts';
import { reconcile } from './reconcile.ts';
import { mergeInto, moveClaim } from './seat.ts';
import type { Occasion } from './store/changes.ts';
import { claimsOfItems, itemsOfClaims, type PlacedClaim } from './store/claims.ts';
import { decideConflict, findConflict } from './store/conflicts.ts';
import { endVerdicts, storeVerdicts } from './store/identity.ts';
import { holdersOfNames, loadItems } from './store/items.ts';
import { survivingId } from './store/merged.ts';
import { findItemById, type ReadItem } from './store/read-items.ts';
import { undoVerdicts } from './store/undo.ts';
import type { VerdictsMade } from './undo.ts';
import { giveBack, nameOfWork, newWork, noName, takenOn, type Work } from './work.ts';

export interface Answer {
  decision: 'same' | 'apart';
  /** With `same`: the item that is meant. */
  ci_id?: ItemId | undefined;
}

export interface Verdicts {
  /** The other item is this one: its claims, pins, names and history go on here, and its id answers with this one. */
  merge(into: ItemId, other: ItemId, reason: string | undefined, caller: Caller): Promise<ReadItem>;
  /** These claims are of another machine: they get the id that they had, or a new one. Answers that item. */
  split(from: ItemId, claims: readonly ClaimId[], reason: string | undefined, caller: Caller): Promise<ReadItem>;
  /** A living item takes over what people gave a dead one: name, groups, vars, tags. */
  adopt(into: ItemId, from: ItemId, reason: string | undefined, caller: Caller): Promise<ReadItem>;
  resolve(conflictId: string, answer: Answer, caller: Caller): Promise<void>;
}

export function openVerdicts(cmdb: Cmdb, store: Store, clock: Clock): Verdicts {
  const decide = async (
    trx: Trx,
    occasion: Occasion,
    items: readonly ItemId[],
    verdicts: VerdictsMade,
    by: (desk: Desk) => Iterable<Claim>,
  ): Promise<void> => {
    await reconcile(trx, cmdb.heart, [], occasion, { decision: { items, decide: by }, verdicts });
  };
  const read = async (id: ItemId) => (await findItemById(store.read, id)) as ReadItem;

  return {
    async merge(intoId, otherId, reason, caller) {
      const person = sourceRef('manual', caller.tokenName);
      return await read(
        await store.write(async (trx) => {
          const occasion = occasionOf(caller, clock, reason);
          const [{ ci_id: into }, { ci_id: other }] = await getTwo(trx, [intoId, otherId], '/other');
          const claims = await claimsOfItems(trx, [into, other]);
          const [kept, moved] = [claims.filter(isOn(into)), claims.filter(isOn(other))];
          const ended = [
            ...(await endVerdicts(trx, 'apart', { a: idsOf(kept), b: idsOf(moved) }, occasion.at)),
            ...(await endVerdicts(trx, 'beside', { a: [into], b: [other] }, occasion.at)),
          ];
          const speaking = [
            ...moved.filter(speaks),
            ...kept.filter((claim) => speaks(claim) && claim.bound_ci_id === null),
          ];
          ended.push(...(await endVerdicts(trx, 'same', { a: idsOf(speaking) }, occasion.at)));
          const made = await storeVerdicts(
            trx,
            speaking.map(({ claim_id }) => ({ decision: 'same', claim_id, ci_id: into })),
            person,
            occasion.at,
          );
          await decide(trx, occasion, [into, other], { made, ended }, (desk) =>
            mergeOnDesk(desk, into, other, person, ended),
          );
          return into;
        }),
      );
    },

    async split(fromId, claims, reason, caller) {
      const person = sourceRef('manual', caller.tokenName);
      const target = await store.write(async (trx) => {
        const occasion = occasionOf(caller, clock, reason);
        const from = (await survivingId(trx, fromId)) ?? fromId;
        const all = await claimsOfItems(trx, [from]);
        const wanted = new Set(claims);
        const [parted, rest] = [
          all.filter(({ claim_id }) => wanted.has(claim_id)),
          all.filter(({ claim_id }) => !wanted.has(claim_id)),
        ];
        if (parted.length === 0 || parted.length < wanted.size)
          throw invalidItem('/claims', 'must be claims of this item; GET /ci/{ci_id}/claims lists them');
        // What was said of it while it was there is apart from them too, though nobody says it any more.
        const others = rest.filter(isOnItsOwn);
        if (others.length === 0)
          throw invalidItem('/claims', 'are all that the item has; there is nothing to split it from');
        const former = await formerItem(trx, parted, from);
        const id = former ?? (randomUUIDv7() as string as ItemId);
        const pairs = parted.flatMap((a) => others.map((b) => [a.claim_id, b.claim_id] as const));
        const made = await storeVerdicts(
          trx,
          pairs.map(([claim_id, other_claim_id]) => ({ decision: 'apart', claim_id, other_claim_id })),
          person,
          occasion.at,
        );
        const ended = [
          ...(await endVerdicts(trx, 'same', { a: idsOf(parted) }, occasion.at)),
          ...(await endVerdicts(trx, 'same', { a: idsOf(rest), b: [id] }, occasion.at)),
        ];
        const merged = former && (await loadItems(trx, [former])).get(former)?.handed_down.merged;
        // What was decided before the merge counts again.
        const again = merged?.ended ?? [];
        await undoVerdicts(trx, { made: [], ended: again }, occasion.at);
        made.push(...again);
        const isTaken = await namesTaken(trx, [from, former], merged);
        await decide(trx, occasion, former ? [from, former] : [from], { made, ended }, (desk) =>
          splitOnDesk(desk, { from, id, wanted, by: person, isTaken }),
        );
        return await partedItem(trx, from, claims);
      });
      return await read(target);
    },

    async adopt(intoId, fromId, reason, caller) {
      const person = sourceRef('manual', caller.tokenName);
      return await read(
        await store.write(async (trx) => {
          const occasion = occasionOf(caller, clock, reason);
          const [living, dead] = await getTwo(trx, [intoId, fromId], '/from');
          const [into, from] = [living.ci_id, dead.ci_id];
          if (dead.ci_status !== 'missing' && dead.ci_status !== 'retired')
            throw new DomainError(
              'conflict',
              `${dead.ci_name} is ${dead.ci_status}: only what is missing or retired is gone on for. Merge the two if they are one.`,
            );
          if (living.ci_status === 'retired') throw new DomainError('conflict', `${living.ci_name} is retired itself.`);
          await decide(trx, occasion, [into, from], noVerdicts, (desk) => adoptOnDesk(desk, cmdb, into, from, person));
          return into;
        }),
      );
    },

    async resolve(conflictId, { decision, ci_id: named }, caller) {
      const person = sourceRef('manual', caller.tokenName);
      await store.write(async (trx) => {
        const occasion = occasionOf(caller, clock);
        const conflict = await findConflict(trx, conflictId);
        if (!conflict) throw new DomainError('not_found', `There is no conflict ${conflictId}.`);
        if (conflict.until !== null) throw new DomainError('conflict', 'This question is answered already.');
        const { claim_id, candidates } = conflict;
        const ci_id = named === undefined ? undefined : await survivingId(trx, named);
        const ended = await endVerdicts(trx, 'same', { a: [claim_id] }, occasion.at);
        const made: string[] = [];
        if (decision === 'same') {
          if (named === undefined) throw invalidItem('/ci_id', 'says which item is meant');
          const claims = ci_id === undefined ? [] : await claimsOfItems(trx, [ci_id]);
          if (ci_id === undefined || claims.length === 0) throw invalidItem('/ci_id', 'is no item');
          ended.push(...(await endVerdicts(trx, 'apart', { a: [claim_id], b: idsOf(claims) }, occasion.at)));
          made.push(...(await storeVerdicts(trx, [{ decision, claim_id, ci_id }], person, occasion.at)));
        } else {
          const apart = candidates.map((other_claim_id) => ({ decision, claim_id, other_claim_id }));
          made.push(...(await storeVerdicts(trx, apart, person, occasion.at)));
        }
        await decideConflict(trx, conflictId, decision, ci_id ?? null, person, occasion.at);
        const besides = { asked: [claim_id, ...candidates], by: person, verdicts: { made, ended } };
        await reconcile(trx, cmdb.heart, [], occasion, besides);
      });
    },
  };
}

const noVerdicts: VerdictsMade = { made: [], ended: [] };
const isOn = (id: ItemId) => (claim: PlacedClaim) => claim.ci_id === id;
const idsOf = (claims: readonly PlacedClaim[]) => claims.map(({ claim_id }) => claim_id);
/** What was written to an item by its id goes where the item goes. */
const isOnItsOwn = (claim: PlacedClaim) => !(isOfItem(claim) && claim.bound_ci_id !== null);
const speaks = (claim: PlacedClaim) => claim.gone_since === null && isOnItsOwn(claim);

function invalidItem(pointer: string, detail: string): DomainError {
  return new DomainError('invalid', `${pointer} ${detail}.`, { errors: [{ pointer, detail }] });
}

/** The two items that are meant, which another may answer for by now. */
async function getTwo(
  trx: Trx,
  [first, second]: readonly [ItemId, ItemId],
  pointer: string,
): Promise<[ReadItem, ReadItem]> {
  const items = [await getItem(trx, first), await getItem(trx, second)] as const;
  if (items[0].ci_id === items[1].ci_id) throw invalidItem(pointer, 'is the item itself');
  return [...items];
}

async function getItem(trx: Trx, id: ItemId): Promise<ReadItem> {
  const item = await findItemById(trx, id);
  if (!item || item.deleted_at) throw new DomainError('not_found', `There is no item ${id}.`);
  return item;
}

function mergeOnDesk(desk: Desk, into: ItemId, from: ItemId, by: string, ended: string[]): Claim[] {
  const [work, other] = [desk.works.get(into) as Work, desk.works.get(from) as Work];
  work.source = other.source = by;
  const claims = [...other.claims, ...work.claims];
  mergeInto(desk, work, other, by);
  const { merged } = other.handedDown;
  if (merged && ended.length > 0) other.handedDown = { ...other.handedDown, merged: { ...merged, ended } };
  for (const claim of other.claims) {
    if (claim.bound_ci_id === other.id) claim.bound_ci_id = work.id;
    moveClaim(desk, claim, work);
  }
  return claims;
}

/** Where the claims are that were split off: by what they say, that may be an item that is there already. */
async function partedItem(trx: Trx, from: ItemId, claims: readonly ClaimId[]): Promise<ItemId> {
  const items = [...(await itemsOfClaims(trx, claims)).values()];
  const parted = items.find((id) => id !== from);
  if (parted !== undefined && !items.includes(from)) return parted;
  throw new DomainError(
    'conflict',
    'What else is said puts these claims on this item again. Split off with them the claims that they belong to.',
  );
}

/** The item that these claims had before it was merged into the one that they are on. */
async function formerItem(trx: Trx, claims: readonly PlacedClaim[], from: ItemId): Promise<ItemId | undefined> {
  const ids = claims.flatMap(({ former_ci_ids }) => former_ci_ids).filter((id) => id !== from);
  const items = await loadItems(trx, ids);
  return ids.find((id) => items.get(id)?.merged_into === from);
}

/** Whether a name that one of the two had before the merge is a third one's by now. */
async function namesTaken(trx: Trx, items: readonly (ItemId | undefined)[], merged: HandedDown['merged']) {
  const names = [merged?.name, merged?.survivorsName].flatMap((one) => one?.ansible_name ?? []);
  const holders = await holdersOfNames(trx, names);
  return (name: string | null) => {
    const holder = name === null ? undefined : holders.get(name);
    return holder !== undefined && !items.includes(holder);
  };
}

interface Parting {
  from: ItemId;
  id: ItemId;
  wanted: ReadonlySet<ClaimId>;
  by: string;
  isTaken: (name: string | null) => boolean;
}

function splitOnDesk(desk: Desk, { from, id, wanted, by, isTaken }: Parting): Claim[] {
  const work = desk.works.get(from) as Work;
  const target = desk.works.get(id) ?? newWork(id);
  desk.works.set(id, target);
  target.isMadeByPerson = true;
  work.source = target.source = by;
  const bound = target.handedDown.merged?.bound;
  const name = nameOfWork(work);
  giveBack(work, target, isTaken);
  target.handedDown = { ...target.handedDown, parted: { from, name } };
  const claims = [...work.claims];
  for (const claim of claims) {
    const isParted = wanted.has(claim.claim_id);
    // What was written to it by its id before the merge goes back with it.
    const isItsOwn = isOfItem(claim) && (bound ? bound.includes(claim.claim_id) : claim.former_ci_ids[0] === id);
    if (!isParted && !isItsOwn) continue;
    if (claim.bound_ci_id !== null) claim.bound_ci_id = id;
    moveClaim(desk, claim, target);
    claim.settled_ci_id = id;
  }
  return claims;
}

function adoptOnDesk(desk: Desk, cmdb: Cmdb, into: ItemId, from: ItemId, by: string): Claim[] {
  const [work, dead] = [desk.works.get(into) as Work, desk.works.get(from) as Work];
  work.source = dead.source = by;
  const speaking = dead.claims.filter(({ muted }) => !muted);
  const tags = distinct(work.handedDown.tags, speaking, (claim) => claim.said.tags);
  const groups = distinct(work.handedDown.groups, speaking, (claim) => claim.said.ansible?.groups);
  work.handedDown = {
    ...work.handedDown,
    ...(tags.length > 0 ? { tags } : {}),
    ...(groups.length > 0 ? { groups } : {}),
  };
  const name = nameOfWork(dead);
  dead.handedDown = { ...dead.handedDown, adopted_by: into };
  if (name.ansible_name !== null && work.item && dead.item) {
    work.item = { ...work.item, ...takenOn(nameOfWork(work), { ...name, ansible_name_by: 'people' }) };
    dead.item = { ...dead.item, ...noName };
  }
  const claims = [...dead.claims, ...work.claims];
  for (const claim of dead.claims) {
    if (cmdb.heart.ranks.roleOf(claim.kind) !== 'people') continue;
    claim.bound_ci_id = into;
    moveClaim(desk, claim, work);
    claim.settled_ci_id = into;
    if (claim.said.lifecycle === 'retired') unretire(claim);
    dirty(desk, claim);
  }
  work.dirty = dead.dirty = true;
  return claims;
}

function distinct(
  former: readonly string[] | undefined,
  claims: readonly Claim[],
  read: (claim: Claim) => readonly string[] | undefined,
): string[] {
  return [...new Set([...(former ?? []), ...claims.flatMap((claim) => read(claim) ?? [])])].sort();
}
