/** Several clusters side by side, and addresses that answer for another one. */

import { describe, expect, test } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { said, startCluster, startHome, startWorld } from './cluster.ts';

test('two clusters with the same numbers and names stay apart', async () => {
  const [home, office] = [await startCluster(), await startCluster(['--seed', '2', '--cluster', 'other'])];
  for (const cluster of [home, office]) cluster.guest('web');
  const world = await startWorld({ clusters: { home, office } });
  await world.discover();
  await world.discover({ cluster: 'office' });
  home.do('rename', { vmid: 100, name: 'www' });
  office.do('delete', { vmid: 100 });

  const [ours, theirs] = [await world.light(), await world.light('office')];

  expect([ours.outcome, theirs.outcome]).toEqual(['good', 'good']);
  expect(await world.guests()).toEqual(['A www 100 on pve1: running', 'B web 100 on pve1: missing']);
});

test('two clusters at two sites share nothing that is called the same', async () => {
  const [home, office] = [await startCluster(), await startCluster(['--seed', '2', '--cluster', 'other'])];
  for (const cluster of [home, office]) cluster.guest('web');
  const world = await startWorld({
    clusters: { home, office },
    sites: { home: 'site-home', office: 'site-office' },
  });

  await world.discover();
  await world.discover({ cluster: 'office' });

  const [here, there] = await Promise.all(
    ['site-home', 'site-office'].map(async (site) =>
      (await world.get(`/ci?site_id=${site}&limit=1000`)).filter(
        ({ ci_type }) => ci_type !== 'machine' && ci_type !== 'cluster',
      ),
    ),
  );
  expect(there?.map(({ ci_type, ci_name }) => said(ci_type, ci_name)).sort()).toEqual(
    here?.map(({ ci_type, ci_name }) => said(ci_type, ci_name)).sort(),
  );
  expect(there).toHaveLength(15);
});

test.each([
  ['at one site they are taken for one that was given twice', 'site-home', 'failed', 1],
  ['at two sites they are two', 'site-office', 'good', 2],
])('of two nodes that stand alone, with one name and one address: %s', async (_, site, outcome, nodes) => {
  const [home, office] = [await startCluster(['--nodes', '1']), await startCluster(['--nodes', '1', '--seed', '2'])];
  const world = await startWorld({ clusters: { home, office }, sites: { home: 'site-home', office: site } });

  const first = await world.discover();
  const second = await world.discover({ cluster: 'office' });

  expect([first.outcome, second.outcome]).toEqual(['good', outcome]);
  expect(await world.get('/ci?ci_type=physical_server')).toHaveLength(nodes);
});

test('a guest that moves to another cluster with its body is the same item', async () => {
  const [home, office] = [await startCluster(), await startCluster(['--seed', '2', '--cluster', 'other'])];
  const web = home.guest('web');
  const world = await startWorld({ clusters: { home, office } });
  await world.discover();
  await world.discover({ cluster: 'office' });
  const { ci_id } = await world.item('web');

  office.guest('web', { vmid: 300, uuid: web.uuid, nics: [{ ...nic, mac: web.macs[0] }] });
  home.do('delete', { vmid: 100 });
  await world.light();
  await world.light('office');

  expect(await world.guests()).toEqual(['A web 300 on pve1: running']);
  expect((await world.item('web')).ci_id).toBe(ci_id);
});

const nic = { model: 'virtio', bridge: 'vmbr0', ip: '10.0.0.99', fw: false };

describe('an address that answers for another cluster', () => {
  test.each([
    ['of another name', ['--cluster', 'other'], /the cluster other \(pve1, pve2\), and it was the cluster pvesim/],
    ['that is a node alone of another name', ['--nodes', '1', '--cluster', 'x'], /answer for/],
  ])('%s is refused, and nothing of it is taken', async (_, options, words) => {
    const [home, other] = [await startCluster(), await startCluster([...options, '--seed', '2'])];
    home.guest('web');
    other.guest('stranger');
    if (options.includes('--nodes')) other.sim.do('node-rename', { node: 'pve1', to: 'lonely' });
    const before = await startWorld({ clusters: { home } });
    await before.discover();
    const known = await before.guests();
    await before.app.close();
    const world = await startWorld({ clusters: { home: other }, folder: before.folder });

    const full = await world.discover();

    expect(full.outcome).toBe('failed');
    expect(full.error).toMatch(words);
    expect(await world.guests()).toEqual(known);
  });

  test('is refused by a light pass as well, by its nodes', async () => {
    const [home, other] = [await startCluster(), await startCluster(['--nodes', '1', '--seed', '2'])];
    home.guest('web');
    other.guest('stranger');
    other.sim.do('node-rename', { node: 'pve1', to: 'lonely' });
    const before = await startWorld({ clusters: { home } });
    await before.discover();
    await before.app.close();
    const world = await startWorld({ clusters: { home: other }, folder: before.folder });

    const { outcome, error } = await world.light();

    expect(outcome).toBe('failed');
    expect(error).toContain('answer for other nodes than the cluster pvesim (pve1, pve2)');
    expect(await world.guests()).toEqual(['A web 100 on pve1: running']);
  });
});

test('one cluster that is given twice under two names is read once, and the second says so', async () => {
  const home = await startCluster();
  home.guest('web');
  const world = await startWorld({ clusters: { home, again: home } });
  await world.discover();

  const second = await world.discover({ cluster: 'again' });

  expect(second).toEqual({
    outcome: 'failed',
    error:
      'again: it is the cluster pvesim (pve1, pve2), which proxmox-api:home reads already: give all its addresses to one cluster in the settings.',
    counts: {},
  });
  expect(await world.guests()).toEqual(['A web 100 on pve1: running']);
});

test('two clusters of one name are refused at the start', async () => {
  const home = await startCluster();
  const settings = { name: 'home', addresses: [home.url], token: 'env:PVE_TOKEN' };

  await expect(startWorld({ clusters: {}, settings: { proxmox: { clusters: [settings, settings] } } })).rejects.toThrow(
    new StartError('proxmox.clusters: two clusters are called home.'),
  );
});

test('a node that stands alone is read as well, and may form a cluster later', async () => {
  const { home, discover, guests, item, get } = await startHome({ sim: ['--nodes', '1'] });
  home.guest('web');

  const alone = await discover();
  const before = [await guests(), await get('/ci?ci_type=cluster')];
  home.do('node-add', { node: 'pve2' });
  const joined = await discover();

  expect([alone.outcome, joined.outcome]).toEqual(['good', 'good']);
  expect(before).toEqual([['A web 100 on pve1: running'], []]);
  expect(await guests()).toEqual(['A web 100 on pve1: running']);
  expect((await item('pvesim')).technical_specs).toMatchObject({ nodes: ['pve1', 'pve2'] });
});
