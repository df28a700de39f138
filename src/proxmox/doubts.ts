/** What a reading could not see: why it is not whole, and what stands as it was. Pure, but for what is noted of nodes. */

import type { Unread } from './details.ts';
import { guestSubject, type Knowledge, nodeSubject } from './knowledge.ts';
import type { GuestRow, NodeRow, Resources } from './rows.ts';

/** A node that is down for longer is taken for what it is, and holds nothing else up. */
const nodeDownMilliseconds = 24 * 3_600_000;

/** Since when nodes are down; for the first day nothing is taken for gone. */
export function noteNodes(nodes: readonly NodeRow[], known: Knowledge, now: Temporal.Instant) {
  const longDown = new Set<string>();
  const down = new Set<string>();
  const doubts: string[] = [];
  for (const { node, isOnline } of nodes) {
    const subject = nodeSubject(node);
    if (isOnline) {
      known.forget(subject, 'offline');
      continue;
    }
    const since = known.of(subject, 'offline')?.readAtMilliseconds;
    if (!since) known.learn(subject, 'offline', now, null);
    if (since && now.epochMilliseconds - since >= nodeDownMilliseconds) {
      longDown.add(node);
      continue;
    }
    down.add(node);
    doubts.push(`node ${node} is down`);
  }
  return { down, longDown, doubts };
}

export function rowDoubts({ guests, unreadable }: Resources, longDown: ReadonlySet<string>): string[] {
  const dark = guests.filter(({ name, node }) => name === undefined && !longDown.has(node));
  return [
    ...(dark.length > 0 ? [`of ${counted(dark.length, 'guest')} only the number is known now`] : []),
    ...(unreadable > 0 ? [`${counted(unreadable, 'row')} could not be read`] : []),
  ];
}

/** What stands as it was because it could not be seen; nothing of it is lost by that. */
export function remarks({ faults }: Unread, hidden: number): string[] {
  const [first] = faults.values();
  return [
    ...(faults.size > 0
      ? [`${counted(faults.size, 'guest')} could not be read and stand as they were: ${first?.replace(/\.$/, '')}`]
      : []),
    ...(hidden > 0
      ? [
          `${counted(hidden, 'guest')} not shown to this token any more and not known to be gone, so they stand as they were`,
        ]
      : []),
  ];
}

/** Guests that are being made or moved: their details may be those of the next moment, and are read then. */
export function movingOf(guests: readonly GuestRow[], told: ReadonlySet<string>, { faults }: Unread): number {
  return guests.filter((row) => {
    const subject = guestSubject(row);
    return !told.has(subject) && row.name !== undefined && !faults.has(subject);
  }).length;
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
