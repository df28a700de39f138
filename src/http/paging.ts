/** Lists answer `{count, items, next}`; a cursor is opaque to its caller. */

import { type TSchema, Type } from 'typebox';
import { orNull } from '../check.ts';
import { DomainError } from '../errors.ts';

const mostRows = 1000;
const usualRows = 100;

/** The query of every list. More than the most is cut to it, not refused. */
export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, description: `rows of one answer, ${usualRows} unless told, at most ${mostRows}` }),
  ),
  cursor: Type.Optional(Type.String({ description: '`next` of the answer before' })),
};

export function listOf(schema: TSchema) {
  return Type.Object({
    count: Type.Integer({ description: 'how many there are in all' }),
    items: Type.Array(schema),
    next: orNull(Type.String({ description: 'the cursor of the next page, or null' })),
  });
}

export function limitOf(query: { limit?: number }): number {
  return Math.min(query.limit ?? usualRows, mostRows);
}

type Kinds = readonly ('string' | 'number')[];
type Keys<K extends Kinds> = { -readonly [I in keyof K]: K[I] extends 'number' ? number : string };

/**
 * What a cursor holds: the keys of the last row of the page before, of these kinds. Throws `invalid` for one that
 * is not ours, or is another list's.
 */
export function readCursor<const K extends Kinds>(cursor: string | undefined, kinds: K): Keys<K> | undefined {
  if (cursor === undefined) return undefined;
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const isOurs =
      Array.isArray(keys) && keys.length === kinds.length && kinds.every((kind, at) => typeof keys[at] === kind);
    if (isOurs) return keys as Keys<K>;
  } catch {
    // Refused below.
  }
  throw new DomainError('invalid', 'The cursor is not one that Rollcall gave.', {
    errors: [{ pointer: '/cursor', detail: 'send `next` of an answer as it is' }],
  });
}

/** A page out of up to `limit + 1` rows: the row too many says that there is a next page. */
export function pageOf<T>(rows: readonly T[], limit: number, count: number, keysOf: (row: T) => (string | number)[]) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next =
    rows.length > limit && last !== undefined ? Buffer.from(JSON.stringify(keysOf(last))).toString('base64url') : null;
  return { count, items, next };
}

/** A page of a list that is short enough to be read whole, in the order of its key. */
export function pageOfAll<T>(
  all: readonly T[],
  query: { limit?: number; cursor?: string },
  keyOf: (row: T) => string,
): { count: number; items: T[]; next: string | null } {
  const [after] = readCursor(query.cursor, ['string']) ?? [];
  const rows = all
    .filter((row) => after === undefined || keyOf(row) > after)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return pageOf(rows, limitOf(query), all.length, (row) => [keyOf(row)]);
}
