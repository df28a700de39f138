/** What a person has to look at after identity was asked: conflicts, shared identifiers, machines that answered for others. */

import { randomUUIDv7 } from 'node:crypto';
import { setAlerts } from '../store/alerts.ts';
import type { Trx } from '../store/open.ts';
import { claimsOn, type Desk } from './desk.ts';
import { type Claim, type ClaimId, refOf } from './item.ts';
import type { Recognized } from './recognize.ts';
import { type Conflict, endConflicts, openConflicts, storeConflicts } from './store/conflicts.ts';

const reason = 'what it says of itself fits several items that cannot be one';

export async function storeQuestions(trx: Trx, desk: Desk, recognized: Recognized): Promise<void> {
  const { looked, questions, lookedAt, shared } = recognized;
  if (looked.size === 0) return;
  const open = new Map((await openConflicts(trx, [...looked])).map((conflict) => [conflict.claim_id, conflict]));
  const asked: Conflict[] = [];
  for (const [claim_id, candidates] of questions) {
    const known = open.get(claim_id);
    if (known && isSameList(known.candidates, candidates)) continue;
    asked.push({ conflict_id: known?.conflict_id ?? randomUUIDv7(), claim_id, candidates: [...candidates].sort() });
  }
  if (asked.length > 0) await storeConflicts(trx, asked, reason, desk.at);
  const ended = [...open.values()].filter(({ claim_id }) => !questions.has(claim_id));
  await endConflicts(
    trx,
    ended.map(({ conflict_id }) => conflict_id),
    desk.at,
  );
  const ids = new Map([...open.values(), ...asked].map(({ claim_id, conflict_id }) => [claim_id, conflict_id]));
  await tell(trx, desk, recognized, ids);
  if (lookedAt.size > 0) await setAlerts(trx, 'shared_identifier', sharedOf(shared), desk.at, lookedAt);
}

function isSameList(a: readonly ClaimId[], b: readonly ClaimId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

async function tell(
  trx: Trx,
  desk: Desk,
  { looked, questions }: Recognized,
  conflictIds: ReadonlyMap<ClaimId, string>,
): Promise<void> {
  const answered = new Map<string, string>();
  const among = new Set<string>();
  const waiting = new Map<string, string>();
  for (const claim of claimsOn(desk)) {
    if (!looked.has(claim.claim_id)) continue;
    const ref = refOf(claim);
    among.add(ref);
    if (claim.alarm !== null && claim.gone_since === null) answered.set(ref, answeredBy(desk, claim));
    if (questions.has(claim.claim_id)) waiting.set(ref, askedOf(conflictIds.get(claim.claim_id) ?? 'ID'));
  }
  await setAlerts(trx, 'another_machine_answered', answered, desk.at, among);
  // Also where a person has just answered: that ended the question before it was asked here.
  await setAlerts(trx, 'conflict', waiting, desk.at, among);
}

function answeredBy(desk: Desk, claim: Claim): string {
  const item = claim.ci_id ? desk.works.get(claim.ci_id)?.item : undefined;
  // A name that a machine gave itself belongs into no command.
  const word = isPlain(item?.ci_name ?? '') ? item?.ci_name : claim.ci_id;
  return (
    `These facts came back with the id of ${item?.ci_name ?? claim.ci_id}, and are of another machine: ${claim.alarm}. They have no word meanwhile. ` +
    `"rollcall inventory why ${word}" shows by which address Ansible reaches it, and "rollcall explain ${word} --identity" what identifies it. ` +
    'Put the address right, then gather facts again.'
  );
}

function askedOf(id: string): string {
  return (
    'It could be of several items: "rollcall conflicts" shows which. ' +
    `Answer with "rollcall conflicts resolve ${id} same NAME", or with "rollcall conflicts resolve ${id} apart" where it is none of them.`
  );
}

function sharedOf(shared: ReadonlySet<string>): Map<string, string> {
  return new Map([...shared].map((mark) => [mark, sharedBy(mark.slice(mark.indexOf(' ') + 1))]));
}

function sharedBy(value: string): string {
  const where = isPlain(value) ? ` "rollcall ci list --search ${value}" shows them.` : '';
  return `Several machines carry it, so it identifies none of them.${where} Give each its own, or leave it so.`;
}

function isPlain(word: string): boolean {
  return /^[\w.:-]+$/.test(word) && !word.startsWith('-');
}
