/**
 * Whose claims are those that were touched? Lays out whoever is connected with them, asks identity part by part, and
 * seats each claim on its item. What has nothing in common with anything is done at once.
 */

import type { Trx } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import type { Applied } from './apply.ts';
import { noteBody } from './body.ts';
import { type Desk, forget, gather, identifiersNowAndBefore, identify, markedBy } from './desk.ts';
import { hardwareLevels, identify as identifyAll, type Partition } from './identity/identity.ts';
import { nameOf } from './identity/marks.ts';
import { type Claim, type ClaimId, refOf } from './item.ts';
import { seat } from './seat.ts';
import type { Heart } from './statement.ts';
import { type Part, partsOf, worldOf } from './witnesses.ts';
import { lose, markGone, type Work } from './work.ts';

/** Open questions and shared values of what was decided, and of all that was looked at. */
export interface Recognized {
  looked: Set<ClaimId>;
  questions: Map<ClaimId, ClaimId[]>;
  lookedAt: Set<string>;
  shared: Set<string>;
}

/** Whether what was applied may change who is whom; notes what identity has to know of it. */
export function noteNews(desk: Desk, work: Work, { claim, former, wasGone, isBound }: Applied, heart: Heart): boolean {
  desk.heard.add(claim.claim_id);
  if (wasGone && wasGone.gone_for_good !== null) desk.backFromRetirement.add(claim.claim_id);
  if (former === undefined) {
    if (!desk.before.has(claim.claim_id)) desk.before.set(claim.claim_id, undefined);
    forget(desk, claim);
    return true;
  }
  const isDoubted =
    isBound || claim.muted || claim.alarm !== null || claim.number_left_behind !== null || wasGone !== undefined;
  if (former === claim.said) return isDoubted;
  const was = markedBy(desk, former, heart);
  forget(desk, claim);
  const now = identify(desk, claim, heart);
  const isSame = (former.ci_type ?? '') === (claim.said.ci_type ?? '') && sameValues(was.identifiers, now);
  if (isSame && !wasGone) return isDoubted;
  const before = { name: nameOf(former.ci_name), ...was };
  if (!desk.before.has(claim.claim_id)) desk.before.set(claim.claim_id, before);
  if (heart.ranks.isReported(claim.kind)) noteBody(desk, heart, work, claim, before, former);
  return true;
}

function sameValues(
  a: readonly { kind: string; value: string }[],
  b: readonly { kind: string; value: string }[],
): boolean {
  return (
    a.length === b.length && a.every(({ kind, value }, index) => kind === b[index]?.kind && value === b[index]?.value)
  );
}

export async function recognize(trx: Trx, heart: Heart, desk: Desk, seeds: readonly Claim[]): Promise<Recognized> {
  const recognized: Recognized = { looked: new Set(), questions: new Map(), lookedAt: new Set(), shared: new Set() };
  if (seeds.length === 0) return recognized;
  const connected = await gather(trx, heart, desk, seeds);
  if (connected.length === 0) return recognized;
  const gone = numbersTakenOver(desk, heart, connected);
  if (gone.length > 0) await gather(trx, heart, desk, gone);
  const reached = await reachedFrom(desk, heart, [...connected, ...gone]);
  let count = 0;
  for (const part of reached) {
    count += 1;
    if (count % 32 === 0) await turn();
    const claims = new Map(part.claims.map((claim) => [refOf(claim), claim]));
    const partition = decide(desk, heart, part, claims);
    for (const claim of part.claims) recognized.looked.add(claim.claim_id);
    for (const [ref, candidates] of partition.questions) {
      const ids = candidates.flatMap((candidate) => claims.get(candidate)?.claim_id ?? []);
      recognized.questions.set((claims.get(ref) as Claim).claim_id, ids);
    }
    for (const value of partition.shared) recognized.shared.add(value);
    for (const claim of part.claims)
      for (const { kind, value } of identifiersNowAndBefore(desk, claim, heart))
        if (isHardware(kind)) recognized.lookedAt.add(`${kind} ${value}`);
  }
  return recognized;
}

/** What is found to be of another machine lends nothing from then on, or again: so it is decided once more. */
function decide(desk: Desk, heart: Heart, part: Part, claims: ReadonlyMap<string, Claim>): Partition {
  const isStill = isPutBack(desk, part);
  const mutedOf = () => part.claims.filter(({ muted }) => muted).length;
  const before = mutedOf();
  const once = () => {
    const world = worldOf(desk, part, heart);
    const partition = identifyAll(world);
    if (!isStill) seat(desk, world, partition, claims);
    return partition;
  };
  const partition = once();
  return mutedOf() === before ? partition : once();
}

/** All of it is as it was before the act that is undone: it is not to be decided anew, and asks what it asked then. */
function isPutBack({ settledSince }: Desk, { claims }: Part): boolean {
  if (settledSince === undefined) return false;
  const isOf = (time: string | null) => time === null || time <= settledSince;
  return claims.every(
    ({ said_at, settled_at, gone_since, returned_at }) =>
      isOf(said_at) && isOf(settled_at) && isOf(gone_since) && isOf(returned_at),
  );
}

const isHardware = (kind: string) => (hardwareLevels as readonly string[]).includes(kind);

/** Parts that hold one of the seeds. */
async function reachedFrom(desk: Desk, heart: Heart, seeds: readonly Claim[]) {
  const wanted = new Set(seeds.map(({ claim_id }) => claim_id));
  const claims: Claim[] = [];
  for (const work of desk.works.values())
    for (const claim of work.claims) if (isLaidOut(desk, claim)) claims.push(claim);
  claims.push(...desk.waiting.values());
  const parts = [];
  for (const part of partsOf(desk, heart, claims))
    if (part.claims.some(({ claim_id }) => wanted.has(claim_id))) parts.push(part);
  await turn();
  return parts;
}

function isLaidOut(desk: Desk, claim: Claim): boolean {
  return desk.identifiers.has(claim.claim_id);
}

/** One number is one guest of its cluster: seen under another key, the former key is gone at once. */
function numbersTakenOver(desk: Desk, heart: Heart, seeds: readonly Claim[]): Claim[] {
  const taken: Claim[] = [];
  const byNumber = new Map<string, Claim>();
  for (const claim of seeds) {
    const pve = desk.marks.get(claim.claim_id)?.pve;
    if (pve !== undefined && claim.said.pve !== undefined && heart.ranks.isReported(claim.kind) && !claim.gone_since)
      byNumber.set(`${claim.source} ${pve}`, claim);
  }
  if (byNumber.size === 0) return taken;
  for (const work of desk.works.values()) {
    for (const other of work.claims) {
      const pve = desk.marks.get(other.claim_id)?.pve;
      if (pve === undefined || other.gone_since || desk.heard.has(other.claim_id) || other.said.pve === undefined)
        continue;
      const claim = byNumber.get(`${other.source} ${pve}`);
      if (!claim || claim === other || other.heard_at >= claim.heard_at) continue;
      markGone(other, desk.at);
      lose(work, other);
      taken.push(other);
    }
  }
  return taken;
}
