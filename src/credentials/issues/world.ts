/** What is known when the issues are seen to: the records, what is due, and the tracker's list. Nothing is changed here. */

import type { Issue, Tracker } from '../../github/tracker.ts';
import type { Store } from '../../store/open.ts';
import { type Clock, millisecondsOf, stamp } from '../../time.ts';
import type { Credential, CredentialId } from '../credential.ts';
import { listCredentials, listRotations, type Rotation } from '../store.ts';
import type { Today } from '../wire.ts';
import { byUrgency, type Need, needOf } from './need.ts';
import { type Deed, deedsFor, isStanding, mayBeOpen, rotationSince } from './plan.ts';
import { type KeptIssue, listIssues } from './store.ts';
import { isMarked, readMarker, titleOf } from './text.ts';

export interface WorldParts {
  store: Store;
  tracker: Tracker;
  clock: Clock;
  today: () => Today;
}

export interface World {
  /** Those to see to: first what has no need any more, then the most urgent. */
  order: readonly Credential[];
  needs: ReadonlyMap<CredentialId, Need>;
  rotations: ReadonlyMap<CredentialId, Rotation[]>;
  rows: Map<CredentialId, KeptIssue[]>;
  issues: Map<number, Issue>;
  gone: ReadonlySet<number>;
  /** Whether an issue without labels can be told to be ours. */
  knowsOwn: boolean;
}

export const ownLabel = 'credential-rotation';
const bot = 'github-actions[bot]';
const dayMilliseconds = 86_400_000;
const lookBackDays = 60;

/**
 * The tracker's list is asked for where there is any reason to. With `isFollowing`, only what is under way is to be seen
 * to. Throws TrackerError.
 */
export async function look(parts: WorldParts, isFollowing: boolean, signal?: AbortSignal): Promise<World> {
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
    if (need) needs.set(credential.credential_id, need);
  }
  const blank = { needs, rotations, rows, issues: new Map<number, Issue>(), gone: new Set<number>(), knowsOwn: false };
  const subjects = isFollowing
    ? credentials.filter((credential) => isUnderWay(credential, blank))
    : credentials.filter(({ credential_id: id }) => needs.has(id) || rows.get(id)?.some(mayBeOpen));
  if (subjects.length === 0) return { ...blank, order: [] };
  const found = await tracker.findByMarker(soughtFor(subjects, blank, parts.clock()), signal);
  const world = {
    ...blank,
    issues: new Map(found.issues.map((issue) => [issue.number, issue])),
    gone: new Set(found.gone),
    knowsOwn: found.knowsOwn,
  };
  // Whoever needs none may have one all the same, of which nothing is kept.
  const strays = isFollowing
    ? []
    : credentials.filter(
        (one) => !subjects.includes(one) && markedOf(world, one).some(({ state }) => state === 'open'),
      );
  return { ...world, order: inOrder([...subjects, ...strays], needs) };
}

/** What is to be done for one credential, as things stand. */
export function deedsOf({ today, clock }: WorldParts, world: World, credential: Credential): Deed[] {
  const id = credential.credential_id;
  const title = titleOf(credential);
  return deedsFor({
    credential,
    need: world.needs.get(id),
    rows: world.rows.get(id) ?? [],
    rotations: world.rotations.get(id) ?? [],
    marked: markedOf(world, credential),
    unmarked: [...world.issues.values()].find((issue) => isAdoptable(issue, title)),
    isGone: (number) => world.gone.has(number),
    today: today().today,
    now: stamp(clock()),
  });
}

/** It leaked; its issue was begun, or has no reason any more; or it was rotated, and its former issue stands. */
function isUnderWay(
  { credential_id: id, lifecycle_state }: Credential,
  { needs, rows, rotations }: Pick<World, 'needs' | 'rows' | 'rotations'>,
): boolean {
  const list = rows.get(id) ?? [];
  const need = needs.get(id);
  const row = list.find(isStanding);
  if (list.some(mayBeOpen) && !row) return true;
  const hasLeaked = need !== undefined && lifecycle_state === 'compromised';
  if (!row) return hasLeaked && !list.some(({ state, cycle }) => state === 'left' && cycle === need.cycle);
  if (row.state === 'creating' || need?.cycle !== row.cycle) return true;
  if (hasLeaked && row.level_said > need.level) return true;
  return rotationSince(row, rotations.get(id) ?? []) !== undefined;
}

function soughtFor(
  subjects: readonly Credential[],
  { needs, rows }: Pick<World, 'needs' | 'rows'>,
  now: Temporal.Instant,
) {
  const rowsOf = ({ credential_id }: Credential) => rows.get(credential_id) ?? [];
  const needed = subjects.filter(({ credential_id }) => needs.has(credential_id));
  const titles = new Set(needed.filter((one) => !rowsOf(one).some(({ state }) => state === 'open')).map(titleOf));
  const numbers = subjects.flatMap((one) => numbersWanted(rowsOf(one), needs.get(one.credential_id)));
  // Closed ones are looked for from when the first one that we do not know of could have been opened.
  const moments = [
    ...subjects
      .flatMap(rowsOf)
      .filter(({ state }) => state === 'creating')
      .map(({ tried_at }) => millisecondsOf(tried_at) - dayMilliseconds),
    ...needed
      .filter((one) => rowsOf(one).length === 0)
      .map(() => now.epochMilliseconds - lookBackDays * dayMilliseconds),
  ];
  const isWanted = ({ number, title, body }: Issue) =>
    numbers.includes(number) || readMarker(body) !== undefined || titles.has(title);
  const since =
    moments.length === 0 ? {} : { since: stamp(Temporal.Instant.fromEpochMilliseconds(Math.min(...moments))) };
  return { isWanted, numbers, ...since };
}

function numbersWanted(rows: readonly KeptIssue[], need: Need | undefined): number[] {
  return rows
    .filter((row) => mayBeOpen(row) || (row.state === 'closed' && row.cycle === need?.cycle))
    .flatMap(({ issue_number }) => issue_number ?? []);
}

/** Oldest first. */
function markedOf({ issues, rows }: Pick<World, 'issues' | 'rows'>, { credential_id: id }: Credential): Issue[] {
  const isOthers = ({ number }: Issue) =>
    [...rows.entries()].some(([other, list]) => other !== id && list.some((row) => holds(row, number)));
  const own = rows.get(id) ?? [];
  return [...issues.values()]
    .filter((issue) => own.some(({ issue_number }) => issue_number === issue.number) || isTrusted(issue, id))
    .filter((issue) => !isOthers(issue))
    .sort((a, b) => a.number - b.number);
}

function holds(row: KeptIssue, number: number): boolean {
  return isStanding(row) && row.issue_number === number;
}

/** Anybody may paste a marker: it counts in what we made, or what someone who may label has labelled. */
function isTrusted(issue: Issue, id: CredentialId): boolean {
  return (
    issue.body.includes(id) &&
    readMarker(issue.body)?.credentialId === id &&
    (issue.isOurs === true || isLabelled(issue))
  );
}

function isAdoptable(issue: Issue, title: string): boolean {
  return (
    issue.state === 'open' &&
    issue.title === title &&
    isLabelled(issue) &&
    (issue.isOurs === true || issue.author === bot) &&
    !isMarked(issue.body)
  );
}

function isLabelled({ labels }: Issue): boolean {
  return labels.some((label) => label.toLowerCase() === ownLabel);
}

function inOrder(subjects: readonly Credential[], needs: ReadonlyMap<CredentialId, Need>): Credential[] {
  const needed = subjects.flatMap(({ credential_id }) => needs.get(credential_id) ?? []).sort(byUrgency);
  const others = subjects.filter(({ credential_id }) => !needs.has(credential_id));
  return [...others, ...needed.map(({ credential }) => credential)];
}

function grouped<T, K>(list: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  return Map.groupBy(list, keyOf) as Map<K, T[]>;
}
