/** Puts what is said into an item's claims: the source's own words, and what of a person's write is theirs. Pure. */

import { randomUUIDv7 } from 'node:crypto';
import { millisecondsOf } from '../time.ts';
import { type Claim, type ClaimId, isOfItem, type Said, type SourceRef } from './item.ts';
import { personsPatch } from './person.ts';
import { hashOf, saidAnew, saidWith, wordsOf } from './said.ts';
import { type Heart, heldByStatus, type Statement } from './statement.ts';
import type { Work } from './work.ts';

const liftsAfterMilliseconds = 15 * 60_000;

export interface Applied {
  claim: Claim;
  /** What it said before; undefined for one that is new. */
  former: Said | undefined;
  wasGone: Pick<Claim, 'gone_since' | 'gone_for_good'> | undefined;
  /** It came back with the id of an item with which it had not come before. */
  isBound: boolean;
}

/**
 * Puts one statement into the item's claims; undefined where nothing is left to claim, or where something later was
 * heard already.
 */
export function apply(work: Work, statement: Statement, heart: Heart, now: string): Applied | undefined {
  const existing = claimFor(work, statement);
  const at = statement.seenAt !== undefined && statement.seenAt < now ? statement.seenAt : now;
  if (existing && at < existing.heard_at) return undefined;
  const measures = heart.ranks.roleOf(statement.kind) === 'measures';
  work.measuredNow ||= measures;
  if (work.source === '') work.source = statement.source;
  if (work.deletedAt !== null) {
    work.deletedAt = null;
    work.dirty = true;
  }
  holdOrRelease(work, statement.hold);
  // What was withdrawn is not said again by saying something else.
  const former = existing && existing.gone_for_good !== 'withdrawn' ? existing.said : {};
  const patch =
    statement.kind === 'manual' && !statement.whole ? personsPatch(work, former, statement, heart) : statement.patch;
  const said = saidNow(statement, existing, former, patch);
  if (!existing && Object.keys(said).length === 0 && !work.isNew) return undefined;

  const claim = existing ?? newClaim(work, statement, at);
  const applied: Applied = {
    claim,
    former: existing?.said,
    wasGone:
      claim.gone_since === null ? undefined : { gone_since: claim.gone_since, gone_for_good: claim.gone_for_good },
    isBound: false,
  };
  if (!existing) work.claims.push(claim);
  work.mayBeNameless ||= !statement.registers && statement.target === null;
  applied.isBound = bind(claim, statement);
  const differs = !existing || !sameSaid(former, said);
  if (differs) {
    work.visible ||= work.isNew || !sameAddresses(former, said);
    noteSince(claim, former, said, at);
    claim.said = said;
    claim.said_at = at;
    // What was in force and therefore not claimed may not be in force when it is said again.
    claim.hash = patch === statement.patch || hashOf(patch) === statement.heard ? statement.heard : '';
  }
  // Said again it is no news, but counts from now on.
  if (former.lifecycle === 'retired' && statement.patch.lifecycle === 'retired' && isByCall(claim)) {
    claim.since = { ...claim.since, lifecycle: at };
    work.dirty = true;
    work.dirtyClaims.add(claim);
  }
  // Heard again after its TTL, or after a rebuild, it may have a word again.
  const mayRise = claim.muted || claim.alarm !== null || ttlIsOver(claim, heart, at);
  claim.heard_at = at;
  if (claim.gone_since) {
    claim.gone_since = null;
    claim.gone_for_good = null;
    claim.gone_passes = 0;
    claim.returned_at = now;
    work.visible = true;
  } else if (!differs && !applied.isBound) {
    // What is heard late may outdo what was too old already when the item was weighed last.
    const isLate = at < now;
    work.dirty ||= isLate || mayRise || (measures && isInDoubt(work));
    return applied;
  }
  work.dirty = true;
  work.dirtyClaims.add(claim);
  return applied;
}

/** Being heard again by whoever measures it may tell that it is there, or that it stopped for good. */
function isInDoubt({ item }: Work): boolean {
  return item !== undefined && (item.absence !== null || (item.power === 'stopped' && !item.stop_confirmed));
}

function saidNow(statement: Statement, existing: Claim | undefined, former: Said, patch: Statement['patch']): Said {
  if (!statement.whole) return existing || patch !== statement.patch ? saidWith(former, patch) : statement.said;
  const said = saidAnew(former, statement.said);
  return statement.keepsPower && former.power !== undefined ? { ...said, power: former.power } : said;
}

/** A write to an item, and facts that bring its id back, speak of that one. */
function bind(claim: Claim, { target, served }: Statement): boolean {
  const bound = served ?? target;
  if (bound === null || bound === undefined || claim.bound_ci_id === bound) return false;
  claim.bound_ci_id = bound;
  return true;
}

function ttlIsOver(claim: Claim, heart: Heart, at: string): boolean {
  const ttl = heart.ranks.ttlMilliseconds(claim.kind);
  return ttl !== undefined && millisecondsOf(at) - millisecondsOf(claim.heard_at) > ttl;
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
  const keyless = own.find((claim) => isOfItem(claim) && claim.former_ci_ids[0] === work.id);
  if (keyless) {
    keyless.native_key = statement.key;
    work.dirtyClaims.add(keyless);
    work.dirty = true;
  }
  return keyless;
}

/** Its own: the item may be merged, split and adopted, and written to by its id again. */
function keyOfNone(id: ClaimId): string {
  return `ci:${id}`;
}

/** Each source's addresses count for the inventory by a rule of its own, also those that the merged item does not show. */
function sameAddresses(a: Said, b: Said): boolean {
  const addresses = ({ technical_specs: specs }: Said) => JSON.stringify([specs?.addresses, specs?.primary_address]);
  return addresses(a) === addresses(b);
}

function newClaim(work: Work, statement: Statement, at: string): Claim {
  const { source, kind, key, heard } = statement;
  const claim_id = randomUUIDv7() as string as ClaimId;
  return {
    ...blankClaim(claim_id, source, kind, at),
    native_key: key ?? keyOfNone(claim_id),
    ci_id: work.id,
    hash: heard,
  };
}

/** A claim that says nothing yet. */
export function blankClaim(claim_id: ClaimId, source: SourceRef, kind: string, at: string): Claim {
  return {
    claim_id,
    source,
    kind,
    native_key: '',
    ci_id: null,
    said: {},
    hash: '',
    since: {},
    said_at: at,
    first_said_at: at,
    heard_at: at,
    heard_pass_id: null,
    gone_since: null,
    gone_passes: 0,
    gone_for_good: null,
    bound_ci_id: null,
    settled_ci_id: null,
    settled_at: at,
    former_ci_ids: [],
    returned_at: null,
    body_since: null,
    rebuilt_at: null,
    number_left_behind: null,
    replaces_ci_id: null,
    ghost_of: null,
    muted: false,
    alarm: null,
    alarm_since: null,
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

/** Nobody says any more that it is retired. */
export function unretire(claim: Claim): void {
  const { lifecycle: _, ...said } = claim.said;
  claim.said = said;
  claim.hash = '';
}

/** Whether it was said by a call to the item, and not by a file or plan that is read. */
function isByCall(claim: Claim): boolean {
  return claim.kind === 'manual' || claim.bound_ci_id !== null;
}

/**
 * `retired` said by a call ends by a registration, or once a measuring source sees the thing a while after it was said
 * last.
 */
export function liftRetirement(work: Work, statement: Statement, heart: Heart, now: string): void {
  const measures = heart.ranks.roleOf(statement.kind) === 'measures';
  const seenAt = statement.seenAt !== undefined && statement.seenAt < now ? statement.seenAt : now;
  const at = statement.begunAt === undefined ? seenAt : statement.begunAt;
  if (statement.patch.lifecycle === 'retired' || (!statement.registers && !measures)) return;
  for (const claim of work.claims) {
    if (!isByCall(claim) || claim.said.lifecycle !== 'retired') continue;
    const since = claim.since.lifecycle ?? claim.first_said_at;
    const isLate = at !== null && millisecondsOf(at) - millisecondsOf(since) > liftsAfterMilliseconds;
    if (!statement.registers && !isLate) continue;
    unretire(claim);
    work.dirtyClaims.add(claim);
    work.dirty = true;
  }
}
