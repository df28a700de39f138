/**
 * Which thing an item is, asked anew of the very rules that decide it: its claims are laid out as a write lays them
 * out, with whoever shares something with them. Nothing is written.
 */

import type { ReadDb, Store } from '../store/open.ts';
import { Clusters } from './clusters.ts';
import { claimsOn, type Desk, gather, layWorks, newDesk } from './desk.ts';
import { identify } from './identity/identity.ts';
import { type Claim, type ItemId, refOf } from './item.ts';
import type { Heart } from './statement.ts';
import { openConflicts } from './store/conflicts.ts';
import { clusterNodes } from './store/identity.ts';
import { type Neighbour, type ToldIdentity, type ToldQuestion, tellIdentity } from './ties.ts';
import { partsOf, worldOf } from './witnesses.ts';

export interface IdentityOf extends ToldIdentity {
  apart: (Neighbour & { ci_name: string })[];
  questions: (ToldQuestion & { conflict_id: string | null })[];
}

/** `at` is a moment after everything that was said: what stands is settled by then. All is read as of one state. */
export async function identityOf(store: Store, heart: Heart, id: ItemId, at: string): Promise<IdentityOf> {
  return await store.read.transaction().execute(async (db) => {
    const desk = newDesk(at, null, new Clusters(await clusterNodes(db)), await heart.domainsOf(db));
    await layWorks(db, desk, [id]);
    const claims = desk.works.get(id)?.claims ?? [];
    await gather(db, heart, desk, claims);
    for (const part of partsOf(desk, heart, laidOut(desk))) {
      const known = part.claims.find((claim) => claims.includes(claim));
      if (!known) continue;
      const world = worldOf(desk, part, heart);
      const told = tellIdentity(id, refOf(known), world, identify(world));
      const conflicts = await conflictsOf(db, part.claims);
      return {
        ...told,
        apart: told.apart.map((one) => ({ ...one, ci_name: desk.works.get(one.ci_id)?.item?.ci_name ?? '' })),
        questions: told.questions.map((one) => ({ ...one, conflict_id: conflicts.get(one.claim) ?? null })),
      };
    }
    return { ties: [], apart: [], shared: [], questions: [] };
  });
}

function laidOut(desk: Desk): Claim[] {
  return [...claimsOn(desk)].filter(({ claim_id }) => desk.identifiers.has(claim_id));
}

/** The open conflicts of claims, by what these are called. */
async function conflictsOf(db: ReadDb, claims: readonly Claim[]): Promise<Map<string, string>> {
  const refs = new Map(claims.map((claim) => [claim.claim_id, refOf(claim)]));
  const conflicts = await openConflicts(db, [...refs.keys()]);
  return new Map(conflicts.map(({ claim_id, conflict_id }) => [refs.get(claim_id) as string, conflict_id]));
}
