/** Bitwarden's own CLI against a server: what the stand-in only says. */

import { expect, test } from 'vitest';
import { account, bw, certificate } from './account.ts';
import { canary, idOf, item, troubleOf } from './world.ts';

test('the program reads, follows a rotation, and says what keeps it from reading', async () => {
  const { vault, server, session, opened } = await account();
  const { vault: mine, pass, logged } = opened();

  expect(await mine.read(idOf(1))).toBe(canary);
  vault([item(1, 'pve', 'rotated')]);
  pass({ minutes: 15 });
  expect(await mine.read(idOf(1))).toBe('rotated');
  server.state.mode = 'hang';
  const hung = opened({}, { limits: { all: 2500 } });
  expect(await hung.vault.read(idOf(1))).toBe('rotated');
  expect(hung.logged.join('')).toContain('was not done in 2.5 s');
  server.state.mode = 'ok';
  expect(await troubleOf(opened({ ca: certificate('cert-2') }).vault.listItems())).toEqual({
    trouble: 'unavailable',
    message: expect.stringMatching(
      /was not reached .*certificate.* Its certificate is not trusted: name the CA/,
    ) as string,
  });
  expect(await mine.check()).toEqual([
    { check: 'vaultwarden', state: 'ok', found: `${bw} 2026.6.0 answers` },
    { check: 'vaultwarden', state: 'ok', found: `user@example.test is logged in at ${server.url}` },
    { check: 'vaultwarden', state: 'ok', found: expect.stringMatching(/^it is unlocked, and was synced/) as string },
    { check: 'vaultwarden', state: 'ok', found: 'its server answers' },
  ]);
  expect(await troubleOf(opened({}, { key: Buffer.alloc(64).toString('base64') }).vault.read(idOf(1)))).toMatchObject({
    trouble: 'locked',
  });
  server.state.mode = '401';
  expect(await troubleOf(mine.listItems())).toMatchObject({ trouble: 'not_logged_in' });
  server.state.mode = 'ok';
  expect(await troubleOf(mine.read(idOf(1)))).toMatchObject({ trouble: 'not_logged_in' });
  expect([...logged, ...hung.logged].join('')).not.toContain(session);
});
