import { describe, expect, test } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { nested, writeOrRehearse } from '../../src/store/open.ts';
import { insertRows } from '../../src/store/rows.ts';
import { openedStore, siteRow, sitesIn } from './world.ts';

test('a reader sees the last committed state while a write is open, and the new one straight after', async () => {
  const store = await openedStore();
  const gate = Promise.withResolvers<void>();
  const written = Promise.withResolvers<void>();
  const write = store.write(async (trx) => {
    await insertRows(trx, 'sites', [siteRow('a')]);
    written.resolve();
    await gate.promise;
  });
  await written.promise;

  const during = await sitesIn(store);
  gate.resolve();
  await write;

  expect(during).toEqual([]);
  expect(await sitesIn(store)).toEqual(['a']);
});

test('a write sees what it wrote itself', async () => {
  const store = await openedStore();

  const seen = await store.write(async (trx) => {
    await insertRows(trx, 'sites', [siteRow('a')]);
    return await trx.selectFrom('sites').select('site_id').execute();
  });

  expect(seen).toEqual([{ site_id: 'a' }]);
});

test('the reader cannot write', async () => {
  const { read } = await openedStore();

  const writing = read.insertInto('sites').values(siteRow('a')).execute();

  await expect(writing).rejects.toThrow('readonly');
});

test('writes wait for one another, and are done in the order in which they came', async () => {
  const store = await openedStore();
  const events: string[] = [];
  const gate = Promise.withResolvers<void>();

  const writes = ['first', 'second', 'third'].map((name) =>
    store.write(async () => {
      events.push(`${name} begins`);
      if (name === 'first') await gate.promise;
      events.push(`${name} ends`);
    }),
  );
  const waiting = store.waiting();
  gate.resolve();
  await Promise.all(writes);

  expect(waiting).toBe(3);
  expect(store.waiting()).toBe(0);
  expect(events).toEqual(['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('behind a write and a hundred that wait another is told to come again, and those are done', async () => {
  const store = await openedStore();
  const gate = Promise.withResolvers<void>();
  const writes = Array.from({ length: 101 }, (_, number) =>
    store.write(async (trx) => {
      await gate.promise;
      await insertRows(trx, 'sites', [siteRow(`site-${number}`)]);
    }),
  );

  const refused = await store.write(() => Promise.resolve()).catch((error: unknown) => error);
  gate.resolve();
  await Promise.all(writes);
  await store.write(() => Promise.resolve());

  expect(refused).toBeInstanceOf(DomainError);
  expect(refused).toMatchObject({ code: 'unavailable', retryAfterSeconds: 5 });
  expect(await sitesIn(store)).toHaveLength(101);
});

test('a write that fails leaves nothing, and the next is done', async () => {
  const store = await openedStore();
  const failing = store.write(async (trx) => {
    await insertRows(trx, 'sites', [siteRow('a')]);
    throw new Error('no');
  });
  const next = store.write((trx) => insertRows(trx, 'sites', [siteRow('b')]));

  await expect(failing).rejects.toThrow('no');
  await next;

  expect(await sitesIn(store)).toEqual(['b']);
});

test('a write that the schema refuses leaves nothing', async () => {
  const store = await openedStore();

  const failing = store.write((trx) => insertRows(trx, 'sites', [siteRow('a'), siteRow('b'), siteRow('a')]));

  await expect(failing).rejects.toThrow('UNIQUE constraint failed: sites.site_id');
  expect(await sitesIn(store)).toEqual([]);
});

test('a part of a write can fail alone, also within a part', async () => {
  const store = await openedStore();

  await store.write(async (trx) => {
    await insertRows(trx, 'sites', [siteRow('whole')]);
    await nested(trx, async () => {
      await insertRows(trx, 'sites', [siteRow('outer')]);
      await nested(trx, async () => {
        await insertRows(trx, 'sites', [siteRow('inner')]);
        throw new Error('no');
      }).catch(() => undefined);
    });
    await nested(trx, async () => {
      await insertRows(trx, 'sites', [siteRow('other')]);
      throw new Error('no');
    }).catch(() => undefined);
  });

  expect(await sitesIn(store)).toEqual(['outer', 'whole']);
});

describe('a rehearsal', () => {
  test('answers what it would come to, and writes nothing', async () => {
    const store = await openedStore();

    const seen = await writeOrRehearse(store.write, true, async (trx) => {
      await insertRows(trx, 'sites', [siteRow('a')]);
      return (await trx.selectFrom('sites').select('site_id').execute()).length;
    });

    expect(seen).toBe(1);
    expect(await sitesIn(store)).toEqual([]);
  });

  test('that fails says why', async () => {
    const store = await openedStore();

    await expect(writeOrRehearse(store.write, true, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

describe('a store that is closed', () => {
  test('has done the writes that waited, however many', async () => {
    const store = await openedStore();
    const gate = Promise.withResolvers<void>();
    const writes = Array.from({ length: 101 }, (_, number) =>
      store.write(async (trx) => {
        await gate.promise;
        await insertRows(trx, 'sites', [siteRow(`site-${number}`)]);
        return number;
      }),
    );

    const closed = store.close();
    gate.resolve();
    await closed;

    expect(await Promise.all(writes)).toHaveLength(101);
  });

  test('takes no more', async () => {
    const store = await openedStore();
    await store.close();

    const late = store.write(() => Promise.resolve());

    await expect(late).rejects.toMatchObject({ code: 'unavailable', message: 'Rollcall is stopping.' });
  });
});
