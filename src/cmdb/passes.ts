/**
 * One reading of a whole source: what it saw is reconciled, and what it no longer saw loses its word, unless so
 * much is gone at once that a person has to look. All of it is one transaction.
 */

import { randomUUIDv7 } from 'node:crypto';
import { DomainError, type Fault } from '../errors.ts';
import { listStanding } from '../store/alerts.ts';
import type { Trx } from '../store/open.ts';
import { inTurns } from '../store/turn.ts';
import { stamp } from '../time.ts';
import { natural } from './identity/guests.ts';
import { marksOf } from './identity/marks.ts';
import type { Marks } from './identity/witness.ts';
import type { ClaimId, SourceRef } from './item.ts';
import { kindOf } from './kinds.ts';
import { type Reconciled, reconcile } from './reconcile.ts';
import type { Heart, Outcome, Statement } from './statement.ts';
import { stopsAfterMilliseconds } from './status.ts';
import type { Change, Occasion } from './store/changes.ts';
import { rememberCopies } from './store/identity.ts';
import {
  countAbsence,
  countUnchanged,
  findPass,
  findSource,
  type LivingClaim,
  type Losses,
  livingClaims,
  loadHeldClaims,
  loadSaid,
  type StoredPass,
  seeAgain,
  setPassOutcome,
  storePass,
  storeSourceOrigin,
  storeSources,
  updateSourceAfterPass,
} from './store/passes.ts';

export interface Reading {
  source: SourceRef;
  /** All of it was seen: reachable, authorised, every page read. */
  complete: boolean;
  why: string | null;
  statements: readonly Statement[];
  /** What it sees lifts a retirement that was said well before. */
  begunAt: string;
  /** Keys of things that it left out on purpose, or could not judge: they are neither seen nor gone. */
  leftOut: ReadonlySet<string>;
  /** Whether the changes are asked for: of a first reading of thousands they are much. */
  tellsChanges: boolean;
  /** How many of its items were refused; with any, the reading is not whole. */
  refused: number;
  /** Where an import was read, so that another file of the same name is not taken for it. */
  origin: { host: string; path: string } | null;
  takesOver: boolean;
}

export interface PassResult extends StoredPass {
  changes: Change[];
  outcomes: Outcome[];
}

const fewLost = 3;
const shareLost = 0.3;

/** Takes a reading. Throws `conflict` if an import of this name was read elsewhere before, and does not take over. */
export async function takePass(trx: Trx, heart: Heart, reading: Reading, occasion: Occasion): Promise<PassResult> {
  const { source } = reading;
  const kind = kindOf(source);
  await storeSources(trx, [{ source, kind, role: heart.ranks.roleOf(kind) }], occasion.at);
  await rememberOrigin(trx, reading);
  const before = await findSource(trx, source);
  const living = await livingClaims(trx, source);
  const keys = new Map(reading.statements.map((statement) => [statement.key, statement]));
  const absent = living.filter(({ native_key }) => !keys.has(native_key) && !reading.leftOut.has(native_key));
  const stopping = living.filter(
    ({ native_key, power }) => power === 'running' && keys.get(native_key)?.said.power === 'stopped',
  );
  const losses = { absent: await notMoved(trx, absent, reading), stopping: stopping.map(({ claim_id }) => claim_id) };
  const verdict = await judge(trx, reading, living.length, losses, before?.held_pass_id ?? null);
  const passId = randomUUIDv7();
  const isGood = verdict.outcome === 'good';
  const vanished = isGood ? absent.map((claim) => claim.claim_id) : [];
  const held = verdict.outcome === 'suspicious' ? new Set(stopping.map(({ native_key }) => native_key)) : noKeys;
  const statements = reading.statements.map((statement) => ({
    ...heldBack(statement, held),
    begunAt: reading.complete ? reading.begunAt : null,
  }));
  const result =
    living.length === 0
      ? await reconcileFirst(trx, heart, statements, { ...occasion, passId }, reading.tellsChanges)
      : await reconcile(trx, heart, statements, { ...occasion, passId }, { vanished });
  if (isGood) await countAbsence(trx, source, occasion.at);
  // Where no two things carry one identifier, none is a copy of another.
  if (verdict.outcome !== 'suspicious' && reading.complete && (await listStanding(trx, 'shared_identifier')).length > 0)
    await rememberCopies(trx, source, occasion.at);
  const count = (outcome: Outcome['outcome']) => result.outcomes.filter((one) => one.outcome === outcome).length;
  const pass: PassResult = {
    pass_id: passId,
    source,
    complete: reading.complete,
    outcome: verdict.outcome,
    why: verdict.why,
    seen: reading.statements.length,
    created: count('created'),
    updated: count('updated'),
    unchanged: count('unchanged'),
    missing: vanished.length,
    refused: reading.refused,
    changes: reading.tellsChanges ? result.changes : [],
    outcomes: result.outcomes,
  };
  await storePass(trx, pass, verdict.held, { ...occasion, begunAt: reading.begunAt });
  await updateSourceAfterPass(trx, pass, occasion.at);
  return pass;
}

/** So many things of a first reading are worked on at once. It bounds memory. */
const firstPart = 500;

/** Nothing of it was known, so that in one moment its parts come out as the whole would. */
async function reconcileFirst(
  trx: Trx,
  heart: Heart,
  statements: readonly Statement[],
  occasion: Occasion,
  tellsChanges: boolean,
): Promise<Reconciled> {
  const all: Reconciled = { outcomes: [], changes: [] };
  // Names are given in the order of keys.
  const ordered = [...statements].sort((a, b) => natural(a.key ?? '', b.key ?? ''));
  for await (const part of inTurns(ordered, firstPart)) {
    const { outcomes, changes } = await reconcile(trx, heart, part, occasion);
    all.outcomes.push(...outcomes);
    if (tellsChanges) all.changes.push(...changes);
  }
  return all;
}

/**
 * Takes a reading that says the very same as an earlier one, of which the caller is sure, without looking at what it
 * says. Undefined, and nothing done, where hearing it again would do more than note the time: then it has to be taken
 * as any other. With how much is still absent, which time alone may retire.
 */
export async function takePassAgain(
  trx: Trx,
  heart: Heart,
  source: SourceRef,
  again: { passId: string; begunAt: string },
  occasion: Occasion,
): Promise<{ pass: PassResult; absent: number } | undefined> {
  const kind = kindOf(source);
  const former = await findPass(trx, again.passId);
  if (!former || former.source !== source || former.outcome !== 'good') return undefined;
  const ttl = heart.ranks.ttlMilliseconds(kind);
  const heardSince = ttl === undefined ? '' : stampBefore(occasion.at, ttl);
  const since = { heardSince, stoppedSince: stampBefore(occasion.at, stopsAfterMilliseconds) };
  if ((await countUnchanged(trx, again.passId, since)) !== former.seen) return undefined;
  const pass: PassResult = {
    ...former,
    pass_id: randomUUIDv7(),
    created: 0,
    updated: 0,
    unchanged: former.seen,
    missing: 0,
    changes: [],
    outcomes: [],
  };
  await storeSources(trx, [{ source, kind, role: heart.ranks.roleOf(kind) }], occasion.at);
  await seeAgain(trx, again.passId, pass.pass_id, occasion.at);
  const absent = await countAbsence(trx, source, occasion.at);
  await storePass(trx, pass, null, { ...occasion, begunAt: again.begunAt });
  await updateSourceAfterPass(trx, pass, occasion.at);
  return { pass, absent };
}

function stampBefore(at: string, milliseconds: number): string {
  return stamp(Temporal.Instant.from(at).subtract({ milliseconds }));
}

async function rememberOrigin(trx: Trx, reading: Reading): Promise<void> {
  if (!reading.origin) return;
  const known = await findSource(trx, reading.source);
  const elsewhere =
    known?.origin_path && (known.origin_host !== reading.origin.host || known.origin_path !== reading.origin.path);
  if (elsewhere && !reading.takesOver) {
    throw new DomainError(
      'conflict',
      `The source ${reading.source} was read from ${known.origin_path} on ${known.origin_host} before, not from ${reading.origin.path} on ${reading.origin.host}. ` +
        'If this file takes its place, name the source with --source; otherwise give the file a source of its own.',
    );
  }
  await storeSourceOrigin(trx, reading.source, reading.origin);
}

interface Verdict {
  outcome: PassResult['outcome'];
  why: string | null;
  held: Losses | null;
}

const noKeys: ReadonlySet<string> = new Set();

/** What a held reading says stopped goes on running until the next one agrees. */
function heldBack(statement: Statement, held: ReadonlySet<string>): Statement {
  if (statement.key === null || !held.has(statement.key)) return statement;
  const patch = { ...statement.patch, power: 'running' };
  return { ...statement, patch, said: { ...statement.said, power: 'running' }, heard: '' };
}

/** A guest that came back in the same reading under another number, with the same body, is not lost. */
async function notMoved(trx: Trx, absent: readonly LivingClaim[], { statements }: Reading): Promise<ClaimId[]> {
  const ids = absent.map(({ claim_id }) => claim_id);
  if (ids.length <= fewLost) return ids;
  const known = new Set((await livingClaims(trx, statements[0]?.source ?? '')).map(({ native_key }) => native_key));
  const arrived = statements.filter(({ key }) => key !== null && !known.has(key)).map(({ said }) => marksOf(said));
  const uuids = new Set(arrived.flatMap(({ uuid }) => uuid ?? []));
  const macs = new Set(arrived.flatMap((marks) => (marks.uuid === undefined ? marks.macs : [])));
  const isMoved = ({ uuid, macs: own }: Marks) =>
    uuid === undefined ? own.some((mac) => macs.has(mac)) : uuids.has(uuid);
  const former = await loadSaid(trx, ids);
  return ids.filter((id) => !isMoved(marksOf(former.get(id) ?? {})));
}

/** Nothing is taken away by a reading that is not whole, nor by one in which too much is gone at once. */
async function judge(
  trx: Trx,
  reading: Reading,
  known: number,
  losses: Losses,
  heldPassId: string | null,
): Promise<Verdict> {
  if (reading.refused > 0)
    return {
      outcome: 'partial',
      why: `${reading.refused} items were refused, so nothing was taken for gone`,
      held: null,
    };
  if (!reading.complete) return { outcome: 'partial', why: reading.why, held: null };
  const isEmpty = known > 0 && reading.statements.length === 0;
  const limit = Math.max(fewLost, shareLost * known);
  if (isEmpty)
    return {
      outcome: 'suspicious',
      why: `it is empty, and ${known} were known; a person has to accept that`,
      held: losses,
    };
  const lost = [...losses.absent, ...losses.stopping];
  if (lost.length <= limit) return { outcome: 'good', why: reading.why, held: null };
  const heldBefore = heldPassId === null ? undefined : await loadHeldClaims(trx, heldPassId);
  const isAgreed =
    heldBefore !== undefined && !heldBefore.wasEmpty && lost.filter((id) => !heldBefore.claims.has(id)).length <= limit;
  if (isAgreed) return { outcome: 'good', why: reading.why, held: null };
  const { absent, stopping } = losses;
  const what = [
    ...(absent.length > 0 ? [`${absent.length} of ${known} are gone`] : []),
    ...(stopping.length > 0 ? [`${stopping.length} stopped`] : []),
  ].join(' and ');
  return {
    outcome: 'suspicious',
    why: `${what} at once; nothing was taken away until the next reading agrees or a person accepts it`,
    held: losses,
  };
}

/** Accepts a held pass: what it no longer saw, and nobody has seen since, loses its word. */
export async function acceptPass(
  trx: Trx,
  heart: Heart,
  passId: string,
  occasion: Occasion,
): Promise<{ missing: number }> {
  const held = await loadHeldClaims(trx, passId);
  if (!held) throw new DomainError('not_found', `There is no pass ${passId}.`);
  if (held.outcome !== 'suspicious')
    throw new DomainError('conflict', `The pass ${passId} is not held; it was ${held.outcome}.`);
  const { changes } = await reconcile(
    trx,
    heart,
    [],
    { ...occasion, passId },
    { vanished: [...held.unseen], stopped: [...held.stopping] },
  );
  await setPassOutcome(trx, passId, 'accepted', held.unseen.size);
  return { missing: changes.length };
}

/** The same key twice in one reading says two things of one: the later one is refused. */
export function withoutRepeats(statements: readonly Statement[]): {
  statements: Statement[];
  repeated: { index: number; fault: Fault }[];
} {
  const kept = new Map<string, Statement>();
  const repeated: { index: number; fault: Fault }[] = [];
  for (const statement of statements) {
    const site = statement.patch.site_id ?? '';
    const key = statement.key as string;
    const first = kept.get(key);
    if (!first) kept.set(key, statement);
    else if ((first.patch.site_id ?? '') !== site && !kept.has(`${key}@${site}`))
      kept.set(`${key}@${site}`, { ...statement, key: `${key}@${site}` });
    else
      repeated.push({
        index: statement.index,
        fault: { pointer: '', detail: `"${key}" is in the reading twice, first as item ${first.index}` },
      });
  }
  return { statements: [...kept.values()], repeated };
}
