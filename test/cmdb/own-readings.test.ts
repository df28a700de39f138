/** What a source of our own can say of its whole world besides items: how they hang together, and what it left out. */

import { expect, test } from 'vitest';
import type { OwnReading } from '../../src/cmdb/cmdb.ts';
import type { Observation } from '../../src/cmdb/speak.ts';
import { startService } from '../service.ts';

type Row = Record<string, string | null>;
const source = 'proxmox-api:home';

const node = (name: string): Observation => ({
  key: `home/node/${name}`,
  item: { ci_type: 'physical_server', ci_name: name, ci_status: 'running' },
});
const guest = (vmid: number, name: string, on: string): Observation => ({
  key: `home/qemu/${vmid}`,
  item: { ci_type: 'virtual_machine', ci_name: name, ci_status: 'running', technical_specs: { vmid, node: on } },
  related: [{ relationship_type: 'runs_on', relationship_strength: 'critical', key: `home/node/${on}` }],
});

async function world() {
  const service = await startService();
  const read = async (batch: Observation[], more: Partial<OwnReading> = {}) => {
    service.pass({ minutes: 1 });
    return await service.app.cmdb.read(source, batch, { complete: true, why: null, begunAt: service.now(), ...more });
  };
  const get = async (path: string): Promise<Row[]> =>
    ((await service.call('GET', path)).body as { items: Row[] }).items;
  const runsOn = async (name: string) =>
    (await get(`/ci/${name}/relationships`))
      .filter(({ direction }) => direction === 'out')
      .map(({ relationship_type, ci_name }) => `${relationship_type} ${ci_name}`);
  const status = async (name: string) => ((await service.call('GET', `/ci/by-name/${name}`)).body as Row).ci_status;
  return { ...service, read, get, runsOn, status };
}

test('a thing is related to another one by its source’s own key for that, whatever that is called', async () => {
  const { read, runsOn, call } = await world();
  await read([guest(101, 'web', 'pve1'), guest(102, 'pve1', 'pve2'), node('pve1'), node('pve2')]);
  const first = [await runsOn('web'), await runsOn('pve2')];

  await call('PATCH', '/ci/pve2', { ci_name: 'big-node' });
  await read([guest(101, 'web', 'pve2'), guest(102, 'pve1', 'pve2'), node('pve1'), node('pve2')]);

  expect(first).toEqual([['runs_on pve1'], []]);
  expect(await runsOn('web')).toEqual(['runs_on big-node']);
});

test('what is named by key and not known yet is found when it appears, and where it went', async () => {
  const { read, runsOn, call, get } = await world();
  await read([guest(101, 'web', 'pve1')]);
  const before = await runsOn('web');

  await read([guest(101, 'web', 'pve1'), node('pve1')]);
  const found = await runsOn('web');
  const { body } = await call('POST', '/ci', { ci_name: 'rack-server', ci_type: 'physical_server' });
  const [known] = await get('/ci?ci_name=pve1');
  await call('POST', `/ci/${(body as Row).ci_id}/merge`, { other: known?.ci_id });

  expect([before, found]).toEqual([[], ['runs_on pve1']]);
  const { body: survivor } = await call('GET', `/ci/${known?.ci_id}`);
  expect(await runsOn('web')).toEqual([`runs_on ${(survivor as Row).ci_name}`]);
});

test('what a reading leaves out is neither seen nor gone', async () => {
  const { read, status } = await world();
  await read([guest(101, 'web', 'pve1'), guest(102, 'db', 'pve1'), guest(103, 'app', 'pve1')]);

  const taken = await read([guest(101, 'web', 'pve1')], { leftOut: new Set(['home/qemu/102']) });

  expect(taken).toMatchObject({ outcome: 'good', seen: 1, missing: 1 });
  expect([await status('db'), await status('app')]).toEqual(['running', 'missing']);
});

test('a reading can be rehearsed: it says what it would do, and does nothing', async () => {
  const { read, get } = await world();
  await read([guest(101, 'web', 'pve1'), guest(102, 'db', 'pve1')]);
  const before = [await get('/ci'), await get('/passes'), await get('/changes')];

  const rehearsed = await read([guest(101, 'www', 'pve1'), guest(103, 'new', 'pve1')], { dryRun: true });

  expect(rehearsed).toMatchObject({ created: 1, updated: 1, missing: 1 });
  expect(rehearsed.changes.map(({ ci_name, action }) => `${action} ${ci_name}`).sort()).toEqual([
    'created new',
    'missing db',
    'updated www',
  ]);
  expect([await get('/ci'), await get('/passes'), await get('/changes')]).toEqual(before);
});

test('a change has the author whom the source knows', async () => {
  const { read, get } = await world();
  await read([guest(101, 'web', 'pve1'), guest(102, 'db', 'pve1')]);

  await read([guest(101, 'www', 'pve1')], {
    authors: new Map([
      ['home/qemu/101', 'alice@pve (qmconfig)'],
      ['home/qemu/102', 'root@pam (qmdestroy)'],
    ]),
  });

  const [web] = await get('/ci?ci_name=www');
  const [db] = await get('/ci?ci_name=db');
  const changes = await get('/changes');
  const actorsOf = (item: Row | undefined) =>
    changes.filter(({ subject_id }) => subject_id === item?.ci_id).map(({ action, actor }) => `${action} ${actor}`);
  expect(actorsOf(web)).toEqual(['updated alice@pve (qmconfig)', 'created null']);
  expect(actorsOf(db)).toEqual(['missing root@pam (qmdestroy)', 'created null']);
});

test('nodes and storages that two clusters report under one name are two, and each guest runs on its own', async () => {
  const { read, app, now, pass, get, runsOn } = await world();
  const storage = (key: string): Observation => ({
    key,
    item: { ci_type: 'storage', ci_name: 'local', technical_specs: { parent: 'pve' } },
  });
  const other = async () => {
    pass({ minutes: 1 });
    const batch = [
      { ...node('pve'), key: 'ranch/node/pve' },
      storage('ranch/storage/pve/local'),
      {
        ...guest(101, 'mail', 'pve'),
        key: 'ranch/qemu/101',
        related: [{ relationship_type: 'runs_on', relationship_strength: 'critical' as const, key: 'ranch/node/pve' }],
      },
    ];
    await app.cmdb.read('proxmox-api:ranch', batch, { complete: true, why: null, begunAt: now() });
  };
  const own = [node('pve'), storage('home/storage/pve/local'), guest(101, 'web', 'pve')];

  await read(own);
  await other();
  await read(own);
  await other();

  const nodes = await get('/ci?ci_name=pve');
  expect(nodes.map(({ ci_type }) => ci_type)).toEqual(['physical_server', 'physical_server']);
  expect((await get('/ci?ci_name=local')).length).toBe(2);
  expect([await runsOn('web'), await runsOn('mail')]).toEqual([['runs_on pve'], ['runs_on pve']]);
  const targets = [];
  for (const name of ['web', 'mail']) targets.push((await get(`/ci/${name}/relationships`))[0]?.ci_id);
  expect(new Set(targets)).toEqual(new Set(nodes.map(({ ci_id }) => ci_id)));
});
