import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { kindOfStatus } from '../../src/outbound/error.ts';
import { openPeer, startPeer, startTcp } from './peer.ts';

test('an answer comes whole: status, its text, headers, body, and who gave it', async () => {
  const { address } = await startPeer((_, response) => {
    response.writeHead(595, 'No route to host', { 'X-One': 'a' });
    response.end('{"data":null}');
  });
  const { outbound } = openPeer({ addresses: [address] });

  const { headers, ...answer } = await outbound.call({ path: '/version' });

  expect(answer).toEqual({ status: 595, statusText: 'No route to host', body: '{"data":null}', address });
  expect([headers.get('X-ONE'), headers.get('x-two')]).toEqual(['a', null]);
});

test('method, headers and body arrive as they were given', async () => {
  const { address } = await startPeer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.once('end', () =>
      response.end(`${request.method} ${request.url} ${request.headers.authorization} ${body}`),
    );
  });
  const { call } = openPeer({ addresses: [address] });

  const got = await call({ method: 'PUT', path: '/a?b=c', headers: { Authorization: 'Bearer x' }, body: 'ü' });

  expect(got).toBe('PUT /a?b=c Bearer x ü');
});

test('a redirect is handed back, and not followed', async () => {
  const { address, asked } = await startPeer((_, response) => {
    response.writeHead(301, { Location: 'https://elsewhere.example.org/' });
    response.end();
  });
  const { outbound } = openPeer({ addresses: [address] });

  const { status, headers } = await outbound.call({ path: '/' });

  expect([status, headers.get('location'), asked]).toEqual([301, 'https://elsewhere.example.org/', ['GET /']]);
});

test('connections are kept for calls that follow', async () => {
  const { address, connections } = await startPeer((_, response) => void response.end());
  const { call } = openPeer({ addresses: [address] });

  for (let round = 0; round < 10; round++) await call();

  // One is not taken up again in the moment in which its answer ended.
  expect(connections()).toBeLessThanOrEqual(2);
});

describe('a packed answer', () => {
  const packed = gzipSync('{"data":[]}');
  const answer = async (body: Buffer, encoding = 'gzip', maxBytes = 1000) => {
    const { address } = await startPeer((_, response) => {
      response.writeHead(200, { 'Content-Encoding': encoding, 'Content-Length': body.length });
      response.end(body);
    });
    return await openPeer({ addresses: [address] }, { attempts: 1, maxBytes }).call();
  };

  test('is unpacked', async () => {
    expect(await answer(packed)).toBe('{"data":[]}');
  });

  test('that is cut short inside is no answer', async () => {
    expect(await answer(packed.subarray(0, -6))).toMatchObject({ kind: 'network' });
  });

  test('counts as large as it is unpacked', async () => {
    expect(await answer(gzipSync('x'.repeat(5000)))).toMatchObject({ kind: 'protocol' });
  });

  test('of a packing that was not asked for is refused', async () => {
    expect(await answer(packed, 'br')).toMatchObject({ kind: 'protocol' });
  });
});

test.each([
  ['with its length told', { 'Content-Length': '5000' }],
  ['in chunks', {}],
])('an answer that is too large %s is not read to its end', async (_, headers) => {
  const { address } = await startPeer((_request, response) => {
    response.writeHead(200, headers);
    response.end('x'.repeat(5000));
  });
  const { call } = openPeer({ addresses: [address] }, { maxBytes: 4999 });

  expect(await call()).toMatchObject({ kind: 'protocol', message: expect.stringContaining('4999 bytes') as string });
});

describe('a connection that is lost before the end of the answer is an error, never a short body:', () => {
  const ok = 'HTTP/1.1 200 OK\r\n';
  test.each([
    ['before anything', ''],
    ['in the headers', `${ok}Content-Le`],
    ['in a body of known length', `${ok}Content-Length: 10\r\n\r\n{"data"`],
    ['in a body of known length that is the last', `${ok}Connection: close\r\nContent-Length: 10\r\n\r\n{"data"`],
    ['in chunks', `${ok}Transfer-Encoding: chunked\r\n\r\n7\r\n{"data"\r\n`],
    ['in chunks that are the last', `${ok}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"data"\r\n`],
    ['in a chunk', `${ok}Transfer-Encoding: chunked\r\n\r\n7\r\n{"da`],
  ])('%s', async (_, bytes) => {
    for (const loss of ['end', 'reset'] as const) {
      const port = await startTcp((socket) => {
        socket.once('data', () => {
          socket.write(bytes, () => (loss === 'end' ? socket.end() : socket.resetAndDestroy()));
        });
      });
      const { call } = openPeer({ addresses: [`http://127.0.0.1:${port}`] }, { attempts: 1 });

      expect(await call()).toMatchObject({ kind: 'network', peer: 'pve' });
    }
  });
});

test('what is not HTTP is said to be none', async () => {
  const port = await startTcp((socket) => socket.end('SSH-2.0-OpenSSH_10.0\r\n'));
  const { call } = openPeer({ addresses: [`http://127.0.0.1:${port}`] });

  expect(await call()).toMatchObject({ kind: 'protocol', message: expect.stringContaining('not HTTP') as string });
});

test.each([
  [200, undefined],
  [204, undefined],
  [301, 'protocol'],
  [304, undefined],
  [400, 'invalid'],
  [401, 'auth'],
  [403, 'permission'],
  [404, 'not_found'],
  [408, 'timeout'],
  [409, 'invalid'],
  [410, 'not_found'],
  [422, 'invalid'],
  [429, 'rate_limited'],
  [500, 'server'],
  [503, 'server'],
  [599, 'server'],
])('status %i is %s', (status, kind) => {
  expect(kindOfStatus(status)).toBe(kind);
});

test('an error and the log hold neither headers, bodies nor what follows the ? of a path', async () => {
  const port = await startTcp((socket) =>
    socket.end('HTTP/1.1 200 OK\r\nX-Secret: hunter2\r\nbroken hunter2\r\n\r\nhunter2'),
  );
  const { call, lines } = openPeer(
    { addresses: [`http://127.0.0.1:${port}`] },
    { breaker: { failures: 1, withinMs: 1000, openMs: 1000 } },
  );

  const wrong = await call({ path: '/a?token=hunter2', headers: { Authorization: 'hunter2' } });
  const unsent = await call({ headers: { Authorization: 'hunter2\nx' } });

  expect([wrong, unsent]).toMatchObject([{ kind: 'protocol' }, { kind: 'invalid' }]);
  for (const error of [wrong, unsent] as Error[])
    expect(`${error.stack}${JSON.stringify(error)}${String(error.cause)}${lines.join('')}`).not.toContain('hunter2');
});
