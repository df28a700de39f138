import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openLog } from '../../src/log.ts';
import { openSecrets, SecretError } from '../../src/secrets/secrets.ts';
import { temporaryFolder } from '../service.ts';

test.each([
  ['plain', 'hunter2', 'hunter2'],
  ['with a newline at its end', 'hunter2\n', 'hunter2'],
  ['with that of Windows', 'hunter2\r\n', 'hunter2'],
  ['with two: the one is its own', 'hunter2\n\n', 'hunter2\n'],
  ['of several lines', 'a\nb\n', 'a\nb'],
  ['with spaces', ' hunter2 ', ' hunter2 '],
])('a file holds a secret, %s', async (_, text, value) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'token'), text);

  const { secret } = openSecrets({ env: {}, folder });

  expect((await secret('file:token')).reveal()).toBe(value);
  expect((await secret(`file:${folder}/token`)).reveal()).toBe(value);
});

test('a variable holds a secret, and so does what a module brings', async () => {
  const schemes = new Map([['vaultwarden', (name: string) => Promise.resolve(`of ${name}`)]]);
  const { secret } = openSecrets({ env: { TOKEN: 'hunter2' }, schemes });

  expect((await secret('env:TOKEN')).reveal()).toBe('hunter2');
  expect((await secret('vaultwarden:PVE: the token')).reveal()).toBe('of PVE: the token');
});

test('who takes its time for a secret hears that nobody waits any more', async () => {
  const stop = new AbortController();
  stop.abort(new Error('stopped'));
  const schemes = new Map([
    ['vaultwarden', (_: string, signal?: AbortSignal) => Promise.reject(signal?.reason as Error)],
  ]);

  await expect(openSecrets({ env: {}, schemes }).secret('vaultwarden:pve', stop.signal)).rejects.toThrow('stopped');
});

test('a secret is read at each use', async () => {
  const folder = temporaryFolder();
  const { secret } = openSecrets({ env: {}, folder });
  writeFileSync(join(folder, 'token'), 'old');
  await secret('file:token');

  writeFileSync(join(folder, 'token'), 'new');

  expect((await secret('file:token')).reveal()).toBe('new');
});

describe('what is not there is told by its reference, and with what to do:', () => {
  const folder = () => {
    const made = temporaryFolder();
    writeFileSync(join(made, 'empty'), '\n');
    mkdirSync(join(made, 'folder'));
    return made;
  };
  const schemes = new Map([['vaultwarden', () => Promise.resolve(undefined)]]);

  test.each([
    ['a variable that is not set', 'env:NONE', /env:NONE: the variable NONE is not set\. Set it/],
    ['one that is empty', 'env:EMPTY', /the variable EMPTY is empty/],
    ['a file that is not there', 'file:nowhere', /file:nowhere: .*nowhere does not exist\. Create it/],
    ['one in the home', 'file:~/token', /~ is not understood/],
    ['an empty file', 'file:empty', /empty is empty\. Write the secret into it/],
    ['a folder', 'file:folder', /is a folder/],
    ['what a module does not find', 'vaultwarden:pve', /vaultwarden:pve was not found/],
  ])('%s', async (_, ref, sentence) => {
    const { secret } = openSecrets({ env: { EMPTY: '' }, folder: folder(), schemes });

    await expect(secret(ref)).rejects.toThrow(sentence);
    await expect(secret(ref)).rejects.toThrow(SecretError);
  });

  test.each(['hunter2', 'hunter2:x', 'toString:hunter2', ':hunter2', ''])(
    'what is no reference (%s) is not shown',
    async (ref) => {
      const { secret } = openSecrets({ env: {} });

      await expect(secret(ref)).rejects.toThrow('A secret is named by env:…, file:…, and by nothing else.');
    },
  );
});

test('a secret shows itself to nobody', async () => {
  const secret = await openSecrets({ env: { TOKEN: 'hunter2' } }).secret('env:TOKEN');
  const lines: string[] = [];
  openLog('info', 'json', (line) => void lines.push(line)).info(
    { secret, inside: { secret } },
    `used ${String(secret)}`,
  );

  const shown = [
    String(secret),
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ a: [secret] }, { showHidden: true }),
  ];

  expect(shown).toEqual(['[secret]', '{"secret":"[secret]"}', '[secret]', '{ a: [ [secret], [length]: 1 ] }']);
  expect(lines.join('')).not.toContain('hunter2');
  expect(lines.join('')).toContain('used [secret]');
});
