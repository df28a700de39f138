/** Answers that are none, are broken, come too late or not at all: a person is told, and nothing is lost. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openLog } from '../../src/log.ts';
import {
  type Row,
  type SimCluster,
  secret,
  startCluster,
  startHome,
  startWorld,
  tokenId,
  type World,
} from './cluster.ts';

async function twoKnown(
  options: { sim?: readonly string[]; cluster?: Row; settings?: Row } = {},
): Promise<World & { home: SimCluster; state: () => Promise<unknown> }> {
  const world = await startHome({ settings: { proxmox: { refresh: '1m', agent_refresh: '1m' } }, ...options });
  world.home.guest('web', { snaps: 1 });
  world.home.guest('db', { type: 'lxc', node: 'pve2' });
  await world.discover();
  world.home.calls();
  const state = async () => [await world.guests(), (await world.get('/changes?limit=1000')).length];
  return { ...world, state };
}

const noJson = 'was answered by what is no JSON; is it the port of the API, 8006?';
const lost = 'the connection was lost before the whole answer was here.';
const refusedToken = `It refuses the token ${tokenId}: was it removed, did it expire, or is its secret another one?`;
const grants = `pveum acl modify / --tokens '${tokenId}' --roles PVEAuditor`;

describe('the list of guests', () => {
  test.each([
    ['is no JSON', { kind: 'badjson' }, noJson],
    ['is cut off', { kind: 'truncate' }, lost],
    ['is a page of HTML', { kind: 'html' }, noJson],
    ['is null', { kind: 'nulldata' }, 'answered without a single node'],
    ['is empty', { kind: 'empty' }, 'answered without a single node'],
    ['is refused with 401', { kind: 'status', status: 401 }, refusedToken],
    ['is refused with 403', { kind: 'status', status: 403 }, grants],
    [
      'is refused with 500',
      { kind: 'status', status: 500, message: 'out of memory' },
      'refused with 500: out of memory',
    ],
    ['is refused with 503', { kind: 'status', status: 503 }, '/cluster/resources was refused with 503'],
    ['is refused with 595', { kind: 'status', status: 595 }, '/cluster/resources was refused with 595'],
    ['is never sent, for the connection is reset', { kind: 'reset' }, lost],
  ] as const)('fails the pass where it %s, and nothing is lost', async (_, fault, words) => {
    const { home, light, state } = await twoKnown();
    const before = await state();
    home.fault({ match: '/cluster/resources', ...fault });

    const ran = await light();
    const failed = await state();
    home.sim.clearFaults();
    const again = await light();

    expect(ran).toMatchObject({ outcome: 'failed', counts: {} });
    expect(ran.error).toContain(words);
    expect(ran.error).not.toContain(secret);
    expect(failed).toEqual(before);
    expect(again).toMatchObject({ outcome: 'good', counts: { missing: 0 } });
  });

  test.each(['truncate', 'reset'] as const)('is asked for once more after one %s', async (kind) => {
    const { home, light } = await twoKnown();
    home.fault({ match: '/cluster/resources', kind, times: 1 });

    expect((await light()).outcome).toBe('good');
  });
});

describe('what else is read', () => {
  const calls = [
    '/cluster/status',
    '100/config',
    '101/config',
    '100/snapshot',
    'network-get-interfaces',
    'get-osinfo',
    '101/interfaces',
    'pve./network',
    'pve./status',
    '/cluster/backup',
    'not-backed-up',
    'sdn/vnets',
    '/version',
    'cluster/tasks',
  ];
  const faults = [
    { kind: 'nulldata' },
    { kind: 'badjson' },
    { kind: 'html' },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503 },
    { kind: 'status', status: 595 },
  ] as const;

  test.each(calls)('takes nothing away where %s goes wrong in any way', async (match) => {
    const { home, discover, state } = await twoKnown();
    const before = await state();

    for (const fault of faults) {
      home.fault({ match, ...fault });
      const ran = await discover();
      home.sim.clearFaults();
      expect(ran.counts.missing ?? 0).toBe(0);
      expect([fault, await state()]).toEqual([fault, before]);
    }
  });

  test('says which guests could not be read, and why', async () => {
    const { home, discover } = await twoKnown();
    home.fault({
      match: '100/config',
      kind: 'status',
      status: 403,
      message: 'Permission check failed (/vms/100, VM.Audit)',
    });

    const { outcome, error } = await discover();

    expect({ outcome, error }).toEqual({
      outcome: 'partial',
      error:
        '1 guest could not be read and stand as they were: /nodes/pve1/qemu/100/config was refused with 403: Permission check failed (/vms/100, VM.Audit).',
    });
  });

  test('asks a node for nothing more once another one cannot reach it', async () => {
    const { home, discover } = await twoKnown();
    for (let index = 0; index < 20; index += 1) home.guest(`guest-${index}`, { node: 'pve2', agent: undefined });
    home.fault({ match: 'nodes/pve2/qemu/.*/config', kind: 'status', status: 595 });

    await discover();

    expect(home.calls()['GET /nodes/{node}/qemu/{vmid}/config']).toBeLessThanOrEqual(7);
  });
});

describe('what is never answered', () => {
  /** Ends what only the time ends: where nothing went on for a while, all calls that are left are past their limits. */
  async function ended<T>(work: Promise<T>): Promise<T> {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await wait(100);
      vi.advanceTimersByTime(60_000);
    }
    vi.useRealTimers();
    return await over;
  }

  test.each([
    ['/access/permissions', 'failed', '/access/permissions'],
    ['/cluster/status', 'failed', '/cluster/status'],
    ['/cluster/resources', 'failed', '/cluster/resources'],
    ['100/config', 'partial', '1 guest could not be read and stand as they were'],
    ['100/snapshot', 'partial', '1 guest could not be read and stand as they were'],
    ['network-get-interfaces', 'good', null],
    ['get-osinfo', 'good', null],
    ['pve./network', 'good', null],
    ['sdn/vnets', 'good', null],
  ])('is given up where it is %s, and nothing is lost', async (match, outcome, words) => {
    const { home, discover, state } = await twoKnown();
    const before = await state();
    home.fault({ match, kind: 'hang' });

    const ran = await ended(discover());
    const hung = await state();
    home.sim.clearFaults();
    // An open breaker lets one call through after half a minute.
    const again = await ended(discover());

    expect(ran).toMatchObject({ outcome, error: words === null ? null : (expect.stringContaining(words) as string) });
    expect(hung).toEqual(before);
    expect(again).toMatchObject({ outcome: 'good' });
    expect(await state()).toEqual(before);
  });
});

test('a token that is refused ends the pass at the first call, and is not tried again', async () => {
  const { home, discover, state } = await twoKnown();
  const before = await state();
  home.fault({ kind: 'status', status: 401 });

  const ran = await discover();

  expect(ran).toEqual({
    outcome: 'failed',
    error: `home: /access/permissions was refused with 401: Unauthorized. ${refusedToken} It is written USER@REALM!TOKENID=SECRET.`,
    counts: {},
  });
  expect(home.calls()).toEqual({ 'GET /access/permissions': 1 });
  expect(await state()).toEqual(before);
});

test('a wrong secret says which token it is, and not the secret', async () => {
  const world = await startHome({ sim: ['--token', `${tokenId}=11111111-1111-4111-8111-111111111111`] });

  const { outcome, error } = await world.discover();

  expect(outcome).toBe('failed');
  expect(error).toContain(refusedToken);
  expect(error).not.toContain(secret);
});

test('an address that does not answer is left for the next one', async () => {
  const home = await startCluster();
  home.guest('web');
  const nowhere = { ...home, url: 'http://127.0.0.1:1' };
  const { discover, guests } = await startWorld({ clusters: { home: [nowhere, home] } });

  const ran = await discover();

  expect(ran).toMatchObject({ outcome: 'good', error: null });
  expect(await guests()).toEqual(['A web 100 on pve1: running']);
});

test('a certificate is trusted by its fingerprint, and by no other', async () => {
  const [home, another] = [await startCluster(['--tls']), await startCluster(['--tls'])];
  const own = await startWorld({ clusters: { home }, cluster: { fingerprint: home.sim.fingerprint } });
  const other = await startWorld({ clusters: { home }, cluster: { fingerprint: another.sim.fingerprint } });

  const { outcome, error } = await other.discover();

  expect(outcome).toBe('failed');
  expect(error).toContain('fingerprint');
  expect(await own.discover()).toMatchObject({ outcome: 'good' });
});

test('a certificate is trusted by the CA that signed it', async () => {
  const home = await startCluster(['--tls']);
  const world = await startWorld({ clusters: { home }, cluster: { ca: home.sim.certificate } });

  expect(await world.discover()).toMatchObject({ outcome: 'good' });
});

test('the secret of a token is nowhere: not in the data, not in the log, not in an answer', async () => {
  const lines: string[] = [];
  const world = await startHome({ log: openLog('debug', 'json', (line) => void lines.push(line)) });
  world.home.guest('web');
  await world.discover();
  world.home.fault({ match: 'cluster/resources', kind: 'reset' });
  await world.discover();
  world.home.sim.clearFaults();
  world.home.fault({ kind: 'status', status: 401 });
  await world.discover();

  const answers = await Promise.all(
    ['/jobs', '/jobs/runs', '/sources', '/passes', '/changes', '/alerts', '/readyz', '/metrics', '/ci'].map((path) =>
      world.call('GET', path),
    ),
  );

  const kept = files(join(world.folder, 'data')).map((file) => readFileSync(file, 'latin1'));
  expect(kept.length).toBeGreaterThan(1);
  expect(kept.some((text) => text.includes('sim@pve'))).toBe(true);
  for (const text of [...kept, ...lines, JSON.stringify(answers)]) {
    expect(text.includes(secret)).toBe(false);
    expect(text.includes(Buffer.from(secret).toString('base64'))).toBe(false);
  }
  expect(lines.join('\n')).toContain('ran a job');
});

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
