/**
 * After identity is decided: each thing has one item. What came together keeps the eldest id, and the others answer
 * with it; what split off gets an item again. Pure, over what lies on the desk.
 */

import { randomUUIDv7 } from 'node:crypto';
import { type Desk, dirty } from './desk.ts';
import { foreignMark, hearingOf, type Seated } from './identity/answered.ts';
import { natural } from './identity/guests.ts';
import { oldestFirst, type Partition } from './identity/identity.ts';
import type { Thing } from './identity/things.ts';
import { isHypervisors, type Witness, type World } from './identity/witness.ts';
import type { Claim, IdentifierKind, ItemId } from './item.ts';
import { inherit, newWork, type Work } from './work.ts';

/** Gives each thing its item and each claim its place. */
export function seat(desk: Desk, world: World, partition: Partition, claims: ReadonlyMap<string, Claim>): void {
  const used = new Set<ItemId>();
  const seated = new Map<Witness, ItemId | undefined>();
  const hearings: { facts: Witness; thing: Thing; work: Work }[] = [];
  const leastRef = (thing: Thing) => thing.witnesses.map(({ ref }) => ref).sort()[0] ?? '';
  const ordered = [...partition.things].filter((thing) => thing.witnesses.length > 0);
  if (ordered.length > 1) ordered.sort((a, b) => (leastRef(a) < leastRef(b) ? -1 : 1));
  for (const thing of ordered) {
    if (partition.homeless.has(thing) || waitedInVain(thing, claims)) {
      for (const witness of thing.witnesses) moveClaim(desk, claims.get(witness.ref) as Claim, undefined);
      continue;
    }
    const [eldest, ...others] = oldestFirst(world, thing.items);
    const work = eldest === undefined ? madeNow(desk, thing, claims, used) : (desk.works.get(eldest) as Work);
    used.add(work.id);
    revive(work);
    for (const other of others) mergeInto(desk, work, desk.works.get(other) as Work);
    for (const witness of thing.witnesses) {
      const claim = claims.get(witness.ref) as Claim;
      noteReplacement(desk, claim, witness, thing, work.id);
      moveClaim(desk, claim, work);
      seated.set(witness, work.id);
      if (witness.isInside) hearings.push({ facts: witness, thing, work });
    }
    noteBody(desk, work, thing, partition, claims);
  }
  if (hearings.length > 0) hear(desk, world, seated, hearings, claims);
}

/** What waited for an answer and is no longer said is not made an item: nobody ever knew which it was. */
function waitedInVain({ witnesses, items }: Thing, claims: ReadonlyMap<string, Claim>): boolean {
  return items.length === 0 && witnesses.every(({ ref, isGone }) => isGone && claims.get(ref)?.ci_id === null);
}

/** An item that these claims made earlier in this moment, or a new one. */
function madeNow(desk: Desk, thing: Thing, claims: ReadonlyMap<string, Claim>, used: ReadonlySet<ItemId>): Work {
  const made = thing.witnesses.flatMap(({ ref }) => {
    const id = (claims.get(ref) as Claim).ci_id;
    const work = id ? desk.works.get(id) : undefined;
    return work && !used.has(work.id) && (work.isNew || work.item?.created_at === desk.at) ? [work] : [];
  });
  // One that is stored may be known to somebody by now.
  const [first] = made.sort((a, b) => Number(a.isNew) - Number(b.isNew));
  if (first) return first;
  const work = newWork(randomUUIDv7() as string as ItemId);
  desk.works.set(work.id, work);
  return work;
}

function revive(work: Work): void {
  if (!work.item?.merged_into) return;
  work.item = { ...work.item, merged_into: null, merged_at: null, merged_by: null };
  work.dirty = true;
}

/** The other one answers with this one from now on, and hands on what people gave it. */
export function mergeInto(desk: Desk, work: Work, other: Work, by: string | null = null): void {
  // In one moment it is asked anew what became one; what went over before is remembered as it was then.
  if (!other.item || other.item.merged_into === work.id) return;
  inherit(work, other);
  other.item = { ...other.item, merged_into: work.id, merged_at: desk.at, merged_by: by };
  other.dirty = true;
}

/** Takes a claim from where it is to an item, or to where it waits. */
export function moveClaim(desk: Desk, claim: Claim, work: Work | undefined): void {
  const to = work?.id ?? null;
  if (claim.ci_id === to && (work ? work.claims.includes(claim) : desk.waiting.has(claim.claim_id))) return;
  const from = claim.ci_id ? desk.works.get(claim.ci_id) : undefined;
  if (from) {
    from.claims = from.claims.filter((one) => one !== claim);
    from.dirty = true;
    from.dirtyClaims.delete(claim);
    from.visible = true;
    if (from.source === '') from.source = claim.source;
  }
  if (claim.settled_at === null || claim.settled_at < desk.at) {
    claim.settled_ci_id = desk.works.get(claim.ci_id as ItemId)?.isNew ? null : claim.ci_id;
    claim.settled_at = desk.at;
  }
  claim.ci_id = to;
  desk.waiting.delete(claim.claim_id);
  if (work) {
    if (!claim.former_ci_ids.includes(work.id)) claim.former_ci_ids = [...claim.former_ci_ids, work.id];
    work.claims.push(claim);
    work.visible = true;
    if (work.source === '') work.source = claim.source;
  } else desk.waiting.set(claim.claim_id, claim);
  dirty(desk, claim);
}

/** Terraform gave an address another machine while it had the former one: what it replaced is remembered. */
function noteReplacement(desk: Desk, claim: Claim, witness: Witness, thing: Thing, item: ItemId): void {
  if (witness.kind !== 'terraform' || !witness.before || !claim.ci_id) return;
  const former = witness.item;
  if (!former || former === item || thing.items.includes(former)) return;
  if (witness.before.pve === witness.marks.pve || witness.before.name !== witness.name) return;
  claim.replaces_ci_id = former;
  dirty(desk, claim);
}

/** With which claim the item began, and whether its machine was rebuilt in this moment. */
function noteBody(
  desk: Desk,
  work: Work,
  thing: Thing,
  { retyped }: Partition,
  claims: ReadonlyMap<string, Claim>,
): void {
  const hypervisors = thing.witnesses.filter(isHypervisors);
  for (const witness of hypervisors) {
    if (!retyped.has(witness)) continue;
    const claim = claims.get(witness.ref) as Claim;
    claim.rebuilt_at = claim.body_since = desk.at;
    dirty(desk, claim);
  }
  if (work.firstAnchor === null && hypervisors.length > 0) {
    const [first] = hypervisors.sort((a, b) =>
      a.firstSaidAt === b.firstSaidAt ? natural(a.ref, b.ref) : a.firstSaidAt < b.firstSaidAt ? -1 : 1,
    );
    work.firstAnchor = first?.ref ?? null;
  }
  const former = work.former?.body_since ?? null;
  const since = former === desk.at ? null : former;
  const isRebuilt = thing.witnesses.some((witness) => witness.isRebuilt) || isReplacedSince(since, thing);
  if (isRebuilt === (work.rebuiltAt === desk.at)) return;
  work.generation += isRebuilt ? 1 : -1;
  work.rebuiltAt = isRebuilt ? desk.at : since;
  work.dirty = true;
}

/** Several may speak of its successor, one after the other: a machine that went is replaced once. */
function isReplacedSince(since: string | null, { isReplaced, witnesses }: Thing): boolean {
  return isReplaced && witnesses.some((one) => isHypervisors(one) && (one.goneSince ?? '') > (since ?? ''));
}

/** Whether facts are of the machine that they are bound to. */
function hear(
  desk: Desk,
  world: World,
  seated: ReadonlyMap<Witness, ItemId | undefined>,
  hearings: readonly { facts: Witness; thing: Thing; work: Work }[],
  claims: ReadonlyMap<string, Claim>,
): void {
  const bearers = bearersOf(world, seated);
  const things = new Map(hearings.map(({ work, thing }) => [work.id as string, thing.witnesses]));
  const thingOf = (item: string) =>
    things.get(item) ?? world.witnesses.filter((witness) => seated.get(witness) === item);
  for (const { facts, thing, work } of hearings) {
    const hearing = hearingOf(facts, thing.witnesses, work.rebuiltAt ?? undefined);
    const foreign =
      facts.bound !== undefined && !hearing.isMuted && !facts.isGone
        ? foreignMark(facts, thing.witnesses, bearers, work.id, thingOf)
        : undefined;
    note(desk, claims.get(facts.ref) as Claim, hearing.isMuted || foreign !== undefined, hearing.alarm ?? foreign);
  }
}

function bearersOf(world: World, seated: ReadonlyMap<Witness, ItemId | undefined>) {
  const index = new Map<string, Seated[]>();
  for (const witness of world.witnesses)
    for (const kind of ['uuid', 'serial', 'mac'] as const)
      for (const value of witness.values.get(kind) ?? []) {
        const key = `${kind} ${value}`;
        index.set(key, [...(index.get(key) ?? []), { witness, item: seated.get(witness) }]);
      }
  return (kind: IdentifierKind, value: string) => index.get(`${kind} ${value}`) ?? [];
}

function note(desk: Desk, claim: Claim, isMuted: boolean, alarm: string | undefined): void {
  if (claim.muted === isMuted && claim.alarm === (alarm ?? null)) return;
  if ((claim.alarm === null) !== (alarm === undefined)) claim.alarm_since = alarm === undefined ? null : desk.at;
  claim.muted = isMuted;
  claim.alarm = alarm ?? null;
  dirty(desk, claim);
}
