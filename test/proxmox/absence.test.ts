/** What a pass no longer sees: what is gone, what merely cannot be seen, and what is too much at once to be believed. */

import { describe, expect, test, vi } from 'vitest';
import { type SimCluster, said, secret, startHome, tokenId, type World } from './cluster.ts';

const stands = ['A web 100 on pve1: running', 'B db 101 on pve2: running'];

async function twoKnown(
  options: { sim?: readonly string[]; cluster?: Record<string, unknown> } = {},
): Promise<World & { home: SimCluster }> {
  const world = await startHome({ ...options, sim: ['--nodes', '3', ...(options.sim ?? [])] });
  world.home.guest('web', { pool: 'lab' });
  world.home.guest('db', { type: 'lxc', node: 'pve2', pool: 'lab' });
  await world.discover();
  expect(await world.guests()).toEqual(stands);
  world.home.calls();
  return world;
}

const notShown = '1 guest not shown to this token any more and not known to be gone, so they stand as they were.';

describe('a guest that is not listed any more', () => {
  test('is missing once its number is free, and retired after three passes and a day', async () => {
    const { home, light, discover, guests, hosts } = await twoKnown();
    home.do('delete', { vmid: 100 });

    const first = await light();
    const asked = home.calls();
    const missing = [await guests(), await hosts()];
    await discover({ after: { hours: 23 } });
    await discover();
    const before = await guests();
    await discover({ after: { hours: 1 } });

    expect(first).toEqual({
      outcome: 'good',
      error: null,
      counts: { seen: 23, created: 0, updated: 0, unchanged: 23, missing: 1, moving: 0 },
    });
    expect(asked).toEqual({ 'GET /cluster/resources': 1, 'GET /cluster/nextid': 1, 'GET /cluster/tasks': 1 });
    expect(missing).toEqual([['A web 100 on pve1: missing', 'B db 101 on pve2: running'], ['db']]);
    expect(before).toEqual(['A web 100 on pve1: missing', 'B db 101 on pve2: running']);
    expect(await guests()).toEqual(['A web 100 on pve1: retired', 'B db 101 on pve2: running']);
  });

  test('is not retired by a day alone, in which nobody looked', async () => {
    const { home, light, discover, guests } = await twoKnown();
    home.do('delete', { vmid: 100 });
    await light();

    await discover({ after: { hours: 30 } });
    const second = await guests();
    await light();

    expect(second[0]).toBe('A web 100 on pve1: missing');
    expect((await guests())[0]).toBe('A web 100 on pve1: retired');
  });

  test('stands as it was while its number is taken', async () => {
    const { home, discover, guests, hosts } = await twoKnown();
    home.do('profile', { to: 'acl:/vms/101' });

    const ran = await discover();
    for (let day = 0; day < 4; day += 1) await discover({ after: { hours: 24 } });

    expect(ran).toMatchObject({ outcome: 'partial', error: notShown });
    expect(await guests()).toEqual(stands);
    expect(await hosts()).toEqual(['db', 'web']);
  });

  test('stands as it was while nobody can say whether its number is taken', async () => {
    const { home, light, guests } = await twoKnown();
    home.do('delete', { vmid: 100 });
    home.fault({ match: 'nextid', kind: 'status', status: 500, times: 1 });

    const first = await light();
    const unproven = await guests();
    await light();

    expect(first).toMatchObject({ outcome: 'partial', error: notShown });
    expect(unproven).toEqual(stands);
    expect((await guests())[0]).toBe('A web 100 on pve1: missing');
  });

  test('is what it was when it returns, with what people said of it', async () => {
    const { home, light, discover, guests, call, item } = await twoKnown();
    const { ci_id } = await item('web');
    await call('PATCH', `/ci/${String(ci_id)}`, { owner: 'alice' });
    const former = home.truth(100);
    home.do('delete', { vmid: 100 });
    for (let day = 0; day < 3; day += 1) await discover({ after: { hours: 24 } });
    const gone = await guests();

    home.guest('web', { vmid: 100, uuid: former.uuid });
    await light();

    expect(gone[0]).toBe('A web 100 on pve1: retired');
    expect(await guests()).toEqual(stands);
    expect(await item('web')).toMatchObject({ ci_id, owner: 'alice' });
  });
});

describe('a token', () => {
  test('without any right fails the pass with what would grant it, and nothing is lost', async () => {
    const { home, discover, light, guests } = await twoKnown();
    home.do('profile', { to: 'none' });

    const full = await discover();
    const quick = await light();
    for (let day = 0; day < 4; day += 1) await discover({ after: { hours: 24 } });

    expect(full).toEqual(quick);
    expect(quick).toEqual({
      outcome: 'failed',
      error: [
        `home: the token may see no guest: it lacks VM.Audit on /vms. Give the user and the token ${tokenId} the right, on a node as root:`,
        'pveum acl modify / --users sim@pve --roles PVEAuditor',
        `pveum acl modify / --tokens '${tokenId}' --roles PVEAuditor`,
      ].join('\n'),
      counts: {},
    });
    expect(await guests()).toEqual(stands);
  });

  test('that never had a right says so at the first pass', async () => {
    const world = await startHome({ sim: ['--token', `${tokenId}=${secret}#none`] });
    world.home.guest('web');

    const { outcome, error } = await world.discover();

    expect({ outcome, error }).toMatchObject({ outcome: 'failed' });
    expect(error).toContain('it lacks VM.Audit on /vms');
    expect(await world.get('/ci?ci_type=virtual_machine')).toEqual([]);
  });

  test('that may see one pool sees a guest no more that was taken out of it, which is not gone', async () => {
    const world = await startHome({ sim: ['--token', `${tokenId}=${secret}#pool:lab`] });
    world.home.guest('web', { pool: 'lab' });
    world.home.guest('db', { pool: 'lab' });
    world.home.guest('other');
    await world.discover();
    const before = await world.guests();
    world.home.do('pool', { vmid: 100 });

    const ran = await world.light();
    for (let day = 0; day < 4; day += 1) await world.discover({ after: { hours: 24 } });

    expect(before).toEqual(['A web 100 on pve1: running', 'B db 101 on pve1: running']);
    expect(ran).toMatchObject({ outcome: 'partial', error: notShown });
    expect(await world.guests()).toEqual(before);
  });

  test('that may see one pool tells that a guest of it is gone', async () => {
    const world = await startHome({ sim: ['--token', `${tokenId}=${secret}#pool:lab`] });
    world.home.guest('web', { pool: 'lab' });
    world.home.guest('db', { pool: 'lab' });
    await world.discover();
    world.home.do('delete', { vmid: 100 });

    const ran = await world.light();

    expect(ran).toMatchObject({ outcome: 'good', counts: { missing: 1 } });
    expect(await world.guests()).toEqual(['A web 100 on pve1: missing', 'B db 101 on pve1: running']);
  });

  test('that may not see storages any more takes none of them away, nor what guests depend on', async () => {
    const { home, light, discover, get, item } = await twoKnown();
    const storages = async () => (await get('/ci?ci_type=storage')).map(({ ci_status }) => ci_status);
    const dependsOn = async () =>
      (await get(`/ci/${String((await item('web')).ci_id)}/relationships`)).map(({ relationship_type, ci_name }) =>
        said(relationship_type, ci_name),
      );
    const before = [await storages(), await dependsOn()];
    home.do('profile', { to: 'vms' });

    const quick = await light();
    for (let day = 0; day < 4; day += 1) await discover({ after: { hours: 24 } });

    expect(quick).toMatchObject({ outcome: 'good', counts: { missing: 0 } });
    expect([await storages(), await dependsOn()]).toEqual(before);
    expect(before[1]).toEqual(['connects_to vmbr0', 'depends_on local-lvm', 'runs_on pve1']);
  });

  test('that may not look at nodes any more leaves what was known of them', async () => {
    const { home, discover, item } = await twoKnown();
    const { technical_specs } = await item('pve1');
    home.do('profile', { to: 'vms' });

    for (let day = 0; day < 2; day += 1) await discover({ after: { hours: 24 } });

    expect((await item('pve1')).technical_specs).toEqual(technical_specs);
  });
});

test('a token that may not see pools any more leaves guests in theirs', async () => {
  const { home, light, discover, item } = await twoKnown();
  const poolOf = async () => ((await item('web')).technical_specs as { pool?: string }).pool;
  home.do('profile', { to: 'vms' });

  const quick = await light();
  const unseen = await poolOf();
  await discover();
  home.do('profile', { to: 'auditor' });
  home.do('pool', { vmid: 100, pool: 'prod' });
  await discover();
  const moved = await poolOf();
  home.do('pool', { vmid: 100 });
  await light();

  expect(quick).toMatchObject({ outcome: 'good', counts: { missing: 0 } });
  expect([unseen, moved, await poolOf()]).toEqual(['lab', 'prod', undefined]);
});

test('a token that may not see virtual networks takes none away, whichever pass it is', async () => {
  const { home, light, discover, get, call, restart } = await twoKnown();
  home.do('vnet', { vnet: 'vnet1' });
  await discover({ after: { hours: 24 } });
  const vnets = async () => (await get('/ci?ci_type=network')).map(({ ci_name }) => ci_name);
  const before = await vnets();
  home.do('profile', { to: 'vms' });

  await restart();
  await light();
  await call('POST', '/jobs/proxmox-home-guest/run', { wait: true, params: { vmid: 100 } });
  for (let day = 0; day < 2; day += 1) await light();
  for (let day = 0; day < 2; day += 1) await discover({ light: true, after: { hours: 24 } });

  expect(await vnets()).toEqual(before);
  expect(before).toContain('vnet1');
});

test('a storage that was removed is missing', async () => {
  const { home, light, get } = await twoKnown();
  home.do('storage-remove', { storage: 'nas-nfs' });

  const ran = await light();

  expect(ran).toMatchObject({ outcome: 'good', counts: { missing: 1 } });
  expect((await get('/ci?ci_name=nas-nfs')).map(({ ci_status }) => ci_status)).toEqual(['missing']);
});

describe('a node that is down', () => {
  test('is stopped, and its guests stand as they were until it is back', async () => {
    const { home, light, discover, guests, item, hosts } = await twoKnown();
    const before = await item('db');
    home.do('node-offline', { node: 'pve2' });

    const ran = await light();
    const full = await discover();
    const down = [await guests(), (await item('pve2')).ci_status, await hosts()];
    const during = await item('db');
    home.do('node-online', { node: 'pve2' });
    const back = await light();

    const error = 'node pve2 is down; of 1 guest only the number is known now.';
    expect(ran).toMatchObject({ outcome: 'partial', error, counts: { missing: 0 } });
    expect(full).toMatchObject({ outcome: 'partial', error });
    expect(down).toEqual([stands, 'stopped', ['db', 'web']]);
    expect(during.technical_specs).toEqual(before.technical_specs);
    expect(during.updated_at).toBe(before.updated_at);
    expect(back).toMatchObject({ outcome: 'good' });
    expect([await guests(), (await item('pve2')).ci_status]).toEqual([stands, 'running']);
  });

  test('may go on to show the last figures of its guests for minutes', async () => {
    const { home, light, guests, hosts } = await twoKnown({ sim: ['--offline-grace', '300'] });
    home.do('node-offline', { node: 'pve2' });

    const ran = await light();
    const fresh = await guests();
    await light();
    await light();
    const dark = await light();

    expect(ran).toMatchObject({ outcome: 'partial', error: 'node pve2 is down.' });
    expect(dark.error).toBe('node pve2 is down; of 1 guest only the number is known now.');
    expect([fresh, await guests(), await hosts()]).toEqual([stands, stands, ['db', 'web']]);
  });

  test('takes nothing away on other nodes for the first day, and holds nothing up after that', async () => {
    const { home, light, discover, guests } = await twoKnown();
    home.do('node-offline', { node: 'pve2' });
    await light();
    home.do('delete', { vmid: 100 });

    const early = await discover({ after: { hours: 6 } });
    const first = await guests();
    const late = await discover({ after: { hours: 18 } });
    await discover({ after: { hours: 12 } });
    await discover({ after: { hours: 12 } });

    expect(early).toMatchObject({ outcome: 'partial' });
    expect(first).toEqual(stands);
    expect(late).toMatchObject({ outcome: 'good', counts: { missing: 1 } });
    expect(await guests()).toEqual(['A web 100 on pve1: retired', 'B db 101 on pve2: running']);
  });

  test('keeps no guest for ever that was deleted meanwhile', async () => {
    const { home, light, discover, guests } = await twoKnown();
    home.do('node-offline', { node: 'pve2' });
    await light();
    home.do('delete', { vmid: 101 });

    await discover();
    const early = await guests();
    await discover({ after: { hours: 25 } });
    const late = await guests();
    await discover({ after: { hours: 12 } });
    await discover({ after: { hours: 12 } });

    expect(early).toEqual(stands);
    expect(late[1]).toBe('B db 101 on pve2: missing');
    expect((await guests())[1]).toBe('B db 101 on pve2: retired');
  });

  test('and was removed is missing, with its storages and networks', async () => {
    const { home, light, get } = await twoKnown();
    home.do('node-remove', { node: 'pve3' });

    const ran = await light();

    expect(ran.outcome).toBe('good');
    const missing = (await get('/ci?limit=1000')).filter(({ ci_status }) => ci_status === 'missing');
    expect(missing.map(({ ci_name }) => String(ci_name)).sort()).toEqual([
      'local',
      'local-lvm',
      'pve3',
      'vmbr0',
      'vmbr0.50',
      'vmbr1',
    ]);
  });
});

describe('a cluster without its quorum', () => {
  test('answers from its last copy, which takes nothing away', async () => {
    const { home, discover, guests } = await twoKnown();
    home.do('quorate', { to: 0 });
    home.do('delete', { vmid: 100 });

    const ran = await discover();
    const without = await guests();
    home.do('quorate');
    await discover();

    expect(ran).toMatchObject({
      outcome: 'partial',
      error: 'the cluster has no quorum, and answers from its last copy.',
    });
    expect(without).toEqual(stands);
    expect((await guests())[0]).toBe('A web 100 on pve1: missing');
  });

  test('takes nothing away in the light passes that follow either', async () => {
    const { home, discover, light, guests } = await twoKnown();
    home.do('quorate', { to: 0 });
    await discover();
    home.do('delete', { vmid: 100 });

    const ran = await light();

    expect(ran.outcome).toBe('partial');
    expect(await guests()).toEqual(stands);
  });
});

describe('much at once', () => {
  async function forty() {
    const world = await startHome({ sim: ['--nodes', '1'] });
    for (let index = 0; index < 40; index += 1) world.home.guest(`guest-${index}`, { agent: undefined });
    await world.discover();
    const count = async (status: string) =>
      (await world.get(`/ci?ci_type=virtual_machine&ci_status=${status}&limit=1000`)).length;
    const most = world.home.sim
      .truth()
      .guests.map(({ vmid }) => vmid)
      .slice(0, 35);
    return { ...world, most, count };
  }
  test('is held: 35 of 40 guests that are stopped after a power cut leave the inventory only once it is sure', async () => {
    const { home, most, light, count, hosts } = await forty();
    for (const vmid of most) home.do('stop', { vmid });

    const ran = await light();
    const held = [await count('running'), (await hosts()).length];
    await light();

    expect(ran.outcome).toBe('held');
    expect(ran.error).toContain('35 stopped at once; nothing was taken away');
    expect(held).toEqual([40, 40]);
    expect(await count('running')).toBe(5);
  });

  test('is forgotten where the next pass sees them run', async () => {
    const { home, most, light, count, get } = await forty();
    for (const vmid of most) home.do('stop', { vmid });
    const held = await light();
    for (const vmid of most) home.do('start', { vmid });

    const ran = await light();

    expect([held.outcome, ran.outcome]).toEqual(['held', 'good']);
    expect(await count('running')).toBe(40);
    const changes = (await get('/changes?limit=1000')).filter(({ after }) => JSON.stringify(after).includes('stopped'));
    expect(changes).toEqual([]);
  });

  test('is held: 35 of 40 guests that are gone are missing once a second pass agrees', async () => {
    const { home, most, light, count } = await forty();
    for (const vmid of most) home.do('delete', { vmid });

    const ran = await light();
    const held = await count('running');
    await light();

    expect(ran.outcome).toBe('held');
    expect(held).toBe(40);
    expect([await count('running'), await count('missing')]).toEqual([5, 35]);
  });
});

test('a guest that a backup stops for a moment stays in the inventory', async () => {
  const { home, light, hosts, guests } = await twoKnown();
  home.do('stop', { vmid: 100 });
  home.do('lock', { vmid: 100, lock: 'backup' });

  await light();
  const during = [await hosts(), await guests()];
  home.do('unlock', { vmid: 100 });
  home.do('start', { vmid: 100 });
  await light();

  expect(during).toEqual([
    ['db', 'web'],
    ['A web 100 on pve1: stopped', 'B db 101 on pve2: running'],
  ]);
  expect([await hosts(), await guests()]).toEqual([['db', 'web'], stands]);
});

test('a guest that a backup stops and starts during a pass stays in the inventory', async () => {
  const { home, light, hosts, guests } = await twoKnown();
  home.do('rename', { vmid: 101, name: 'postgres' });
  home.fault({ match: '101/config', kind: 'latency', ms: 300, times: 1 });

  const passing = light();
  await vi.waitUntil(() => home.calls()['GET /cluster/resources'] === 1);
  home.do('stop', { vmid: 100 });
  home.do('lock', { vmid: 100, lock: 'backup' });
  await passing;
  const during = await hosts();
  await light();
  home.do('unlock', { vmid: 100 });
  home.do('start', { vmid: 100 });
  await light();

  expect([during, await hosts()]).toEqual([
    ['postgres', 'web'],
    ['postgres', 'web'],
  ]);
  expect(await guests()).toEqual(['A web 100 on pve1: running', 'B postgres 101 on pve2: running']);
});
