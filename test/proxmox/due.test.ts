import { describe, expect, test } from 'vitest';
import {
  guestDue,
  isReadable,
  isStale,
  isStartedAnew,
  signOf,
  surroundingDue,
  surroundingsOf,
} from '../../src/proxmox/due.ts';
import { readConfig } from '../../src/proxmox/guest-config.ts';
import { guestSubject, Knowledge } from '../../src/proxmox/knowledge.ts';
import { type GuestRow, readResources } from '../../src/proxmox/rows.ts';

const now = Temporal.Instant.from('2026-03-02T12:00:00Z');
const ago = (time: Temporal.DurationLike) => now.subtract(time);
const minutesFromNow = (due: number) => (due - now.epochMilliseconds) / 60_000;
const hour = 3_600_000;
const pace = { refreshMilliseconds: 24 * hour, agentRefreshMilliseconds: hour };

const rowOf = (more: object = {}): GuestRow =>
  readResources([
    { type: 'qemu', vmid: 100, node: 'pve1', name: 'web', status: 'running', uptime: 9000, maxmem: 1024, ...more },
  ]).guests[0] as GuestRow;

/** Read an hour ago, with an agent that answered half an hour ago. */
function knowing(row: GuestRow, config: object = { agent: '1' }, failures = 0): Knowledge {
  const known = new Knowledge([]);
  const subject = guestSubject(row);
  const content = {
    sign: signOf(row),
    node: row.node,
    uptime: row.uptime - 3600,
    config: readConfig(row.type, config),
  };
  known.learn(subject, 'config', ago({ hours: 1 }), content);
  known.learn(subject, 'inside', ago({ minutes: 30 }), { interfaces: [], uptime: row.uptime - 1800, failures });
  known.learn(subject, 'system', ago({ hours: 1 }), { os: 'x', osVersion: 'y', kernel: 'z', hostName: null });
  return known;
}

describe('a guest was started anew', () => {
  test.each([
    ['where it runs for less time than before', 100, 200, 0, true],
    ['where it runs for less time than it should', 5000, 4000, 10_000, true],
    ['where it stood still before', 10, 0, 60, true],
    ['not where it ran on', 4060, 4000, 60, false],
    ['not where its clock is late by less than two minutes', 4000, 4000, 119, false],
    ['not where it stands still now', 0, 4000, 60, false],
    ['not where the clock was set back', 4060, 4000, -7200, false],
    ['where it runs for less time than before, and the clock was set back', 100, 4000, -7200, true],
  ])('%s', (_, uptime, before, passed, isAnew) => {
    const reading = { readAtMilliseconds: ago({ seconds: passed }).epochMilliseconds, content: { uptime: before } };

    expect(isStartedAnew({ uptime }, reading, now)).toBe(isAnew);
  });
});

test.each([
  ['type', { type: 'lxc' }],
  ['name', { name: 'www' }],
  ['node', { node: 'pve2' }],
  ['tags', { tags: 'prod' }],
  ['template', { template: 1 }],
  ['cores', { maxcpu: 2 }],
  ['memory', { maxmem: 2048 }],
  ['disk', { maxdisk: 9 }],
])('another %s shows that what was read may be no longer so', (_, more) => {
  const known = knowing(rowOf());

  expect(isStale(rowOf(more), known, now)).toBe(true);
});

test.each([
  ['its state', { status: 'paused' }],
  ['its pool', { pool: 'lab' }],
  ['its lock', { lock: 'backup' }],
  ['its HA state', { hastate: 'started' }],
  ['its figures', { cpu: 0.9, mem: 7, netin: 9 }],
])('%s shows nothing of the kind', (_, more) => {
  expect(isStale(rowOf(more), knowing(rowOf()), now)).toBe(false);
});

test.each([
  [{}, true],
  [{ lock: 'backup' }, true],
  [{ lock: 'snapshot' }, true],
  [{ lock: 'create' }, false],
  [{ lock: 'clone' }, false],
  [{ lock: 'migrate' }, false],
  [{ lock: 'destroyed' }, false],
  [{ name: undefined }, false],
])('a guest whose row has %j can be read: %s', (more, expected) => {
  expect(isReadable(rowOf(more))).toBe(expected);
});

describe('what is due', () => {
  const never = Number.POSITIVE_INFINITY;

  test('of a guest that was not read is its configuration', () => {
    expect(guestDue(rowOf(), new Knowledge([]), now, pace)).toEqual({
      config: 0,
      snapshots: never,
      inside: never,
      system: never,
    });
  });

  test('of a guest in motion is nothing', () => {
    const row = rowOf({ lock: 'migrate' });

    expect(Object.values(guestDue(row, knowing(row), now, pace))).toEqual([never, never, never, never]);
  });

  test('of what was read comes between half of a day and the whole', () => {
    const { config, system } = guestDue(rowOf(), knowing(rowOf()), now, pace);

    for (const due of [config, system]) {
      expect(minutesFromNow(due)).toBeGreaterThanOrEqual(11 * 60);
      expect(minutesFromNow(due)).toBeLessThanOrEqual(23 * 60);
    }
  });

  test('is spread evenly over that time', () => {
    const dues = Array.from({ length: 1000 }, (_, index) => {
      const row = rowOf({ vmid: 100 + index });
      return minutesFromNow(guestDue(row, knowing(row), now, pace).config) / 60 - 11;
    });
    const perHour = Array.from({ length: 12 }, (_, from) => dues.filter((at) => Math.floor(at) === from).length);

    expect(perHour.reduce((sum, one) => sum + one)).toBe(1000);
    expect(Math.min(...perHour)).toBeGreaterThan(50);
    expect(Math.max(...perHour)).toBeLessThan(120);
  });

  test.each([
    ['where it answered, after an hour', 0, 30],
    ['where it was silent once, after a minute', 1, -29],
    ['where it was silent twice, after five', 2, -25],
    ['where it was silent three times, after half an hour', 3, 0],
    ['where it was silent often, after half an hour', 40, 0],
  ])('from inside a guest: %s', (_, failures, minutes) => {
    expect(minutesFromNow(guestDue(rowOf(), knowing(rowOf(), { agent: '1' }, failures), now, pace).inside)).toBe(
      minutes,
    );
  });

  test.each([
    ['without an agent', rowOf(), { agent: '0' }],
    ['that stands still', rowOf({ status: 'stopped', uptime: 0 }), { agent: '1' }],
    ['that is paused', rowOf({ status: 'paused' }), { agent: '1' }],
  ])('from inside a guest %s is nothing', (_, row, config) => {
    expect(guestDue(row, knowing(row, config), now, pace)).toMatchObject({ inside: never, system: never });
  });

  test('from inside a container needs no agent', () => {
    const row = rowOf({ type: 'lxc' });

    expect(minutesFromNow(guestDue(row, knowing(row, {}), now, pace).inside)).toBe(30);
  });

  test('of the system of a guest that is silent is nothing', () => {
    expect(guestDue(rowOf(), knowing(rowOf(), { agent: '1' }, 1), now, pace).system).toBe(never);
  });

  test('of snapshots is asked where there are any', () => {
    expect(guestDue(rowOf(), knowing(rowOf(), { parent: 'before' }), now, pace).snapshots).toBe(0);
    expect(guestDue(rowOf(), knowing(rowOf(), {}), now, pace).snapshots).toBe(never);
  });

  test('is all that was read at a time that is still to come', () => {
    const known = knowing(rowOf());

    const { config, inside } = guestDue(rowOf({ uptime: 9000 }), known, ago({ hours: 3 }), pace);

    expect([config, inside]).toEqual([0, 0]);
  });

  test('of nodes is what those that are up can tell', () => {
    const { nodes } = readResources([
      { type: 'node', node: 'pve1', status: 'online' },
      { type: 'node', node: 'pve2', status: 'offline' },
    ]);

    const found = surroundingsOf(nodes);

    expect(found.map(({ kind, subject }) => `${kind} ${subject}`)).toEqual([
      'version cluster',
      'backup cluster',
      'vnets cluster',
      'network node/pve1',
      'node node/pve1',
    ]);
    expect(found.map((one) => surroundingDue(one, new Knowledge([]), now, pace))).toEqual([0, 0, 0, 0, 0]);
  });
});
