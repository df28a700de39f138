/**
 * What the rows showed when they were read last, by this process: where they show the same, nobody was started anew
 * and nothing is due, the reading says what the last one said.
 */

import { hash } from 'node:crypto';
import { inTurns } from '../store/turn.ts';
import { guestDue, isStartedAnew, type Pace, surroundingDue, surroundingsOf } from './due.ts';
import { guestSubject, type Knowledge } from './knowledge.ts';
import type { GuestRow, Resources } from './rows.ts';

export interface Picture {
  at: Temporal.Instant;
  /** By number. */
  guests: ReadonlyMap<number, GuestRow>;
  /** By node, seconds. */
  uptimes: ReadonlyMap<string, number>;
  /** Of nodes, storages and all else. */
  rest: string;
  /** When something is to be read again, in milliseconds. */
  dueAt: number;
}

/** `guests` are those that are looked at; `mayAsk` tells which of them for what is inside. */
export async function pictureOf(
  resources: Resources,
  { guests, mayAsk }: { guests: readonly GuestRow[]; mayAsk: (guest: GuestRow) => boolean },
  known: Knowledge,
  at: Temporal.Instant,
  pace: Pace,
): Promise<Picture> {
  let dueAt = Number.POSITIVE_INFINITY;
  for await (const part of inTurns(guests))
    for (const row of part) {
      const { config, snapshots, inside, system } = guestDue(row, known, at, pace);
      dueAt = Math.min(dueAt, config, snapshots);
      if (mayAsk(row)) dueAt = Math.min(dueAt, inside, system);
    }
  for (const one of surroundingsOf(resources.nodes)) dueAt = Math.min(dueAt, surroundingDue(one, known, at, pace));
  return {
    at,
    dueAt,
    guests: new Map(resources.guests.map((row) => [row.vmid, row])),
    uptimes: new Map(resources.nodes.map(({ node, uptime }) => [node, uptime])),
    rest: restOf(resources),
  };
}

function restOf({ nodes, storages, unreadable }: Resources): string {
  const still = nodes.map(({ uptime: _, ...row }) => row);
  return hash('sha1', JSON.stringify([still, storages, unreadable]));
}

/** Whether the rows show what they showed then, and nothing has to be read but them. */
export function isAsIn(picture: Picture, resources: Resources, now: Temporal.Instant): boolean {
  if (now.epochMilliseconds >= picture.dueAt || Temporal.Instant.compare(now, picture.at) < 0) return false;
  if (resources.guests.length !== picture.guests.size || restOf(resources) !== picture.rest) return false;
  const readAtMilliseconds = picture.at.epochMilliseconds;
  const isAnew = (row: { uptime: number }, before: { uptime: number }) =>
    isStartedAnew(row, { readAtMilliseconds, content: before }, now);
  return (
    resources.guests.every((row) => {
      const before = picture.guests.get(row.vmid);
      return before !== undefined && isAlike(row, before) && !isAnew(row, before);
    }) && resources.nodes.every((row) => !isAnew(row, { uptime: picture.uptimes.get(row.node) ?? 0 }))
  );
}

/** Guests whose rows are new, or show something else than then. */
export function differing(picture: Picture, { guests }: Resources): string[] {
  return guests.flatMap((row) => {
    const before = picture.guests.get(row.vmid);
    return before && isAlike(row, before) ? [] : [guestSubject(row)];
  });
}

/** But for their uptimes. */
function isAlike(row: GuestRow, before: GuestRow): boolean {
  return (
    row.type === before.type &&
    row.status === before.status &&
    row.name === before.name &&
    row.node === before.node &&
    row.lock === before.lock &&
    row.pool === before.pool &&
    row.haState === before.haState &&
    row.isTemplate === before.isTemplate &&
    row.cpus === before.cpus &&
    row.memoryBytes === before.memoryBytes &&
    row.diskBytes === before.diskBytes &&
    row.tags.length === before.tags.length &&
    row.tags.every((tag, index) => tag === before.tags[index])
  );
}
