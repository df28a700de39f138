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
  let from = 0;
  while (from < rows.length) {
    const size = statementRows.find((count) => count <= rows.length - from && count * columns.length <= 32_000) ?? 1;
    const values = valuesOf(rows, from, size, columns);
    await trx.executeQuery(CompiledQuery.raw(insertText(table, columns, key ?? [], size), values));
    from += size;
    await turn();
  }
}

/** The values of some of the rows, one after the other. Plain loops: all that is ever written comes through here. */
function valuesOf(rows: readonly object[], from: number, size: number, columns: readonly string[]): unknown[] {
  const values: unknown[] = Array(size * columns.length);
  let at = 0;
  for (let index = from; index < from + size; index += 1) {
    const row = rows[index] as Record<string, unknown>;
    for (let column = 0; column < columns.length; column += 1) {
      values[at] = row[columns[column] as string] ?? null;
      at += 1;
    }
  }
  return values;
}

/** Kept, since a long text that is put together anew is read through twice before its prepared statement is found. */
const insertTexts = new Map<string, string>();

function insertText(table: string, columns: readonly string[], key: readonly string[], size: number): string {
  const called = `${table} ${columns.join()} ${key.join()} ${size}`;
  let text = insertTexts.get(called);
  if (text === undefined) {
    const one = `(${columns.map(() => '?').join(', ')})`;
    const tail = key.length > 0 ? ` ON CONFLICT (${key.join(', ')}) DO ${updates(columns, key)}` : '';
    text = `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${Array(size).fill(one).join(', ')}${tail}`;
    insertTexts.set(called, text);
  }
  return text;
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
