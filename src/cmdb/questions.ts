/** What a person has to look at after identity was asked: conflicts, shared identifiers, machines that answered for others. */

import { randomUUIDv7 } from 'node:crypto';
import { setAlerts } from '../store/alerts.ts';
import type { Trx } from '../store/open.ts';
import { claimsOn, type Desk } from './desk.ts';
import type { Claim, ClaimId } from './item.ts';
import type { Recognized } from './recognize.ts';
import { type Conflict, endConflicts, openConflicts, storeConflicts } from './store/conflicts.ts';
import { refOf } from './witnesses.ts';

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
  await tell(trx, desk, recognized);
  if (lookedAt.size > 0) await setAlerts(trx, 'shared_identifier', sharedOf(shared), desk.at, lookedAt);
}

function isSameList(a: readonly ClaimId[], b: readonly ClaimId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

async function tell(trx: Trx, desk: Desk, { looked, questions }: Recognized): Promise<void> {
  const answered = new Map<string, string>();
  const among = new Set<string>();
  const waiting = new Map<string, string>();
  for (const claim of claimsOn(desk)) {
    if (!looked.has(claim.claim_id)) continue;
    const ref = refOf(claim);
    among.add(ref);
    if (claim.alarm !== null && claim.gone_since === null) answered.set(ref, answeredBy(claim));
    if (questions.has(claim.claim_id))
      waiting.set(
        ref,
        `Several items may be meant. "rollcall conflicts" shows which; answer with "rollcall conflicts resolve".`,
      );
  }
  await setAlerts(trx, 'another_machine_answered', answered, desk.at, among);
  // Also where a person has just answered: that ended the question before it was asked here.
  await setAlerts(trx, 'conflict', waiting, desk.at, among);
}

function answeredBy(claim: Claim): string {
  return `These facts are not of the item that they came back with: ${claim.alarm}. They have no word meanwhile. Look at the machine's address, then gather facts again.`;
}

function sharedOf(shared: ReadonlySet<string>): Map<string, string> {
  const what = 'Several machines carry it, so it identifies none of them. Give each its own, or leave it so.';
  return new Map([...shared].map((value) => [value, what]));
}
