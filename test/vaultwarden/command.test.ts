/** How the program is run: with what, for how long, and what nobody gets to see of it. */

import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { canary, idOf, item, key, serve, standIn, troubleOf, vaultWith } from './world.ts';

const items = [item(1, 'pve', canary), item(2, '--session', 'odd')];

test('it gets its words, the key in its environment, and nothing else of ours', async () => {
  const { bw, runs } = standIn({ items });
  const noise = {
    BW_SESSION: 'b2xk',
    BW_QUIET: 'true',
    BW_CLEANEXIT: 'true',
    NODE_OPTIONS: '--no-warnings',
    TOKEN: 'x',
  };
  const settings = { bw, data_dir: '/var/lib/bw', ca: '/etc/ca.pem' };
  const { vault } = vaultWith(settings, { env: noise });

  await vault.read(idOf(1));
  await vault.read('--session');

  expect(runs().map(({ argv }) => argv)).toEqual(
    [['sync'], ['get', 'item', '--', idOf(1)], ['list', 'items']].map((words) => [
      '--nointeraction',
      '--response',
      ...words,
    ]),
  );
  const passed = ['BITWARDENCLI_APPDATA_DIR', 'BW_SESSION', 'HOME', 'NODE_EXTRA_CA_CERTS', 'PATH'];
  // Which the flags of its own make.
  const own = ['BW_NOINTERACTION', 'BW_RESPONSE'];
  for (const run of runs()) {
    expect(run.environment.filter((name) => !own.includes(name))).toEqual(passed);
    expect(run.sessionVia).toBe('env');
  }
});

test('one runs at a time, whoever asks', async () => {
  const { bw, runs } = standIn({ items, faults: { delay_ms: 30 } });
  const { vault } = vaultWith({ bw });

  const held = await Promise.all([vault.read(idOf(1)), vault.read('pve'), vault.read(idOf(1))]);

  expect(held).toEqual([canary, canary, canary]);
  expect(runs().map(({ argv }) => argv[2])).toEqual(['sync', 'get', 'list', 'get']);
});

test('what one is told of, the next one is not kept from', async () => {
  const { bw } = standIn({ items });
  const { vault } = vaultWith({ bw });

  const results = await Promise.allSettled([vault.read('nobody'), vault.read('pve')]);

  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

describe('what does not end is ended:', () => {
  test.each(['before', 'after'])('%s it printed', async (hang) => {
    const { bw, folder } = standIn({ items, faults: { hang } });
    // Of the sync it is enough that it is late; this is time to print.
    const { vault } = vaultWith({ bw }, { limits: { one: 2000, all: 100 } });

    const { trouble, message } = await troubleOf(vault.read(idOf(1)));

    expect({ trouble, message }).toEqual({
      trouble: 'timeout',
      message: expect.stringContaining(`${bw} was not done in 2 s, and was given up.`) as string,
    });
    await allGone(folder);
  });

  test('where the job that asked is stopped', async () => {
    const { bw, folder, runs } = standIn({ items, faults: { hang: 'before' } });
    const { vault } = vaultWith({ bw });
    const stop = new AbortController();
    const reading = vault.read(idOf(1), stop.signal);
    reading.catch(() => undefined);
    await vi.waitUntil(() => runs().length > 0, { timeout: 10_000 });

    stop.abort(new Error('The job was stopped.'));

    await expect(reading).rejects.toThrow('The job was stopped.');
    await allGone(folder);
  });

  test('where the service stops', async () => {
    const { bw, folder, runs } = standIn({ items, faults: { hang: 'before' } });
    const { vault, logged } = vaultWith({ bw });
    const reading = vault.read(idOf(1));
    reading.catch(() => undefined);
    await vi.waitUntil(() => runs().length > 0, { timeout: 10_000 });

    await vault.close();

    await expect(reading).rejects.toThrow('The vault is not asked any more, for Rollcall stops.');
    await expect(vault.read(idOf(1))).rejects.toThrow('Rollcall stops');
    expect(logged).toEqual([]);
    await allGone(folder);
  });

  test('a server that hangs makes it late, and the local copy is read', async () => {
    const { bw } = standIn({ items, faults: { sync: 'hang' } });
    const { vault, logged } = vaultWith({ bw }, { limits: { all: 400 } });

    expect(await vault.read(idOf(1))).toBe(canary);
    expect(logged.join('')).toContain('was not done in 0.4 s');
    expect((await troubleOf(vault.listItems())).trouble).toBe('timeout');
  });

  test('bw serve that keeps us waiting', async () => {
    const made = standIn({ items });
    const address = await serve(made);
    const { vault } = vaultWith({ serve: address }, { limits: { one: 100, all: 100 } });
    // From the second request on.
    made.change({ faults: { delay_ms: 60_000 } });

    expect(await troubleOf(vault.read(idOf(1)))).toMatchObject({
      trouble: 'timeout',
      message: expect.stringContaining(`bw serve at ${address} was not done in 0.1 s`) as string,
    });
  });
});

describe('what is no answer is told without what it was:', () => {
  const half = `{"success":true,"data":{"object":"string","data":"${canary}`;

  test.each([
    ['a crash', { crash: 1 }, 'unavailable', /ended with the exit code 1, and without an answer: node:internal/],
    ['garbage', { garbage: half }, 'malformed', /answered what is not understood/],
    ['null', { garbage: 'null' }, 'malformed', /answered what is not understood/],
    ['a success without anything', { garbage: '{"success":true}' }, 'malformed', /is not understood/],
    ['a lone newline', { garbage: '\n' }, 'malformed', /is not understood/],
    ['no item', { garbage: '{"success":true,"data":{"object":"message"}}' }, 'malformed', /is no item of a vault/],
    ['what it never said before', { sync: canary }, 'unavailable', /The server of the vault was not reached/],
  ])('%s', async (_, faults, trouble, message) => {
    const { bw } = standIn({ items, faults });
    const { vault } = vaultWith({ bw });

    const told = await troubleOf('sync' in faults ? vault.listItems() : vault.read(idOf(1)));

    expect(told).toEqual({ trouble, message: expect.stringMatching(message) as string });
    if (!('sync' in faults)) expect(told.message).not.toContain(canary);
  });

  test.each([
    ['a program that is not there', '/nowhere/bw', /^The program \/nowhere\/bw was not found\. Install/],
    ['one that is not on the PATH', 'no-such-bw', /^The program no-such-bw was not found/],
    ['one that nobody may run', import.meta.filename, /may not be run by this user/],
    ['what lies in no folder', `${import.meta.filename}/bw`, /did not start: .*ENOTDIR/],
  ])('%s', async (_, bw, message) => {
    const { vault } = vaultWith({ bw });

    const told = await troubleOf(vault.listItems());

    expect(told).toEqual({ trouble: 'unavailable', message: expect.stringMatching(message) as string });
    expect((await vault.check()).at(-1)).toMatchObject({
      state: 'wrong',
      found: expect.stringMatching(message) as string,
    });
  });

  test('what it writes to stderr is no failure', async () => {
    const { bw } = standIn({ items, faults: { stderr_noise: `Unable to fetch ServerConfig ${canary}` } });
    const { vault, logged } = vaultWith({ bw });

    expect(await vault.read(idOf(1))).toBe(canary);
    expect(logged).toEqual([]);
  });

  test('a release that knows no archive has nothing in it', async () => {
    const { bw } = standIn({ items, faults: { unknown_option: 'archived' } });
    const { vault } = vaultWith({ bw });

    expect((await vault.listItems()).map(({ name }) => name)).toEqual(['--session', 'pve']);
  });

  test.each([
    ['nobody', 'unavailable', /nobody answers there\. Start it\./],
    ['a socket that is not there', 'unavailable', /its socket is not there\. Start it\./],
    ['another one', 'malformed', /answered what is not understood/],
    ['one that wants another name', 'unavailable', /refuses us/],
    ['one that hangs up', 'unavailable', /it did not answer \(ECONNRESET\)/],
  ])('at the address of bw serve is %s', async (who, trouble, message) => {
    const server = createServer((request, response) => {
      if (who === 'one that hangs up') request.socket.destroy();
      else response.writeHead(who === 'another one' ? 404 : 403).end('Not Found');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    if (who === 'nobody') server.close();
    else onTestFinished(() => void server.close());
    const address = who.startsWith('a socket') ? 'unix:///nowhere/bw.sock' : `http://127.0.0.1:${port}`;
    const { vault } = vaultWith({ serve: address });

    expect(await troubleOf(vault.listItems())).toEqual({ trouble, message: expect.stringMatching(message) as string });
  });
});

test('neither a password nor the key is in a log, a message, or the words of a process', async () => {
  const { bw, change } = standIn({ items, faults: { delay_ms: 150, stderr_noise: canary } });
  const { vault, logged } = vaultWith({ bw }, { limits: { one: 1000, all: 1000 } });
  const seen: string[] = [];
  const attempt = async (work: () => Promise<unknown>) => {
    let isOver = false;
    const working = work()
      .then(
        () => undefined,
        (error: unknown) => seen.push(inspect(error, { depth: 9, showHidden: true })),
      )
      .finally(() => {
        isOver = true;
      });
    while (!isOver) {
      seen.push(...processes().map((pid) => read(pid, 'cmdline')));
      await Promise.race([working, wait(20)]);
    }
    await working;
  };

  await attempt(() => vault.read('pve'));
  await attempt(() => vault.read('nobody'));
  seen.push(JSON.stringify(await vault.listItems()), JSON.stringify(await vault.check()));
  for (const faults of [
    { garbage: `{"data":"${canary} ${key}` },
    { garbage: canary },
    { garbage: `{"success":true,"data":{"name":"${canary}"}}` },
    { hang: 'after' },
  ]) {
    change({ faults });
    await attempt(() => vault.read(idOf(1)));
  }

  const text = [...seen, ...logged].join('\n');
  expect(text).toContain('--nointeraction');
  expect(text).not.toContain(canary);
  expect(text).not.toContain(key);
});

/** Neither the script of that folder runs any more, nor what it began. */
async function allGone(folder: string): Promise<void> {
  const isOfIt = (pid: string) => `${read(pid, 'cmdline')} ${read(pid, 'environ')}`.includes(`${folder}/`);
  await vi.waitUntil(() => !processes().some(isOfIt), { timeout: 10_000 });
}

function processes(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
}

/** Empty of one that has ended, or is somebody else's. */
function read(pid: string, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
