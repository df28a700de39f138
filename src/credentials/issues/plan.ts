/**
 * What is to be done about the issue of one credential, from what is needed, what was kept of it, and what stands in the
 * tracker. Pure: the marker in an issue's body, and not the database, says which one it is.
 */

import type { Issue } from '../../github/tracker.ts';
import { millisecondsOf } from '../../time.ts';
import { type Credential, isPutOff } from '../credential.ts';
import type { Rotation } from '../store.ts';
import type { Need } from './need.ts';
import type { KeptIssue } from './store.ts';

export type ClosedFor = 'rotated' | 'waived' | 'not_in_use' | 'moved';

/** One thing to do; what is open in the tracker and as it should be needs none. */
export type Deed =
  | { do: 'open'; need: Need; isReplacement: boolean }
  | { do: 'wait'; need: Need }
  | { do: 'adopt'; issue: Issue; need: Need | undefined; level: number }
  | { do: 'renew'; row: KeptIssue; issue: Issue; need: Need }
  | { do: 'reopen'; row: KeptIssue; issue: Issue; need: Need; isByHand: boolean }
  | { do: 'close'; row: KeptIssue; issue: Issue; why: ClosedFor; rotation: Rotation | undefined }
  | { do: 'note'; row: KeptIssue; state: 'closed' | 'left'; why: string }
  | { do: 'forget'; row: KeptIssue }
  | { do: 'merge'; issue: Issue; into: number };

/** What is known of one credential's issue. */
export interface Known {
  credential: Credential;
  need: Need | undefined;
  /** Of all cycles, oldest first. */
  rows: readonly KeptIssue[];
  /** Its rotations, newest first. */
  rotations: readonly Rotation[];
  /** With its marker, and trusted; oldest first. */
  marked: readonly Issue[];
  /** One that stands open under its exact title without a marker, and is ours. */
  unmarked: Issue | undefined;
  isGone: (issueNumber: number) => boolean;
  today: Temporal.PlainDate;
  now: string;
}

/** After that long, one that is not in the list was never made. */
export const certainMilliseconds = 120_000;
const early = 999;

export function deedsFor(known: Known): Deed[] {
  const { need, rows } = known;
  const standing =
    rows.find(({ state }) => state === 'creating' || state === 'open') ??
    rows.find(({ cycle, state }) => cycle === need?.cycle && (state === 'left' || state === 'closed'));
  if (!standing) return withoutRow(known);
  if (standing.state === 'creating') return whileCreating(standing, known);
  if (standing.state === 'left') return [];
  return whileOpen(standing, known);
}

function withoutRow({ need, marked, unmarked }: Known): Deed[] {
  if (!need) return [];
  const found = openIn(marked) ?? unmarked ?? marked.find(({ body }) => body.includes(`cycle=${need.cycle} -->`));
  if (found) return [{ do: 'adopt', issue: found, need, level: early }, ...twinsOf(found, marked)];
  return need.isSnoozed ? [] : [{ do: 'open', need, isReplacement: false }];
}

function whileCreating(row: KeptIssue, { need, marked, unmarked, now }: Known): Deed[] {
  const found = openIn(marked) ?? marked.findLast(({ created_at }) => created_at >= floorOf(row.tried_at)) ?? unmarked;
  if (found) return [{ do: 'adopt', issue: found, need, level: row.level_said }, ...twinsOf(found, marked)];
  // It may be on its way.
  if (millisecondsOf(now) - millisecondsOf(row.tried_at) < certainMilliseconds)
    return need ? [{ do: 'wait', need }] : [];
  return need ? [{ do: 'open', need, isReplacement: row.replaced }] : [{ do: 'forget', row }];
}

function whileOpen(row: KeptIssue, known: Known): Deed[] {
  const { credential, need, rotations, marked, today } = known;
  const issue = marked.find(({ number }) => number === row.issue_number);
  const since = row.opened_at ?? row.tried_at;
  const rotation = rotations.find(({ recorded_at }) => recorded_at >= since);
  const isEnded = row.state === 'closed';
  if (!issue) {
    if (isEnded || row.issue_number === null || !known.isGone(row.issue_number)) return [];
    if (!need || rotation) return [{ do: 'note', row, state: 'closed', why: 'it was deleted or moved away' }];
    if (row.replaced) return [{ do: 'note', row, state: 'left', why: 'it was deleted or moved away twice' }];
    return [{ do: 'open', need, isReplacement: true }];
  }
  const twins = twinsOf(issue, marked);
  if (issue.state === 'closed') {
    if (isEnded) return need && !need.isSnoozed ? [{ do: 'reopen', row, issue, need, isByHand: false }] : [];
    if (rotation || !need) return [{ do: 'note', row, state: 'closed', why: rotation ? 'rotated' : 'closed by hand' }];
    if (need.isSnoozed) return twins;
    if (row.reopened) return [{ do: 'note', row, state: 'left', why: 'it was closed by hand again' }];
    return [{ do: 'reopen', row, issue, need, isByHand: true }, ...twins];
  }
  if (rotation && !isEnded) return [{ do: 'close', row, issue, why: 'rotated', rotation }, ...twins];
  if (!need) return [{ do: 'close', row, issue, why: closedFor(credential, today), rotation: undefined }, ...twins];
  return [{ do: 'renew', row, issue, need }, ...twins];
}

function closedFor(credential: Credential, today: Temporal.PlainDate): ClosedFor {
  if (isPutOff(credential.waiver, today)) return 'waived';
  return credential.lifecycle_state === 'planned' || credential.lifecycle_state === 'retired' ? 'not_in_use' : 'moved';
}

function openIn(issues: readonly Issue[]): Issue | undefined {
  return issues.find(({ state }) => state === 'open');
}

/** Others that are open under the same marker; the oldest one stays. */
function twinsOf(kept: Issue, marked: readonly Issue[]): Deed[] {
  return marked
    .filter((issue) => issue.state === 'open' && issue.number !== kept.number)
    .map((issue) => ({ do: 'merge', issue, into: kept.number }));
}

/** Trackers tell whole seconds, and their clock may be slow. */
function floorOf(at: string): string {
  return new Date(millisecondsOf(at) - certainMilliseconds).toISOString();
}
