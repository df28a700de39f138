/**
 * Takes texts out of the whole database, wherever they stand, also where nothing else may ever be altered. Which texts
 * are for others to say.
 */

import { sql } from 'kysely';
import type { Trx } from './open.ts';

export const blank = '[redacted]';

export interface Blanked {
  table: string;
  rows: number;
}

/** Answers where they were. Columns of bytes are looked at by whoever writes them. */
export async function blankTexts(trx: Trx, texts: readonly string[]): Promise<Blanked[]> {
  const guards = await sql<{ name: string; sql: string }>`
    SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`.execute(trx);
  for (const { name } of guards.rows) await sql`DROP TRIGGER ${sql.id(name)}`.execute(trx);
  const columns = await sql<{ table: string; column: string }>`
    SELECT t.name AS "table", c.name AS "column" FROM sqlite_schema t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'kysely%' AND c.type = 'TEXT'`.execute(
    trx,
  );
  const forms = formsOf(texts);
  const counts = new Map<string, number>();
  for (const { table, column } of columns.rows)
    for (const form of forms) {
      const { numAffectedRows } = await sql`
        UPDATE ${sql.id(table)} SET ${sql.id(column)} = replace(${sql.id(column)}, ${form}, ${blank})
        WHERE instr(${sql.id(column)}, ${form}) > 0`.execute(trx);
      counts.set(table, (counts.get(table) ?? 0) + Number(numAffectedRows ?? 0n));
    }
  for (const guard of guards.rows) await sql.raw(guard.sql).execute(trx);
  return [...counts].filter(([, rows]) => rows > 0).map(([table, rows]) => ({ table, rows }));
}

/** As they are, within JSON, within JSON in JSON, and as identifiers are written; the longest first. */
export function formsOf(texts: readonly string[]): string[] {
  const inJson = (text: string) => JSON.stringify(text).slice(1, -1);
  const forms = texts
    .flatMap((text) => [text, text.toLowerCase()])
    .flatMap((text) => [text, inJson(text), inJson(inJson(text))]);
  return [...new Set(forms)].sort((a, b) => b.length - a.length);
}
