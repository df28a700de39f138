import { describe, expect, test } from 'vitest';
import { insertRows, listed } from '../../src/store/rows.ts';
import { openedStore, siteRow, sitesIn } from './world.ts';

const names = (count: number) => Array.from({ length: count }, (_, at) => `site-${String(at).padStart(6, '0')}`);

describe('rows of any number are all inserted, each with its own values:', () => {
  test.each([0, 1, 2, 3, 4, 5, 31, 32, 33, 36, 255, 256, 257, 293, 1000])('%i', async (count) => {
    const store = await openedStore();

    await store.write((trx) =>
      insertRows(
        trx,
        'sites',
        names(count).map((name) => siteRow(name, { name: `the ${name}` })),
      ),
    );

    const rows = await store.read.selectFrom('sites').select(['site_id', 'name']).orderBy('site_id').execute();
    expect(rows).toEqual(names(count).map((name) => ({ site_id: name, name: `the ${name}` })));
  });
});

test.each([1, 5, 40, 300])(
  'with a key, rows that are there already are replaced, and others added: %i',
  async (count) => {
    const store = await openedStore();
    const half = names(count).filter((_, at) => at % 2 === 0);
    await store.write((trx) =>
      insertRows(
        trx,
        'sites',
        half.map((name) => siteRow(name, { name: 'former' })),
      ),
    );

    await store.write((trx) =>
      insertRows(
        trx,
        'sites',
        names(count).map((name) => siteRow(name, { name: 'new' })),
        ['site_id'],
      ),
    );

    const rows = await store.read.selectFrom('sites').select(['site_id', 'name']).orderBy('site_id').execute();
    expect(rows).toEqual(names(count).map((name) => ({ site_id: name, name: 'new' })));
  },
);

test('with a key, the last of two rows with one key counts', async () => {
  const store = await openedStore();

  await store.write((trx) =>
    insertRows(trx, 'sites', [siteRow('a', { name: 'first' }), siteRow('a', { name: 'last' })], ['site_id']),
  );

  expect(await store.read.selectFrom('sites').select('name').execute()).toEqual([{ name: 'last' }]);
});

test('what a row leaves out is null, and a row may have more columns than SQLite takes in one statement of 256', async () => {
  const store = await openedStore();
  const columns = [
    'ci_id',
    'ci_type',
    'ci_name',
    'ci_status',
    'site_id',
    'technical_specs',
    'tags',
    'ansible',
    'winners',
  ];
  const times = ['first_seen_at', 'created_at', 'updated_at', 'deleted_at', 'absent_since', 'merged_at', 'body_since'];

  await store.write(async (trx) => {
    await insertRows(trx, 'sites', [siteRow('a')]);
    await insertRows(
      trx,
      'configuration_items',
      names(600).map((name) => ({
        ...Object.fromEntries(columns.map((column) => [column, '{}'])),
        ...Object.fromEntries(times.map((column) => [column, null])),
        ci_id: name,
        site_id: 'a',
        revision: 1,
        first_seen_at: siteRow('a').created_at,
        created_at: siteRow('a').created_at,
        updated_at: siteRow('a').created_at,
      })),
    );
  });

  const rows = await store.read
    .selectFrom('configuration_items')
    .select(['ci_id', 'deleted_at'])
    .orderBy('ci_id')
    .execute();
  expect(rows).toEqual(names(600).map((name) => ({ ci_id: name, deleted_at: null })));
});

test('a list of values is one parameter, however long it is', async () => {
  const store = await openedStore();
  await store.write((trx) =>
    insertRows(
      trx,
      'sites',
      names(3).map((name) => siteRow(name)),
    ),
  );

  const rows = await store.read
    .selectFrom('sites')
    .select('site_id')
    .where('site_id', 'in', listed([...names(100_000).slice(1), "'; DROP TABLE sites; --"]) as never)
    .execute();

  expect(rows).toHaveLength(2);
  expect(await sitesIn(store)).toHaveLength(3);
});
