/** What is read from a vault, and what is refused, by the program and by `bw serve` alike. */

import { describe, expect, test } from 'vitest';
import { idOf, item, key, type StandIn, serve, standIn, troubleOf, vaultWith } from './world.ts';

const someTime = '2026-01-31T08:00:00.000Z';
const items = [
  item(1, 'pve', 'of pve'),
  item(2, 'pve-old', 'of pve-old'),
  item(3, 'Küche', 'of the kitchen'),
  item(4, '-odd', ' spaces \n'),
  item(5, 'twin', 'one'),
  item(6, 'twin', 'other'),
  item(7, 'gone', 'old', { deletedDate: someTime }),
  item(8, 'put away', 'old', { archivedDate: someTime }),
  item(9, 'empty', ''),
  item(10, 'blank', '  '),
  item(11, 'none', null),
  item(12, 'hidden', 'not for you', { viewPassword: false }),
  { id: idOf(13), name: 'note', type: 2, notes: 'two\nlines\n' },
  { id: idOf(14), name: 'no note', type: 2 },
  {
    id: idOf(15),
    name: 'deploy key',
    type: 5,
    sshKey: { privateKey: '-----BEGIN\nkey\n', keyFingerprint: 'SHA256:pve' },
  },
  { id: idOf(16), name: 'card', type: 3, card: { number: '4242' } },
];

async function opened(way: 'program' | 'serve', values = {}) {
  const made = standIn({ items, ...values });
  return { made, ...vaultWith(await settingsFor(way, made)) };
}

async function settingsFor(way: 'program' | 'serve', made: StandIn) {
  return way === 'serve' ? { serve: await serve(made) } : { bw: made.bw };
}

describe.each(['program', 'serve'] as const)('by %s', (way) => {
  test('an item is read by its id, and by its name as it is written', async () => {
    const { vault } = await opened(way);

    const read = async (...names: string[]) => {
      const held = [];
      for (const name of names) held.push(await vault.read(name));
      return held;
    };

    expect(await read(idOf(1), 'pve', 'Küche', 'Ku\u0308che', '-odd', 'note', 'deploy key')).toEqual([
      'of pve',
      'of pve',
      'of the kitchen',
      'of the kitchen',
      ' spaces \n',
      'two\nlines\n',
      '-----BEGIN\nkey\n',
    ]);
    expect(await vault.readItem(idOf(2))).toMatchObject({ id: idOf(2), name: 'pve-old' });
  });

  test('what is not one item that holds something is refused', async () => {
    const { vault } = await opened(way);
    const refusals: string[] = [];
    const names = [
      'pv',
      'PVE',
      'admin',
      idOf(99),
      'twin',
      'gone',
      idOf(7),
      'put away',
      idOf(8),
      'empty',
      'blank',
      'none',
    ];

    for (const name of [...names, 'hidden', 'no note', 'card']) {
      const { trouble, message } = await troubleOf(vault.read(name));
      refusals.push(`${trouble}: ${message.split('. ')[0]}`);
    }

    expect(refusals).toEqual([
      'not_found: No item of the vault is called pv',
      'not_found: No item of the vault is called PVE',
      'not_found: No item of the vault is called admin',
      `not_found: No item of the vault has the id ${idOf(99)}`,
      `ambiguous: 2 items of the vault are called twin: ${idOf(5)}, ${idOf(6)}`,
      'trashed: The item gone of the vault is in the trash since 2026-01-31',
      `trashed: The item ${idOf(7)} of the vault is in the trash since 2026-01-31`,
      'trashed: The item put away of the vault is archived since 2026-01-31',
      `trashed: The item ${idOf(8)} of the vault is archived since 2026-01-31`,
      'empty: The item empty of the vault has no password',
      'empty: The item blank of the vault has no password',
      'empty: The item none of the vault has no password',
      'empty: The item hidden of the vault shows no password to this account',
      'empty: The item no note of the vault has no text',
      'empty: The item card of the vault is no login, note or SSH key, and nothing else is read.',
    ]);
  });

  test.each([
    ['unauthenticated', 'not_logged_in', /^Nobody is logged in to the vault\. Log in .*bw login --apikey/],
    ['locked', 'locked', /^The vault is locked\. Unlock it .*vaultwarden\.session/],
  ])('a vault that is %s says what to do', async (status, trouble, message) => {
    const made = standIn({ items, status: 'locked', session: null });
    const { vault } = vaultWith(await settingsFor(way, made));
    made.change({ status });

    const refused = [await troubleOf(vault.read('pve')), await troubleOf(vault.listItems())];

    const expected = { trouble, message: expect.stringMatching(message) as string };
    expect(refused).toEqual([expected, expected]);
  });

  test('of all items the names and dates are listed, those in the trash and the archive too', async () => {
    const { vault } = await opened(way, {
      folders: [{ id: idOf(100), name: 'infra/net' }],
      items: [
        item(1, 'pve', 'secret-1', {
          folderId: idOf(100),
          notes: 'secret-2',
          login: {
            username: 'secret-3',
            password: 'secret-4',
            totp: 'secret-5',
            passwordRevisionDate: '2026-01-02T03:04:05.678901Z',
          },
          fields: [
            { name: 'rotation_days', value: 'secret-6' },
            { name: 'token', value: 'secret-7', type: 1 },
          ],
          passwordHistory: [
            { password: 'secret-8', lastUsedDate: '2025-01-01T00:00:00.000Z' },
            { password: 'secret-9', lastUsedDate: '2026-01-02T03:04:05.678Z' },
          ],
          creationDate: '2024-05-06T00:00:00.000Z',
          revisionDate: '2026-01-03T00:00:00.000Z',
        }),
        item(2, 'gone', 'secret', { deletedDate: someTime }),
        item(3, 'put away', 'secret', { archivedDate: someTime }),
        item(4, 'both', 'secret', { archivedDate: someTime, deletedDate: someTime }),
      ],
    });

    const listed = await vault.listItems();

    expect(listed[0]).toEqual({
      id: idOf(1),
      name: 'pve',
      type: 1,
      folder: 'infra/net',
      password_revised_at: '2026-01-02T03:04:05.678Z',
      history_dates: ['2026-01-02T03:04:05.678Z', '2025-01-01T00:00:00.000Z'],
      revised_at: '2026-01-03T00:00:00.000Z',
      created_at: '2024-05-06T00:00:00.000Z',
      deleted_at: null,
      archived_at: null,
      field_names: ['rotation_days', 'token'],
    });
    expect(listed.slice(1).map(({ name, deleted_at, archived_at }) => [name, deleted_at, archived_at])).toEqual([
      ['gone', someTime, null],
      ['put away', null, someTime],
      ['both', someTime, someTime],
    ]);
    expect(JSON.stringify(listed)).not.toContain('secret');
  });

  test('the server is asked once in a quarter of an hour', async () => {
    const made = standIn({ items });
    const { vault, pass } = vaultWith(await settingsFor(way, made));
    await vault.read(idOf(1));
    made.change({ faults: { sync: 'offline' } });

    const fresh = await vault.read(idOf(1));
    pass({ minutes: 14 });
    const later = await vault.read(idOf(1));

    expect([fresh, later]).toEqual(['of pve', 'of pve']);
    await expect(vault.listItems()).rejects.toThrow('The server of the vault was not reached');
  });

  test('while the server does not answer, the local copy is read, and that is told once', async () => {
    const made = standIn({ items, faults: { sync: 'offline' } });
    const { vault, pass, logged } = vaultWith(await settingsFor(way, made));

    const held = [await vault.read(idOf(1)), await vault.read(idOf(1))];
    pass({ minutes: 2 });
    held.push(await vault.read(idOf(1)));
    const { trouble, message } = await troubleOf(vault.read(idOf(99)));
    made.change({ faults: {} });
    pass({ minutes: 2 });
    held.push(await vault.read(idOf(1)));

    expect(held).toEqual(['of pve', 'of pve', 'of pve', 'of pve']);
    expect(logged.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'the vault was not synced; secrets are read from its local copy',
      'the server of the vault answers again',
    ]);
    expect(logged[0]).toContain('ECONNREFUSED');
    expect({ trouble, message }).toEqual({
      trouble: 'not_found',
      message: expect.stringMatching(
        /has the id .* This is of its local copy, for it was not synced: .*ECONNREFUSED/,
      ) as string,
    });
  });

  test('a login that the server refused has ended, and says so', async () => {
    const made = standIn({ items, faults: { sync: '401' } });
    const { vault } = vaultWith(await settingsFor(way, made));

    expect(await troubleOf(vault.read(idOf(1)))).toEqual({
      trouble: 'not_logged_in',
      message: expect.stringMatching(/^The server of the vault refused the login, which has ended\. Log in/) as string,
    });
  });

  test('it is checked step by step', async () => {
    const made = standIn({ items, userEmail: 'rollcall@example.test', serverUrl: 'https://vault.lan' });
    const { vault } = vaultWith(await settingsFor(way, made));

    const well = await vault.check();
    made.change({ faults: { sync: 'offline' } });
    const offline = await vault.check();
    made.change({ faults: {}, status: 'unauthenticated' });

    const called =
      way === 'serve' ? `bw serve at unix://${made.folder}/bw.sock answers` : `${made.bw} 2026.6.0 answers`;
    expect(well.map(({ state, found }) => [state, found])).toEqual([
      ['ok', called],
      ['ok', 'rollcall@example.test is logged in at https://vault.lan'],
      ['ok', expect.stringMatching(/^it is unlocked, and was synced/) as string],
      ['ok', 'its server answers'],
    ]);
    expect(offline.at(-1)).toMatchObject({
      state: 'wrong',
      found: expect.stringContaining('was not reached') as string,
    });
    expect((await vault.check()).at(-1)).toMatchObject({
      state: 'wrong',
      found: 'nobody is logged in to the vault',
      to_do: expect.stringContaining('bw login --apikey') as string,
    });
  });
});

test('a key that is an old one, or is not there, is told as a locked vault', async () => {
  const { bw } = standIn({ items });

  const old = await troubleOf(vaultWith({ bw }, { key: 'b2xk' }).vault.read('pve'));
  const none = await troubleOf(vaultWith({ bw }, { key: null }).vault.read('pve'));
  const checked = await vaultWith({ bw }, { key: 'b2xk' }).vault.check();

  expect([old.trouble, none.trouble]).toEqual(['locked', 'locked']);
  expect(none.message).toMatch(
    /^The vault is locked, for there is no key to it\. .*session does not exist.* Unlock it/,
  );
  expect(checked.at(-1)).toMatchObject({ state: 'wrong', found: 'the vault is locked' });
  expect(JSON.stringify([old, none, checked])).not.toContain(key);
});
