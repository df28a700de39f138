/**
 * A hypervisor says under a key what is another machine than before: the same name is a rebuild, another one is
 * another guest, and what was said of the former guest stays with the former item. Pure, over what lies on the desk.
 */

import { randomUUIDv7 } from 'node:crypto';
import { type Before, type Desk, dirty, identify } from './desk.ts';
import { bodyOf } from './identity/guests.ts';
import { nameOf } from './identity/marks.ts';
import { type Claim, type ClaimId, isOfItem, type Said } from './item.ts';
import type { Heart } from './statement.ts';
import type { Work } from './work.ts';

/** Notes what became of the guest under this claim's key. `former` is what the claim said of it before. */
export function noteBody(desk: Desk, heart: Heart, work: Work, claim: Claim, before: Before, former: Said): void {
  const marks = desk.marks.get(claim.claim_id);
  if (marks?.pve === undefined || isOfItem(claim)) return;
  const name = nameOf(claim.said.ci_name);
  const body = bodyOf(before, { name, marks });
  if (body === 'same') return;
  claim.body_since = desk.at;
  claim.rebuilt_at = body === 'rebuilt' ? desk.at : null;
  if (body === 'rebuilt') return;
  const ghost = ghostOf(claim, former, desk.at);
  work.claims.push(ghost);
  dirty(desk, ghost);
  desk.marks.set(ghost.claim_id, before.marks);
  desk.identifiers.set(ghost.claim_id, before.identifiers);
  desk.before.set(ghost.claim_id, undefined);
  leaveNumberBehind(desk, heart, work, claim, marks.pve, name);
}

/** What the former guest said last: it keeps the item that it had. */
function ghostOf(claim: Claim, said: Said, at: string): Claim {
  return {
    ...claim,
    claim_id: randomUUIDv7() as string as ClaimId,
    native_key: `${claim.native_key}#${at}`,
    said,
    hash: '',
    since: { ...claim.since },
    body_since: null,
    rebuilt_at: null,
    gone_since: at,
    gone_passes: longGone,
    gone_for_good: null,
    ghost_of: claim.claim_id,
  };
}

/** A number that went to another guest needs no more readings to tell that its former guest is gone. */
const longGone = 99;

/** What others said of the former guest stays with it, and the number in it says nothing until it changes. */
function leaveNumberBehind(
  desk: Desk,
  heart: Heart,
  work: Work,
  claim: Claim,
  pve: string,
  name: string | undefined,
): void {
  for (const other of work.claims) {
    if (other === claim || other.ghost_of !== null || other.kind === claim.kind) continue;
    // What is said in this very moment may speak of either, whichever was heard first.
    if (other.settled_at === desk.at && other.settled_ci_id !== work.id) continue;
    identify(desk, other, heart);
    const theirs = nameOf(other.said.ci_name);
    if (desk.marks.get(other.claim_id)?.pve !== pve || theirs === name) continue;
    other.number_left_behind = { pve, name: theirs ?? null };
    dirty(desk, other);
  }
}
