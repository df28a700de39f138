import type { RequestListener } from 'node:http';
import { describe, expect, test } from 'vitest';
import { openPeer, startPeer } from './peer.ts';

const limits = (breaker: { failures?: number; withinMs?: number; openMs?: number }) => ({
  attempts: 1,
  breaker: { failures: 3, withinMs: 600_000, openMs: 600_000, ...breaker },
});

/** A peer that answers what the test says last. */
async function changeable() {
  let answer: RequestListener = (request) => void request.socket.destroy();
  const peer = await startPeer((request, response) => answer(request, response));
  return {
    ...peer,
    is: (state: 'lost' | number) => {
      answer = (request, response) => {
        if (state === 'lost') request.socket.destroy();
        else response.writeHead(state).end();
      };
    },
  };
}

test('a peer that fails again and again is left alone, and calls say until when and why', async () => {
  const { address, asked } = await changeable();
  const { call, outbound, turns, lines } = openPeer({ addresses: [address] }, limits({}));
  for (let round = 0; round < 3; round++) await call();

  const refused = await call();

  expect(refused).toMatchObject({
    kind: 'network',
    message: expect.stringMatching(/^pve is not asked until 2026-03-02T10:10:00\.000Z.*connection was lost/) as string,
  });
  expect([asked.length, turns]).toEqual([3, ['down']]);
  expect(outbound.state()).toMatchObject({ state: 'down', until: '2026-03-02T10:10:00.000Z' });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ level: 'warn', peer: 'pve' }]);
});

test('then one call decides: what fails leaves it alone again, what is answered lets all through', async () => {
  const { address, asked, is } = await changeable();
  const { call, outbound, turns } = openPeer({ addresses: [address] }, limits({ openMs: 0 }));
  for (let round = 0; round < 3; round++) await call();

  await call();
  expect([asked.length, turns]).toEqual([4, ['down', 'down']]);
  is(200);
  await call();

  expect(turns).toEqual(['down', 'down', 'up']);
  expect(outbound.state()).toMatchObject({ state: 'up', until: null });
});

test('that one call is no proof if its caller had enough', async () => {
  const { address, is } = await changeable();
  const { call, outbound } = openPeer({ addresses: [address] }, limits({ openMs: 0 }));
  for (let round = 0; round < 3; round++) await call();
  is(200);

  const enough = new AbortController();
  const trial = outbound.call({ path: '/', signal: enough.signal });
  enough.abort(new Error('enough'));

  await expect(trial).rejects.toThrow('enough');
  expect(outbound.state()).toMatchObject({ state: 'down' });
});

describe('a peer is not down', () => {
  test('that answers in between', async () => {
    const { address, is } = await changeable();
    const { call, outbound, turns } = openPeer({ addresses: [address] }, limits({}));

    for (const state of ['lost', 'lost', 200, 'lost', 'lost'] as const) {
      is(state);
      await call();
    }

    expect([outbound.state().state, turns]).toEqual(['failing', ['up']]);
  });

  test('that failed long ago', async () => {
    const { address } = await changeable();
    const { call, outbound } = openPeer({ addresses: [address] }, limits({ withinMs: 0 }));

    for (let round = 0; round < 5; round++) await call();

    expect(outbound.state()).toMatchObject({ state: 'failing' });
  });

  test('that refuses us', async () => {
    const { address, is } = await changeable();
    const { call, outbound } = openPeer({ addresses: [address] }, limits({}));
    is(403);

    for (let round = 0; round < 5; round++) await call();

    expect(outbound.state()).toMatchObject({ state: 'up' });
  });

  test('whose 500 says something else, by the word of the caller', async () => {
    const { address, is } = await changeable();
    const { call, outbound } = openPeer({ addresses: [address] }, limits({}));
    is(500);

    for (let round = 0; round < 5; round++) await call({ isOutage: ({ status }) => status === 503 });

    expect(outbound.state()).toMatchObject({ state: 'up' });
  });
});

test('a peer is down that answers 5xx; the answers are handed over all the same', async () => {
  const { address, is } = await changeable();
  const { call, outbound, turns } = openPeer({ addresses: [address] }, limits({}));
  is(503);

  const answers = [await call(), await call(), await call()];

  expect(answers).toEqual(['', '', '']);
  expect([outbound.state().state, turns]).toEqual(['down', ['down']]);
  expect(await call()).toMatchObject({ kind: 'server', message: expect.stringContaining('answered 503') as string });
});

test('an attempt is no call: one that a repetition mends does not count', async () => {
  let round = 0;
  const { address } = await startPeer((request, response) => {
    round += 1;
    if (round % 2 === 1) request.socket.destroy();
    else response.end('here');
  });
  const { call, turns } = openPeer({ addresses: [address, address] }, limits({ failures: 1 }));

  expect([await call(), await call()]).toEqual(['here', 'here']);
  expect(turns).toEqual(['up']);
});
