/** Which service a command speaks to, and what it says where it finds none that takes it. */

import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startService, temporaryFolder } from '../service.ts';
import { launcher, run, runProgram } from './run.ts';

const list = ['ci', 'list', '--name', 'only-there'];

async function world() {
  const service = await startService();
  await service.call('POST', '/ci', { ci_name: 'only-there' });
  return { service, folder: temporaryFolder() };
}

describe('the service that the environment names,', () => {
  test('with the token itself', async () => {
    const { service, folder } = await world();
    const env = { ROLLCALL_URL: `${service.url}/`, ROLLCALL_TOKEN: service.adminToken };

    expect((await run(list, { folder, env })).stdout).toContain('only-there');
  });

  test('with a file that holds it', async () => {
    const { service, folder } = await world();
    writeFileSync(join(folder, 'token'), `${service.adminToken}\n`);
    const env = { ROLLCALL_URL: service.url, ROLLCALL_TOKEN_FILE: 'token' };

    expect((await run(list, { folder, env })).stdout).toContain('only-there');
  });
});

test('the service that uses the data, whatever address it listens on', async () => {
  const { service, folder } = await world();

  const { stdout } = await run(['--data', join(service.folder, 'data'), ...list], { folder });

  expect(stdout).toContain('only-there');
  expect(readFileSync(join(service.folder, 'data/service.url'), 'utf8').trim()).toBe(service.url);
});

test('the address does not outlast the service', async () => {
  const { service, folder } = await world();
  await service.app.close();

  const { code, stdout } = await run(['--data', join(service.folder, 'data'), ...list], { folder });

  expect(code).toBe(0);
  expect(stdout).toContain('only-there');
});

describe('where it cannot go on it says what to do:', () => {
  const sayings = async (env: Record<string, string>, words: readonly string[] = list) => {
    const { code, stdout, stderr } = await run(words, { folder: temporaryFolder(), env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    return stderr;
  };

  test('an address without a token', async () => {
    expect(await sayings({ ROLLCALL_URL: 'http://127.0.0.1:7999' })).toBe(
      'ROLLCALL_URL is set, and no token for it: set ROLLCALL_TOKEN or ROLLCALL_TOKEN_FILE.\n',
    );
  });

  test.each([['cmdb.example.org:7373'], ['ftp://cmdb'], ['http://cmdb/?x=1']])('%s is no address', async (url) => {
    expect(await sayings({ ROLLCALL_URL: url, ROLLCALL_TOKEN: 'x' })).toBe(
      'ROLLCALL_URL is no address of a service: it looks like https://cmdb.example.org:7373.\n',
    );
  });

  test('an address with a password, which is not repeated', async () => {
    expect(await sayings({ ROLLCALL_URL: 'http://me:hunter2@cmdb', ROLLCALL_TOKEN: 'x' })).toBe(
      'ROLLCALL_URL holds a user or password, which belongs into no address.\n',
    );
  });

  test('a token that is none, which is not repeated', async () => {
    expect(await sayings({ ROLLCALL_URL: 'http://127.0.0.1:7999', ROLLCALL_TOKEN: 'two words' })).toBe(
      'ROLLCALL_TOKEN holds no token: a token is one word of plain characters.\n',
    );
  });

  test('nothing listens there', async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));

    expect(await sayings({ ROLLCALL_URL: `http://127.0.0.1:${port}`, ROLLCALL_TOKEN: 'x' })).toBe(
      `Rollcall at http://127.0.0.1:${port} does not answer: nothing listens there.\n`,
    );
  });

  test('something else answers there', async () => {
    const other = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end('<p>hi'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;

    expect(await sayings({ ROLLCALL_URL: url, ROLLCALL_TOKEN: 'x' })).toBe(
      `${url} answers 200 with text/html: this is not Rollcall, or a proxy before it is in trouble.\n`,
    );
  });

  test('a token that is not known', async () => {
    const { service } = await world();

    expect(await sayings({ ROLLCALL_URL: service.url, ROLLCALL_TOKEN: 'wrong' })).toBe(
      `Rollcall at ${service.url} does not accept the token from ROLLCALL_TOKEN: This token is not known here. Get a new one with "rollcall token create" on the machine of the service.\n`,
    );
  });

  test('a token that may not do this', async () => {
    const { service } = await world();
    const env = { ROLLCALL_URL: service.url, ROLLCALL_TOKEN: service.ansibleToken };

    expect(await sayings(env, ['ci', 'set', 'a', 'owner=me'])).toBe(
      'The token ansible may not do this: it lacks the scope ci:write. It is from ROLLCALL_TOKEN.\n',
    );
  });

  test('a service runs, and its admin token is not there', async () => {
    const { service } = await world();
    const data = join(service.folder, 'data');
    rmSync(join(data, 'admin.token'));

    expect(await sayings({ ROLLCALL_DATA: data })).toBe(
      `The token in ${data}/admin.token cannot be read: it is not there. Run this as the user of the service, or set ROLLCALL_TOKEN; if the token is lost, stop the service, run "rollcall token reset-admin", and start it again.\n`,
    );
  });

  test('a service runs, and its admin token is another', async () => {
    const { service } = await world();
    const data = join(service.folder, 'data');
    writeFileSync(join(data, 'admin.token'), 'former\n');

    expect(await sayings({ ROLLCALL_DATA: data })).toContain(
      `Rollcall at ${service.url} does not accept the token from ${data}/admin.token: This token is not known here. Run this as`,
    );
  });

  test('a setting that is wrong', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'rollcall.yml'), 'htpp: {}\n');

    const { code, stderr } = await run(list, { folder });

    expect(code).toBe(1);
    expect(stderr).toContain('rollcall.yml:1:1: htpp: "htpp" is not a known key here; did you mean "http"?');
  });
});

test('on a machine without data it is the service that was logged in to, and data that are there go before', async () => {
  const { service, folder } = await world();
  writeFileSync(join(folder, 'token'), service.adminToken);
  await run(['login', service.url, '--token-file', 'token'], { folder });

  const there = await run(list, { folder });
  const here = await run(['--data', 'data', ...list], { folder });

  expect(there).toMatchObject({ code: 0, stderr: '' });
  expect(there.stdout).toContain('only-there');
  expect(here.stdout).toBe('No item fits.\n');
  expect(here.stderr).toContain(`There was no database in ${folder}/data: made one.`);
  expect((await run(list, { folder })).stdout).toBe('No item fits.\n');
});

test('data that this user may not see are named as such', async () => {
  const { service, folder } = await world();
  const data = join(service.folder, 'data');
  chmodSync(data, 0o000);
  onTestFinished(() => chmodSync(data, 0o700));
  // Root may see everything, unless it gives that up.
  const under = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search', '--'] : [];
  const [program = '', ...words] = [...under, process.execPath, launcher, '--data', data, ...list];

  const { code, stderr } = await runProgram(program, words, { folder });

  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^The data in .+ belong to another user \(EACCES.+\)\. Run this as that user, or set ROLLCALL_URL and ROLLCALL_TOKEN\.\n$/,
  );
});

test('a service with a certificate of its own making is reached by the name in it', async () => {
  const folder = temporaryFolder();
  const openssl = 'req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 2 -subj /CN=localhost -addext';
  await runProgram('openssl', [...openssl.split(' '), 'subjectAltName=DNS:localhost'], { folder });
  const tls = { cert: join(folder, 'c.pem'), key: join(folder, 'k.pem') };
  const service = await startService({ settings: { http: { tls } } });
  const url = service.url.replace('127.0.0.1', 'localhost');
  const env = { ROLLCALL_URL: url, ROLLCALL_TOKEN: service.adminToken };

  const unknown = await run(list, { folder, env });
  const known = await run(list, { folder, env: { ...env, ROLLCALL_CA: tls.cert } });
  const here = await run(
    ['--config', join(service.folder, 'rollcall.yml'), '--data', join(service.folder, 'data'), ...list],
    {
      folder,
    },
  );

  expect(unknown.stderr).toBe(
    `Rollcall at ${url} has a certificate that is not trusted: name the file with it in ROLLCALL_CA.\n`,
  );
  expect(known).toMatchObject({ code: 0, stdout: 'No item fits.\n' });
  expect(here.stderr).toBe(
    `Rollcall at ${service.url} has a certificate for another name: use that name in ROLLCALL_URL, or set http.public_url to it.\n`,
  );
});
