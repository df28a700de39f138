/** Puts what is said into an item's claims: the source's own words, and what of a person's write is theirs. Pure. */

import { randomUUIDv7 } from 'node:crypto';
import { millisecondsOf } from '../time.ts';
import type { Claim, ClaimId, ItemId, Said } from './item.ts';
import { personsPatch } from './person.ts';
import { hashOf, saidAnew, saidWith, wordsOf } from './said.ts';
import { type Heart, heldByStatus, type Statement } from './statement.ts';
import type { Work } from './work.ts';

const liftsAfterMilliseconds = 15 * 60_000;

/** Puts one statement into the item's claims; answers its claim, or undefined where nothing is left to claim. */
export function apply(work: Work, statement: Statement, heart: Heart, at: string): Claim | undefined {
  const existing = claimFor(work, statement);
  const measures = heart.ranks.roleOf(statement.kind) === 'measures';
  work.measuredNow ||= measures;
  if (work.source === '') work.source = statement.source;
  liftRetirement(work, statement, measures, at);
  if (work.deletedAt !== null) {
    work.deletedAt = null;
    work.dirty = true;
  }
  holdOrRelease(work, statement.hold);
  // What was withdrawn is not said again by saying something else.
  const former = existing && existing.gone_for_good !== 'withdrawn' ? existing.said : {};
  const patch =
    statement.kind === 'manual' && !statement.whole
      ? personsPatch(work, former, statement.patch, heart)
      : statement.patch;
  const said = statement.whole
    ? saidAnew(former, statement.said)
    : existing || patch !== statement.patch
      ? saidWith(former, patch)
      : statement.said;
  const isSpoken = Object.keys(said).length > 0;
  if (!existing && !isSpoken && !work.isNew) return undefined;

  const claim = existing ?? newClaim(work, statement, at);
  if (!existing) work.claims.push(claim);
  const differs = !existing || !sameSaid(former, said);
  if (differs) {
    work.visible ||= work.isNew || !sameAddresses(former, said);
    noteSince(claim, former, said, at);
    claim.said = said;
    claim.said_at = at;
    // What was in force and therefore not claimed may not be in force when it is said again.
    claim.hash = patch === statement.patch || hashOf(patch) === statement.heard ? statement.heard : '';
  }
  if (claim.gone_since) {
    claim.gone_since = null;
    claim.gone_for_good = null;
    work.visible = true;
  } else if (!differs) {
    work.dirty ||= work.item?.power === 'stopped' && measures && !work.item.stop_confirmed;
    return claim;
  }
  work.dirty = true;
  work.dirtyClaims.add(claim);
  return claim;
}

/** A hold that stands is kept as it was said; a status word releases only what a status word held. */
function holdOrRelease(work: Work, hold: Statement['hold']): void {
  if (hold === undefined || (hold === null ? work.hold?.reason !== heldByStatus : work.hold !== null)) return;
  work.hold = hold;
  work.dirty = true;
}

/** The source's claim under this key; one that it made on this item without a key takes the key on. */
function claimFor(work: Work, statement: Statement): Claim | undefined {
  const own = work.claims.filter((claim) => claim.source === statement.source);
  if (statement.key === null) return own.find((claim) => !claim.gone_since) ?? own[0];
  const exact = own.find((claim) => claim.native_key === statement.key);
  if (exact) return exact;
  const keyless = own.find((claim) => claim.native_key === keyOfItem(work.id));
  if (keyless) {
    keyless.native_key = statement.key;
    work.dirtyClaims.add(keyless);
    work.dirty = true;
  }
  return keyless;
}

function keyOfItem(id: ItemId): string {
  return `ci:${id}`;
}

/** Each source's addresses count for the inventory by a rule of its own, also those that the merged item does not show. */
function sameAddresses(a: Said, b: Said): boolean {
  const addresses = ({ technical_specs: specs }: Said) => JSON.stringify([specs?.addresses, specs?.primary_address]);
  return addresses(a) === addresses(b);
}

function newClaim(work: Work, statement: Statement, at: string): Claim {
  return {
    claim_id: randomUUIDv7() as string as ClaimId,
    source: statement.source,
    kind: statement.kind,
    native_key: statement.key ?? keyOfItem(work.id),
    ci_id: work.id,
    said: {},
    hash: statement.heard,
    since: {},
    said_at: at,
    first_said_at: at,
    gone_since: null,
    gone_for_good: null,
  };
}

function sameSaid(a: Said, b: Said): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof Said>;
  return [...keys].every((key) => a[key] === b[key] || JSON.stringify(a[key]) === JSON.stringify(b[key]));
}

function noteSince(claim: Claim, former: Said, said: Said, at: string): void {
  if (at === claim.first_said_at) return;
  const before = new Map(wordsOf(former));
  const since: Record<string, string> = {};
  for (const [attribute, value] of wordsOf(said)) {
    const known = before.get(attribute);
    const unchanged = known !== undefined && JSON.stringify(known) === JSON.stringify(value);
    const when = unchanged ? claim.since[attribute] : at;
    if (when !== undefined) since[attribute] = when;
  }
  claim.since = since;
}

/** `retired` said by a person ends by a registration, or once a measuring source sees the thing a while later. */
function liftRetirement(work: Work, statement: Statement, measures: boolean, at: string): void {
  if (statement.patch.lifecycle === 'retired' || (!statement.registers && !measures)) return;
  for (const claim of work.claims) {
    if (claim.kind !== 'manual' || claim.said.lifecycle !== 'retired') continue;
    const since = claim.since.lifecycle ?? claim.first_said_at;
    if (!statement.registers && millisecondsOf(at) - millisecondsOf(since) <= liftsAfterMilliseconds) continue;
    const { lifecycle: _, ...said } = claim.said;
    claim.said = said;
    claim.hash = '';
    work.dirtyClaims.add(claim);
    work.dirty = true;
  }
}
