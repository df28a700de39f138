/**
 * Keeps the issues of all credentials: one for each that is due, found by its marker, escalated, and closed when the
 * credential was rotated. What is begun is written down first, so that a run that was killed is gone on with by the next.
 */

import { TrackerError } from '../../github/tracker.ts';
import { type Acts, type KeepCounts, type KeepParts, type Kept, openActs, toldOf } from './acts.ts';
import type { Deed } from './plan.ts';
import { renewalOf } from './renew.ts';
import { listIssues } from './store.ts';
import { deedsOf, look, ownLabel, type World } from './world.ts';

/** What a run would do. */
export interface Intended {
  credential_name: string;
  action: string;
  issue_number: number | null;
}

export const labels = [
  { name: ownLabel, colour: 'd93f0b', description: 'A credential has to be rotated' },
  { name: 'domain:security', colour: '5319e7', description: 'Has to do with security' },
  { name: 'priority:medium', colour: 'fbca04', description: 'Soon' },
  { name: 'priority:high', colour: 'e99695', description: 'Now' },
  { name: 'priority:critical', colour: 'b60205', description: 'Long overdue, or compromised' },
] as const;
/** Of what one run does for one credential: taken over, put right, and what follows from that. */
const mostRounds = 4;
const mostOutages = 2;
/** In a row: what is refused for one issue alone keeps no other from being opened. */
const mostRefusals = 3;

/** Throws TrackerError where nothing could be looked at. With `isFollowing`, only of what is under way, or leaked. */
export async function keepIssues(parts: KeepParts, isFollowing: boolean, signal?: AbortSignal): Promise<Kept> {
  const kept: Kept = { counts: noCounts(), problems: [] };
  const world = await look(parts, isFollowing, signal);
  kept.counts.due = world.needs.size;
  if (world.order.length > 0) {
    const acts = openActs(parts, world, kept);
    const opens = world.order.some((credential) => deedsOf(parts, world, credential).some(isOpening));
    if (opens) kept.problems.push(...(await parts.tracker.ensureLabels(labels, signal)));
    await seeToAll(parts, world, acts, kept, signal);
    await acts.settle(signal);
  }
  kept.counts.left = (await listIssues(parts.store.read)).filter(
    ({ state, credential_id, cycle }) => state === 'left' && world.needs.get(credential_id)?.cycle === cycle,
  ).length;
  kept.problems = [...new Set([...waitingWords(kept, parts), ...kept.problems])];
  return kept;
}

async function seeToAll(parts: KeepParts, world: World, acts: Acts, kept: Kept, signal?: AbortSignal): Promise<void> {
  let outages = 0;
  let refusals = 0;
  let mayOpen = true;
  let mayAsk = true;
  for (const credential of world.order) {
    signal?.throwIfAborted();
    try {
      for (let round = 0; round < mostRounds; round += 1) {
        const [first, ...others] = deedsOf(parts, world, credential);
        if (!first) break;
        if (isOpening(first) && !(mayAsk && mayOpen && kept.counts.opened < parts.maxCreates)) {
          kept.counts.waiting += 1;
          break;
        }
        if (!mayAsk) break;
        const goesOn = await acts.act(credential, first, signal);
        for (const deed of others) await acts.act(credential, deed, signal);
        mayOpen &&= acts.mayOpen();
        refusals = 0;
        if (!goesOn) break;
      }
    } catch (error) {
      if (!(error instanceof TrackerError)) throw error;
      kept.problems.push(error.message);
      if (error.trouble === 'outage') outages += 1;
      if (error.trouble === 'limited' || outages >= mostOutages) mayAsk = false;
      if (error.trouble === 'refused') refusals += 1;
      if (refusals >= mostRefusals) mayOpen = false;
    }
  }
}

function waitingWords({ counts: { waiting, opened } }: Kept, { maxCreates }: KeepParts): string[] {
  if (waiting === 0) return [];
  const why = opened < maxCreates ? '' : `, for one run opens ${maxCreates} at most (github.max_creates_per_run)`;
  return [
    `${waiting} more ${waiting === 1 ? 'is' : 'are'} due and ${waiting === 1 ? 'waits' : 'wait'} for the next run${why}.`,
  ];
}

/** What a run would do now: reads the tracker, and changes nothing. */
export async function intendIssues(parts: KeepParts, signal?: AbortSignal): Promise<Intended[]> {
  const world = await look(parts, false, signal);
  const intended: Intended[] = [];
  let opened = 0;
  for (const credential of world.order)
    for (const deed of deedsOf(parts, world, credential)) {
      if (deed.do === 'renew' && !(await isStale(parts, deed))) continue;
      if (isOpening(deed)) opened += 1;
      const action = isOpening(deed) && opened > parts.maxCreates ? 'wait for a later run' : deed.do;
      const issue_number = 'issue' in deed ? deed.issue.number : 'row' in deed ? deed.row.issue_number : null;
      intended.push({ credential_name: credential.credential_name, action, issue_number });
    }
  return intended;
}

async function isStale(parts: KeepParts, { row, issue, need }: Extract<Deed, { do: 'renew' }>): Promise<boolean> {
  const { change } = renewalOf(row, issue, need, await toldOf(parts, need));
  return Object.keys(change).length > 0;
}

function isOpening(deed: Deed): boolean {
  return deed.do === 'open';
}

function noCounts(): KeepCounts {
  return { due: 0, opened: 0, adopted: 0, updated: 0, commented: 0, reopened: 0, closed: 0, waiting: 0, left: 0 };
}
