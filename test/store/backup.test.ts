import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { restoreFrom, verifyBackup } from '../../src/store/backup.ts';
import { openFile } from '../../src/store/connection.ts';
import { databaseName, type Store } from '../../src/store/open.ts';
import { insertRows } from '../../src/store/rows.ts';
import { temporaryFolder } from '../service.ts';
import { openedStore, siteRow, sitesIn } from './world.ts';

const mark = '20260302T100000';

function putSite(store: Store, site: string): Promise<void> {
  return store.write((trx) => insertRows(trx, 'sites', [siteRow(site)]));
}

function restoreInto(folder: string, backup: string): Promise<string | undefined> {
  return restoreFrom(backup, folder, join(folder, databaseName), mark);
}

describe('a backup', () => {
  test('is the last committed state, whole and alone, and its owner’s only', async () => {
    const store = await openedStore();
    await putSite(store, 'a');
    const target = join(temporaryFolder(), 'new/backup.db');

    await store.backup(target);

    await verifyBackup(target);
    expect(readdirSync(join(target, '..'))).toEqual(['backup.db']);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    const folder = temporaryFolder();
    await restoreInto(folder, target);
    expect(await sitesIn(await openedStore(folder))).toEqual(['a']);
  });

  test('that is made while writes go on holds each of them whole or not at all', async () => {
    const store = await openedStore();
    const filler = 'x'.repeat(2000);
    const pairs = Array.from({ length: 3000 }, (_, number) => siteRow(`first-${number}`, { name: filler }));
    await store.write((trx) => insertRows(trx, 'sites', pairs));
    const target = join(temporaryFolder(), 'backup.db');
    let written = 0;
    let isDone = false;

    const backup = store.backup(target).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      const number = written;
      await store.write(async (trx) => {
        await insertRows(trx, 'sites', [siteRow(`pair-${number}-left`)]);
        await insertRows(trx, 'sites', [siteRow(`pair-${number}-right`)]);
      });
      written += 1;
    }
    await backup;

    expect(written).toBeGreaterThan(1);
    const copy = openFile(target, { readonly: true });
    const sites = copy.prepare("SELECT site_id FROM sites WHERE site_id LIKE 'pair-%'").pluck().all() as string[];
    copy.close();
    expect(sites.filter((site) => site.endsWith('left')).length).toBe(sites.length / 2);
    expect(sites.length / 2).toBeLessThan(written);
  });

  test('does not see a write that is open', async () => {
    const store = await openedStore();
    await putSite(store, 'a');
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const write = store.write(async (trx) => {
      await insertRows(trx, 'sites', [siteRow('b')]);
      begun.resolve();
      await gate.promise;
    });
    await begun.promise;
    const target = join(temporaryFolder(), 'backup.db');

    await store.backup(target);

    gate.resolve();
    await write;
    const copy = openFile(target, { readonly: true });
    expect(copy.prepare('SELECT site_id FROM sites').pluck().all()).toEqual(['a']);
    copy.close();
  });

  test('takes the place of the former one of its name', async () => {
    const store = await openedStore();
    const target = join(temporaryFolder(), 'backup.db');
    await store.backup(target);
    await putSite(store, 'a');

    await store.backup(target);

    const copy = openFile(target, { readonly: true });
    expect(copy.prepare('SELECT site_id FROM sites').pluck().all()).toEqual(['a']);
    copy.close();
  });

  test('that cannot be written leaves nothing', async () => {
    const store = await openedStore();
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');

    await expect(store.backup(join(folder, 'file/backup.db'))).rejects.toThrow();

    expect(readdirSync(folder)).toEqual(['file']);
  });
});

describe('a restore', () => {
  async function backupOf(site: string): Promise<string> {
    const store = await openedStore();
    await putSite(store, site);
    const target = join(temporaryFolder(), 'backup.db');
    await store.backup(target);
    await store.close();
    return target;
  }

  async function folderOf(site: string): Promise<string> {
    const folder = temporaryFolder();
    const store = await openedStore(folder);
    await putSite(store, site);
    await store.close();
    return folder;
  }

  test('puts the backup in the place of the database, and keeps the former one', async () => {
    const folder = await folderOf('former');

    const kept = await restoreInto(folder, await backupOf('restored'));

    expect(kept).toBe(join(folder, `${databaseName}.before-restore-${mark}`));
    expect(await sitesIn(await openedStore(folder))).toEqual(['restored']);
    const back = temporaryFolder();
    await restoreInto(back, kept as string);
    expect(await sitesIn(await openedStore(back))).toEqual(['former']);
  });

  test('takes along what stands in the log beside a database whose service was killed', async () => {
    const store = await openedStore();
    await putSite(store, 'last');
    const killed = join(temporaryFolder(), 'killed.db');
    for (const tail of ['', '-wal']) copyFileSync(store.file + tail, killed + tail);
    const folder = await folderOf('former');

    await restoreInto(folder, killed);

    expect(await sitesIn(await openedStore(folder))).toEqual(['last']);
  });

  test('keeps every former one, though two come in one second', async () => {
    const folder = await folderOf('former');

    const first = await restoreInto(folder, await backupOf('one'));
    const second = await restoreInto(folder, await backupOf('two'));

    expect(second).not.toBe(first);
    for (const kept of [first, second]) await verifyBackup(kept as string);
  });

  test('works where there is no database yet', async () => {
    const folder = join(temporaryFolder(), 'new');

    const kept = await restoreInto(folder, await backupOf('restored'));

    expect(kept).toBeUndefined();
    expect(await sitesIn(await openedStore(folder))).toEqual(['restored']);
  });

  test('is refused while a service uses the data', async () => {
    const folder = temporaryFolder();
    const store = await openedStore(folder);

    await expect(restoreInto(folder, await backupOf('restored'))).rejects.toThrow('Another Rollcall is using the data');

    await putSite(store, 'still-there');
    expect(await sitesIn(store)).toEqual(['still-there']);
  });

  test.each([
    ['a file that is not there', () => '/nowhere/backup.db', 'There is no file /nowhere/backup.db.'],
    ['a folder', () => temporaryFolder(), 'cannot be read as an SQLite database.'],
    [
      'text',
      () => {
        const file = join(temporaryFolder(), 'backup.db');
        writeFileSync(file, 'once upon a time, '.repeat(1000));
        return file;
      },
      'is not a whole SQLite database.',
    ],
    [
      'an empty file',
      () => {
        const file = join(temporaryFolder(), 'backup.db');
        writeFileSync(file, '');
        return file;
      },
      "is an SQLite database, but not one of Rollcall's.",
    ],
    [
      'a backup that was cut off',
      async () => {
        const file = await backupOf('restored');
        truncateSync(file, Math.floor(statSync(file).size / 2 / 4096) * 4096);
        return file;
      },
      /damaged|not a whole SQLite database/,
    ],
    [
      'a backup with a torn page',
      async () => {
        const file = await backupOf('restored');
        const bytes = readFileSync(file);
        bytes.fill(0x55, 4096 * 3, 4096 * 40);
        writeFileSync(file, bytes);
        return file;
      },
      /damaged|not a whole SQLite database/,
    ],
    [
      'a backup of a newer version',
      async () => {
        const file = await backupOf('restored');
        const raw = openFile(file);
        raw.exec("INSERT INTO kysely_migration VALUES ('0099_later', '2030-01-01T00:00:00.000Z')");
        raw.close();
        return file;
      },
      'was written by a newer Rollcall (it has 0099_later).',
    ],
  ])('of %s is refused, and nothing is touched', async (_, backup, sentence) => {
    const folder = await folderOf('former');
    const before = readdirSync(folder);

    await expect(restoreInto(folder, await backup())).rejects.toThrow(sentence);

    expect(readdirSync(folder)).toEqual(before);
    expect(existsSync(`${join(folder, databaseName)}.restoring`)).toBe(false);
    expect(await sitesIn(await openedStore(folder))).toEqual(['former']);
  });
});
