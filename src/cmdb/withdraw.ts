/**
 * A person takes its word from a source: all that it says is withdrawn, until it speaks again. In one transaction,
 * as changes of that person.
 */

import { DomainError } from '../errors.ts';
import { nearestName } from '../faults.ts';
import type { Trx } from '../store/open.ts';
import { reconcile } from './reconcile.ts';
import type { Heart } from './statement.ts';
import type { Change, Occasion } from './store/changes.ts';
import { claimsToWithdraw, listSources, type ReadSource, setWithdrawn, sourceNames } from './store/sources.ts';

export interface Withdrawn {
  source: ReadSource;
  /** How many of its claims were withdrawn. */
  claims: number;
  changes: Change[];
}

/** Throws `not_found` for a source that never spoke. */
export async function withdraw(
  trx: Trx,
  heart: Heart,
  source: string,
  by: string,
  occasion: Occasion,
): Promise<Withdrawn> {
  if (!(await findOne(trx, source))) throw unknownSource(source, await sourceNames(trx));
  const claims = await claimsToWithdraw(trx, source);
  const { changes } = await reconcile(trx, heart, [], occasion, { withdrawn: { claims, by } });
  await setWithdrawn(trx, source, occasion.at);
  return { source: (await findOne(trx, source)) as ReadSource, claims: claims.length, changes };
}

async function findOne(trx: Trx, source: string): Promise<ReadSource | undefined> {
  return (await listSources(trx, source))[0];
}

function unknownSource(source: string, known: readonly string[]): DomainError {
  const near = known.find((one) => one.endsWith(`:${source}`)) ?? nearestName(source, known);
  const advice = near === undefined ? 'GET /sources lists all.' : `Did you mean ${near}?`;
  return new DomainError('not_found', `There is no source ${source}. ${advice}`);
}
