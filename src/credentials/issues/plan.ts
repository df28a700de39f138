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
import { readMarker } from './text.ts';

export type ClosedFor = 'rotated' | 'waived' | 'not_in_use' | 'moved';

/** One thing to do; what is open in the tracker and as it should be needs none. */
export type Deed =
  | { do: 'open'; need: Need; isReplacement: boolean }
  | { do: 'wait'; need: Need }
  | { do: 'adopt'; issue: Issue; need: Need | undefined; row: KeptIssue | undefined }
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
const certainMilliseconds = 120_000;

export function deedsFor(known: Known): Deed[] {
  const { need, rows } = known;
  const standing = rows.find(isStanding) ?? rows.find(({ cycle }) => cycle === need?.cycle);
  if (!standing) return withoutRow(known);
  if (standing.state === 'creating') return whileCreating(standing, known);
  if (standing.state === 'left') return whileLeft(standing, known);
  return whileOpen(standing, known);
}

/** It may be open in the tracker; of one credential there is one at most. */
export function isStanding({ state }: KeptIssue): boolean {
  return state === 'creating' || state === 'open';
}

/** It stands, or was begun to be opened again. */
export function mayBeOpen(row: KeptIssue): boolean {
  return isStanding(row) || row.said === reopening;
}

/** The rotation that an issue asked for. */
export function rotationSince(row: KeptIssue, rotations: readonly Rotation[]): Rotation | undefined {
  return rotations.find(({ recorded_at }) => recorded_at > (row.opened_at ?? row.tried_at));
}

/** What people have opened again is theirs; what was begun to be opened again is not. */
export const reopening = 'reopening';

function withoutRow({ need, rows, marked, unmarked }: Known): Deed[] {
  if (!need) {
    const isTheirs = ({ number }: Issue) =>
      rows.some(({ issue_number, said }) => issue_number === number && said !== reopening);
    const stray = openIn(marked.filter((issue) => !isTheirs(issue)));
    if (stray) return [{ do: 'adopt', issue: stray, need, row: undefined }, ...twinsOf(stray, marked)];
    const half = rows.find(({ said }) => said === reopening);
    return half ? [{ do: 'note', row: half, state: 'closed', why: half.ended_why ?? 'closed' }] : [];
  }
  const found = openIn(marked) ?? unmarked ?? marked.find(({ body }) => readMarker(body)?.cycle === need.cycle);
  if (found) return [{ do: 'adopt', issue: found, need, row: undefined }, ...twinsOf(found, marked)];
  return need.isSnoozed ? [] : [{ do: 'open', need, isReplacement: false }];
}

function whileCreating(row: KeptIssue, { need, marked, unmarked, now }: Known): Deed[] {
  const found = openIn(marked) ?? marked.findLast(({ created_at }) => created_at >= floorOf(row.tried_at)) ?? unmarked;
  if (found) return [{ do: 'adopt', issue: found, need, row }, ...twinsOf(found, marked)];
  // It may be on its way.
  if (millisecondsOf(now) - millisecondsOf(row.tried_at) < certainMilliseconds)
    return need ? [{ do: 'wait', need }] : [];
  return need && !need.isSnoozed ? [{ do: 'open', need, isReplacement: row.replaced }] : [{ do: 'forget', row }];
}

/** Until somebody opens it again. */
function whileLeft(row: KeptIssue, known: Known): Deed[] {
  const issue = known.marked.find(({ number }) => number === row.issue_number);
  return issue?.state === 'open' ? whileOpen(row, known) : [];
}

function whileOpen(row: KeptIssue, known: Known): Deed[] {
  const { credential, need, rotations, marked, today } = known;
  const issue = marked.find(({ number }) => number === row.issue_number);
  const isEnded = row.state === 'closed';
  const rotation = isEnded ? undefined : rotationSince(row, rotations);
  if (!issue) return whileAway(row, rotation, known);
  const twins = twinsOf(issue, marked);
  // Closed already or not, it is told.
  if (rotation) return [{ do: 'close', row, issue, why: 'rotated', rotation }, ...twins];
  if (issue.state === 'closed') {
    if (need?.isSnoozed) return twins;
    if (!need) return [{ do: 'note', row, state: 'closed', why: 'closed by hand' }, ...twins];
    if (isEnded) return [{ do: 'reopen', row, issue, need, isByHand: false }, ...twins];
    if (row.reopened) return [{ do: 'note', row, state: 'left', why: 'it was closed by hand again' }, ...twins];
    return [{ do: 'reopen', row, issue, need, isByHand: true }, ...twins];
  }
  if (!need) return [{ do: 'close', row, issue, why: closedFor(credential, today), rotation: undefined }, ...twins];
  return [{ do: 'renew', row, issue, need }, ...twins];
}

function whileAway(row: KeptIssue, rotation: Rotation | undefined, { need, marked, isGone }: Known): Deed[] {
  if (row.issue_number === null || !isGone(row.issue_number)) return [];
  const other = openIn(marked);
  if (other) return [{ do: 'adopt', issue: other, need, row }, ...twinsOf(other, marked)];
  if (!need || rotation) return [{ do: 'note', row, state: 'closed', why: 'it was deleted or moved away' }];
  if (need.isSnoozed) return [];
  if (row.replaced) return [{ do: 'note', row, state: 'left', why: 'it was deleted or moved away twice' }];
  return [{ do: 'open', need, isReplacement: true }];
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
