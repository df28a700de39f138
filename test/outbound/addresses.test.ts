import { describe, expect, test } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { deadAddress, openPeer, pairOf, startPeer, startTlsPeer, withoutBackOff } from './peer.ts';

test('where one address does not answer the next does, and is asked first from then on', async () => {
  const dead = await startPeer((request) => void request.socket.destroy());
  const good = await startPeer((_, response) => void response.end('here'));
  const { call, outbound } = openPeer(
    { addresses: [await deadAddress(), dead.address, good.address] },
    { attempts: 1 },
  );

  expect([await call(), await call(), await call()]).toEqual(['here', 'here', 'here']);
  expect([dead.asked.length, good.asked.length]).toEqual([1, 3]);
  expect(outbound.state()).toMatchObject({ state: 'up', answeredAt: '2026-03-02T10:00:00.000Z' });
});

test('where one hangs the next answers within the same call', async () => {
  withoutBackOff();
  const hanging = await startPeer(() => undefined);
  const good = await startPeer((_, response) => void response.end('here'));
  const { call, outcomes } = openPeer({ addresses: [hanging.address, good.address] }, { totalMs: 300, attempts: 20 });

  expect(await call()).toBe('here');
  expect(outcomes[0]).toBe('timeout');
});

test('where one is not trusted the next is asked', async () => {
  const other = await startTlsPeer((_, response) => void response.end('other'));
  other.server.setSecureContext(pairOf(2));
  const good = await startTlsPeer((_, response) => void response.end('here'));
  const { call } = openPeer({ addresses: [other.address, good.address], ca: pairOf(1).cert });

  expect(await call()).toBe('here');
  expect(other.asked).toEqual([]);
});

test('an answer is an answer, whatever it says: the next address is not asked', async () => {
  const first = await startPeer((_, response) => void response.writeHead(500).end('broken'));
  const second = await startPeer((_, response) => void response.end());
  const { call } = openPeer({ addresses: [first.address, second.address] });

  expect(await call()).toBe('broken');
  expect(second.asked).toEqual([]);
});

describe('an address is refused', () => {
  test.each([
    ['that is none', ['pve1.lan'], /must look like https:/],
    ['of another kind', ['ftp://pve1.lan'], /must look like https:/],
    ['with a password', ['https://root:hunter2@pve1.lan:8006'], /holds a user or password/],
    ['with a path', ['https://pve1.lan:8006/api2'], /what stands behind it is too much/],
    ['in the clear beyond this machine', ['http://pve1.lan:8006'], /in the clear; write https/],
    ['that is not there', [], /has no address/],
  ])('%s', (_, addresses, sentence) => {
    expect(() => openPeer({ addresses })).toThrow(sentence);
    expect(() => openPeer({ addresses })).toThrow(StartError);
    expect(() => openPeer({ addresses })).not.toThrow(/hunter2/);
  });

  test.each(['http://localhost:1', 'http://127.8.9.1:1', 'http://[::1]:1', 'https://pve1.lan:8006/'])(
    'but not %s',
    (address) => {
      expect(() => openPeer({ addresses: [address] })).not.toThrow();
    },
  );
});
