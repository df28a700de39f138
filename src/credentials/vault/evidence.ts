/** Whether the dates of a vault item show that its credential was rotated. Pure. */

import type { VaultItem } from '../../vaultwarden/vault.ts';
import type { Credential } from '../credential.ts';
import { clockSkewMilliseconds } from '../words.ts';

/** What the vault said of it before: the latest date ever, and the one that was told last. */
export interface VaultSeen {
  revised_at: string | null;
  told_at: string | null;
}

export type Verdict = 'rotated' | 'went_back' | 'from_the_future' | 'nothing_new';

export interface Judged {
  verdict: Verdict;
  seen: VaultSeen;
  /** Of a rotation: which date it was, and when. */
  kind?: 'password_revision' | 'password_history';
  rotatedAt?: string;
}

/**
 * A date that goes back, or vanishes, is that of an import, and one that lies ahead is that of a wrong clock: neither
 * shows anything.
 */
export function judge(credential: Credential, item: VaultItem, seen: VaultSeen, now: Temporal.Instant): Judged {
  const dates = datesOf(item);
  const limit = now.epochMilliseconds + clockSkewMilliseconds;
  const newest = dates.filter(({ at }) => Date.parse(at) <= limit)[0];
  const isAhead = dates.some(({ at }) => Date.parse(at) > limit);
  const told_at = newest?.at ?? null;
  const former = seen.revised_at;
  const latest = told_at === null || (former !== null && former >= told_at) ? former : told_at;
  const told: Judged = { verdict: 'nothing_new', seen: { revised_at: latest, told_at } };
  if (isAhead) return { ...told, verdict: 'from_the_future' };
  if (former !== null && (told_at === null || told_at < former)) return { ...told, verdict: 'went_back' };
  if (newest === undefined || former === newest.at || !isLater(newest.at, credential, former)) return told;
  return { ...told, verdict: 'rotated', kind: newest.kind, rotatedAt: newest.at };
}

/** Later than the last rotation that is known of, and of one that leaked also later than that was said. */
function isLater(at: string, credential: Credential, former: string | null): boolean {
  const { last_rotated_at, created_at, updated_at, lifecycle_state } = credential;
  const isLate = (since: string, skew: number) => Date.parse(at) > Date.parse(since) + skew;
  if (lifecycle_state === 'compromised' && former === null) return isLate(updated_at, clockSkewMilliseconds);
  // Said to be rotated and seen to be is one rotation; a record that was just made has had none.
  return last_rotated_at === null ? isLate(created_at, 0) : isLate(last_rotated_at, clockSkewMilliseconds);
}

/** Newest first; a password's own date before that of a secret that was kept beside it. */
function datesOf({ password_revised_at, history_dates }: VaultItem) {
  const [replaced] = [...history_dates].sort().reverse();
  return [
    ...(password_revised_at === null ? [] : [{ kind: 'password_revision' as const, at: password_revised_at }]),
    ...(replaced === undefined ? [] : [{ kind: 'password_history' as const, at: replaced }]),
  ].sort((a, b) => (a.at === b.at ? 0 : a.at < b.at ? 1 : -1));
}
