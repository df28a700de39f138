/** Bitwarden's own `bw serve`, and the lists of its CLI, which say the same. In a file of its own, for the time it takes. */

import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { account, bw } from './account.ts';
import { canary, idOf, serve, troubleOf, vaultWith } from './world.ts';

test('bw serve reads by id and by name, lists, and refuses', async () => {
  const { folder, env, session, opened } = await account();
  const { NODE_EXTRA_CA_CERTS, BITWARDENCLI_APPDATA_DIR } = env;
  const address = await serve({ folder, bw }, { NODE_EXTRA_CA_CERTS, BITWARDENCLI_APPDATA_DIR, BW_SESSION: session });
  const { vault, logged } = vaultWith({ serve: address });
  const seen: string[] = [];

  const held = [];
  for (const name of [idOf(1), 'pve', 'Küche', 'note', '-odd']) held.push(await vault.read(name));
  const listed = await vault.listItems();
  for (const name of [idOf(99), 'pv', 'twin', 'gone', idOf(6), 'put away', idOf(8), 'empty'])
    seen.push((await troubleOf(vault.read(name))).trouble);

  expect(held).toEqual([canary, canary, 'of the kitchen', 'two\nlines\n', 'odd']);
  expect(seen.join(' ')).toBe('not_found not_found ambiguous trashed trashed trashed trashed empty');
  expect(listed.map(({ name }) => name).sort()).toEqual(
    ['pve', 'pve-old', 'Küche', 'twin', 'twin', 'gone', 'note', 'put away', 'empty', '-odd'].sort(),
  );
  expect(listed.find(({ name }) => name === 'pve')).toMatchObject({ folder: 'infra', field_names: ['token'] });
  expect(inspect([seen, listed, logged])).not.toContain(canary);
  expect(await opened().vault.listItems()).toEqual(listed);
});
