import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { openPeer, pairOf, startPeer, startTcp, startTlsPeer } from './peer.ts';

const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere';

/** Takes connections, and tells which of them are open. */
async function startCounted(take: (socket: Socket, number: number) => void = () => undefined) {
  const open = new Set<Socket>();
  let taken = 0;
  const port = await startTcp((socket) => {
    taken += 1;
    open.add(socket.once('close', () => open.delete(socket)).resume());
    take(socket, taken);
  });
  return { port, address: `http://127.0.0.1:${port}`, open, taken: () => taken };
}

describe('a kept connection', () => {
  test('that its peer closes as the next call is sent is no trouble: the call is made again', async () => {
    const { address } = await startCounted((socket, number) => {
      let asked = 0;
      socket.on('data', () => {
        asked += 1;
        if (number === 1 && asked === 2) socket.resetAndDestroy();
        else socket.write(whole);
      });
    });
    const { call, outbound, outcomes, turns } = openPeer(
      { addresses: [address] },
      { breaker: { failures: 1, withinMs: 60_000, openMs: 60_000 } },
    );

    expect([await call(), await call()]).toEqual(['here', 'here']);
    expect([outcomes, turns]).toEqual([['ok', 'network', 'ok'], ['up']]);
    expect(outbound.state()).toMatchObject({ state: 'up' });
  });

  test('that its peer closed is not taken up, so that a call that must not arrive twice arrives', async () => {
    const { address, open, taken } = await startCounted((socket) => {
      socket.once('data', () => socket.end(whole));
    });
    const { call } = openPeer({ addresses: [address] });

    expect(await call({ method: 'POST' })).toBe('here');
    await expect.poll(() => open.size).toBe(0);
    expect(await call({ method: 'POST' })).toBe('here');
    expect(taken()).toBe(2);
  });

  test('is taken up by TLS too, and no more are opened than calls are made at once', async () => {
    const { address, connections } = await startTlsPeer((_, response) => void response.end('here'));
    const { call } = openPeer({ addresses: [address], ca: pairOf(1).cert }, { atOnce: 3 });

    for (let round = 0; round < 5; round++)
      await Promise.all(Array.from({ length: 9 }, () => call({ method: 'POST' })));

    expect(connections()).toBeLessThanOrEqual(3);
  });

  test('is closed when it was idle for its time', async () => {
    const { address, open } = await startCounted((socket) => void socket.on('data', () => socket.write(whole)));
    const { call } = openPeer({ addresses: [address] }, { keepAliveMs: 20 });

    expect(await call()).toBe('here');

    await expect.poll(() => open.size).toBe(0);
  });

  test('to one address does not hold up a call to another', async () => {
    let isBroken = false;
    const first = await startPeer((request, response) => {
      if (isBroken) request.socket.destroy();
      else response.end('first');
    });
    const second = await startPeer((_, response) => void response.end('second'));
    const { call } = openPeer({ addresses: [first.address, second.address] }, { atOnce: 2, keepAliveMs: 60_000 });
    await Promise.all([call(), call()]);
    isBroken = true;

    expect([await call(), ...(await Promise.all([call(), call()]))]).toEqual(['second', 'second', 'second']);
  });
});

describe('no connection is left open', () => {
  test.each(['http', 'https'])('of a call by %s whose caller had enough', async (scheme) => {
    const { port, open } = await startCounted();
    const { outbound } = openPeer({ addresses: [`${scheme}://127.0.0.1:${port}`] });
    const enough = new AbortController();
    const call = outbound.call({ path: '/', signal: enough.signal });
    await expect.poll(() => open.size).toBe(1);

    enough.abort(new Error('enough'));

    await expect(call).rejects.toThrow('enough');
    await expect.poll(() => open.size).toBe(0);
  });

  test.each(['http', 'https'])('of a call by %s that took too long', async (scheme) => {
    const { port, open } = await startCounted();
    const { call } = openPeer({ addresses: [`${scheme}://127.0.0.1:${port}`] }, { attempts: 1, totalMs: 50 });

    expect(await call()).toMatchObject({ kind: 'timeout', message: expect.stringContaining('0.05 s') as string });
    await expect.poll(() => open.size).toBe(0);
  });

  test('of an answer that was too large', async () => {
    const { address, open } = await startCounted((socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(100)}`));
    });
    const { call } = openPeer({ addresses: [address] }, { maxBytes: 50 });

    expect(await call()).toMatchObject({ kind: 'protocol' });
    await expect.poll(() => open.size).toBe(0);
  });

  test('of an answer that came before all of the call was sent', async () => {
    let peer: Socket | undefined;
    const { address, open } = await startCounted((socket) => {
      socket.once('data', () => socket.pause().write(whole));
      peer = socket;
    });
    const { call } = openPeer({ addresses: [address] });

    expect(await call({ method: 'POST', body: 'x'.repeat(20_000_000) })).toBe('here');

    peer?.resume();
    await expect.poll(() => open.size).toBe(0);
  });

  test('after all is closed, whether idle, under way or not standing yet', async () => {
    const idle = await startCounted((socket) => void socket.on('data', () => socket.write(whole)));
    const silent = await startCounted();
    const peers = [idle.address, silent.address, `https://127.0.0.1:${silent.port}`].map((address) =>
      openPeer({ addresses: [address] }),
    );
    const [first, ...others] = peers;
    await first?.call();
    const under = others.map(({ call }) => call());
    await expect.poll(() => [idle.open.size, silent.open.size]).toEqual([1, 2]);

    await Promise.all(peers.map(({ outbound }) => outbound.close()));

    expect(await Promise.all(under)).toMatchObject([{ kind: 'network' }, { kind: 'network' }]);
    await expect.poll(() => [idle.open.size, silent.open.size]).toEqual([0, 0]);
  });
});

test('an answer that ends with its connection is no answer where that was reset', async () => {
  const { address } = await startCounted((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n{"da', () => socket.resetAndDestroy()));
  });
  const { call } = openPeer({ addresses: [address] }, { attempts: 1 });

  expect(await call()).toMatchObject({ kind: 'network' });
});

test('an answer in another protocol is none', async () => {
  const { address } = await startCounted((socket) => {
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    );
  });
  const { call } = openPeer({ addresses: [address] }, { attempts: 1 });

  expect(await call()).toMatchObject({ kind: 'network' });
});

test('what a DELETE carries arrives', async () => {
  const { address } = await startPeer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.once('end', () => response.end(body));
  });
  const { call } = openPeer({ addresses: [address] });

  expect(await call({ method: 'DELETE', body: 'ü' })).toBe('ü');
});

test('the text of a status is read as UTF-8, and a header that came twice whole', async () => {
  const { address } = await startCounted((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 500 nö\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n'));
  });
  const { outbound } = openPeer({ addresses: [address] });

  const { statusText, headers } = await outbound.call({ path: '/' });

  expect([statusText, headers.get('X-a')]).toEqual(['nö', '1, 2']);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'where another certificate is pinned, not a byte follows %s',
  async (version) => {
    const { server, address } = await startTlsPeer((_, response) => void response.end());
    server.setSecureContext({ ...pairOf(1), maxVersion: version, minVersion: version });
    const { call } = openPeer({ addresses: [address], fingerprint: '00'.repeat(32) });
    const closed = once(server, 'connection').then(async ([socket]) => await once(socket as Socket, 'close'));
    const agreed: Socket[] = [];
    server.on('secureConnection', (socket) => agreed.push(socket));

    expect(await call({ method: 'POST', body: 'secret' })).toMatchObject({ kind: 'tls' });

    await closed;
    expect(agreed.map(({ bytesRead }) => bytesRead)).toEqual(version === 'TLSv1.2' ? [0] : []);
  },
);

test('a peer is known again by its authority where a session of TLS is taken up', async () => {
  const { server, address } = await startTlsPeer((_, response) => {
    response.writeHead(200, { Connection: 'close' });
    response.end('here');
  });
  const resumed: boolean[] = [];
  server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
  const trusting = openPeer({ addresses: [address], ca: pairOf(1).cert });
  const pinning = openPeer({ addresses: [address], fingerprint: new X509Certificate(pairOf(1).cert).fingerprint256 });

  for (const { call } of [trusting, trusting, pinning, pinning]) expect(await call()).toBe('here');

  expect(resumed).toEqual([false, true, false, false]);
});
