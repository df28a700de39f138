/**
 * What time alone changes, as ordinary changes of the source `clock`: ends of holds and pins, what was missing for long
 * enough, facts that no longer tell that a machine is there, and words that are too old to stand against later ones.
 */

import { setAlerts } from '../store/alerts.ts';
import type { Store, Trx } from '../store/open.ts';
import { type Clock, millisecondsOf, type Stamp, stamp } from '../time.ts';
import { unclaimedMilliseconds } from './absence.ts';
import type { Anew } from './anew.ts';
import type { Cmdb } from './cmdb.ts';
import type { ClaimId, ItemId } from './item.ts';
import { insideKinds } from './kinds.ts';
import { unattended } from './occasion.ts';
import { reconcile } from './reconcile.ts';
import { deletePin } from './store/pins.ts';
import { silentSources } from './store/sources.ts';
import { endedHolds, endedPins, goneClaims, type LapsedItem, lapsedItems } from './store/sweep.ts';

const clockSource = 'clock';

/** Answers how many items changed. Doing it again at once changes nothing. */
export async function sweep(cmdb: Cmdb, store: Store, clock: Clock): Promise<{ changed: number }> {
  const at = stamp(clock());
  const { ranks } = cmdb.heart;
  const { retire_after } = cmdb.settings;
  const before = (milliseconds: number) => stamp(clock().subtract({ milliseconds }));
  return await store.write(async (trx) => {
    const anew = new Map<ItemId, Anew>();
    const touch = (ci_id: ItemId, more: Partial<Anew> = {}) =>
      anew.set(ci_id, { ...(anew.get(ci_id) ?? { ci_id, source: clockSource }), ...more });
    for (const id of await endedHolds(trx, at)) touch(id, { action: 'released', hold: null });
    for (const { ci_id, attribute, value } of await endedPins(trx, at)) {
      await deletePin(trx, ci_id, attribute);
      const noted = anew.get(ci_id)?.noted ?? { before: {}, after: {} };
      noted.before[`pins.${attribute}`] = value;
      noted.after[`pins.${attribute}`] = null;
      touch(ci_id, { action: 'unpinned', noted });
    }
    const terms = ranks.kindsWithTtl.map((kind) => {
      const ttl = ranks.ttlMilliseconds(kind) as number;
      return { kind, ttl, heardBefore: before(ttl) };
    });
    await alertSilent(trx, terms, at);
    const limits = { passes: retire_after.passes, since: before(retire_after.hours * 3_600_000) };
    const givenUp: ClaimId[] = [];
    for (const { ci_id, claims, factsHeardAt, unmutedSince } of await goneClaims(trx, limits, terms)) {
      const ttl = Math.max(...insideKinds.map((kind) => ranks.ttlMilliseconds(kind) ?? Number.POSITIVE_INFINITY));
      const isSeen =
        factsHeardAt !== null &&
        factsHeardAt > unmutedSince &&
        millisecondsOf(at) - millisecondsOf(factsHeardAt) <= ttl;
      if (isSeen) continue;
      givenUp.push(...claims);
      touch(ci_id);
    }
    for (const item of await lapsedItems(trx, terms, before(unclaimedMilliseconds)))
      if (isDue(item, terms)) touch(item.ci_id);
    if (anew.size === 0 && givenUp.length === 0) return { changed: 0 };
    const occasion = unattended(at);
    const { changes } = await reconcile(trx, cmdb.heart, [], occasion, { givenUp, items: [...anew.values()] });
    return { changed: changes.length };
  });
}

/** Facts are taken when a playbook is run, so that nobody is to be missed where none was. */
async function alertSilent(
  trx: Trx,
  terms: readonly { kind: string; heardBefore: string }[],
  at: Stamp,
): Promise<void> {
  const silent = new Map<string, string>();
  for (const { kind, heardBefore } of terms.filter((term) => !insideKinds.some((inside) => inside === term.kind)))
    for (const { source, last_seen_at } of await silentSources(trx, kind, heardBefore))
      silent.set(
        source,
        `${source} was heard last at ${last_seen_at}, and what it said is no longer sure. See why what reads it does not ("rollcall jobs log", or your own script); if it is gone for good, "rollcall sources withdraw ${source}".`,
      );
  await setAlerts(trx, 'stale_source', silent, at);
}

/** Something passed since it was weighed last. */
function isDue(
  { weighed_at, kind, heard_at, other_heard_at }: LapsedItem,
  terms: readonly { kind: string; ttl: number }[],
): boolean {
  const weighed = millisecondsOf(weighed_at);
  if (kind === null || heard_at === null) return true;
  const ttl = terms.find((one) => one.kind === kind)?.ttl ?? 0;
  return (
    weighed <= millisecondsOf(heard_at) + ttl || (other_heard_at !== null && weighed <= millisecondsOf(other_heard_at))
  );
}
