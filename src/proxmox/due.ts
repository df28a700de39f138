/**
 * What is to be read again, and when. A row says when a guest is new, changed or started anew; what no row shows is
 * read again after a time that is spread over the guests, so that no pass reads them all. Pure.
 */

import type { Knowledge, Reading } from './knowledge.ts';
import { clusterSubject, guestSubject, nodeSubject } from './knowledge.ts';
import type { GuestRow, NodeRow } from './rows.ts';

export interface Pace {
  refreshMilliseconds: number;
  agentRefreshMilliseconds: number;
}

/** All of a row by which its guest may be another one, or otherwise than before. */
export function signOf({ type, name, node, tags, isTemplate, cpus, memoryBytes, diskBytes }: GuestRow): string {
  return JSON.stringify([type, name, node, tags, isTemplate, cpus, memoryBytes, diskBytes]);
}

const bootDriftSeconds = 120;

/** Whether it was started since it was looked at: it runs for less time than it should. */
export function isStartedAnew(
  row: Pick<GuestRow, 'uptime'>,
  reading: Pick<Reading<'config'>, 'readAtMilliseconds'> & { content: { uptime: number } },
  now: Temporal.Instant,
): boolean {
  if (row.uptime === 0) return false;
  const { uptime } = reading.content;
  if (uptime === 0 || row.uptime < uptime) return true;
  const passed = (now.epochMilliseconds - reading.readAtMilliseconds) / 1000;
  return passed > 0 && row.uptime + bootDriftSeconds < uptime + passed;
}

/** In motion: its details may be those of the next moment. */
const inMotion = new Set(['create', 'clone', 'migrate', 'destroyed']);

/** It is said of it what it is, and nothing is being made of it. */
export function isReadable({ name, lock }: GuestRow): boolean {
  return name !== undefined && !(lock !== undefined && inMotion.has(lock));
}

/** Whether a guest's row shows that what was read of it is no longer so. */
export function isStale(row: GuestRow, known: Knowledge, now: Temporal.Instant): boolean {
  const reading = known.of(guestSubject(row), 'config');
  return !reading || reading.content.sign !== signOf(row) || isStartedAnew(row, reading, now);
}

/** When each kind of reading of a guest is due; never where it makes no sense now. */
export interface Due {
  config: number;
  snapshots: number;
  inside: number;
  system: number;
}

const never = Number.POSITIVE_INFINITY;

export function guestDue(row: GuestRow, known: Knowledge, now: Temporal.Instant, pace: Pace): Due {
  if (!isReadable(row)) return { config: never, snapshots: never, inside: never, system: never };
  const subject = guestSubject(row);
  const config = known.of(subject, 'config');
  const isOwn = isStale(row, known, now);
  return {
    config: isOwn ? 0 : oldAt(config, subject, now, pace),
    snapshots: config?.content.config.hasSnapshots
      ? oldAt(known.of(subject, 'snapshots'), `snapshots ${subject}`, now, pace)
      : never,
    inside: canAnswer(row, known) ? insideAt(row, known, now, pace) : never,
    system: canTellSystem(row, known) ? oldAt(known.of(subject, 'system'), subject, now, pace) : never,
  };
}

export interface Surrounding {
  subject: string;
  kind: 'network' | 'node' | 'version' | 'backup' | 'vnets';
  /** The node that it is read of; undefined for the cluster's. */
  node: string | undefined;
}

/** What is read besides guests. */
export function surroundingsOf(nodes: readonly NodeRow[]): Surrounding[] {
  const ofCluster = (['version', 'backup', 'vnets'] as const).map((kind) => ({
    subject: clusterSubject,
    kind,
    node: undefined,
  }));
  const online = nodes.filter(({ isOnline }) => isOnline);
  const ofNodes = online.flatMap(({ node }) =>
    (['network', 'node'] as const).map((kind) => ({ subject: nodeSubject(node), kind, node })),
  );
  return [...ofCluster, ...ofNodes];
}

export function surroundingDue(
  { subject, kind }: Surrounding,
  known: Knowledge,
  now: Temporal.Instant,
  pace: Pace,
): number {
  return oldAt(known.of(subject, kind), `${kind} ${subject}`, now, pace);
}

/** When something that was read is to be read again, in milliseconds: after half of the time to the whole of it. */
function oldAt(
  reading: { readAtMilliseconds: number } | undefined,
  subject: string,
  now: Temporal.Instant,
  { refreshMilliseconds }: Pace,
): number {
  if (!reading || isToCome(reading, now)) return 0;
  return reading.readAtMilliseconds + refreshMilliseconds * (0.5 + fractionOf(subject) / 2);
}

/** The clock was set back since. */
function isToCome({ readAtMilliseconds }: { readAtMilliseconds: number }, now: Temporal.Instant): boolean {
  return readAtMilliseconds > now.epochMilliseconds;
}

const hashSeed = 0x811c9dc5;
const hashFactor = 0x01000193;

/** From 0 to 1, always the same of one text: FNV-1a. */
function fractionOf(words: string): number {
  let hash = hashSeed;
  for (const letter of words) hash = Math.imul(hash ^ (letter.codePointAt(0) as number), hashFactor);
  // The last letters differ; what differs has to reach the upper bits.
  hash = Math.imul(hash ^ (hash >>> 15), hashFactor);
  return (hash >>> 0) / 2 ** 32;
}

const backOffMinutes = [1, 5, 30] as const;

/** What runs inside is asked for while it runs and can answer, and less and less often while it does not. */
function insideAt(row: GuestRow, known: Knowledge, now: Temporal.Instant, pace: Pace): number {
  const reading = known.of(guestSubject(row), 'inside');
  if (!reading || isToCome(reading, now) || isStartedAnew(row, reading, now)) return 0;
  const { failures } = reading.content;
  const minutes = backOffMinutes[Math.min(failures, backOffMinutes.length) - 1] ?? Number.POSITIVE_INFINITY;
  return reading.readAtMilliseconds + Math.min(minutes * 60_000, pace.agentRefreshMilliseconds);
}

/** Who did not answer for its addresses will not answer this either. */
function canTellSystem(row: GuestRow, known: Knowledge): boolean {
  return row.type === 'qemu' && canAnswer(row, known) && known.of(guestSubject(row), 'inside')?.content.failures === 0;
}

function canAnswer(row: GuestRow, known: Knowledge): boolean {
  if (row.status !== 'running') return false;
  return row.type === 'lxc' || known.of(guestSubject(row), 'config')?.content.config.hasAgent === true;
}
