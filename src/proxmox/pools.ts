/**
 * In which pools guests are. A row names its guest's pool only to a token that holds `Pool.Audit` on that very pool, so
 * that a pool that is not named may be one that is not shown. Pure, but for what is noted of guests.
 */

import { guestSubject, type Knowledge } from './knowledge.ts';
import { holdsBelow, type Rights } from './rights.ts';
import type { GuestRow } from './rows.ts';
import type { ClusterSettings } from './settings.ts';
import { ProxmoxError } from './trouble.ts';

/** Pools that the token does not see any more stand as they were read with the guests' configurations. */
export async function knownPools(
  guests: readonly GuestRow[],
  known: Knowledge,
  askRights: () => Promise<Rights>,
): Promise<readonly GuestRow[]> {
  const rows: GuestRow[] = [];
  for (const row of guests) {
    const subject = guestSubject(row);
    const read = known.of(subject, 'config');
    const before = read?.content.pool;
    const isHidden = row.pool === undefined && before !== undefined && !seesPool(await askRights(), before);
    rows.push(isHidden ? { ...row, pool: before } : row);
    if (!read || isHidden || row.pool === before) continue;
    const at = Temporal.Instant.fromEpochMilliseconds(read.readAtMilliseconds);
    known.learn(subject, 'config', at, { ...read.content, pool: row.pool });
  }
  return rows;
}

export function choosesByPool(settings: ClusterSettings): boolean {
  return poolsNamed(settings).length > 0;
}

/** Where the settings choose by pools that the token does not see, nobody knows who was meant. Throws `permission`. */
export function refuseBlind(settings: ClusterSettings, rights: Rights): void {
  const hidden = poolsNamed(settings).filter((pool) => !seesPool(rights, pool));
  if (hidden.length === 0) return;
  throw new ProxmoxError(
    'permission',
    `the settings choose guests by the pool ${hidden.join(', ')}, and the token does not see who is in it: it lacks Pool.Audit on /pool`,
  );
}

function poolsNamed({ include = [], exclude = [] }: ClusterSettings): string[] {
  return [...include, ...exclude].flatMap(({ pool }) => pool ?? []);
}

/** `pool` may be a glob, which is of all pools. */
function seesPool(rights: Rights, pool: string): boolean {
  return holdsBelow(rights, '/pool', 'Pool.Audit') || rights.get(`/pool/${pool}`)?.has('Pool.Audit') === true;
}
