/**
 * What the rows showed when they were read last, by this process: where they show the same, nobody was started anew
 * and nothing is due, the reading says what the last one said.
 */

import { hash } from 'node:crypto';
import { inTurns } from '../store/turn.ts';
import { guestDue, isStartedAnew, type Pace, signOf, surroundingDue, surroundingsOf } from './due.ts';
import { guestSubject, type Knowledge, nodeSubject } from './knowledge.ts';
import type { GuestRow, Resources } from './rows.ts';

export interface Picture {
  at: Temporal.Instant;
  /** By guest, its row. */
  rows: ReadonlyMap<string, string>;
  /** Of nodes, storages and all else. */
  rest: string;
  uptimes: ReadonlyMap<string, number>;
  /** When something is to be read again, in milliseconds. */
  dueAt: number;
}

/** `guests` are those that are looked at. */
export async function pictureOf(
  resources: Resources,
  guests: readonly GuestRow[],
  known: Knowledge,
  at: Temporal.Instant,
  pace: Pace,
  mayAsk: (guest: { type: string }) => boolean,
): Promise<Picture> {
  let dueAt = Number.POSITIVE_INFINITY;
  for await (const part of inTurns(guests))
    for (const row of part) {
      const { config, snapshots, inside, system } = guestDue(row, known, at, pace);
      dueAt = Math.min(dueAt, config, snapshots);
      if (mayAsk(row)) dueAt = Math.min(dueAt, inside, system);
    }
  for (const one of surroundingsOf(resources.nodes)) dueAt = Math.min(dueAt, surroundingDue(one, known, at, pace));
  return { at, dueAt, rows: rowsOf(resources), rest: restOf(resources), uptimes: uptimesOf(resources) };
}

export function rowsOf({ guests }: Resources): Map<string, string> {
  return new Map(
    guests.map((row) => [guestSubject(row), `${row.status} ${row.pool} ${row.haState} ${row.lock} ${signOf(row)}`]),
  );
}

function restOf({ nodes, storages, unreadable }: Resources): string {
  const still = nodes.map(({ uptime: _, ...row }) => row);
  return hash('sha1', JSON.stringify([still, storages, unreadable]));
}

function uptimesOf({ guests, nodes }: Resources): Map<string, number> {
  return new Map([
    ...guests.map((row) => [guestSubject(row), row.uptime] as const),
    ...nodes.map((row) => [nodeSubject(row.node), row.uptime] as const),
  ]);
}

/** Whether the rows show what they showed then, and nothing has to be read but them. */
export function isAsIn(picture: Picture, resources: Resources, now: Temporal.Instant): boolean {
  if (now.epochMilliseconds >= picture.dueAt || Temporal.Instant.compare(now, picture.at) < 0) return false;
  if (resources.guests.length !== picture.rows.size || restOf(resources) !== picture.rest) return false;
  for (const [subject, row] of rowsOf(resources)) if (picture.rows.get(subject) !== row) return false;
  const readAtMilliseconds = picture.at.epochMilliseconds;
  for (const [subject, uptime] of uptimesOf(resources)) {
    const before = { readAtMilliseconds, content: { uptime: picture.uptimes.get(subject) ?? 0 } };
    if (isStartedAnew({ uptime }, before, now)) return false;
  }
  return true;
}
