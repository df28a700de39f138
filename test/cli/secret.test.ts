/** `rollcall secret`: what playbooks and Terraform get of it. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { idOf, item, key, standIn } from '../vaultwarden/world.ts';
import { dump } from '../yaml.ts';
import { type RunOptions, run, runOnTerminal, runProgram } from './run.ts';

const tricky = `it's "two"\nlines $HOME \\ \`id\` é`;

function vaultHere(values: Readonly<Record<string, unknown>> = {}) {
  const items = [item(1, 'db/App-Größe', tricky), item(2, '-odd', 'odd'), item(3, '7 zip', 'x'), item(4, '***', 'y')];
  const made = standIn({ items, ...values });
  writeFileSync(join(made.folder, 'session'), `${key}\n`);
  dump(join(made.folder, 'rollcall.yml'), { vaultwarden: { bw: made.bw, session: 'file:session' } });
  const secret = (words: readonly string[], options: Partial<RunOptions> = {}) =>
    run(['secret', ...words], { folder: made.folder, ...options });
  return { ...made, secret };
}

describe('a secret is printed', () => {
  test('as it is', async () => {
    const { secret, runs } = vaultHere();

    expect(await secret(['db/App-Größe'])).toEqual({ code: 0, stdout: tricky, stderr: '' });
    expect(await secret([idOf(1), '--format', 'raw'])).toEqual({ code: 0, stdout: tricky, stderr: '' });
    expect((await secret(['--', '-odd'])).stdout).toBe('odd');
    expect(JSON.stringify(runs())).not.toContain(key);
  });

  test('with a newline behind it on a terminal', async () => {
    const { folder } = vaultHere();

    expect((await runOnTerminal(['secret', '--', '-odd'], { folder })).stdout).toBe('odd\r\n');
  });

  test('as a variable that a shell reads as it is', async () => {
    const { secret, folder } = vaultHere();

    const { stdout } = await secret([idOf(1), '--format', 'env']);
    const named = await secret([idOf(2), '--format', 'env', '--name', 'TOKEN']);
    const read = await runProgram('sh', ['-c', `${stdout}printf %s "$DB_APP_GROSSE"`], { folder });

    expect(named.stdout).toBe("TOKEN='odd'\n");
    expect(read.stdout).toBe(tricky);
    expect((await secret([idOf(3), '--format', 'env'])).stdout).toBe("_7_ZIP='x'\n");
  });

  test('as Terraform asks an external data source', async () => {
    const { secret } = vaultHere();

    const byQuery = await secret(['--format', 'external'], { stdin: JSON.stringify({ item: 'db/App-Größe' }) });
    const byWord = await secret([idOf(1), '--format', 'external'], { stdin: '{}' });

    expect(byQuery).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(byQuery.stdout)).toEqual({ name: 'db/App-Größe', value: tricky });
    expect(byWord.stdout).toBe(byQuery.stdout);
  });
});

describe('what cannot be printed is an error on stderr, and exit 1:', () => {
  test.each<[string, string[], string, RegExp]>([
    ['no such item', ['db'], '', /^No item of the vault is called db\./],
    ['none is named', [], '', /^Which item is meant\?/],
    ['a query without one', ['--format', 'external'], '{"items":"s3cret"}', /^The query on stdin names no item: /],
    ['a query that is none', ['--format', 'external'], 's3cret', /^The query on stdin names no item: /],
    ['a variable for no shell', [idOf(2), '--name', 'A'], '', /^--name is for --format env/],
    ['a variable that is none', [idOf(2), '--format', 'env', '--name', 'a b'], '', /the name of a variable, such as/],
    ['a name of which none can be made', [idOf(4), '--format', 'env'], '', /^No variable can be made of the name/],
  ])('%s', async (_, words, stdin, message) => {
    const { secret } = vaultHere();

    const { code, stdout, stderr } = await secret(words, { stdin });

    expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(message) as string });
    expect(stderr).not.toContain('s3cret');
  });

  test('a vault that is locked', async () => {
    const { secret } = vaultHere({ session: 'b3RoZXI=' });

    expect(await secret([idOf(1)])).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^The vault is locked\. Unlock it .*\n$/) as string,
    });
  });

  test('no vault is named', async () => {
    const { secret, folder } = vaultHere();
    dump(join(folder, 'rollcall.yml'), { timezone: 'UTC' });

    expect(await secret([idOf(1)])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^The configuration names no vault: write the section vaultwarden/) as string,
    });
  });
});

test('where the server is not reached, the copy is printed, and stderr says so', async () => {
  const { secret } = vaultHere({ faults: { sync: 'offline' } });

  expect(await secret([idOf(2)])).toEqual({
    code: 0,
    stdout: 'odd',
    stderr: expect.stringContaining('the vault was not synced; secrets are read from its local copy') as string,
  });
});
