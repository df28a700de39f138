/** The queries of the HTTP floor: tokens and refused writes. */

import { createHash, randomBytes, randomUUIDv7 } from 'node:crypto';
import { sql } from 'kysely';
import { DomainError, type Fault } from '../errors.ts';
import type { ReadDb, Trx } from '../store/open.ts';
import { insertRows } from '../store/rows.ts';
import type { Stamp } from '../time.ts';
import { type Scope, scopes } from './endpoint.ts';

export interface Token {
  token_id: string;
  token_name: string;
  scopes: Scope[];
  /** The issue that stands for all that it does. */
  change_ref: string | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface KnownToken extends Token {
  hash: string;
}

const tokenColumns = [
  'token_id',
  'token_name',
  'hash',
  'scopes',
  'change_ref',
  'created_at',
  'expires_at',
  'last_used_at',
  'revoked_at',
] as const;

/** What is stored of a token; the token itself is shown once and kept nowhere. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Throws if the database does not answer. */
export async function askDatabase(db: ReadDb): Promise<void> {
  await db.selectFrom('revision').select('revision').executeTakeFirstOrThrow();
}

export function newSecret(): string {
  return `rollcall_${randomBytes(32).toString('base64url')}`;
}

/** Keeps a token by its hash, and answers its id. */
export async function storeToken(
  trx: Trx,
  token: { name: string; secret: string; scopes: readonly Scope[]; expiresAt: Stamp | null; changeRef?: string | null },
  at: Stamp,
): Promise<string> {
  const tokenId = randomUUIDv7();
  await trx
    .insertInto('tokens')
    .values({
      token_id: tokenId,
      token_name: token.name,
      hash: hashOfToken(token.secret),
      scopes: JSON.stringify(token.scopes),
      change_ref: token.changeRef ?? null,
      created_at: at,
      expires_at: token.expiresAt,
      last_used_at: null,
      revoked_at: null,
    })
    .execute();
  return tokenId;
}

export async function listTokens(db: ReadDb | Trx): Promise<KnownToken[]> {
  const rows = await db.selectFrom('tokens').select(tokenColumns).orderBy('created_at').execute();
  return rows.map((row) => ({
    ...row,
    scopes: (JSON.parse(row.scopes) as Scope[]).filter((scope) => scopes.includes(scope)),
  }));
}

/** Revokes one token by id, or every standing one of a name. Throws `not_found` if there is none. */
export async function revokeTokens(trx: Trx, idOrName: string, at: Stamp): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('tokens')
    .set({ revoked_at: at })
    .where((where) => where.or([where('token_id', '=', idOrName), where('token_name', '=', idOrName)]))
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new DomainError('not_found', `No standing token has the id or name ${idOrName}.`);
  return Number(numUpdatedRows);
}

export async function storeLastUses(trx: Trx, uses: ReadonlyMap<string, Stamp>): Promise<void> {
  for (const [tokenId, at] of uses) {
    await trx.updateTable('tokens').set({ last_used_at: at }).where('token_id', '=', tokenId).execute();
  }
}

export interface Refusal {
  refused_at: Stamp;
  token_name: string | null;
  address: string | null;
  method: string;
  path: string;
  status: number;
  detail: string;
  errors: readonly Fault[];
  body: string | null;
  request_id: string | null;
}

const keptFaults = 50;

export async function storeRefusals(trx: Trx, refusals: readonly Refusal[]): Promise<void> {
  await insertRows(
    trx,
    'refusals',
    refusals.map((refusal) => ({
      ...refusal,
      refusal_id: randomUUIDv7(),
      errors: JSON.stringify(refusal.errors.slice(0, keptFaults)),
    })),
  );
}

/**
 * Newest first; `before` is the number of the last one of the page before. In the order in which they were kept, as
 * the ids of one millisecond have none.
 */
export async function listRefusals(db: ReadDb, limit: number, before?: number) {
  const number = sql<number>`rowid`;
  const rows = await db
    .selectFrom('refusals')
    .select(number.as('number'))
    .select([
      'refusal_id',
      'refused_at',
      'token_name',
      'address',
      'method',
      'path',
      'status',
      'detail',
      'errors',
      'body',
      'request_id',
    ])
    .$if(before !== undefined, (query) => query.where(number, '<', before as number))
    .orderBy(number, 'desc')
    .limit(limit + 1)
    .execute();
  return rows.map((row) => ({ ...row, errors: JSON.parse(row.errors) as Fault[] }));
}

export async function countRefusals(db: ReadDb, since?: Stamp): Promise<number> {
  const { count } = await db
    .selectFrom('refusals')
    .select(sql<number>`count(*)`.as('count'))
    .$if(since !== undefined, (query) => query.where('refused_at', '>=', since as string))
    .executeTakeFirstOrThrow();
  return count;
}

export async function deleteRefusalsBefore(trx: Trx, at: Stamp): Promise<number> {
  const { numDeletedRows } = await trx.deleteFrom('refusals').where('refused_at', '<', at).executeTakeFirst();
  return Number(numDeletedRows);
}
