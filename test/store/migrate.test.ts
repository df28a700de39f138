import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { expect, onTestFinished, test } from 'vitest';
import { openFile } from '../../src/store/connection.ts';
import { migrations } from '../../src/store/migrate.ts';
import { databaseName } from '../../src/store/open.ts';
import { insertRows } from '../../src/store/rows.ts';
import { temporaryFolder } from '../service.ts';
import { openedStore, siteRow, sitesIn } from './world.ts';

/** What a later program brings, for as long as the test runs. */
function bring(steps: Record<string, (db: Kysely<unknown>) => Promise<void>>): void {
  const all = migrations as Record<string, Migration>;
  for (const [name, up] of Object.entries(steps)) all[name] = { up };
  onTestFinished(() => {
    for (const name of Object.keys(steps)) delete all[name];
  });
}

const addColumn = (db: Kysely<unknown>) => db.schema.alterTable('sites').addColumn('colour', 'text').execute();
const addTable = (db: Kysely<unknown>) => db.schema.createTable('colours').addColumn('name', 'text').execute();

/** The whole of a database: its schema and its rows. */
function contentOf(file: string): unknown {
  const raw = openFile(file, { readonly: true });
  try {
    const schema = raw.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all() as { name: string }[];
    const rowsOf = (table: string) => raw.prepare(`SELECT * FROM ${table}`).all();
    return { schema, sites: rowsOf('sites'), migrations: rowsOf('kysely_migration') };
  } finally {
    raw.close();
  }
}

async function usedFolder(): Promise<string> {
  const folder = temporaryFolder();
  const store = await openedStore(folder);
  await store.write((trx) => insertRows(trx, 'sites', [siteRow('a')]));
  await store.close();
  return folder;
}

test('a new database is migrated without a backup of nothing', async () => {
  const folder = temporaryFolder();
  bring({ '0999_colour': addColumn });

  const store = await openedStore(folder);

  expect(store.isNew).toBe(true);
  expect(existsSync(join(folder, 'backups'))).toBe(false);
});

test('a database that was used is backed up before each migration', async () => {
  const folder = await usedFolder();
  const before = contentOf(join(folder, databaseName));
  bring({ '0999_colour': addColumn, '1000_colours': addTable });

  const store = await openedStore(folder);

  expect(store.isNew).toBe(false);
  expect(await sitesIn(store)).toEqual(['a']);
  expect(readdirSync(join(folder, 'backups')).sort()).toEqual(['before-0999_colour.db', 'before-1000_colours.db']);
  expect(contentOf(join(folder, 'backups/before-0999_colour.db'))).toEqual(before);
  expect(JSON.stringify(contentOf(join(folder, 'backups/before-1000_colours.db')))).toContain('colour');
});

test('a database that is up to date is left as it is', async () => {
  const folder = await usedFolder();
  const before = contentOf(join(folder, databaseName));

  await openedStore(folder);

  expect(contentOf(join(folder, databaseName))).toEqual(before);
  expect(existsSync(join(folder, 'backups'))).toBe(false);
});

test('a migration that fails leaves the database as it was, and those before it stand', async () => {
  const folder = await usedFolder();
  bring({
    '0999_colour': addColumn,
    '1000_broken': async (db) => {
      await addTable(db);
      await db.schema.dropTable('activity').execute();
      throw new Error('the migration broke');
    },
  });

  await expect(openedStore(folder)).rejects.toThrow('the migration broke');

  const content = contentOf(join(folder, databaseName));
  expect(content).toEqual(contentOf(join(folder, 'backups/before-1000_broken.db')));
  expect(JSON.stringify(content)).toContain('colour');
});

test('after a migration that failed the data are free, and the next try begins where it broke', async () => {
  const folder = await usedFolder();
  let isBroken = true;
  bring({
    '0999_broken': async (db) => {
      await addColumn(db);
      if (isBroken) throw new Error('the migration broke');
    },
  });
  await expect(openedStore(folder)).rejects.toThrow('the migration broke');
  isBroken = false;

  const store = await openedStore(folder);

  expect(await sitesIn(store)).toEqual(['a']);
});

test('a database from a newer program is not opened, and not changed', async () => {
  const folder = await usedFolder();
  const file = join(folder, databaseName);
  const raw = openFile(file);
  raw.exec("INSERT INTO kysely_migration VALUES ('0099_later', '2030-01-01T00:00:00.000Z')");
  raw.close();
  const before = contentOf(file);

  await expect(openedStore(folder)).rejects.toThrow(
    /was written by a newer Rollcall \(it has 0099_later\)\. Start that version, or restore a backup made before/,
  );

  expect(contentOf(file)).toEqual(before);
});
