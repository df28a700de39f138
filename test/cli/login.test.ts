import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startService, temporaryFolder } from '../service.ts';
import { run, runProgram } from './run.ts';

const script = new URL('../../ansible/inventory.py', import.meta.url).pathname;

test('after a login the inventory script finds address and token by itself', async () => {
  const service = await startService();
  const folder = temporaryFolder();

  const { code, stdout } = await run(['login', `${service.url}/`], { folder, stdin: `${service.ansibleToken}\n` });
  const listed = await runProgram('python3', [script, '--list'], { folder });

  const kept = join(folder, '.config/rollcall');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: `Logged in to ${service.url}: address and token are in ${kept}.\n`,
  });
  expect(readFileSync(join(kept, 'url'), 'utf8')).toBe(`${service.url}\n`);
  expect(readFileSync(join(kept, 'token'), 'utf8')).toBe(`${service.ansibleToken}\n`);
  expect(statSync(join(kept, 'token')).mode & 0o777).toBe(0o600);
  expect(statSync(kept).mode & 0o777).toBe(0o700);
  expect(listed).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(listed.stdout)).toHaveProperty('_meta');
});

test('XDG_CONFIG_HOME is heeded, and the token may come from a file', async () => {
  const service = await startService();
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'my.token'), service.ansibleToken);
  const env = { XDG_CONFIG_HOME: join(folder, 'xdg') };

  const { code } = await run(['login', service.url, '--token-file', 'my.token'], { folder, env });

  expect(code).toBe(0);
  expect(readFileSync(join(folder, 'xdg/rollcall/token'), 'utf8').trim()).toBe(service.ansibleToken);
});

describe('what does not work is not kept, and the former login stands:', () => {
  test.each([
    ['a token that is not known', () => 'wrong', 'This token is not known here. Nothing was kept.'],
    ['no token', () => '', 'stdin holds no token: a token is one word of plain characters.'],
  ])('%s', async (_, token, says) => {
    const service = await startService();
    const folder = temporaryFolder();
    await run(['login', service.url], { folder, stdin: service.ansibleToken });

    const { code, stderr } = await run(['login', service.url], { folder, stdin: token() });

    expect(code).toBe(1);
    expect(stderr).toContain(says);
    expect(readFileSync(join(folder, '.config/rollcall/token'), 'utf8').trim()).toBe(service.ansibleToken);
  });

  test('a token that may not read the inventory', async () => {
    const service = await startService();
    const folder = temporaryFolder();
    const made = await service.call('POST', '/tokens', { token_name: 'hooks', scopes: ['ci:write'] });

    const { code, stderr } = await run(['login', service.url], {
      folder,
      stdin: (made.body as { token: string }).token,
    });

    expect(code).toBe(1);
    expect(stderr).toBe(
      'The token hooks may not do this: it lacks the scope inventory:read. It is from stdin. Nothing was kept.\n',
    );
    expect(existsSync(join(folder, '.config'))).toBe(false);
  });
});
