/** What becomes of a guest between two passes, where a light pass sees it first. */

import { describe, expect, test } from 'vitest';
import { type Row, type SimCluster, said, startHome, type World } from './cluster.ts';

/** `web` 100 on pve1 and `db` 101, a container, on pve2, both known. */
async function twoKnown(options: { sim?: readonly string[] } = {}): Promise<World & { home: SimCluster }> {
  const world = await startHome(options);
  world.home.guest('web');
  world.home.guest('db', { type: 'lxc', node: 'pve2' });
  await world.discover();
  expect(await world.guests()).toEqual(['A web 100 on pve1: running', 'B db 101 on pve2: running']);
  return world;
}

const db = 'B db 101 on pve2: running';

const outcomes: readonly [what: string, happens: (home: SimCluster) => void, then: string[], dayLater?: string[]][] = [
  [
    'a renamed guest is the same one',
    (home) => home.do('rename', { vmid: 100, name: 'www' }),
    ['A www 100 on pve1: running', db],
  ],
  [
    'a guest that migrated is the same one',
    (home) => home.do('migrate', { vmid: 100, to: 'pve2' }),
    ['A web 100 on pve2: running', db],
  ],
  [
    'a number that was given to another guest is another item',
    (home) => home.do('reuse', { vmid: 100, name: 'new' }),
    ['A web 100 on pve1: missing', db, 'C new 100 on pve1: running'],
    ['A web 100 on pve1: retired', db, 'C new 100 on pve1: running'],
  ],
  [
    'a number that was given to another container is another item',
    (home) => home.do('reuse', { vmid: 101, name: 'new' }),
    ['A web 100 on pve1: running', 'B db 101 on pve2: missing', 'C new 101 on pve2: running'],
    ['A web 100 on pve1: running', 'B db 101 on pve2: retired', 'C new 101 on pve2: running'],
  ],
  [
    'a number that was given to a guest of the other type is another item',
    (home) => home.do('reuse', { vmid: 100, name: 'new', type: 'lxc' }),
    ['A web 100 on pve1: missing', db, 'C new 100 on pve1: running'],
    ['A web 100 on pve1: retired', db, 'C new 100 on pve1: running'],
  ],
  [
    'a guest that was made anew under its number and its name is the same item in another generation',
    (home) => home.do('rebuild', { vmid: 100 }),
    ['A2 web 100 on pve1: running', db],
  ],
  [
    'a container that was made anew under its number and its name is the same item in another generation',
    (home) => home.do('rebuild', { vmid: 101 }),
    ['A web 100 on pve1: running', 'B2 db 101 on pve2: running'],
  ],
  [
    'a guest that was made anew as a container is the same item in another generation',
    (home) => home.do('reuse', { vmid: 100, name: 'web', type: 'lxc' }),
    ['A2 web 100 on pve1: running', db],
  ],
  [
    'a guest that moved to another number is the same item',
    (home) => {
      home.do('restore', { vmid: 100, to: 200 });
      home.do('delete', { vmid: 100 });
    },
    ['A web 200 on pve1: running', db],
  ],
  [
    'a guest that was restored beside its original is an item of its own',
    (home) => home.do('restore', { vmid: 100, to: 200, name: 'web-copy' }),
    ['A web 100 on pve1: running', db, 'C web-copy 200 on pve1: running'],
  ],
  [
    'a guest that was restored beside its original under the same name is an item of its own',
    (home) => home.do('restore', { vmid: 100, to: 200, node: 'pve2', off: true }),
    ['A web 100 on pve1: running', db, 'C web 200 on pve2: stopped'],
  ],
  [
    'a guest that was restored in place of itself is the same one',
    (home) => home.do('restore', { vmid: 100 }),
    ['A web 100 on pve1: running', db],
  ],
  [
    'a guest that was deleted is missing, and retired after a day',
    (home) => home.do('delete', { vmid: 100 }),
    ['A web 100 on pve1: missing', db],
    ['A web 100 on pve1: retired', db],
  ],
  [
    'a guest that became a template is the same one',
    (home) => home.do('template', { vmid: 100 }),
    ['A web 100 on pve1: stopped', db],
  ],
];

describe('first seen by a light pass', () => {
  test.each(outcomes)('%s', async (_, happens, then, dayLater = then) => {
    const world = await twoKnown();
    const { home, light, discover, guests } = world;

    happens(home);

    await light();
    expect(await guests()).toEqual(then);
    await light();
    await discover();
    expect(await guests()).toEqual(then);
    await discover({ after: { hours: 25 } });
    expect(await guests()).toEqual(dayLater);
  });

  test.each(outcomes.filter(([what]) => /number|anew|beside/.test(what)))(
    'and as by a full one: %s',
    async (_, happens, then) => {
      const { home, discover, guests } = await twoKnown();

      happens(home);
      await discover();

      expect(await guests()).toEqual(then);
    },
  );
});

test('what was inside the former guest of a number is not said of the present one', async () => {
  const { home, light, item } = await twoKnown();
  home.do('reuse', { vmid: 100, name: 'new' });
  home.do('set', { vmid: 100, values: { agent: undefined, cloudinit: false } });

  await light();

  const { os, kernel, hostname, addresses } = (await item('new')).technical_specs as Row;
  expect({ os, kernel, hostname, addresses }).toEqual({});
});

test('a guest that is started with another system says so at once', async () => {
  const { home, light, item } = await twoKnown();
  home.do('set', {
    vmid: 100,
    values: { os: ['ubuntu', 'Ubuntu', 'Ubuntu 24.04.1 LTS', '24.04', '6.8.0-51-generic'] },
  });
  await light();
  const running = (await item('web')).technical_specs as Row;

  home.do('start', { vmid: 100 });
  await light();

  expect(running.os).toBe('Debian GNU/Linux 12 (bookworm)');
  expect((await item('web')).technical_specs).toMatchObject({
    os: 'Ubuntu 24.04.1 LTS',
    os_version: '24.04',
    kernel: '6.8.0-51-generic',
  });
});

test('a guest is not told of while it is being moved or made, and stands as it was', async () => {
  const { home, light, guests } = await twoKnown();
  home.do('migrate', { vmid: 100, to: 'pve2' });
  home.do('lock', { vmid: 100, lock: 'migrate' });
  home.guest('new', { vmid: 300, lock: 'create' });

  const moving = await light();
  const during = await guests();
  home.do('unlock', { vmid: 100 });
  home.do('unlock', { vmid: 300 });
  await light();

  expect(moving).toMatchObject({
    outcome: 'good',
    counts: { moving: 2, missing: 0 },
  });
  expect(during).toEqual(['A web 100 on pve1: running', db]);
  expect(await guests()).toEqual(['A web 100 on pve2: running', db, 'C new 300 on pve1: running']);
});

test('a guest that was made seconds ago and has no name yet is waited for', async () => {
  const { home, light, guests } = await twoKnown();
  home.guest('new', { vmid: 300 });
  home.do('fresh', { vmid: 300 });

  const { outcome } = await light();
  const nameless = await guests();
  home.do('fresh', { vmid: 300, off: true });
  await light();

  expect(outcome).toBe('partial');
  expect(nameless).toEqual(['A web 100 on pve1: running', db]);
  expect(await guests()).toEqual(['A web 100 on pve1: running', db, 'C new 300 on pve1: running']);
});

test('a guest that moves between its row and its configuration stands as it was until the next pass', async () => {
  const { home, light, guests } = await twoKnown();
  home.do('rename', { vmid: 100, name: 'www' });
  home.fault({
    match: 'qemu/100/config',
    kind: 'status',
    status: 500,
    message: "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist",
    times: 1,
  });

  const first = await light();
  const between = await guests();
  await light();

  expect(first).toMatchObject({ outcome: 'partial', counts: { missing: 0, updated: 0 } });
  expect(between).toEqual(['A web 100 on pve1: running', db]);
  expect(await guests()).toEqual(['A www 100 on pve1: running', db]);
});

test('a change has the author of the task that made it', async () => {
  const { home, light, get, item } = await twoKnown();
  await light();
  home.do('rename', { vmid: 100, name: 'www', user: 'alice@pve' });
  await light();
  home.do('migrate', { vmid: 100, to: 'pve2', user: 'bob@pam' });
  await light();
  home.do('stop', { vmid: 101, user: 'carol@pve!ci' });
  await light();
  home.do('delete', { vmid: 100, user: 'root@pam' });
  await light();

  const told = async (name: string) =>
    (await get(`/ci/${said((await item(name)).ci_id)}/changes`)).map(({ action, actor }) => said(action, actor));
  expect(await told('www')).toEqual([
    'missing root@pam (qmdestroy)',
    'updated bob@pam (qmmigrate)',
    'updated alice@pve (qmconfig)',
    'created null',
  ]);
  expect(await told('db')).toEqual(['updated carol@pve!ci (vzstop)', 'created null']);
});
