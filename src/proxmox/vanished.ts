/** Guests and storages that were listed and are not any more: whether they are gone, or only not to be seen. */

import type { Api } from './client.ts';
import { eachOf } from './each.ts';
import { clusterSubject, guestSubject, type Knowledge, storageSubject } from './knowledge.ts';
import { holdsBelow, type Rights } from './rights.ts';
import type { GuestRow, StorageRow } from './rows.ts';
import { ProxmoxError } from './trouble.ts';

export interface Vanished {
  gone: string[];
  /** Their numbers are taken: the token does not see them any more. */
  hidden: string[];
  /** They were on a node that is down: nobody can say. */
  unseen: string[];
}

/** A reading that would have to prove more than this is not trusted. */
const mostProofs = 500;
const callsAtOnce = 6;

/** `down` are nodes that nobody can look at. */
export async function lookFor(
  api: Api,
  guests: readonly GuestRow[],
  known: Knowledge,
  down: ReadonlySet<string>,
): Promise<Vanished> {
  const listed = new Map(guests.map((row) => [row.vmid, guestSubject(row)]));
  const vanished: Vanished = { gone: [], hidden: [], unseen: [] };
  const doubtful: string[] = [];
  for (const subject of known.subjectsOf('config')) {
    const bearer = listed.get(numberOf(subject));
    if (bearer === subject) continue;
    // The number has a guest of another type now.
    if (bearer !== undefined) vanished.gone.push(subject);
    else if (down.has(known.of(subject, 'config')?.content.node ?? '')) vanished.unseen.push(subject);
    else doubtful.push(subject);
  }
  vanished.hidden.push(...doubtful.splice(mostProofs));
  await eachOf(doubtful, callsAtOnce, async (subject) => {
    const isFree = await isNumberFree(api, numberOf(subject));
    (isFree ? vanished.gone : vanished.hidden).push(subject);
  });
  return vanished;
}

export function numberOf(subject: string): number {
  return Number(subject.slice(subject.indexOf('/') + 1));
}

/** `GET /cluster/nextid?vmid=` tells any token whether a number is taken, whatever it may see. */
async function isNumberFree(api: Api, vmid: number): Promise<boolean> {
  try {
    await api.cluster.nextid.$get({ vmid });
    return true;
  } catch (error) {
    if (error instanceof ProxmoxError && error.kind !== 'auth') return false;
    throw error;
  }
}

/**
 * Storages that are not listed any more only because the token may not see them; `askRights` tells what it may see
 * now, since that may have been taken since.
 */
export async function lookForStorages(
  rows: readonly StorageRow[],
  known: Knowledge,
  now: Temporal.Instant,
  askRights: () => Promise<Rights>,
): Promise<string[]> {
  const listed = new Set(rows.map(storageSubject));
  const former = known.of(clusterSubject, 'storages')?.content ?? [];
  const absent = former.filter((subject) => !listed.has(subject));
  const seesAll = absent.length === 0 || holdsBelow(await askRights(), '/storage', 'Datastore.Audit');
  const hidden = seesAll ? [] : absent;
  const present = [...listed, ...hidden].sort();
  if (present.join() !== former.join()) known.learn(clusterSubject, 'storages', now, present);
  return hidden;
}
