import { X509Certificate } from 'node:crypto';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openPeer, pairOf, startPeer, startTlsPeer } from './peer.ts';

const fingerprint = (number: 1 | 2) => new X509Certificate(pairOf(number).cert).fingerprint256;
const said = (...words: string[]) =>
  expect.objectContaining({
    kind: 'tls',
    message: expect.stringMatching(new RegExp(words.join('.*'))) as string,
  }) as unknown;

test('a certificate that nobody here vouches for is refused before anything is sent, with what to do', async () => {
  const { address, asked } = await startTlsPeer((_, response) => void response.end());
  const { call } = openPeer({ addresses: [address] });

  expect(await call()).toEqual(said('certificate of its own authority as ca', 'fingerprint', fingerprint(1)));
  expect(asked).toEqual([]);
});

test('no variable of the environment turns that off', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { address, asked } = await startTlsPeer((_, response) => void response.end());

  expect(await openPeer({ addresses: [address] }).call()).toMatchObject({ kind: 'tls' });
  expect(await openPeer({ addresses: [address], ca: pairOf(2).cert }).call()).toMatchObject({ kind: 'tls' });
  expect(asked).toEqual([]);
});

describe('by its authority', () => {
  test('a peer is known', async () => {
    const { address } = await startTlsPeer((_, response) => void response.end('here'));

    expect(await openPeer({ addresses: [address], ca: pairOf(1).cert }).call()).toBe('here');
  });

  test('another is refused, and its fingerprint is told', async () => {
    const { address, asked } = await startTlsPeer((_, response) => void response.end());

    const { call } = openPeer({ addresses: [address], ca: pairOf(2).cert });

    expect(await call()).toEqual(said('as ca', fingerprint(1)));
    expect(asked).toEqual([]);
  });

  test('and by its name: one under another name is refused with the names that it has', async () => {
    const { address, asked } = await startTlsPeer((_, response) => void response.end(), '127.0.0.2');

    const { call } = openPeer({ addresses: [address], ca: pairOf(1).cert });

    expect(await call()).toEqual(said('not for 127.0.0.2, but for DNS:localhost', 'fingerprint'));
    expect(asked).toEqual([]);
  });
});

describe('by its fingerprint', () => {
  test.each([
    ['as openssl writes it', fingerprint(1)],
    ['in small letters without colons', fingerprint(1).replaceAll(':', '').toLowerCase()],
  ])('a peer is known, %s', async (_, written) => {
    const { address } = await startTlsPeer((_request, response) => void response.end('here'), '127.0.0.2');

    expect(await openPeer({ addresses: [address], fingerprint: written }).call()).toBe('here');
  });

  test('another is refused before anything is sent, with what it shows and what to do', async () => {
    const { address, asked } = await startTlsPeer((_, response) => void response.end());
    const { call } = openPeer({ addresses: [address], fingerprint: fingerprint(2) });

    expect(await call()).toEqual(said(fingerprint(1), 'write the new fingerprint', 'as ca'));
    expect(asked).toEqual([]);
  });

  test('every connection is known, and not only the first', async () => {
    const { server, address, asked } = await startTlsPeer((_, response) => {
      response.writeHead(200, { Connection: 'close' });
      response.end('here');
    });
    const { call } = openPeer({ addresses: [address], fingerprint: fingerprint(1) }, { attempts: 1 });
    expect(await call()).toBe('here');

    server.setSecureContext(pairOf(2));

    expect(await call()).toEqual(said(fingerprint(2)));
    expect(asked).toHaveLength(1);
  });
});

test('a port that speaks no TLS is said to be none', async () => {
  const { address } = await startPeer((_, response) => void response.end());
  const { call } = openPeer({ addresses: [address.replace('http:', 'https:')] });

  expect(await call()).toEqual(said('Does this port speak HTTPS'));
});

describe('a peer is refused at the start', () => {
  const addresses = ['https://pve1.lan:8006'];
  test.each([
    ['that is to be known in two ways', { addresses, ca: pairOf(1).cert, fingerprint: fingerprint(1) }, /give one/],
    ['whose fingerprint is none', { addresses, fingerprint: 'AB:CD' }, /64 hexadecimal digits/],
    ['whose ca is none', { addresses, ca: '/etc/pve/pve-root-ca.pem' }, /must be certificates in PEM/],
    ['that shows no certificate', { addresses: ['http://localhost:1'], ca: pairOf(1).cert }, /shows no certificate/],
  ])('%s', (_, peer, sentence) => {
    expect(() => openPeer(peer)).toThrow(sentence);
  });
});
