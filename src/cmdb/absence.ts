/**
 * Whether an item is still there: what measured it once, and whether anything measures it now. Facts count where
 * they were taken after it went missing. What Terraform or a person says does not keep a vanished guest. Pure.
 */

import { millisecondsOf } from '../time.ts';
import { type Claim, type Document, isTakenBack } from './item.ts';
import type { Ranks } from './kinds.ts';

/** What only Terraform or an import claimed, and no longer does, is given up after this. */
export const unclaimedMilliseconds = 24 * 3_600_000;

export function absenceOf(claims: readonly Claim[], ranks: Ranks, at: string): Document['absence'] {
  const measuring = claims.filter((claim) => ranks.roleOf(claim.kind) === 'measures');
  const outside = measuring.filter((claim) => ranks.isReported(claim.kind));
  if (outside.length === 0) return unclaimed(claims, at);
  const gone = outside.filter((claim) => claim.gone_since !== null);
  const since = latest(gone);
  if (outside.some((claim) => claim.gone_since === null && sees(claim, since, ranks, at))) return null;
  const isSeenFromInside = measuring.some(
    (claim) => ranks.isInside(claim.kind) && !claim.muted && claim.heard_at > since && isFresh(claim, ranks, at),
  );
  if (isSeenFromInside) return null;
  return gone.every((claim) => claim.gone_for_good !== null) ? 'retired' : 'missing';
}

/** One that speaks outside of readings, an item at a time, sees only what it said since the item went missing. */
function sees(claim: Claim, since: string, ranks: Ranks, at: string): boolean {
  return claim.heard_pass_id !== null || since === '' || (claim.heard_at >= since && isFresh(claim, ranks, at));
}

function isFresh(claim: Claim, ranks: Ranks, at: string): boolean {
  const ttl = ranks.ttlMilliseconds(claim.kind);
  return ttl === undefined || millisecondsOf(at) - millisecondsOf(claim.heard_at) <= ttl;
}

function unclaimed(claims: readonly Claim[], at: string): Document['absence'] {
  if (claims.some((claim) => claim.gone_since === null)) return null;
  if (claims.every(isTakenBack)) return 'retired';
  const since = latest(claims);
  return since === '' || millisecondsOf(at) - millisecondsOf(since) >= unclaimedMilliseconds ? 'retired' : 'missing';
}

/** When the last of them was gone; empty where none is. */
function latest(claims: readonly Claim[]): string {
  return claims.reduce((last, { gone_since }) => (gone_since !== null && gone_since > last ? gone_since : last), '');
}
