/** Many rows in few statements: one-row inserts through Kysely take six to nine times as long. */

import { CompiledQuery, sql } from 'kysely';
import type { Trx } from './open.ts';
import type { Database } from './tables.ts';
import { turn } from './turn.ts';

type Value = string | number | null | Buffer;
type RowOf<T extends keyof Database> = { [K in keyof Database[T]]?: Value };

/** Few sizes, so that each statement is prepared once; SQLite takes at most 32,766 values in one. */
const statementRows = [256, 32, 4, 1] as const;

/**
 * Inserts rows that all have the keys of the first. With `key`, a row whose key is there already replaces the
 * other columns of that row.
 */
export async function insertRows<T extends keyof Database>(
  trx: Trx,
  table: T,
  rows: readonly RowOf<T>[],
  key?: readonly (keyof Database[T] & string)[],
): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const columns = Object.keys(first);
  const tail = key ? ` ON CONFLICT (${key.join(', ')}) DO ${updates(columns, key)}` : '';
  const head = `INSERT INTO ${table} (${columns.join(', ')}) VALUES `;
  const one = `(${columns.map(() => '?').join(', ')})`;
  let from = 0;
  while (from < rows.length) {
    const size = statementRows.find((count) => count <= rows.length - from && count * columns.length <= 32_000) ?? 1;
    const values: unknown[] = [];
    for (let index = from; index < from + size; index += 1) {
      const row = rows[index] as Record<string, unknown>;
      for (const column of columns) values.push(row[column] ?? null);
    }
    await trx.executeQuery(CompiledQuery.raw(head + Array(size).fill(one).join(', ') + tail, values));
    from += size;
    await turn();
  }
}

function updates(columns: readonly string[], key: readonly string[]): string {
  const others = columns.filter((column) => !key.includes(column));
  return others.length === 0
    ? 'NOTHING'
    : `UPDATE SET ${others.map((column) => `${column} = excluded.${column}`).join(', ')}`;
}

/** A list of values as one parameter: `WHERE ci_id IN ${listed(ids)}`. However long, it is one statement. */
export function listed(values: readonly (string | number)[]) {
  return sql`(SELECT value FROM json_each(${JSON.stringify(values)}))`;
}
