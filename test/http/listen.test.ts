import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Type } from 'typebox';
import { describe, expect, onTestFinished, test } from 'vitest';
import { endpoint } from '../../src/http/endpoint.ts';
import { addressOf, isLoopback, listen } from '../../src/http/listen.ts';
import type { HttpSettings } from '../../src/http/settings.ts';
import { openLog } from '../../src/log.ts';
import { startService, temporaryFolder } from '../service.ts';
import { openFloor, usual } from './floor.ts';
import { send } from './send.ts';

const log = openLog('silent', 'json');
const certificates = [1, 2].map((number) => {
  const read = (name: string) => readFileSync(new URL(`./tls/${name}-${number}.pem`, import.meta.url), 'utf8');
  return { cert: read('cert'), key: read('key') };
}) as [Pair, Pair];

interface Pair {
  cert: string;
  key: string;
}

function filesWith(pair: Pair): { cert: string; key: string } {
  const folder = temporaryFolder();
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, pair.cert);
  writeFileSync(files.key, pair.key);
  return files;
}

/** Listens with a program that says hello, for as long as the test runs. */
async function listenAs(settings: Partial<HttpSettings>) {
  const listening = await listen((_request, response) => void response.end('hello'), { ...usual, ...settings }, log);
  onTestFinished(() => listening.close(0));
  return listening;
}

describe('http.listen', () => {
  test.each([
    ['127.0.0.1:7373', { host: '127.0.0.1', port: 7373 }],
    ['[::1]:7373', { host: '::1', port: 7373 }],
    ['::1:7373', { host: '::1', port: 7373 }],
    ['localhost:80', { host: 'localhost', port: 80 }],
    ['7373', { host: '127.0.0.1', port: 7373 }],
    ['0.0.0.0:7373', { host: '0.0.0.0', port: 7373 }],
  ])('%s is an address and a port', (text, parts) => {
    expect(addressOf(text)).toEqual(parts);
  });

  test.each([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['127.0.0.1.example.org', false],
  ])('%s is on this machine alone: %s', (host, is) => {
    expect(isLoopback(host)).toBe(is);
  });

  const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

  test.each<[address: string, url: RegExp]>([
    ...(hasIpv6 ? ([['[::1]:0', /^http:\/\/\[::1\]:\d+$/]] as [string, RegExp][]) : []),
    ['127.0.0.1:0', /^http:\/\/127\.0\.0\.1:\d+$/],
    ['localhost:0', /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/],
    ['0', /^http:\/\/127\.0\.0\.1:\d+$/],
  ])('%s is answered on', async (address, url) => {
    const listening = await listenAs({ listen: address });

    expect(listening.url).toMatch(url);
    expect((await send(listening.url, {})).text).toBe('hello');
  });

  test('a port that is taken, or is none, is a sentence that says what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const address = `127.0.0.1:${(other.address() as AddressInfo).port}`;

    await expect(listenAs({ listen: address })).rejects.toThrow(
      `${address} is taken by another program. Stop it, or choose another address with http.listen or ROLLCALL_LISTEN.`,
    );
    await expect(listenAs({ listen: '127.0.0.1:70000' })).rejects.toThrow('70000 is no port; ports go up to 65535.');
    await expect(listenAs({ listen: '192.0.2.1:0', allow_plaintext: true })).rejects.toThrow(
      '192.0.2.1:0 is not an address of this machine.',
    );
  });

  test('beyond this machine it needs TLS, or a word that plaintext is meant', async () => {
    await expect(listenAs({ listen: '0.0.0.0:0' })).rejects.toThrow(
      'http.listen is 0.0.0.0:0, which others can reach, without TLS: tokens would cross the network in the clear.',
    );
    await expect(listenAs({ listen: '[::]:0' })).rejects.toThrow('without TLS');

    const { url } = await listenAs({ listen: '0.0.0.0:0', allow_plaintext: true });

    expect((await send(url, {})).text).toBe('hello');
  });
});

describe('with TLS', () => {
  /** The name in the certificate that a new connection is shown. */
  async function shownBy(url: string): Promise<unknown> {
    const { hostname, port } = new URL(url);
    return await new Promise((resolve, reject) => {
      const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().subject.CN);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  }

  test('the service answers over HTTPS, and tells browsers to stay with it', async () => {
    const [pair] = certificates;
    const { url } = await startService({ settings: { http: { tls: filesWith(pair) } } });

    const { status, headers } = await send(url, { path: '/healthz', ca: pair.cert });

    expect(url).toMatch(/^https:/);
    expect(status).toBe(200);
    expect(headers['strict-transport-security']).toContain('max-age=');
  });

  test('a renewed certificate is shown without a restart, and half of a pair changes nothing', async () => {
    const [former, renewed] = certificates;
    const files = filesWith(former);
    const { url } = await listenAs({ tls: files });
    const before = await shownBy(url);

    writeFileSync(files.cert, renewed.cert);
    writeFileSync(files.key, renewed.key);

    expect(before).toBe('rollcall-1');
    await expect.poll(() => shownBy(url), { timeout: 20_000, interval: 200 }).toBe('rollcall-2');
  });

  test.each([
    ['that is not there', { cert: '/nowhere/cert.pem', key: '/nowhere/key.pem' }, /^http\.tls: ENOENT.*cert\.pem/],
    [
      'that is none',
      { cert: import.meta.filename, key: import.meta.filename },
      /are not a certificate and its key in PEM/,
    ],
  ])('a certificate %s is a sentence that says so', async (_, tls, sentence) => {
    await expect(listenAs({ tls })).rejects.toThrow(sentence);
  });
});

describe('when it stops', () => {
  /** Answers when it is let. */
  async function slowFloor() {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const slow = endpoint({
      method: 'GET',
      path: '/slow',
      scope: null,
      tag: 'test',
      summary: 'Takes its time',
      answers: { 200: Type.Unknown() },
      async handle() {
        begun.resolve();
        await gate.promise;
        return [200, 'done'];
      },
    });
    return { ...(await openFloor([slow])), gate, begun };
  }

  test('what is under way is answered, and its connection is not kept', async () => {
    const { url, close, gate, begun } = await slowFloor();
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const answer = new Promise<string>((resolve, reject) => {
      get(`${url}/api/v1/slow`, { agent }, (response) => {
        response.resume();
        response.on('end', () => resolve(`${response.statusCode} ${response.headers.connection}`));
      }).on('error', reject);
    });
    await begun.promise;

    const closed = close(60_000);
    gate.resolve();

    expect(await answer).toBe('200 close');
    await closed;
    await expect(send(url, { path: '/healthz' })).rejects.toThrow('ECONNREFUSED');
  });

  test('a connection that says nothing does not hold it up', async () => {
    const { url, close } = await slowFloor();
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    await new Promise<void>((resolve, reject) => {
      get(`${url}/nothing`, { agent }, (response) => response.resume().on('end', resolve)).on('error', reject);
    });

    await close(60_000);

    await expect(send(url, { path: '/healthz' })).rejects.toThrow('ECONNREFUSED');
  });

  test.each([['plain'], ['TLS']])(
    'a connection that has not said anything yet does not hold it up: %s',
    async (kind) => {
      const [pair] = certificates;
      const listening = await listenAs(kind === 'TLS' ? { tls: filesWith(pair) } : {});
      const { hostname, port } = new URL(listening.url);
      const socket =
        kind === 'TLS'
          ? connectTls({ host: hostname, port: Number(port), ca: pair.cert })
          : connect(Number(port), hostname);
      await new Promise((resolve) => socket.once(kind === 'TLS' ? 'secureConnect' : 'connect', resolve));
      // Its answer says that the connections before it were accepted as well.
      await send(listening.url, { ca: pair.cert });
      const ended = new Promise((resolve) => socket.once('close', resolve).resume());

      await listening.close(60_000);

      await ended;
    },
  );

  test('what takes longer than it may is cut off', async () => {
    const { url, close, begun } = await slowFloor();
    const answer = send(url, { path: '/api/v1/slow' }).catch((error: Error) => error.message);
    await begun.promise;

    await close(1);

    expect(await answer).toBe('socket hang up');
  });
});
