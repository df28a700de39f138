/**
 * What a person does to one item by hand: pin an attribute, hold the item, and undo either. Each is one change with
 * its reason; doing the same again changes nothing.
 */

import { invalid } from '../check.ts';
import { DomainError, type Fault } from '../errors.ts';
import type { Caller } from '../http/endpoint.ts';
import { type Store, type Trx, writeOrRehearse } from '../store/open.ts';
import { type Clock, readSpan, readTime, stamp } from '../time.ts';
import type { Anew } from './anew.ts';
import type { Difference } from './changes.ts';
import type { Cmdb } from './cmdb.ts';
import type { Hold, ItemId, Json } from './item.ts';
import { sourceRef } from './kinds.ts';
import { occasionOf } from './occasion.ts';
import { faultsOfValue, pinAsBody, pinRefusal } from './pin.ts';
import { reconcile } from './reconcile.ts';
import { normalizeText, wordsOf } from './said.ts';
import { spokenByToken } from './speak.ts';
import { deletePin, type KeptPin, listPins, storePin } from './store/pins.ts';
import { findItemById, type ReadItem } from './store/read-items.ts';
import { specsSchema } from './wire.ts';

/** Why, and until when: a time, or a span from now. */
export interface Why {
  reason: string;
  until?: string | null | undefined;
}

export interface Hand {
  /** All throw `invalid` for what cannot be, and `conflict` for a hidden item; they answer the item as it is then. */
  pin(id: ItemId, attribute: string, value: unknown, why: Why, caller: Caller): Promise<ReadItem>;
  unpin(id: ItemId, attribute: string, reason: string | undefined, caller: Caller): Promise<ReadItem>;
  hold(id: ItemId, why: Why, caller: Caller): Promise<ReadItem>;
  release(id: ItemId, reason: string | undefined, caller: Caller): Promise<ReadItem>;
}

/** What is written: none where it is so already. */
type Deed = Pick<Anew, 'action' | 'hold' | 'noted'> | undefined;

export function openHand(cmdb: Cmdb, store: Store, clock: Clock): Hand {
  async function write(
    id: ItemId,
    reason: string | undefined,
    caller: Caller,
    decide: (trx: Trx, item: ReadItem, at: string) => Promise<Deed>,
  ): Promise<ReadItem> {
    return await writeOrRehearse(store.write, caller.dryRun, async (trx) => {
      const at = stamp(clock());
      const item = await getLiving(trx, id);
      const deed = await decide(trx, item, at);
      if (!deed) return item;
      const occasion = occasionOf(caller, clock, reason === undefined ? null : normalizeText(reason));
      const anew = { ci_id: item.ci_id, source: personOf(caller), ...deed };
      await reconcile(trx, cmdb.heart, [], occasion, { items: [anew] });
      return (await findItemById(trx, id)) as ReadItem;
    });
  }

  /** The value as a body of the item would say it, checked as such a body is. */
  function valueSaid(attribute: string, value: unknown, type: string, caller: Caller): Json {
    const specs = specsSchema(type, cmdb.settings.types as Parameters<typeof specsSchema>[1]) as {
      properties: Record<string, unknown>;
    };
    const refusal = pinRefusal(attribute, Object.keys(specs.properties));
    if (refusal !== undefined) throw refused({ pointer: '/attribute', detail: `"${attribute}" ${refusal}` });
    if (value === null || value === undefined)
      throw refused({ pointer: '/value', detail: 'must be a value; DELETE takes a pin off' });
    const body = pinAsBody(attribute, value);
    const faults = faultsOfValue(attribute, cmdb.faultsOf(body, type));
    if (faults.length > 0) throw refused(...faults);
    const speaker = {
      tokenName: caller.tokenName,
      ranks: cmdb.heart.ranks,
      atMilliseconds: clock().epochMilliseconds,
    };
    const { statements } = spokenByToken(body, 0, null, false, speaker);
    const words = statements.flatMap(({ patch }) => wordsOf(patch));
    const word = words.find(([name]) => name === attribute);
    if (!word)
      throw refused({ pointer: '/attribute', detail: `"${attribute}" is a figure of the moment, which is not kept` });
    return word[1];
  }

  return {
    pin: (id, attribute, value, why, caller) =>
      write(id, why.reason, caller, async (trx, item, at) => {
        const former = (await listPins(trx, item.ci_id)).find((pin) => pin.attribute === attribute);
        const pinned = valueSaid(attribute, value, item.ci_type, caller);
        const until = endOf(why.until, cmdb.timeZone, clock(), 'The pin');
        const reason = normalizeText(why.reason);
        const isOfThatValue = former && JSON.stringify(former.value) === JSON.stringify(pinned);
        if (isOfThatValue && former.reason === reason && former.until === until) return undefined;
        const since = isOfThatValue ? former.since : at;
        const pin = { attribute, value: pinned, reason, pinned_by: personOf(caller), since, until };
        await storePin(trx, item.ci_id, pin);
        return { action: 'pinned', noted: noted(attribute, former, pin) };
      }),
    unpin: (id, attribute, reason, caller) =>
      write(id, reason, caller, async (trx, item) => {
        const former = (await listPins(trx, item.ci_id)).find((pin) => pin.attribute === attribute);
        if (!former) {
          const refusal = pinRefusal(attribute, Object.keys(item.technical_specs));
          if (refusal !== undefined) throw refused({ pointer: '/attribute', detail: `"${attribute}" ${refusal}` });
          return undefined;
        }
        await deletePin(trx, item.ci_id, attribute);
        return { action: 'unpinned', noted: noted(attribute, former, undefined) };
      }),
    hold: (id, why, caller) =>
      write(id, why.reason, caller, (_trx, { hold: former }) => {
        const until = endOf(why.until, cmdb.timeZone, clock(), 'The hold');
        const hold: Hold = { reason: normalizeText(why.reason), by: personOf(caller), until };
        const stands = former?.reason === hold.reason && former.until === until;
        return Promise.resolve(stands ? undefined : { action: 'held', hold });
      }),
    release: (id, reason, caller) =>
      write(id, reason, caller, (_trx, { hold }) =>
        Promise.resolve(hold ? { action: 'released', hold: null } : undefined),
      ),
  };
}

function personOf(caller: Caller): string {
  return sourceRef('manual', caller.tokenName);
}

function refused(...faults: Fault[]): DomainError {
  return invalid('The pin', faults);
}

/** The item of an id. Throws `not_found`, and `conflict` where it is hidden. */
export async function getLiving(trx: Trx, id: ItemId): Promise<ReadItem> {
  const item = await findItemById(trx, id);
  if (!item) throw new DomainError('not_found', `There is no item ${id}.`);
  if (item.deleted_at === null) return item;
  throw new DomainError('conflict', `${item.ci_name} is hidden since ${item.deleted_at}; register it again first.`);
}

/** A pin in a change: whole, so that the change says what stood before. */
function noted(attribute: string, former: KeptPin | undefined, pin: KeptPin | undefined): Difference {
  const shown = (one: KeptPin | undefined): Json => {
    if (!one) return null;
    const { attribute: _, ...rest } = one;
    return rest;
  };
  return { before: { [`pins.${attribute}`]: shown(former) }, after: { [`pins.${attribute}`]: shown(pin) } };
}

const longestSpanMilliseconds = 100 * 366 * 24 * 3_600_000;

/** Throws `invalid` for what is no time, and for one that is over. */
function endOf(text: string | null | undefined, timeZone: string, now: Temporal.Instant, what: string): string | null {
  if (text === null || text === undefined) return null;
  const fault = (detail: string) => invalid(what, [{ pointer: '/until', detail }]);
  // A bare number is a slip: of seconds nobody thinks here.
  const span = /[smhd]\s*$/.test(text) ? readSpan(text) : undefined;
  const instant =
    span !== undefined && span <= longestSpanMilliseconds ? now.add({ milliseconds: span }) : readTime(text, timeZone);
  if (!instant) throw fault('must be a time such as 2027-01-31T00:00:00Z, or a span from now such as 2h or 3d');
  const at = stamp(instant);
  if (at <= stamp(now)) throw fault('lies in the past');
  return at;
}
