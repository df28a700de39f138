/** How the service starts, how it does not, and how it stops: by a sentence that says what to do, with nothing damaged. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { openFile } from '../../src/store/connection.ts';
import { temporaryFolder } from '../service.ts';
import { launcher, type ProcessOptions, type ServiceProcess, startProcess } from './service-process.ts';

const tokenIn = (data: string, name = 'admin') => readFileSync(join(data, `${name}.token`), 'utf8').trim();

async function stop(service: ServiceProcess): Promise<void> {
  service.child.kill('SIGTERM');
  expect((await service.ended).code).toBe(0);
}

const machines = 200;
let seed: string | undefined;
afterAll(() => {
  if (seed !== undefined) rmSync(seed, { recursive: true, force: true });
});

/** A folder with the data of a service that served, took some machines, and stopped; made once, and copied. */
async function usedData(): Promise<string> {
  if (seed === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'rollcall-seed-'));
    const service = startProcess(made);
    const url = await service.serves;
    const items = Array.from({ length: machines }, (_, n) => ({ ci_name: `web-${n}`, notes: 'x'.repeat(500) }));
    expect((await bulk(url, made, items)).status).toBe(200);
    await stop(service);
    seed = made;
  }
  const data = join(temporaryFolder(), 'data');
  cpSync(seed, data, { recursive: true });
  return data;
}

function bulk(url: string, data: string, items: readonly object[]): Promise<Response> {
  return fetch(`${url}/api/v1/ci/bulk`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${tokenIn(data)}` },
    body: JSON.stringify({ items }),
  });
}

async function countIn(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/ci`, { headers: { Authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  return ((await response.json()) as { count: number }).count;
}

function bytesOf(data: string): Record<string, string> {
  const hash = (name: string) =>
    createHash('sha256')
      .update(readFileSync(join(data, name)))
      .digest('hex');
  return Object.fromEntries(['rollcall.db', 'admin.token', 'ansible.token'].map((name) => [name, hash(name)]));
}

/** Ends at once with one sentence on stderr, and prints nothing else. */
async function expectRefused(data: string, sentence: RegExp, options: ProcessOptions = {}): Promise<void> {
  const end = await startProcess(data, options).ended;
  expect(end).toMatchObject({ code: 1, signal: null, stdout: '' });
  expect(end.stderr).toMatch(/^[^\n]+\.\n$/);
  expect(end.stderr).toMatch(sentence);
}

/** A file system of its own, seen by this process alone, and gone with it; `prepare` is what a shell does in it first. */
function inOwnMounts(prepare: string): string[] {
  const own = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  return ['unshare', ...own, '--mount', 'sh', '-ec', `${prepare}; exec "$@"`, 'sh'];
}

describe('the first start', () => {
  test('writes two tokens that only its user can read, and says what is next', async () => {
    const data = join(temporaryFolder(), 'data');
    const service = startProcess(data, { under: ['sh', '-c', 'umask 0; exec "$@"', 'sh'] });

    const url = await service.serves;

    const modes = ['admin.token', 'ansible.token'].map((name) => (statSync(join(data, name)).mode & 0o777).toString(8));
    expect(modes).toEqual(['600', '600']);
    expect(await countIn(url, tokenIn(data))).toBe(1);
    expect(await countIn(url, tokenIn(data, 'ansible'))).toBe(1);
    service.child.kill('SIGTERM');
    const { stdout } = await service.ended;
    for (const words of [
      url,
      data,
      'admin.token',
      'ansible.token',
      'ansible all -i ansible/inventory.py -m ping',
      '/docs',
    ])
      expect(stdout).toContain(words);
    expect(stdout.match(/^ {2}\d\. /gm)).toHaveLength(3);
    expect(stdout).not.toContain(tokenIn(data));
  });

  test('that found its port taken is told again, with its tokens, by the next', async () => {
    const data = join(temporaryFolder(), 'data');
    await expectRefused(data, /is taken by another program/, { env: { ROLLCALL_LISTEN: await takenPort() } });

    const service = startProcess(data);

    expect(await countIn(await service.serves, tokenIn(data))).toBe(1);
    service.child.kill('SIGTERM');
    expect((await service.ended).stdout).toContain('1. ansible all');
  });

  test('that was cut off between its two tokens is finished by the next', async () => {
    const data = await usedData();
    const raw = openFile(join(data, 'rollcall.db'));
    raw.exec("DELETE FROM tokens WHERE token_name = 'admin'");
    raw.close();

    const service = startProcess(data);

    const url = await service.serves;
    expect(await countIn(url, tokenIn(data))).toBe(machines + 1);
    expect(await countIn(url, tokenIn(data, 'ansible'))).toBe(machines + 1);
    service.child.kill('SIGTERM');
    expect((await service.ended).stdout).toContain('1. ansible all');
  });
});

async function takenPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

describe('it does not start, says what to do, and damages nothing', () => {
  test('while another serves the same data, which goes on', async () => {
    const data = await usedData();
    const url = await startProcess(data).serves;

    await expectRefused(data, /Another Rollcall is using the data in .+Stop that one first/);

    expect(await countIn(url, tokenIn(data))).toBe(machines + 1);
  });

  test('on a port that is taken', async () => {
    const data = await usedData();
    const before = bytesOf(data);

    await expectRefused(data, /is taken by another program\. Stop it, or choose/, {
      env: { ROLLCALL_LISTEN: await takenPort() },
    });

    expect(bytesOf(data)).toEqual(before);
  });

  test.each([
    ['in a folder that it may not write in', (data: string) => data],
    ['in a folder that it may not make', (data: string) => join(data, 'inner')],
  ])('%s', async (_, place) => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o500);
    // Root may write everywhere, unless it gives that up.
    const isRoot = process.getuid?.() === 0;
    const under = isRoot ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search', '--'] : [];

    await expectRefused(place(folder), /cannot write in .+--data or ROLLCALL_DATA/, { under });

    expect(readdirSync(folder)).toEqual([]);
  });

  test('on data that it may only read', async () => {
    const data = await usedData();
    const before = bytesOf(data);

    await expectRefused(data, /cannot write in .+--data or ROLLCALL_DATA/, {
      under: inOwnMounts(`mount --bind '${data}' '${data}'; mount -o remount,ro,bind '${data}'`),
    });

    expect(bytesOf(data)).toEqual(before);
  });

  test('where the folder is a file', async () => {
    await expectRefused(launcher, /is not a folder\. Choose another place/);
  });

  test('for the first time on a disk that is full; with some space the next start needs no help', async () => {
    const data = temporaryFolder();
    const first = `mount -t tmpfs -o size=160k none '${data}'; "$@" > '${data}.out' 2>&1 && exit 9`;
    const service = startProcess(data, {
      under: inOwnMounts(`${first}; cat '${data}.out' >&2; rm '${data}.out'; mount -o remount,size=64m '${data}'`),
    });

    const url = await service.serves;

    const inside = join(`/proc/${service.child.pid}/root`, data);
    expect(await countIn(url, tokenIn(inside))).toBe(1);
    service.child.kill('SIGTERM');
    expect((await service.ended).stderr).toMatch(
      /^The disk with [^\n]+ is full\. Free some space, then start again[^\n]*\.\n/,
    );
  });

  test.each([
    ['a damaged head', 0, 100],
    ['a damaged page of its schema', 100, 3000],
    ['a damaged page in the middle', 'middle', 4096],
    ['a missing end', 'cut', 0],
  ] as const)('on a database with %s', async (_, where, length) => {
    const data = await usedData();
    const file = join(data, 'rollcall.db');
    const { size } = statSync(file);
    if (where === 'cut') execFileSync('truncate', ['-s', String(Math.floor(size / 8192) * 4096), file]);
    else overwrite(file, where === 'middle' ? Math.floor(size / 8192) * 4096 : where, length);
    const before = bytesOf(data);

    await expectRefused(data, /is damaged\. It was left as it is\. .+"rollcall restore FILE"/);

    expect(bytesOf(data)).toEqual(before);
  });

  test('on a file that is no database', async () => {
    const data = await usedData();
    overwrite(join(data, 'rollcall.db'), 0, statSync(join(data, 'rollcall.db')).size);
    const before = bytesOf(data);

    await expectRefused(data, /is damaged\. It was left as it is/);

    expect(bytesOf(data)).toEqual(before);
  });

  test('on a database from a newer version', async () => {
    const data = await usedData();
    const raw = openFile(join(data, 'rollcall.db'));
    raw.exec("INSERT INTO kysely_migration (name, timestamp) VALUES ('0999_later', '2030-01-01T00:00:00.000Z')");
    raw.pragma('wal_checkpoint(TRUNCATE)');
    raw.close();
    const before = bytesOf(data);

    await expectRefused(data, /written by a newer Rollcall \(it has 0999_later\)\. .+ Nothing was changed\./);

    expect(bytesOf(data)).toEqual(before);
  });
});

function overwrite(file: string, from: number, length: number): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(length, 0xa5), 0, length, from);
  closeSync(handle);
}

test('on a disk that is full while it serves, it says so, loses nothing, and goes on once there is space', async () => {
  const used = await usedData();
  const data = temporaryFolder();
  const service = startProcess(data, {
    under: inOwnMounts(`mount -t tmpfs -o size=3m none '${data}'; cp -a '${used}/.' '${data}'`),
  });
  const url = await service.serves;
  const inside = join(`/proc/${service.child.pid}/root`, data);
  const many = Array.from({ length: 5000 }, (_, n) => ({ ci_name: `db-${n}`, notes: 'x'.repeat(500) }));

  const refused = await bulk(url, inside, many);

  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject({ detail: expect.stringMatching(/disk .*full/) });
  expect(await countIn(url, tokenIn(inside))).toBe(machines + 1);
  expect((await bulk(url, inside, [{ ci_name: 'one-more' }])).status).toBe(200);
  expect(await countIn(url, tokenIn(inside))).toBe(machines + 2);
});

describe.each(['SIGTERM', 'SIGINT'] as const)('at %s', (signal) => {
  test('a request under way is answered, then it ends well', async () => {
    const data = join(temporaryFolder(), 'data');
    const service = startProcess(data);
    const url = await service.serves;
    const body = JSON.stringify({ items: Array.from({ length: 500 }, (_, n) => ({ ci_name: `web-${n}` })) });
    const halfway = Math.floor(body.length / 2);
    const call = request(`${url}/api/v1/ci/bulk`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${tokenIn(data)}`, Expect: '100-continue', 'Content-Length': body.length },
    });
    const status = new Promise<number | undefined>((resolve, reject) => {
      call.once('error', reject).once('response', (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      });
    });
    await new Promise<void>((resolve) => {
      call.once('continue', resolve).flushHeaders();
    });
    call.write(body.slice(0, halfway));

    service.child.kill(signal);
    await service.says(/stopping/);
    const late = fetch(`${url}/healthz`).then(
      (response) => response.status,
      () => 'refused',
    );
    expect(await late).toBe('refused');
    call.end(body.slice(halfway));

    expect(await status).toBe(200);
    expect(await service.ended).toMatchObject({ code: 0, signal: null });
    const again = startProcess(data);
    expect(await countIn(await again.serves, tokenIn(data))).toBe(501);
  });
});

test('a second signal ends it at once, and the next start needs no help', async () => {
  const data = join(temporaryFolder(), 'data');
  const service = startProcess(data);
  const url = await service.serves;
  const call = request(`${url}/api/v1/ci`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${tokenIn(data)}`, Expect: '100-continue', 'Content-Length': 9 },
  });
  call.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    call.once('continue', resolve).flushHeaders();
  });

  service.child.kill('SIGTERM');
  await service.says(/stopping/);
  service.child.kill('SIGTERM');

  expect(await service.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
  expect(await countIn(await startProcess(data).serves, tokenIn(data))).toBe(1);
});

/** The machine's own Node where that is an old one; else ours, made to say that it is. */
function oldNode(): string[] {
  const own = (process.env.PATH ?? '').split(':').filter((folder) => folder !== '' && !folder.includes('node_modules'));
  for (const folder of own) {
    try {
      const node = join(folder, 'node');
      const version = execFileSync(node, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      if (Number(/^v(\d+)/.exec(version)?.[1]) < 26) return [node];
    } catch {}
  }
  const pretend = "Object.defineProperty(process.versions, 'node', { value: '20.19.0' })";
  return [process.execPath, '--import', `data:text/javascript,${encodeURIComponent(pretend)}`];
}

test('an old Node says in one sentence what is needed instead', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'data'));

  await expectRefused(join(folder, 'data'), /needs Node 26 or newer, and this is \d+\.\d+\.\d+\. Run "npm ci"/, {
    node: oldNode(),
  });

  expect(readdirSync(join(folder, 'data'))).toEqual([]);
});
