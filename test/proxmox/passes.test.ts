/** What a pass asks for and what it writes: no more than what differs, and nothing for the clock of others. */

import { describe, expect, test } from 'vitest';
import { listRuns } from '../../src/jobs/store.ts';
import { type Row, type SimCluster, said, secret, startHome, tokenId, type World } from './cluster.ts';

const light = { 'GET /cluster/resources': 1 };
const full = { 'GET /access/permissions': 1, 'GET /cluster/status': 1, 'GET /cluster/resources': 1 };
const configOf = { qemu: 'GET /nodes/{node}/qemu/{vmid}/config', lxc: 'GET /nodes/{node}/lxc/{vmid}/config' };
const agentCall = 'GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces';

async function known(
  options: { sim?: readonly string[]; cluster?: Row; settings?: Row } = {},
): Promise<World & { home: SimCluster }> {
  const world = await startHome(options);
  world.home.guest('web');
  world.home.guest('db', { type: 'lxc', node: 'pve2' });
  world.home.guest('off', { running: false });
  await world.discover();
  world.home.calls();
  return world;
}

test('the first pass learns what a guest is, where it runs, what it needs and who answers in it', async () => {
  const world = await startHome();
  const web = world.home.guest('web', {
    tags: ['prod', 'web'],
    pool: 'lab',
    hastate: 'started',
    onboot: 1,
    snaps: 1,
    created: 1_700_000_000,
    bootAt: 1_772_000_000,
    desc: 'root/hunter2',
  });
  const tasks = web.macs.map((mac) => mac.toLowerCase());

  await world.discover();

  const item = await world.item('web');
  expect(item).toMatchObject({
    ci_type: 'virtual_machine',
    ci_status: 'running',
    site_id: 'site-home',
    tags: ['prod', 'web'],
    managed_by: 'proxmox-api',
    discovered_by: 'proxmox-api:home',
  });
  expect(item.technical_specs).toEqual({
    vmid: 100,
    node: 'pve1',
    pool: 'lab',
    ha_state: 'started',
    booted_at: '2026-02-25T06:13:20.000Z',
    cpu_cores: 2,
    cpu_sockets: 1,
    memory_mb: 2048,
    disk_gb: 32,
    disks: [{ name: 'scsi0', storage: 'local-lvm', size_gb: 32 }],
    nics: [{ name: 'net0', mac: tasks[0], bridge: 'vmbr0', vlan: 20 }],
    uuid: web.uuid,
    macs: tasks,
    addresses: web.addresses,
    primary_address: web.addresses[0],
    interfaces: [{ name: 'net0', mac: tasks[0], addresses: web.addresses }],
    os_type: 'l26',
    os: 'Debian GNU/Linux 12 (bookworm)',
    os_version: '12',
    kernel: '6.1.0-28-amd64',
    hostname: 'web',
    made_at: '2023-11-14T22:13:20.000Z',
    starts_on_boot: true,
    snapshots: [{ name: 'snap1', taken_at: '2023-11-15T22:13:20.000Z' }],
    backed_up: true,
  });
  const edges = await world.get(`/ci/${said(item.ci_id)}/relationships`);
  expect(
    edges.map(({ relationship_type, relationship_strength, ci_name, note }) =>
      said(relationship_type, relationship_strength, ci_name, note),
    ),
  ).toEqual([
    'connects_to strong vmbr0 net0, VLAN 20',
    'depends_on critical local-lvm null',
    'runs_on critical pve1 null',
  ]);
});

test('the first pass learns what nodes, storages, networks and the cluster are', async () => {
  const { item, get } = await known();

  const { booted_at: _, memory_mb, cpu_cores, ...node } = (await item('pve1')).technical_specs as Row;
  expect(node).toEqual({
    cpu_sockets: 1,
    cpu_model: 'Intel(R) Core(TM) i5-12500T',
    addresses: ['10.0.0.11', '10.50.0.11', '2001:db8::11'],
    primary_address: '10.0.0.11',
    interfaces: [
      { name: 'vmbr0', addresses: ['10.0.0.11', '2001:db8::11'] },
      { name: 'vmbr0.50', addresses: ['10.50.0.11'] },
    ],
    os: 'Proxmox VE',
    os_version: '9.1.4',
    kernel: '6.8.12-4-pve',
  });
  expect([memory_mb, cpu_cores]).toEqual([expect.any(Number), expect.any(Number)]);
  expect((await item('nas-nfs')).technical_specs).toEqual({
    parent: 'pvesim',
    storage_type: 'nfs',
    shared: true,
    content: ['backup', 'images', 'iso'],
    capacity_gb: 7300,
  });
  const locals = await get('/ci?ci_name=local-lvm');
  expect(locals.map(({ technical_specs }) => said((technical_specs as Row).parent)).sort()).toEqual(['pve1', 'pve2']);
  const bridges = await get('/ci?ci_type=network');
  expect(
    bridges
      .map(({ ci_name, technical_specs }) =>
        said(ci_name, (technical_specs as Row).parent, (technical_specs as Row).vlan),
      )
      .sort(),
  ).toEqual([
    'vmbr0 pve1 undefined',
    'vmbr0 pve2 undefined',
    'vmbr0.50 pve1 50',
    'vmbr0.50 pve2 50',
    'vmbr1 pve1 undefined',
    'vmbr1 pve2 undefined',
  ]);
  expect((await item('pvesim')).technical_specs).toEqual({
    nodes: ['pve1', 'pve2'],
    version: '9.1.4',
    backup_jobs: [
      { id: 'backup-9d2f1c3a-02', schedule: 'sun 01:00', storage: 'nas-nfs', enabled: false },
      { id: 'backup-9d2f1c3a-01', schedule: '02:30', storage: 'pbs', enabled: true },
    ],
  });
});

describe('over an unchanged cluster', () => {
  test('a light pass is one call, a full one is three, and neither writes an item', async () => {
    const { home, discover, get, call } = await known();
    const state = async () => [
      (await get('/ci?limit=1000')).map(({ last_seen_at: _, last_discovered_at: __, ...item }) => item),
      await get('/changes?limit=1000'),
      (await call('GET', '/inventory')).headers.get('etag'),
    ];
    const before = await state();

    const quick = await discover({ light: true });
    const quickCalls = home.calls();
    const whole = await discover();

    const counts = { seen: 18, created: 0, updated: 0, unchanged: 18, missing: 0, moving: 0 };
    expect([quick, whole]).toEqual([
      { outcome: 'good', error: null, counts },
      { outcome: 'good', error: null, counts },
    ]);
    expect([quickCalls, home.calls()]).toEqual([light, full]);
    expect(await state()).toEqual(before);
  });

  test('a pass after a restart of the service asks for no more than the rights besides', async () => {
    const { home, light: pass, restart } = await known();

    await restart();

    const again = await pass();
    expect(again.outcome).toBe('good');
    expect(home.calls()).toEqual({ 'GET /access/permissions': 1, ...light });
  });

  test('a full pass says when it was', async () => {
    const { discover, get, now } = await known();
    const before = now();

    await discover({ after: { hours: 6 } });

    expect((await get('/proxmox/clusters'))[0]?.read_at).toBe(
      before.add({ hours: 6 }).toString({ smallestUnit: 'millisecond' }),
    );
  });

  test('what rows do not show is read again in the second half of a day, a part with each pass', async () => {
    const world = await startHome({ settings: { proxmox: { agent_refresh: '30d' } } });
    for (let index = 0; index < 24; index += 1) world.home.guest(`guest-${index}`, { agent: undefined });
    await world.discover();
    world.home.calls();
    const read: number[] = [];

    for (let hour = 1; hour <= 24; hour += 1) {
      await world.discover({ light: true, after: { minutes: 60 } });
      read.push(world.home.calls()[configOf.qemu] ?? 0);
    }

    expect(read.slice(0, 11)).toEqual(Array.from({ length: 11 }, () => 0));
    expect(read.reduce((sum, one) => sum + one)).toBe(24);
    expect(Math.max(...read)).toBeLessThan(8);
  });
});

test.each([
  ['new', (home: SimCluster): void => void home.guest('new', { agent: undefined }), { [configOf.qemu]: 1 }],
  ['renamed', (home: SimCluster) => home.do('rename', { vmid: 100, name: 'www' }), { [configOf.qemu]: 1 }],
  ['tagged', (home: SimCluster) => home.do('tag', { vmid: 101, tags: 'prod' }), { [configOf.lxc]: 1 }],
  [
    'of another size',
    (home: SimCluster) => home.do('set', { vmid: 102, values: { memMiB: 4096 } }),
    { [configOf.qemu]: 1 },
  ],
  ['moved', (home: SimCluster) => home.do('migrate', { vmid: 102, to: 'pve2' }), { [configOf.qemu]: 1 }],
  [
    'started',
    (home: SimCluster) => home.do('start', { vmid: 102 }),
    {
      [configOf.qemu]: 1,
      [agentCall]: 1,
      'GET /nodes/{node}/qemu/{vmid}/agent/get-osinfo': 1,
      'GET /nodes/{node}/qemu/{vmid}/agent/get-host-name': 1,
    },
  ],
  ['stopped', (home: SimCluster) => home.do('stop', { vmid: 101 }), {}],
] as const)(
  'a light pass reads the configuration of a guest that is %s, and of no other',
  async (_, happens, calls) => {
    const { home, light: pass } = await known();
    await pass();
    home.calls();

    happens(home);
    const ran = await pass();

    expect(ran.outcome).toBe('good');
    expect(home.calls()).toEqual({ ...light, 'GET /cluster/tasks': 1, ...calls });
  },
);

test('a guest that cannot be read hides no other, and stands as it was', async () => {
  const { home, light: pass, guests } = await known();
  home.do('rename', { vmid: 100, name: 'www' });
  home.do('rename', { vmid: 101, name: 'postgres' });
  home.fault({ match: 'qemu/100/config', kind: 'status', status: 500, message: 'unable to parse value', times: 1 });

  const ran = await pass();

  expect(ran).toEqual({
    outcome: 'partial',
    error:
      '1 guest could not be read and stand as they were: /nodes/pve1/qemu/100/config was refused with 500: unable to parse value.',
    counts: { seen: 17, created: 0, updated: 1, unchanged: 16, missing: 0, moving: 0 },
  });
  expect(await guests()).toEqual([
    'A web 100 on pve1: running',
    'B postgres 101 on pve2: running',
    'C off 102 on pve1: stopped',
  ]);
});

describe('a guest agent', () => {
  test('is asked once an hour, of guests that run and have one', async () => {
    const { home, discover } = await known();
    home.guest('agentless', { agent: undefined });
    home.guest('without', { agent: 'enabled=0' });
    await discover();
    home.calls();
    const asked: number[] = [];

    for (let minute = 10; minute <= 120; minute += 10) {
      await discover({ light: true, after: { minutes: 10 } });
      asked.push(home.calls()[agentCall] ?? 0);
    }

    expect(asked).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
  });

  test.each([
    ['is dead', 'dead'],
    ['hangs', 'timeout'],
    ['is not allowed to tell', 'disabled'],
  ])('that %s is asked less and less often, and what it told stands', async (_, state) => {
    const { home, discover, item } = await known();
    const { addresses, primary_address, os } = (await item('web')).technical_specs as Row;
    home.do('agent', { vmid: 100, state });
    const asked: number[] = [];

    for (let minute = 60; minute <= 100; minute += 2) {
      const { outcome } = await discover({ light: true, after: { minutes: minute === 60 ? 60 : 2 } });
      expect(outcome).toBe('good');
      if (home.calls()[agentCall] === 1) asked.push(minute);
    }

    expect(asked).toEqual([60, 62, 68, 98]);
    expect((await item('web')).technical_specs).toMatchObject({ addresses, primary_address, os });
  });

  test('that was dead is asked as soon as its guest is started anew', async () => {
    const world = await startHome();
    world.home.guest('web', { agentState: 'dead' });
    await world.discover();
    const before = (await world.item('web')).technical_specs as Row;
    world.home.do('agent', { vmid: 100, state: 'ok' });
    world.home.do('start', { vmid: 100 });

    await world.light();

    expect(before.addresses).toBeUndefined();
    expect((await world.item('web')).technical_specs).toMatchObject({
      addresses: world.home.truth(100).addresses,
      hostname: 'web',
    });
  });

  test('tells the systems of a hundred new guests in each pass', async () => {
    const world = await startHome();
    for (let index = 0; index < 120; index += 1) world.home.guest(`guest-${index}`);
    const asked = 'GET /nodes/{node}/qemu/{vmid}/agent/get-osinfo';

    await world.discover();
    const first = world.home.calls()[asked];
    await world.light();

    expect([first, world.home.calls()[asked]]).toEqual([100, 20]);
    expect((await world.item('guest-119')).technical_specs).toMatchObject({ os: 'Debian GNU/Linux 12 (bookworm)' });
  });

  test('that is there before the network of its guest is asked again soon, and the former addresses stand', async () => {
    const { home, light: pass, item } = await known();
    const { addresses } = home.truth(100);
    home.do('start', { vmid: 100 });
    home.do('down', { vmid: 100, down: true });
    await pass();
    const early = (await item('web')).technical_specs as Row;
    home.do('down', { vmid: 100, down: false });
    home.calls();

    await pass();

    expect(early.addresses).toEqual(addresses);
    expect(home.calls()[agentCall]).toBe(1);
    expect((await item('web')).technical_specs).toMatchObject({ addresses });
  });

  test('is one of at most two that are asked at once on a node, and of six calls to the cluster', async () => {
    const world = await startHome({ sim: ['--latency', '3', '--agent-latency', '10'] });
    for (let index = 0; index < 12; index += 1) world.home.guest(`guest-${index}`);
    await world.discover();
    const first = world.home.sim.stats().peak;
    world.home.calls();

    await world.discover({ light: true, after: { minutes: 61 } });

    expect(first).toBe(6);
    expect(world.home.sim.stats()).toMatchObject({ peak: 2, paths: { [agentCall]: 12 } });
  });
});

describe('guests that are left out', () => {
  test.each([
    ['by number', { vmid: 100 }],
    ['by tag', { tag: 'no-*' }],
    ['by pool', { pool: ['lab', 'iot'] }],
    ['by node', { node: 'pve1', pool: 'lab' }],
  ])('%s are never read', async (_, rule) => {
    const world = await startHome({ cluster: { exclude: [rule] } });
    world.home.guest('web', { tags: ['no-cmdb'], pool: 'lab' });
    world.home.guest('db', { node: 'pve2' });

    const ran = await world.discover();

    expect(ran.outcome).toBe('good');
    expect(world.home.calls()[configOf.qemu]).toBe(1);
    expect(await world.guests()).toEqual(['A db 101 on pve2: running']);
  });

  test('by a pool that the token does not see are not guessed at: the pass fails, and says why', async () => {
    const world = await startHome({ cluster: { exclude: [{ pool: 'lab' }] } });
    world.home.guest('web', { pool: 'lab' });
    world.home.guest('db');
    await world.discover();
    world.home.do('profile', { to: 'vms' });

    const ran = await world.discover();

    expect(ran.outcome).toBe('failed');
    expect(ran.error).toMatch(
      /^home: the settings choose guests by the pool lab, and the token does not see who is in it: it lacks Pool\.Audit on \/pool\./,
    );
    expect(await world.guests()).toEqual(['A db 101 on pve1: running']);
  });

  test('by a pool that is the only one that the token sees are left out', async () => {
    const world = await startHome({
      sim: ['--token', `${tokenId}=${secret}#pool:lab`],
      cluster: { include: [{ pool: 'lab' }] },
    });
    world.home.guest('web', { pool: 'lab' });
    world.home.guest('db');

    expect((await world.discover()).outcome).toBe('good');
    expect(await world.guests()).toEqual(['A web 100 on pve1: running']);
  });

  test('are not read alone either', async () => {
    const world = await known({ cluster: { exclude: [{ vmid: 100 }] } });

    const { body } = await world.call('POST', '/jobs/proxmox-home-guest/run', { wait: true, params: { vmid: 100 } });

    expect(body).toMatchObject({
      outcome: 'failed',
      error: 'home: guest 100 is left out by "include" and "exclude" in the settings.',
    });
    expect(await world.guests()).toHaveLength(2);
  });

  test('are ignored, and not missing, where they were known before', async () => {
    const { home, discover, guests } = await known({ cluster: { exclude: [{ tag: 'no-cmdb' }] } });
    home.do('tag', { vmid: 100, tags: 'no-cmdb' });

    const ran = await discover({ light: true });
    for (let day = 0; day < 4; day += 1) await discover({ after: { hours: 24 } });

    expect(ran).toMatchObject({ outcome: 'good', counts: { missing: 0 } });
    expect((await guests())[0]).toBe('A web 100 on pve1: running');
  });

  test('are all that no rule of include fits', async () => {
    const world = await startHome({
      cluster: { include: [{ pool: 'lab' }, { vmid: 102 }], exclude: [{ tag: 'old' }] },
    });
    world.home.guest('web', { pool: 'lab' });
    world.home.guest('db');
    world.home.guest('app');
    world.home.guest('former', { pool: 'lab', tags: ['old'] });

    await world.discover();

    expect(await world.guests()).toEqual(['A web 100 on pve1: running', 'B app 102 on pve1: running']);
  });
});

test('descriptions are kept where the settings say so, and nowhere else', async () => {
  const kept = await startHome({ cluster: { descriptions: true } });
  const left = await startHome();
  for (const { home } of [kept, left]) home.guest('web', { desc: 'Owner: **Ops**\r\nroot/hunter2\n' });

  await kept.discover();
  await left.discover();

  expect(((await kept.item('web')).technical_specs as Row).description).toBe('Owner: **Ops**\nroot/hunter2');
  expect(((await left.item('web')).technical_specs as Row).description).toBeUndefined();
});

test('two passes that are asked for at once are one', async () => {
  const { home, app } = await known();

  const both = await Promise.all([app.runJob('proxmox-home'), app.runJob('proxmox-home')]);

  expect(both[0]).toEqual(both[1]);
  expect(home.calls()).toEqual(full);
  expect((await listRuns(app.store.read, { job: 'proxmox-home' }, 10)).rows).toHaveLength(2);
});

test('a full and a light pass of one cluster run one after the other', async () => {
  const world = await startHome({ sim: ['--latency', '5'] });
  for (let index = 0; index < 12; index += 1) world.home.guest(`guest-${index}`, { agent: undefined });

  await Promise.all([world.app.runJob('proxmox-home'), world.app.runJob('proxmox-home-light')]);

  expect(world.home.calls()).toMatchObject({ 'GET /cluster/resources': 2, [configOf.qemu]: 12 });
});

test('a clock that is set back loses nothing, and reads nothing for it', async () => {
  const { home, discover, guests, get } = await known();
  await discover({ after: { hours: 5 } });
  home.calls();
  const before = [await guests(), (await get('/changes?limit=1000')).length];

  const ran = await discover({ light: true, after: { hours: -3 } });
  const again = await discover({ light: true });

  expect([ran.outcome, again.outcome]).toEqual(['good', 'good']);
  expect([await guests(), (await get('/changes?limit=1000')).length]).toEqual(before);
});

describe('one guest alone', () => {
  const askFor = async (world: World, vmid: number) =>
    (await world.call('POST', '/jobs/proxmox-home-guest/run', { wait: true, params: { vmid } })).body as Row;

  test('is read at once, whatever was read of it before, and of the others nothing is said', async () => {
    const world = await known();
    const { home, guests } = world;
    await world.light();
    home.do('rename', { vmid: 100, name: 'www' });
    home.do('rename', { vmid: 101, name: 'postgres' });
    home.do('delete', { vmid: 102 });
    home.calls();

    const ran = await askFor(world, 100);

    expect(ran).toMatchObject({ outcome: 'good', seen: 1, created: 0, updated: 1, unchanged: 0 });
    expect(home.calls()).toEqual({ ...light, [configOf.qemu]: 1 });
    expect(await guests()).toEqual([
      'A www 100 on pve1: running',
      'B db 101 on pve2: running',
      'C off 102 on pve1: stopped',
    ]);
    await world.light();
    expect(await guests()).toEqual([
      'A www 100 on pve1: running',
      'B postgres 101 on pve2: running',
      'C off 102 on pve1: missing',
    ]);
  });

  test('that is not listed is not found', async () => {
    const world = await known();

    expect(await askFor(world, 999)).toMatchObject({
      outcome: 'failed',
      error: 'home lists no guest 999, or does not show it to this token.',
    });
  });

  test('keeps what it runs on and needs', async () => {
    const world = await known();
    const edges = async () =>
      (await world.get(`/ci/${said((await world.item('web')).ci_id)}/relationships`)).map(({ ci_name }) => ci_name);
    const before = await edges();

    await askFor(world, 100);

    expect(await edges()).toEqual(before);
    expect(before).toEqual(['vmbr0', 'local-lvm', 'pve1']);
  });
});

test('a reading is rehearsed: it says what it would change, and neither writes nor learns anything', async () => {
  const { home, call, get, guests, light: pass } = await known();
  home.do('rename', { vmid: 100, name: 'www' });
  home.do('delete', { vmid: 102 });
  home.guest('new');
  const state = async () => [await guests(), await get('/changes?limit=1000'), await get('/passes')];
  const before = await state();

  const rehearsed = (await call('POST', '/proxmox/clusters/home/rehearse')).body as Row;

  expect(rehearsed).toMatchObject({ dry_run: true, created: 1, updated: 1, missing: 1, waiting: [], left_out: [] });
  expect(await state()).toEqual(before);
  expect(await pass()).toMatchObject({ outcome: 'good', counts: { created: 1, updated: 1, missing: 1 } });
});
