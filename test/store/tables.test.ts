/** What the schema itself refuses, whatever the program does. */

import { CompiledQuery } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { Trx } from '../../src/store/open.ts';
import { insertRows } from '../../src/store/rows.ts';
import { at, openedStore, siteRow } from './world.ts';

const change = {
  change_id: '0',
  subject: 'site',
  subject_id: 'a',
  action: 'created',
  source: 'manual:alice',
  before: '{}',
  after: '{}',
  revision: 1,
  changed_at: at,
};

describe('a change', () => {
  test.each([
    ['updated', (trx: Trx) => trx.updateTable('changes').set({ actor: 'nobody' }).execute()],
    ['deleted', (trx: Trx) => trx.deleteFrom('changes').execute()],
  ])('cannot be %s', async (_, alter) => {
    const store = await openedStore();
    await store.write((trx) => insertRows(trx, 'changes', [change]));

    await expect(store.write((trx) => alter(trx) as Promise<unknown>)).rejects.toThrow('changes are append-only');

    const rows = await store.read.selectFrom('changes').select(['change_id', 'actor']).execute();
    expect(rows).toEqual([{ change_id: '0', actor: null }]);
  });
});

test.each([['2026-03-02T10:00:00Z'], ['2026-03-02T10:00:00.000000Z'], ['2026-03-02 10:00:00'], ['now'], ['']])(
  'an instant that is not written by stamp() is refused: %s',
  async (created_at) => {
    const store = await openedStore();

    const writing = store.write((trx) => insertRows(trx, 'sites', [{ ...siteRow('a'), created_at }]));

    await expect(writing).rejects.toThrow('CHECK constraint failed');
  },
);

test('every column of an instant has this check', async () => {
  const store = await openedStore();
  const tables = await store.read.introspection.getTables();

  const instants = tables.flatMap(({ name, columns }) =>
    columns
      .filter((column) => /_at$|_since$|^since$|_until$|^until$/.test(column.name))
      .map((column) => `${name}.${column.name}`),
  );
  const { rows } = await store.read.executeQuery<{ name: string; sql: string }>(
    CompiledQuery.raw("SELECT name, sql FROM sqlite_schema WHERE type = 'table'") as CompiledQuery<{
      name: string;
      sql: string;
    }>,
  );
  const checked = rows.flatMap(({ name, sql }) =>
    [...sql.matchAll(/CHECK \(length\((\w+)\) = 24\)/g)].map(([, column]) => `${name}.${column}`),
  );

  expect(instants.length).toBeGreaterThan(30);
  // The one that holds since when for each attribute.
  expect(instants.filter((column) => !checked.includes(column))).toEqual(['claims.since']);
});

test.each([
  ['JSON that is none', { ...siteRow('a'), vars: '{a}' }],
  ['a word that is none of those known', { ...siteRow('a'), new_hosts: 'perhaps' }],
])('%s is refused', async (_, row) => {
  const store = await openedStore();

  await expect(store.write((trx) => insertRows(trx, 'sites', [row]))).rejects.toThrow('CHECK constraint failed');
});

test('a row that points to nothing is refused', async () => {
  const store = await openedStore();

  const writing = store.write((trx) => insertRows(trx, 'claim_seen', [{ claim_id: 'ghost', seen_at: at }]));

  await expect(writing).rejects.toThrow('FOREIGN KEY constraint failed');
});
