/** `rollcall ansible setup`: into a project and out of it again, with nothing else touched. */

import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../service.ts';
import { run } from './run.ts';

const config = `# our project
[defaults]
forks = 20            ; many
callbacks_enabled = timer
inventory = hosts.ini

[ssh_connection]
pipelining = True
`;

function project(text?: string) {
  const folder = join(temporaryFolder(), 'infra');
  mkdirSync(folder);
  if (text !== undefined) writeFileSync(join(folder, 'ansible.cfg'), text);
  const setup = (...words: string[]) => run(['ansible', 'setup', folder, ...words], { folder });
  const read = () => readFileSync(join(folder, 'ansible.cfg'), 'utf8');
  return { folder, setup, read };
}

test('it is switched on in one step, shows what it changes, and can be repeated', async () => {
  const { folder, setup, read } = project(config);

  const tried = await setup('--dry-run');
  expect(read()).toBe(config);
  const done = await setup();

  expect(done).toMatchObject({ code: 0, stderr: '' });
  const shown = tried.stdout.split('\n').filter((line) => /^ {2}[+-]/.test(line));
  expect(shown).toEqual(
    [
      '  +callback_plugins = ./rollcall/callback',
      '  -callbacks_enabled = timer',
      '  +callbacks_enabled = timer, rollcall',
      '  +[inventory]',
      '  +any_unparsed_is_failed = true',
    ].flatMap((line) => (line === '  +[inventory]' ? ['  +', line] : [line])),
  );
  expect(done.stdout).toContain(tried.stdout.trimEnd());
  expect(done.stdout).toContain('your own inventory stays');
  expect(read()).toBe(`# our project
[defaults]
callback_plugins = ./rollcall/callback
forks = 20            ; many
callbacks_enabled = timer, rollcall
inventory = hosts.ini

[ssh_connection]
pipelining = True

[inventory]
any_unparsed_is_failed = true
`);
  expect(lstatSync(join(folder, 'rollcall/callback/rollcall.py')).isSymbolicLink()).toBe(true);
  expect((await setup()).stdout).toBe('Everything is set up already.\n');
});

test('it is taken back to the last line, and what is the operator’s own is left', async () => {
  const { folder, setup, read } = project(config);
  await setup();

  const { code, stdout } = await setup('--remove');

  expect(code).toBe(0);
  expect(stdout).toContain('Rollcall is switched off here.');
  expect(read()).toBe(config);
  expect(readdirSync(folder)).toEqual(['ansible.cfg']);
  expect((await setup('--remove')).stdout).toBe('Nothing of Rollcall is in there.\n');

  await setup();
  writeFileSync(join(folder, 'ansible.cfg'), `${read().replace('= true', '= false')}unparsed_is_failed = true\n`);
  writeFileSync(join(folder, 'rollcall/notes.txt'), 'mine');
  await setup('--remove');
  expect(read()).toContain('any_unparsed_is_failed = false\nunparsed_is_failed = true\n');
  expect(readdirSync(join(folder, 'rollcall'))).toEqual(['notes.txt']);
});

test('a project without ansible.cfg gets one, which goes again', async () => {
  const { folder, setup, read } = project();

  const { stdout } = await setup('--copy');

  expect(stdout).toContain('its inventory is the one that ansible reads here');
  expect(read()).toContain('inventory = rollcall/inventory.py');
  expect(lstatSync(join(folder, 'rollcall/inventory.py')).isFile()).toBe(true);
  await setup('--remove');
  expect(readdirSync(folder)).toEqual([]);
});

test('what is no folder is said so', async () => {
  const { folder, setup } = project();

  expect(await run(['ansible', 'setup', join(folder, 'ghost')], { folder })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is no folder') as unknown,
  });
  expect((await setup('--dry-run')).code).toBe(0);
  expect(existsSync(join(folder, 'rollcall'))).toBe(false);
});
