/**
 * What is to be read again, and when. A row says when a guest is new, changed or started anew; what no row shows is
 * read again after a time that is spread over the guests, so that no pass reads them all. Pure.
 */

import type { Knowledge, Reading } from './knowledge.ts';
import { guestSubject } from './knowledge.ts';
import type { GuestRow } from './rows.ts';

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
  reading: Pick<Reading<'config'>, 'readAt'> & { content: { uptime: number } },
  now: Temporal.Instant,
): boolean {
  if (row.uptime === 0) return false;
  const { uptime } = reading.content;
  if (uptime === 0 || row.uptime < uptime) return true;
  const passed = now.since(reading.readAt).total('seconds');
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

export function isConfigDue(row: GuestRow, known: Knowledge, now: Temporal.Instant, pace: Pace): boolean {
  if (!isReadable(row)) return false;
  return isStale(row, known, now) || isOld(known.of(guestSubject(row), 'config'), guestSubject(row), now, pace);
}

/** Between half of the time and the whole of it, by what it is. */
export function isOld(
  reading: { readAt: Temporal.Instant } | undefined,
  subject: string,
  now: Temporal.Instant,
  { refreshMilliseconds }: Pace,
): boolean {
  if (!reading) return true;
  const age = Math.abs(now.epochMilliseconds - reading.readAt.epochMilliseconds);
  return age >= refreshMilliseconds * (0.5 + fractionOf(subject) / 2);
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
export function isInsideDue(row: GuestRow, known: Knowledge, now: Temporal.Instant, pace: Pace): boolean {
  const subject = guestSubject(row);
  if (!isReadable(row) || !canAnswer(row, known)) return false;
  const reading = known.of(subject, 'inside');
  if (!reading || isStartedAnew(row, reading, now)) return true;
  const age = Math.abs(now.epochMilliseconds - reading.readAt.epochMilliseconds);
  const { failures } = reading.content;
  if (failures === 0) return age >= pace.agentRefreshMilliseconds;
  const wait = backOffMinutes[Math.min(failures, backOffMinutes.length) - 1] as number;
  return age >= Math.min(wait * 60_000, pace.agentRefreshMilliseconds);
}

export function isSystemDue(row: GuestRow, known: Knowledge, now: Temporal.Instant, pace: Pace): boolean {
  const subject = guestSubject(row);
  if (row.type !== 'qemu' || !isReadable(row) || !canAnswer(row, known)) return false;
  // Who did not answer for its addresses will not answer this either.
  if ((known.of(subject, 'inside')?.content.failures ?? 1) > 0) return false;
  return isOld(known.of(subject, 'system'), subject, now, pace);
}

function canAnswer(row: GuestRow, known: Knowledge): boolean {
  if (row.status !== 'running') return false;
  return row.type === 'lxc' || known.of(guestSubject(row), 'config')?.content.config.hasAgent === true;
}

export function areSnapshotsDue(row: GuestRow, known: Knowledge, now: Temporal.Instant, pace: Pace): boolean {
  const subject = guestSubject(row);
  if (!isReadable(row) || known.of(subject, 'config')?.content.config.hasSnapshots !== true) return false;
  return isOld(known.of(subject, 'snapshots'), `snapshots ${subject}`, now, pace);
}
