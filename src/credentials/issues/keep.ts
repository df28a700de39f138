/**
 * Keeps the issues of all credentials: one for each that is due, found by its marker, escalated, and closed when the
 * credential was rotated. What is begun is written down first, so that a run that was killed is gone on with by the next.
 */

import type { RelationshipRules } from '../../cmdb/carrying.ts';
import { type Issue, type Tracker, TrackerError } from '../../github/tracker.ts';
import type { Store } from '../../store/open.ts';
import { type Clock, millisecondsOf, stamp } from '../../time.ts';
import type { Credential, CredentialId } from '../credential.ts';
import { listCredentials, listRotations, type Rotation } from '../store.ts';
import type { Today } from '../wire.ts';
import { openActs } from './acts.ts';
import { hashOf } from './body.ts';
import { byUrgency, type Need, needOf } from './need.ts';
import { type Deed, deedsFor, type Known } from './plan.ts';
import { type KeptIssue, listIssues } from './store.ts';
import { readMarker, titleOf } from './text.ts';

export interface KeepParts {
  store: Store;
  tracker: Tracker;
  clock: Clock;
  today: () => Today;
  rules: RelationshipRules;
  /** To whom an owner's issues are given, and others. */
  assignees: (owner: string | null) => readonly string[];
  maxCreates: number;
  /** How long what was sent and not answered is waited for before it is looked for. */
  settleMilliseconds: number;
}

export interface KeepCounts {
  due: number;
  opened: number;
  adopted: number;
  updated: number;
  commented: number;
  reopened: number;
  closed: number;
  /** For a later run, since one opens only so many. */
  waiting: number;
  left: number;
}

export interface Kept {
  counts: KeepCounts;
  /** Sentences about what could not be done, or is not sure. */
  problems: string[];
}

/** What a run would do. */
export interface Intended {
  credential_name: string;
  action: string;
  issue_number: number | null;
}

export const labels = [
  { name: 'credential-rotation', colour: 'd93f0b', description: 'A credential has to be rotated' },
  { name: 'domain:security', colour: '5319e7', description: 'Has to do with security' },
  { name: 'priority:medium', colour: 'fbca04', description: 'Soon' },
  { name: 'priority:high', colour: 'e99695', description: 'Now' },
  { name: 'priority:critical', colour: 'b60205', description: 'Long overdue, or compromised' },
] as const;
const ownLabel = labels[0].name;
const bot = 'github-actions[bot]';
/** Of what one run does for one credential: taken over, put right, and what follows from that. */
const mostRounds = 4;
const mostOutages = 2;

interface World {
  credentials: readonly Credential[];
  needs: ReadonlyMap<CredentialId, Need>;
  rotations: ReadonlyMap<CredentialId, Rotation[]>;
  rows: Map<CredentialId, KeptIssue[]>;
  issues: Map<number, Issue>;
  gone: ReadonlySet<number>;
}

/** Throws TrackerError where nothing could be looked at. With `isFollowing`, only of what is under way, or leaked. */
export async function keepIssues(parts: KeepParts, isFollowing: boolean, signal?: AbortSignal): Promise<Kept> {
  const { store, tracker, maxCreates } = parts;
  const kept: Kept = { counts: noCounts(), problems: [] };
  const world = await look(parts, isFollowing, signal);
  kept.counts.due = world.needs.size;
  if (!hasWork(world)) return kept;
  const acts = openActs(parts, world, kept);
  const order = inOrder(world);
  if (order.some((credential) => deedsOf(parts, world, credential).some(({ do: act }) => act === 'open')))
    kept.problems.push(...(await tracker.ensureLabels(labels, signal)));
  let outages = 0;
  let mayOpen = true;
  for (const credential of order) {
    signal?.throwIfAborted();
    try {
      for (let round = 0; round < mostRounds; round += 1) {
        const deeds = deedsOf(parts, world, credential);
        const first = deeds[0];
        if (!first) break;
        if (first.do === 'open' && (!mayOpen || kept.counts.opened >= maxCreates)) {
          kept.counts.waiting += 1;
          break;
        }
        const goesOn = await acts.act(credential, first, signal);
        for (const deed of deeds.slice(1)) await acts.act(credential, deed, signal);
        mayOpen &&= acts.mayOpen();
        if (!goesOn) break;
      }
    } catch (error) {
      if (!(error instanceof TrackerError)) throw error;
      kept.problems.push(error.message);
      if (error.trouble === 'limited') break;
      if (error.trouble === 'outage') outages += 1;
      if (outages >= mostOutages) break;
      if (error.trouble === 'refused') mayOpen = false;
    }
  }
  await acts.settle(signal);
  if (kept.counts.waiting > 0)
    kept.problems.push(
      `${kept.counts.waiting} more are due and wait for the next run, for one run opens ${maxCreates} at most (github.max_creates_per_run).`,
    );
  kept.counts.left = (await listIssues(store.read)).filter(
    ({ state, credential_id, cycle }) => state === 'left' && world.needs.get(credential_id)?.cycle === cycle,
  ).length;
  kept.problems = [...new Set(kept.problems)];
  return kept;
}

/** What a run would do now: reads the tracker, and changes nothing. */
export async function intendIssues(parts: KeepParts, signal?: AbortSignal): Promise<Intended[]> {
  const world = await look(parts, false, signal);
  let opened = 0;
  return inOrder(world).flatMap((credential) =>
    deedsOf(parts, world, credential).flatMap((deed) => {
      if (deed.do === 'open') opened += 1;
      const action = deed.do === 'open' && opened > parts.maxCreates ? 'wait for a later run' : deed.do;
      const issue_number = 'issue' in deed ? deed.issue.number : 'row' in deed ? deed.row.issue_number : null;
      if (deed.do === 'renew' && !isStale(deed.issue, deed.row, deed.need)) return [];
      return [{ credential_name: credential.credential_name, action, issue_number }];
    }),
  );
}

/** Whether an issue would be told anew at another level. */
function isStale({ title, body }: Issue, row: KeptIssue, need: Need): boolean {
  return need.level < row.level_said || row.cycle !== need.cycle || row.body_hash !== hashOf(title, body);
}

/** All that is known, the tracker's list among it where there is any reason to ask for it. */
async function look(parts: KeepParts, isFollowing: boolean, signal?: AbortSignal): Promise<World> {
  const { store, tracker, today } = parts;
  const credentials = await listCredentials(store.read);
  const day = today();
  const rows = grouped(
    (await listIssues(store.read)).filter(({ repository }) => repository === tracker.repository),
    (row) => row.credential_id,
  );
  const rotations = grouped(await listRotations(store.read), (rotation) => rotation.credential_id);
  const needs = new Map<CredentialId, Need>();
  for (const credential of credentials) {
    const need = needOf(credential, day);
    if (need && (!isFollowing || isUnderWay(need, rows.get(need.credential.credential_id), rotations)))
      needs.set(credential.credential_id, need);
  }
  const world: World = { credentials, needs, rotations, rows, issues: new Map(), gone: new Set() };
  if (!hasWork(world)) return world;
  if (isFollowing) {
    // What only waits for its day is not looked at.
    for (const [id, list] of rows) {
      const isWaiting = standingOf(list)?.state === 'open' && !needs.has(id) && isNeeded(credentials, id, day);
      if (isWaiting) rows.delete(id);
    }
    if (!hasWork(world)) return world;
  }
  const titles = new Set(
    [...needs.values()]
      .filter(({ credential }) => !standingOf(rows.get(credential.credential_id)))
      .map(({ credential }) => titleOf(credential)),
  );
  const numbers = [...rows.entries()].flatMap(([id, list]) => numbersWanted(list, needs.get(id)));
  const since = sinceOf(world, parts.clock());
  const isWanted = ({ number, title, body }: Issue) =>
    numbers.includes(number) || readMarker(body) !== undefined || titles.has(title);
  const found = await tracker.findByMarker({ isWanted, numbers, ...(since === undefined ? {} : { since }) }, signal);
  return {
    ...world,
    issues: new Map(found.issues.map((issue) => [issue.number, issue])),
    gone: new Set(found.gone),
  };
}

/** It leaked; its issue was begun; or it was rotated, and its former issue stands. */
function isUnderWay(
  { credential, cycle, level }: Need,
  rows: readonly KeptIssue[] | undefined,
  rotations: ReadonlyMap<CredentialId, Rotation[]>,
): boolean {
  const row = standingOf(rows);
  if (credential.lifecycle_state === 'compromised' && (row?.level_said ?? level + 1) > level) return true;
  if (!row) return false;
  const since = row.opened_at ?? row.tried_at;
  const isRotated = rotations.get(credential.credential_id)?.some(({ recorded_at }) => recorded_at >= since);
  return row.state === 'creating' || row.cycle !== cycle || isRotated === true;
}

function isNeeded(credentials: readonly Credential[], id: CredentialId, day: Today): boolean {
  const credential = credentials.find(({ credential_id }) => credential_id === id);
  return credential !== undefined && needOf(credential, day) !== undefined;
}

function hasWork({ needs, rows }: World): boolean {
  return needs.size > 0 || [...rows.values()].some((list) => standingOf(list) !== undefined);
}

function standingOf(rows: readonly KeptIssue[] | undefined): KeptIssue | undefined {
  return rows?.find(({ state }) => state === 'creating' || state === 'open');
}

function numbersWanted(rows: readonly KeptIssue[], need: Need | undefined): number[] {
  return rows
    .filter(({ state, cycle }) => state === 'open' || (state === 'closed' && cycle === need?.cycle))
    .flatMap(({ issue_number }) => issue_number ?? []);
}

/** Closed ones are looked for from when the first one that we do not know of could have been opened. */
function sinceOf({ needs, rows }: World, now: Temporal.Instant): string | undefined {
  const tried = [...rows.values()].flatMap((list) =>
    list.filter(({ state }) => state === 'creating').map(({ tried_at }) => millisecondsOf(tried_at) - dayMilliseconds),
  );
  const unknown = [...needs.values()]
    .filter(({ credential }) => (rows.get(credential.credential_id) ?? []).length === 0)
    .map(() => now.epochMilliseconds - lookBackDays * dayMilliseconds);
  const moments = [...tried, ...unknown];
  return moments.length === 0 ? undefined : stamp(Temporal.Instant.fromEpochMilliseconds(Math.min(...moments)));
}

const dayMilliseconds = 86_400_000;
const lookBackDays = 60;

function deedsOf({ today, clock }: KeepParts, world: World, credential: Credential): Deed[] {
  const id = credential.credential_id;
  const rows = world.rows.get(id) ?? [];
  const known: Known = {
    credential,
    need: world.needs.get(id),
    rows,
    rotations: world.rotations.get(id) ?? [],
    marked: [...world.issues.values()].filter((issue) => isOf(issue, id, rows)).sort((a, b) => a.number - b.number),
    unmarked: [...world.issues.values()].find((issue) => isAdoptable(issue, credential)),
    isGone: (number) => world.gone.has(number),
    today: today().today,
    now: stamp(clock()),
  };
  return deedsFor(known);
}

/** Anybody may paste a marker: it counts in what we made, or what someone who may label has labelled. */
function isOf(issue: Issue, id: CredentialId, rows: readonly KeptIssue[]): boolean {
  if (rows.some(({ issue_number }) => issue_number === issue.number)) return true;
  return readMarker(issue.body)?.credentialId === id && (issue.isOurs === true || isLabelled(issue));
}

function isAdoptable(issue: Issue, credential: Credential): boolean {
  return (
    issue.state === 'open' &&
    issue.title === titleOf(credential) &&
    isLabelled(issue) &&
    (issue.isOurs === true || issue.author === bot) &&
    readMarker(issue.body) === undefined
  );
}

function isLabelled({ labels: given }: Issue): boolean {
  return given.some((label) => label.toLowerCase() === ownLabel);
}

/** What is most urgent goes first, then what has no need any more. */
function inOrder({ credentials, needs, rows }: World): Credential[] {
  const needed = [...needs.values()].sort(byUrgency).map(({ credential }) => credential);
  const others = credentials.filter(({ credential_id: id }) => !needs.has(id) && standingOf(rows.get(id)));
  return [...others, ...needed];
}

function noCounts(): KeepCounts {
  return { due: 0, opened: 0, adopted: 0, updated: 0, commented: 0, reopened: 0, closed: 0, waiting: 0, left: 0 };
}

function grouped<T, K>(list: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  return Map.groupBy(list, keyOf) as Map<K, T[]>;
}
