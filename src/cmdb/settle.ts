/** Merges the items that were touched, gives names, and says what changed. */

import { DomainError } from '../errors.ts';
import type { Trx } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import { millisecondsOf } from '../time.ts';
import { differenceOf } from './changes.ts';
import { type Document, type Item, type ItemId, isOfItem, isTakenBack, refOf } from './item.ts';
import {
  askOf,
  bestOf,
  candidatesOf,
  giveNames,
  type Holder,
  isDead,
  type NameAsk,
  numberOf,
  wantedName,
} from './names.ts';
import type { Heart } from './statement.ts';
import { statusOf, stopsAfterMilliseconds } from './status.ts';
import type { Change, Occasion } from './store/changes.ts';
import { groupNames, holdersOfNames, livingNamesakes } from './store/items.ts';
import { documentOf, loadWorks, noName, noteNames, type Work } from './work.ts';

/** What of an item stands beside its document: no change. */
export const bookkeeping: ReadonlySet<string> = new Set(
  Object.keys({
    ci_id: true,
    absent_since: true,
    stop_confirmed: true,
    ansible_name_by: true,
    ansible_name_from: true,
    winners: true,
    taken_off: true,
    handed_down: true,
    first_anchor: true,
    body_since: true,
    merged_at: true,
    merged_by: true,
    weighed_at: true,
    revision: true,
    first_seen_at: true,
    created_at: true,
    updated_at: true,
  } satisfies Record<Exclude<keyof Item, keyof Document>, true>),
);

/**
 * Merges what was touched, gives names, and answers the changes. Leaves each work's item as it is to be stored; one
 * that has to give its name up joins the works.
 */
export async function settle(trx: Trx, heart: Heart, works: Map<ItemId, Work>, occasion: Occasion): Promise<Change[]> {
  const { at } = occasion;
  const asks: NameAsk[] = [];
  let count = 0;
  for (const work of works.values()) {
    if (!work.dirty || isEmpty(work)) continue;
    work.item = mergedItem(work, heart, at);
    const ask = askOfWork(work, heart, at);
    if (ask) asks.push(ask);
    count += 1;
    if (count % 64 === 0) await turn();
  }
  if (asks.length > 0) await nameItems(trx, heart, works, asks, at);
  const changes: Change[] = [];
  for (const work of works.values()) {
    if (!work.dirty || !work.item) continue;
    noteNames(work, works);
    work.difference = differenceOf(work.former, work.item, bookkeeping);
    if (work.difference) {
      work.item.updated_at = at;
      const action = actionOf(work.former, work.item);
      changes.push({
        subject: 'ci',
        subject_id: work.id,
        ci_name: work.item.ci_name,
        action,
        source: work.source,
        ...work.difference,
      });
    }
    count += 1;
    if (count % 64 === 0) await turn();
  }
  return changes;
}

/** Made for a claim that turned out to be of another item. */
function isEmpty(work: Work): boolean {
  return work.isNew && work.claims.length === 0;
}

function mergedItem(work: Work, heart: Heart, at: string): Item {
  const { item: former } = work;
  if (former && work.claims.length === 0) return withoutClaims(work, former, at);
  const { document, winners } = documentOf(work, heart, at);
  // Where only those are left who never said a name, such as a person who wrote a note, it keeps the one that it had.
  if (document.ci_name === '') document.ci_name = former?.ci_name ?? '';
  if (document.ci_name === '' && work.mayBeNameless) document.ci_name = work.claims[0]?.native_key ?? '';
  if (document.ci_name === '')
    throw new DomainError('invalid', 'An item needs a name.', {
      errors: [{ pointer: '/ci_name', detail: '"ci_name" is missing' }],
    });
  const measured = winners.power && heart.ranks.roleOf(winners.power.source.split(':')[0] as string) === 'measures';
  const longStopped =
    work.measuredNow && millisecondsOf(at) - millisecondsOf(winners.power?.since ?? at) >= stopsAfterMilliseconds;
  return {
    ...document,
    ci_id: work.id,
    absent_since: document.absence === null ? null : (former?.absent_since ?? at),
    stop_confirmed: document.power === 'stopped' && (!measured || former?.stop_confirmed === true || longStopped),
    ansible_name_by: former?.ansible_name_by ?? null,
    ansible_name_from: former?.ansible_name_from ?? null,
    winners,
    taken_off: work.takenOff,
    handed_down: work.handedDown,
    first_anchor: work.firstAnchor,
    body_since: work.rebuiltAt,
    merged_at: former?.merged_at ?? null,
    merged_by: former?.merged_by ?? null,
    weighed_at: at,
    revision: former?.revision ?? 0,
    first_seen_at: former?.first_seen_at ?? at,
    created_at: former?.created_at ?? at,
    updated_at: former?.updated_at ?? at,
  };
}

/** All that was said of it is now said of another: it stands as it was, without its name, and is given up. */
function withoutClaims(work: Work, former: Item, at: string): Item {
  const item = {
    ...former,
    ...noName,
    hold: work.hold,
    absence: 'retired' as const,
    absent_since: former.absent_since ?? at,
    deleted_at: work.deletedAt,
    handed_down: work.handedDown,
    taken_off: work.takenOff,
  };
  return { ...item, ci_status: statusOf(item) };
}

/** What was named in this very moment is named anew with all others of it, so that their order does not matter. */
function askOfWork(work: Work, heart: Heart, at: string): NameAsk | undefined {
  const { item } = work;
  if (!item || item.merged_into !== null || item.deleted_at !== null) return undefined;
  if (item.created_at >= at && work.former && !item.handed_down.adopted_by) Object.assign(item, noName);
  if (work.claims.every(isTakenBack)) return undefined;
  return askOf(item, work.claims, heart.ranks, heart.names.followRenames);
}

async function nameItems(trx: Trx, heart: Heart, works: Map<ItemId, Work>, asks: NameAsk[], at: string): Promise<void> {
  const named = [...works.values()].flatMap((work) => work.item?.ansible.groups ?? []);
  const groups = await groupNames(trx);
  for (const name of named) groups.add(name);
  const others = new Map<ItemId, Work>();
  let found = await findHolders(trx, heart, asks, groups, passedOn(works));
  let holderIds = found.holderIds;
  for (let isKnown = false; !isKnown; ) {
    if (await loadHolders(trx, heart, works, others, asks, holderIds, at)) {
      found = await findHolders(trx, heart, asks, groups, passedOn(works));
      holderIds = found.holderIds;
      continue;
    }
    const further = await furtherHolders(
      trx,
      heart,
      holderIds.flatMap((id) => works.get(id) ?? others.get(id) ?? []),
    );
    const ids = [...new Set([...holderIds, ...further])];
    isKnown = ids.length === holderIds.length;
    holderIds = ids;
  }
  const { isContested } = found;
  const bearers = [...new Set([...holderIds, ...asks.map(({ ci_id }) => ci_id)])].flatMap(
    (id) => works.get(id) ?? others.get(id) ?? [],
  );
  // Where each gets the name that it likes best, it does not matter who bears what.
  const holders = isContested ? await holdersOf(trx, heart, works, bearers) : [];
  for (const naming of giveNames(isContested ? inOrder(asks, works) : asks, holders, groups, heart.names)) {
    const work = works.get(naming.ci_id) ?? others.get(naming.ci_id);
    if (!work?.item) continue;
    if (!work.dirty) {
      // The former bearer of a name, of which this write did not speak.
      const source = works.get(asks[0]?.ci_id as ItemId)?.source ?? '';
      works.set(work.id, Object.assign(work, { item: { ...work.item }, dirty: true, source }));
    }
    const item = works.get(work.id)?.item as Item;
    Object.assign(item, { ansible_name: naming.name, ansible_name_by: naming.by, ansible_name_from: naming.from });
  }
  refuseTakenNames(asks, works);
}

/** Names that went from one item to another in this write, such as with a split, and are not stored yet. */
function passedOn(works: ReadonlyMap<ItemId, Work>): Map<string, ItemId> {
  const passed = new Map<string, ItemId>();
  for (const { id, item, former } of works.values())
    if (item?.ansible_name && item.ansible_name !== former?.ansible_name) passed.set(item.ansible_name, id);
  return passed;
}

/** Lays out who bears names; whoever was named in this moment too joins those who ask. Answers whether anybody did. */
async function loadHolders(
  trx: Trx,
  heart: Heart,
  works: Map<ItemId, Work>,
  others: Map<ItemId, Work>,
  asks: NameAsk[],
  ids: readonly ItemId[],
  at: string,
): Promise<boolean> {
  const source = works.get(asks[0]?.ci_id as ItemId)?.source ?? '';
  let hasJoined = false;
  const unknown = ids.filter((id) => !works.has(id) && !others.has(id));
  for (const [id, work] of await loadWorks(trx, unknown)) others.set(id, work);
  for (const id of ids) {
    const work = (works.get(id) ?? others.get(id)) as Work;
    if (work.dirty || !work.item || work.item.created_at < at || work.item.merged_into) continue;
    others.delete(id);
    works.set(id, Object.assign(work, { item: { ...work.item }, dirty: true, source }));
    const ask = askOfWork(work, heart, at);
    if (ask) asks.push(ask);
    hasJoined = true;
  }
  return hasJoined;
}

/** Who bears the names that the dead would take if they gave theirs up. */
async function furtherHolders(trx: Trx, heart: Heart, bearers: readonly Work[]): Promise<ItemId[]> {
  const names = bearers.flatMap(({ item, claims }) => {
    if (!item?.ansible_name || !isDead(item)) return [];
    const { ci_id, ansible_name, site_id } = item;
    const vmid = numberOf(item, claims, heart.ranks);
    return [...heart.names.candidates({ ci_id, ci_name: ansible_name, site_id, vmid, wanted: null, current: null })];
  });
  return [...(await holdersOfNames(trx, names)).values()];
}

async function holdersOf(
  trx: Trx,
  heart: Heart,
  works: ReadonlyMap<ItemId, Work>,
  bearers: readonly Work[],
): Promise<Holder[]> {
  const dead = bearers.flatMap(({ item }) => (item && isDead(item) ? [item.ci_name] : []));
  const namesakes = (await livingNamesakes(trx, dead)).filter(({ ci_id }) => !works.has(ci_id));
  if (dead.length > 0)
    for (const { item, claims } of works.values())
      if (item && claims.length > 0 && !item.merged_into && !isDead(item)) namesakes.push(item);
  return bearers.flatMap((work): Holder[] => {
    const { item } = work;
    if (!item) return [];
    const { ci_name, site_id } = item;
    return [
      {
        item,
        vmid: numberOf(item, work.claims, heart.ranks),
        claimedByPeople: isClaimedByPeople(work, heart),
        namesakes: namesakes.filter((one) => one.ci_name === ci_name && one.site_id === site_id).length,
      },
    ];
  });
}

/**
 * Who bears a name that may be given: the best one of each, and all others only where that is not free. Where all
 * of the best are free, each is given, whoever asks first.
 */
async function findHolders(
  trx: Trx,
  heart: Heart,
  asks: readonly NameAsk[],
  groups: ReadonlySet<string>,
  passed: ReadonlyMap<string, ItemId>,
): Promise<{ isContested: boolean; holderIds: ItemId[] }> {
  const best = asks.map((ask) => ask.wanted ?? bestOf(ask, heart.names));
  const held = new Map([...(await holdersOfNames(trx, best)), ...passed]);
  const counts = new Map<string, number>();
  for (const name of best) counts.set(name, (counts.get(name) ?? 0) + 1);
  const isContested = (name: string) =>
    held.has(name) ||
    groups.has(name) ||
    heart.names.isGroup(name) ||
    (counts.get(name) ?? 0) > 1 ||
    !heart.names.mayBeChosen(name);
  const contested = asks.filter((_, index) => isContested(best[index] as string));
  const others = await holdersOfNames(
    trx,
    contested.flatMap((ask) => [...candidatesOf(ask, heart.names)]),
  );
  return { isContested: contested.length > 0, holderIds: [...new Set([...held.values(), ...others.values()])] };
}

/**
 * What people newly wish for what has a name, then the eldest first, then in the order of sources and keys, so that it
 * does not matter in which order things were said.
 */
function inOrder(asks: readonly NameAsk[], works: ReadonlyMap<ItemId, Work>): NameAsk[] {
  const keyed = asks.map((ask) => {
    const work = works.get(ask.ci_id);
    const isWish = ask.current !== null && ask.wanted !== null;
    return { ask, rank: `${isWish ? 0 : 1} ${work?.item?.created_at ?? ''}`, key: orderOf(work) };
  });
  return keyed
    .sort((a, b) => (a.rank === b.rank ? natural.compare(a.key, b.key) : a.rank < b.rank ? -1 : 1))
    .map(({ ask }) => ask);
}

const natural = new Intl.Collator('en', { numeric: true });

/** An import, or a person's word for the name; what people wrote of it besides goes on standing with the dead one. */
function isClaimedByPeople(work: Work, heart: Heart): boolean {
  return wantedName(work.claims, heart.ranks) !== null;
}

/** A name that a person asks for in so many words is given or refused; an import's gives way. */
function refuseTakenNames(asks: readonly NameAsk[], works: ReadonlyMap<ItemId, Work>): void {
  for (const { ci_id, wanted } of asks) {
    const work = works.get(ci_id);
    const asked = work?.claims.some((claim) => claim.kind === 'manual' && claim.said.ansible?.name === wanted);
    if (wanted !== null && asked && work?.item?.ansible_name !== wanted) {
      throw new DomainError('conflict', `Another item bears the name ${wanted} in the inventory.`, {
        errors: [{ pointer: '/ansible/name', detail: 'is taken' }],
      });
    }
  }
}

function orderOf(work: Work | undefined): string {
  const keys = (work?.claims ?? []).map((claim) =>
    isOfItem(claim) ? `${claim.source} ${work?.item?.ci_name ?? ''}` : refOf(claim),
  );
  return keys.sort(natural.compare)[0] ?? '';
}

function actionOf(former: Item | undefined, item: Item): string {
  if (!former) return 'created';
  if (!former.merged_into && item.merged_into) return 'merged';
  if (former.merged_into && !item.merged_into) return 'split';
  if (former.deleted_at && !item.deleted_at) return 'restored';
  if (former.ci_status !== 'retired' && item.ci_status === 'retired') return 'retired';
  if (former.absence === null && item.absence === 'missing') return 'missing';
  return 'updated';
}
