import { connect } from 'node:net';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';
import { redactedBody } from '../../src/http/body.ts';
import { type Endpoint, endpoint } from '../../src/http/endpoint.ts';
import { startService } from '../service.ts';
import { openFloor } from './floor.ts';
import { send, sendBytes } from './send.ts';

const item = { ci_type: 'physical_server', ci_name: 'nas-1' };

/** Answers what it was sent. */
const echo: Endpoint = endpoint({
  method: 'POST',
  path: '/echo',
  scope: 'ci:write',
  tag: 'test',
  summary: 'Say it again',
  body: Type.Unknown(),
  answers: { 200: Type.Unknown() },
  handle: ({ body }) => Promise.resolve([200, { body }]),
});

async function echoFloor(settings: Parameters<typeof openFloor>[1] = {}) {
  const floor = await openFloor([echo], settings);
  const token = await floor.token('hook');
  const post = async (body: Buffer | string, headers: Record<string, string> = {}) => {
    const answer = await send(floor.url, {
      method: 'POST',
      path: '/api/v1/echo',
      headers: { Authorization: `Bearer ${token}`, ...headers },
      body,
    });
    return { status: answer.status, body: JSON.parse(answer.text) as Record<string, unknown> };
  };
  return { ...floor, token, post };
}

describe('a body is read as JSON', () => {
  test.each([
    ['as curl -d sends it', { 'Content-Type': 'application/x-www-form-urlencoded' }],
    ['as JSON', { 'Content-Type': 'application/json' }],
    ['with a charset that it has not', { 'Content-Type': 'text/plain; charset=utf-16' }],
    ['with a type that is none', { 'Content-Type': 'JSON!' }],
    ['without a type', {}],
  ])('%s', async (_, headers: Record<string, string>) => {
    const { post } = await echoFloor();

    expect(await post('{"a": "ä"}', headers)).toEqual({ status: 200, body: { body: { a: 'ä' } } });
  });

  test.each([
    ['gzip', gzipSync('{"a":1}'), 'gzip'],
    ['brotli', brotliCompressSync('{"a":1}'), 'br'],
    ['zstd', zstdCompressSync('{"a":1}'), 'zstd'],
    ['nothing', Buffer.from('{"a":1}'), 'identity'],
    ['a byte order mark', Buffer.from('\uFEFF{"a":1}'), 'identity'],
  ])('packed with %s', async (_, body, encoding) => {
    const { post } = await echoFloor();

    expect(await post(body, { 'Content-Encoding': encoding })).toEqual({ status: 200, body: { body: { a: 1 } } });
  });

  test('that comes in pieces', async () => {
    const { post } = await echoFloor();

    const answer = await post('{"a":1}', { 'Transfer-Encoding': 'chunked' });

    expect(answer.body).toEqual({ body: { a: 1 } });
  });
});

describe('a body is refused whole:', () => {
  test.each([
    ['an empty one', '', 'This call needs a JSON body.'],
    [
      'one that is cut off',
      '{"ci_name": "web-1",\n"ci_status": "active", "technical',
      'it ends too early at line 2, column 34, near «eb-1", "ci_status": "active", "technical»',
    ],
    ['one of blanks', ' \n ', 'it ends too early'],
    ['one in words', 'hello', 'at line 1, column 1, near «hello»'],
    ['one with a comma too many', '{\n  "a": 1,\n}', 'at line 3, column 1'],
    ['one in JavaScript', "{a: 'b'}", 'line 1, column 2'],
    ['two of them', '{"a":1}\n{"b":2}', 'line 2, column 1'],
    ['one with a comment', '{"a": 1} // yes', 'line 1, column 10'],
    ['a form', 'ci_name=web-1&ci_status=active', 'at line 1, column 1, near «ci_name=web-1&ci_sta»'],
  ])('%s', async (_, sent, detail) => {
    const { post } = await echoFloor();

    const { status, body } = await post(sent, { 'Content-Type': 'application/json' });

    expect(status).toBe(400);
    expect(body.detail).toContain(detail);
  });

  test('one with an unquoted size, and the size is named', async () => {
    const { call } = await startService();
    const template = '{\n  "ci_name": "web-1",\n  "technical_specs": {\n    "disk_gb": 32G,\n    "vmid": 102\n  }\n}';

    const { status, body } = await call('POST', '/ci', template);

    expect({ status, body }).toEqual({
      status: 400,
      body: {
        type: '/problems/invalid',
        title: 'Bad Request',
        status: 400,
        detail:
          'The body is not JSON: invalid symbol at line 4, column 18, near «pecs": { "disk_gb": 32G, "vmid": 102 } }». ' +
          "An unquoted size (32G) is the likely cause: send a plain number in the unit of the key's name. Nothing was taken.",
        errors: [{ pointer: '', detail: 'line 4, column 18: invalid symbol' }],
      },
    });
  });

  test.each([
    ['lists', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['lists without an end', '['.repeat(100_000)],
    ['objects', `${'{"a":'.repeat(101)}1${'}'.repeat(101)}`],
  ])('one that is nested too deep: %s', async (_, sent) => {
    const { post } = await echoFloor();

    const { status, body } = await post(sent);

    expect(status).toBe(400);
    expect(body.detail).toBe('The body is nested more than 100 deep; nothing was taken.');
  });

  test('but what stands in text is not nested', async () => {
    const { post } = await echoFloor();
    const text = `\\"${'['.repeat(200)}`;

    expect((await post(JSON.stringify({ text }))).body).toEqual({ body: { text } });
  });

  test('one that is not UTF-8', async () => {
    const { post } = await echoFloor();

    const { status, body } = await post(Buffer.from('{"a": "\xe4"}', 'latin1'));

    expect(status).toBe(400);
    expect(body.detail).toBe('The body is not UTF-8 text.');
  });

  test.each([
    ['gzip', 'gzip'],
    ['brotli', 'br'],
    ['zstd', 'zstd'],
    ['deflate', 'deflate'],
  ])('one that is not the %s that it says', async (_, encoding) => {
    const { post } = await echoFloor();

    const { status, body } = await post('{"a":1}', { 'Content-Encoding': encoding });

    expect(status).toBe(400);
    expect(body.detail).toBe('The body is not packed as its Content-Encoding says.');
  });

  test.each([
    ['gzip', gzipSync(Buffer.alloc(100_000, 'a')), 'gzip'],
    ['zstd', zstdCompressSync(Buffer.alloc(100_000, 'a')), 'zstd'],
  ])('one whose %s is cut off', async (_, body, encoding) => {
    const { post } = await echoFloor();

    expect((await post(body.subarray(0, -8), { 'Content-Encoding': encoding })).status).toBe(400);
  });

  test('one that is packed in an unknown way', async () => {
    const { post } = await echoFloor();

    const { status, body } = await post('{}', { 'Content-Encoding': 'rot13' });

    expect(status).toBe(400);
    expect(body.detail).toBe('The Content-Encoding is not one of gzip, deflate, br, zstd and identity.');
  });

  test('one that stops coming, packed or not, and it is kept', async () => {
    const { url, token, refusals, store } = await echoFloor();
    const head = `POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 100\r\n`;

    await sendBytes(url, `${head}\r\n{"ci_name": "we`, 'hang up');
    const packedHead = Buffer.from(`${head}Content-Encoding: gzip\r\n\r\n`);
    await sendBytes(url, Buffer.concat([packedHead, gzipSync('{}').subarray(0, 4)]), 'hang up');

    const kept = async () => {
      await refusals.flush();
      return await store.read.selectFrom('refusals').select('detail').execute();
    };
    await expect
      .poll(kept)
      .toEqual(Array(2).fill({ detail: 'The body ended before it was whole; nothing was taken.' }));
  });
});

describe('a body of more than http.body_limit_mb is refused with 413,', () => {
  const limit = { body_limit_mb: 0.5 };
  const large = Buffer.from(JSON.stringify('x'.repeat(600_000)));
  const problem = {
    status: 413,
    body: {
      type: '/problems/too_large',
      title: 'Content Too Large',
      status: 413,
      detail: 'The body is larger than 0.5 MiB unpacked. Send it in parts, or raise http.body_limit_mb.',
    },
  };

  test.each([
    ['as it is', large, {}],
    ['in pieces', large, { 'Transfer-Encoding': 'chunked' }],
    ['packed small', gzipSync(large), { 'Content-Encoding': 'gzip' }],
    ['packed to burst', gzipSync(Buffer.alloc(200_000_000)), { 'Content-Encoding': 'gzip' }],
    ['packed to burst with zstd', zstdCompressSync(Buffer.alloc(200_000_000)), { 'Content-Encoding': 'zstd' }],
  ])('%s', async (_, body, headers: Record<string, string>) => {
    const { post } = await echoFloor(limit);

    expect(await post(body, headers)).toEqual(problem);
  });

  test('and one just below it is taken, however little its packing saves', async () => {
    const { post } = await echoFloor(limit);
    const body = JSON.stringify('x'.repeat(524_286));

    expect((await post(body)).status).toBe(200);
    expect((await post(gzipSync(body, { level: 0 }), { 'Content-Encoding': 'gzip' })).status).toBe(200);
  });
});

describe('the body of a caller without a good token is not read:', () => {
  test('one of 30 MB gets its answer all the same', async () => {
    const { url } = await echoFloor();

    const { status } = await send(url, {
      method: 'POST',
      path: '/api/v1/echo',
      headers: { Authorization: 'Bearer wrong' },
      body: Buffer.alloc(30_000_000, 'x'),
    });

    expect(status).toBe(401);
  });

  test('the answer comes before the body does', async () => {
    const { url } = await echoFloor();
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);

    socket.write('POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n{');
    const answer = await new Promise<string>((resolve) => socket.once('data', (part) => resolve(part.toString())));
    socket.destroy();

    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });

  test.each([
    ['is not asked for', 'wrong', /^HTTP\/1\.1 401 /],
    ['is asked for with a good one', undefined, /^HTTP\/1\.1 100 Continue/],
  ])('one that is offered %s', async (_, given, first) => {
    const { url, token } = await echoFloor();
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);

    socket.write(
      `POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${given ?? token}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
    );
    const answer = await new Promise<string>((resolve) => socket.once('data', (part) => resolve(part.toString())));
    socket.destroy();

    expect(answer).toMatch(first);
  });

  test('the connection serves the next request after a refused body', async () => {
    const { url, token } = await echoFloor();
    const refused = `POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${' '.repeat(100_000)}`;
    const good = `POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`;

    const answers = await sendBytes(url, refused + good);

    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200']);
  });
});

test('a call that takes no body does not mind one', async () => {
  const { url, adminToken, call } = await startService();
  await call('POST', '/ci', item);

  const { status } = await send(url, {
    path: '/api/v1/ci/nas-1',
    headers: { Authorization: `Bearer ${adminToken}`, 'Content-Length': '7' },
    body: 'no JSON',
  });

  expect(status).toBe(200);
});

describe('what is kept of a body names no secret:', () => {
  test.each([
    ['{"ansible": {"password": "hunter2"}}', '{"ansible":{"password":"***"}}'],
    ['{"vars": {"ansible_become_pass": "hunter2", "n": null}}', '{"vars":{"ansible_become_pass":"***","n":null}}'],
    ['{"api_key": ["hunter2"], "monkey": "see"}', '{"api_key":"***","monkey":"see"}'],
    ['{"token": null}', '{"token":null}'],
    ['{"password": "hun\\"ter2", "disk_gb": 32G}', '{"password": "***", "disk_gb": 32G}'],
    ['{"password": "hunter2', '{"password": "***"'],
    ['{"secrets": {"a": "hunter2"}, "disk_gb": 32G}', '{"secrets": "***", "disk_gb": 32G}'],
    ['{"tokens": ["hunter2", "hunter3"], "disk_gb": 32G}', '{"tokens": "***", "disk_gb": 32G}'],
    ["{'db_password': 'hunter2'}", '{\'db_password\': "***"}'],
    ['user=a&password=hunter2&x=1', 'user=a&password="***"&x=1'],
  ])('%s', (sent, kept) => {
    expect(redactedBody(Buffer.from(sent))).toBe(kept);
  });

  test.each([
    ['a word without end', 'pass'.repeat(16_000)],
    ['backslashes', `{"password": "${'\\'.repeat(60_000)}`],
    ['blanks', `password${' '.repeat(60_000)}`],
  ])('%s is no work', (_, sent) => {
    expect(redactedBody(Buffer.from(sent))).toBeTypeOf('string');
  });

  test('a long one is cut, and its end is not read for it', () => {
    const kept = redactedBody(Buffer.from(`{"password": "hunter2", "a": "${'x'.repeat(200_000)}"}`));

    expect(kept).toHaveLength(4097);
    expect(kept).not.toContain('hunter2');
  });
});
