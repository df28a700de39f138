import { describe, expect, test } from 'vitest';
import { openPeer, startPeer, startTcp, withoutBackOff } from './peer.ts';

describe('the limit of an attempt', () => {
  test('ends one that gets no answer', async () => {
    const { address } = await startPeer(() => undefined);
    const { call } = openPeer({ addresses: [address] }, { attempts: 1, totalMs: 100 });

    expect(await call()).toMatchObject({ kind: 'timeout', message: expect.stringContaining('0.1 s') as string });
  });

  test('covers the body, however steadily it drips', async () => {
    const { address } = await startPeer((_, response) => {
      const drip = setInterval(() => response.write('x'), 10);
      response.once('close', () => clearInterval(drip));
    });
    const { call } = openPeer({ addresses: [address] }, { attempts: 1 });

    expect(await call({ totalMs: 150 })).toMatchObject({ kind: 'timeout' });
  });

  test('is another than that of a connection, which covers TLS', async () => {
    const port = await startTcp(() => undefined);
    const { call } = openPeer({ addresses: [`https://127.0.0.1:${port}`] }, { attempts: 1, connectMs: 100 });

    expect(await call()).toMatchObject({ kind: 'timeout', code: 'ETIMEDOUT' });
  });
});

describe('repeated', () => {
  const hangUp = () => startPeer((request) => void request.socket.destroy());

  test('is what was lost, as often as it may be', async () => {
    withoutBackOff();
    const { address, asked } = await hangUp();
    const { call, outcomes } = openPeer({ addresses: [address] }, { attempts: 3 });

    expect(await call()).toMatchObject({ kind: 'network' });
    expect(asked).toHaveLength(3);
    expect(outcomes).toEqual(['network', 'network', 'network']);
  });

  test('is what came too late', async () => {
    withoutBackOff();
    let round = 0;
    const { address } = await startPeer((_, response) => {
      round += 1;
      if (round > 1) response.end('late');
    });
    const { call, outcomes } = openPeer({ addresses: [address] }, { totalMs: 300, attempts: 50 });

    expect(await call()).toBe('late');
    expect(outcomes.at(0)).toBe('timeout');
  });

  test.each(['POST', 'PATCH', 'PUT', 'DELETE'] as const)('is no %s', async (method) => {
    withoutBackOff();
    const { address, asked } = await hangUp();
    const { call } = openPeer({ addresses: [address, address] });

    expect(await call({ method })).toMatchObject({ kind: 'network' });
    expect(asked).toEqual([`${method} /`]);
  });

  test('is a POST that does no harm, and no GET that does', async () => {
    withoutBackOff();
    const { address, asked } = await hangUp();
    const { call } = openPeer({ addresses: [address] }, { attempts: 2 });

    await call({ method: 'POST', mayRepeat: true });
    await call({ mayRepeat: false });

    expect(asked).toEqual(['POST /', 'POST /', 'GET /']);
  });

  test.each([401, 429, 500, 503])('is no answer, even %i', async (status) => {
    const { address, asked } = await startPeer((_, response) => void response.writeHead(status).end());
    const { call } = openPeer({ addresses: [address] });

    await call();

    expect(asked).toHaveLength(1);
  });
});

describe('at once', () => {
  test('are so many calls and connections as may be, over all addresses', async () => {
    let now = 0;
    let most = 0;
    const { address, connections } = await startPeer((_, response) => {
      now += 1;
      most = Math.max(most, now);
      setImmediate(() => {
        now -= 1;
        response.end();
      });
    });
    const { call } = openPeer({ addresses: [address] }, { atOnce: 3 });

    await Promise.all(Array.from({ length: 30 }, () => call()));

    expect(Math.max(most, connections())).toBeLessThanOrEqual(3);
  });

  test('what waits for its turn ends with its signal, and is never sent', async () => {
    const first = Promise.withResolvers<void>();
    const { address, asked } = await startPeer((_, response) => void first.promise.then(() => response.end('done')));
    const { call, outbound } = openPeer({ addresses: [address] }, { atOnce: 1 });
    const enough = new AbortController();

    const one = call({ path: '/one' });
    const two = outbound.call({ path: '/two', signal: enough.signal });
    enough.abort(new Error('enough'));

    await expect(two).rejects.toThrow('enough');
    first.resolve();
    expect(await one).toBe('done');
    expect(await call({ path: '/three' })).toBe('done');
    expect(asked).toEqual(['GET /one', 'GET /three']);
  });
});

describe('the signal of a caller', () => {
  test('ends what is under way, which is neither repeated nor counted as trouble', async () => {
    const enough = new AbortController();
    const { address, asked } = await startPeer(() => enough.abort(new Error('enough')));
    const { outbound, outcomes } = openPeer({ addresses: [address] });

    await expect(outbound.call({ path: '/', signal: enough.signal })).rejects.toThrow('enough');
    await expect.poll(() => outcomes).toEqual(['cancelled']);
    expect(asked).toHaveLength(1);
    expect(outbound.state()).toMatchObject({ state: 'not_asked' });
  });

  test('ends the wait before a repetition', async () => {
    const { address } = await startPeer((request) => void request.socket.destroy());
    const { outbound, outcomes } = openPeer({ addresses: [address] });
    const enough = new AbortController();
    const call = outbound.call({ path: '/', signal: enough.signal });
    await expect.poll(() => outcomes).toContain('network');

    enough.abort(new Error('enough'));

    await expect(call).rejects.toThrow('enough');
  });

  test('that came before keeps the call from being sent', async () => {
    const { address, asked } = await startPeer((_, response) => void response.end());
    const { outbound } = openPeer({ addresses: [address] });

    await expect(outbound.call({ path: '/', signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
    expect(asked).toEqual([]);
  });
});

test('closing ends what is under way, and nothing is sent after', async () => {
  const arrived = Promise.withResolvers<void>();
  const { address, asked } = await startPeer(() => arrived.resolve());
  const { outbound, call, turns } = openPeer(
    { addresses: [address] },
    { breaker: { failures: 1, withinMs: 1000, openMs: 1000 } },
  );
  const under = call();
  await arrived.promise;

  await outbound.close();

  expect(await under).toMatchObject({ kind: 'network', message: expect.stringContaining('Rollcall stops') as string });
  expect(await call()).toMatchObject({ kind: 'network' });
  expect([asked.length, turns]).toEqual([1, []]);
});
