import { describe, expect, test } from 'vitest';
import type { Observation } from '../../src/cmdb/speak.ts';
import { readNodeNetwork } from '../../src/proxmox/addresses.ts';
import { signOf } from '../../src/proxmox/due.ts';
import { readConfig } from '../../src/proxmox/guest-config.ts';
import { clusterSubject, guestSubject, Knowledge, nodeSubject } from '../../src/proxmox/knowledge.ts';
import { type Cluster, guestOf, observationsOf } from '../../src/proxmox/observations.ts';
import { type GuestRow, readResources } from '../../src/proxmox/rows.ts';

const at = Temporal.Instant.from('2026-03-02T12:00:00Z');
const cluster: Cluster = {
  name: 'home',
  site: undefined,
  ownName: 'pvehome',
  nodeAddresses: new Map([['pve1', '10.9.0.1']]),
  keepsDescriptions: false,
};
const nodeRow = { type: 'node', node: 'pve1', status: 'online', maxcpu: 8, maxmem: 8 * 1024 ** 3, uptime: 60 };
const storage = {
  type: 'storage',
  storage: 'nas',
  node: 'pve1',
  shared: 1,
  plugintype: 'nfs',
  content: 'iso',
  maxdisk: 1024 ** 3,
};
const guest = { type: 'qemu', vmid: 100, node: 'pve1', name: 'web', status: 'running', maxcpu: 2, uptime: 60 };
const config = { net0: 'virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=20', scsi0: 'nas:100/disk.raw,size=8G', memory: 512 };

/** Of rows, with the configuration of each guest by its number. */
function observed(rows: object[], configs: Record<number, object> = { 100: config }, more: Partial<Cluster> = {}) {
  const resources = readResources(rows);
  const known = new Knowledge([]);
  for (const row of resources.guests) {
    const read = configs[row.vmid];
    const content = { sign: signOf(row), node: row.node, uptime: row.uptime, config: readConfig(row.type, read) };
    if (read) known.learn(guestSubject(row), 'config', at, content);
  }
  const network = [
    { iface: 'vmbr0', type: 'bridge', address: '10.0.0.1', gateway: '10.0.0.254' },
    { iface: 'bond0', type: 'bond' },
  ];
  known.learn(nodeSubject('pve1'), 'network', at, readNodeNetwork(network));
  known.learn(clusterSubject, 'vnets', at, [{ name: 'vnet1', zone: 'z', vlan: 100_000, alias: undefined }]);
  const found = observationsOf({ ...cluster, ...more }, resources, known);
  return new Map(found.map((one): [string, Observation] => [one.key, one]));
}
const specsOf = (found: Map<string, Observation>, key: string) => found.get(key)?.item.technical_specs;

test('everything has a key under the name of its cluster in the settings', () => {
  expect([...observed([nodeRow, storage, guest]).keys()]).toEqual([
    'home/cluster',
    'home/node/pve1',
    'home/storage/nas',
    'home/network/pve1/vmbr0',
    'home/vnet/vnet1',
    'home/qemu/100',
  ]);
});

test('a guest runs on its node, depends on its storages and is connected to its networks', () => {
  const two = {
    ...config,
    net1: 'virtio=BC:24:11:00:00:02,bridge=vmbr0',
    net2: 'virtio=BC:24:11:00:00:03,bridge=vnet1',
    net3: 'virtio=BC:24:11:00:00:04,bridge=nowhere',
    scsi1: 'nas:100/b.raw,size=1G',
    scsi2: 'unknown:x',
  };

  expect(observed([nodeRow, storage, guest], { 100: two }).get('home/qemu/100')?.related).toEqual([
    { relationship_type: 'runs_on', relationship_strength: 'critical', key: 'home/node/pve1' },
    { relationship_type: 'depends_on', relationship_strength: 'critical', key: 'home/storage/nas' },
    {
      relationship_type: 'connects_to',
      relationship_strength: 'strong',
      key: 'home/network/pve1/vmbr0',
      note: 'net0, VLAN 20, net1',
    },
    { relationship_type: 'connects_to', relationship_strength: 'strong', key: 'home/vnet/vnet1', note: 'net2' },
  ]);
});

describe('a storage', () => {
  const on = (node: string, more: object = {}) => ({ ...storage, node, ...more });

  test('that is shared is one, however many nodes show it', () => {
    const found = observed([on('pve1', { maxdisk: undefined }), on('pve2'), on('pve3', { maxdisk: undefined })], {});

    expect([...found.keys()].filter((key) => key.includes('storage'))).toEqual(['home/storage/nas']);
    expect(specsOf(found, 'home/storage/nas')).toEqual({
      parent: 'pvehome',
      storage_type: 'nfs',
      shared: true,
      content: ['iso'],
      capacity_gb: 1,
    });
  });

  test('that is not shared is another one on each node', () => {
    const found = observed([on('pve1', { shared: 0 }), on('pve2', { shared: 0 })], {});

    expect(specsOf(found, 'home/storage/pve1/nas')).toMatchObject({ parent: 'pve1', shared: false });
    expect(specsOf(found, 'home/storage/pve2/nas')).toMatchObject({ parent: 'pve2', shared: false });
  });

  test('that is not reached keeps its size', () => {
    expect(observed([on('pve1', { maxdisk: undefined })], {}).get('home/storage/nas')?.partial).toBe(true);
    expect(observed([on('pve1')], {}).get('home/storage/nas')?.partial).toBeUndefined();
  });
});

test('a row that is dark takes nothing back', () => {
  const dark = { type: 'qemu', vmid: 100, node: 'pve1', status: 'unknown' };

  expect(observed([nodeRow, dark]).get('home/qemu/100')).toEqual({
    key: 'home/qemu/100',
    partial: true,
    item: { ci_type: 'virtual_machine', ci_status: 'unknown', technical_specs: { vmid: 100, node: 'pve1' } },
  });
});

test('a guest whose configuration was not read is not told of', () => {
  expect([...observed([nodeRow, guest], {}).keys()]).not.toContain('home/qemu/100');
});

test('a node that is down, or not to be looked at, keeps its figures', () => {
  const down = observed([{ type: 'node', node: 'pve1', status: 'offline' }], {}).get('home/node/pve1');
  const hidden = observed([{ type: 'node', node: 'pve1', status: 'online' }], {}).get('home/node/pve1');

  expect([down?.partial, down?.item.ci_status]).toEqual([true, 'stopped']);
  expect([hidden?.partial, hidden?.item.ci_status]).toEqual([true, 'running']);
});

test('a node has the address of its gateway before that of its cluster', () => {
  expect(specsOf(observed([nodeRow], {}), 'home/node/pve1')).toMatchObject({
    primary_address: '10.0.0.1',
    addresses: ['10.0.0.1'],
  });
  expect(
    specsOf(
      observed([{ ...nodeRow, node: 'pve2' }], {}, { nodeAddresses: new Map([['pve2', '10.9.0.2']]) }),
      'home/node/pve2',
    ),
  ).toMatchObject({ primary_address: '10.9.0.2' });
});

test('a node that stands alone is no cluster, and a member of none', () => {
  const found = observed([nodeRow], {}, { ownName: undefined });

  expect(found.has('home/cluster')).toBe(false);
  expect(found.get('home/node/pve1')?.related).toEqual([]);
});

test('all of a cluster stands where the settings say', () => {
  const sites = [...observed([nodeRow, storage, guest], { 100: config }, { site: 'site-x' }).values()].map(
    ({ item }) => item.site_id,
  );

  expect(new Set(sites)).toEqual(new Set(['site-x']));
});

test('what a guest is called, is made of and is comes of its row and its configuration', () => {
  expect(observed([nodeRow, storage, guest]).get('home/qemu/100')?.item).toEqual({
    ci_type: 'virtual_machine',
    ci_name: 'web',
    ci_status: 'running',
    tags: [],
    technical_specs: {
      vmid: 100,
      node: 'pve1',
      booted_at: '2026-03-02T11:59:00.000Z',
      cpu_cores: 1,
      cpu_sockets: 1,
      memory_mb: 512,
      disk_gb: 8,
      disks: [{ name: 'scsi0', storage: 'nas', size_gb: 8 }],
      nics: [{ name: 'net0', mac: 'bc:24:11:00:00:01', bridge: 'vmbr0', vlan: 20 }],
      macs: ['bc:24:11:00:00:01'],
      snapshots: undefined,
      starts_on_boot: false,
    },
  });
});

test('a guest that runs on says the same, however long it has been up', () => {
  const known = new Knowledge([]);
  const [row] = readResources([guest]).guests;
  const said = (uptime: number) => guestOf(cluster, { ...(row as GuestRow), uptime }, known, undefined);
  known.learn('qemu/100', 'config', at, {
    sign: signOf(row as GuestRow),
    node: 'pve1',
    uptime: 60,
    config: readConfig('qemu', config),
  });

  expect(said(86_400)).toEqual(said(60));
});

test.each([
  [false, undefined],
  [true, 'root/hunter2'],
])('a description is kept where the settings say so: %s', (keepsDescriptions, description) => {
  const found = observed(
    [nodeRow, guest],
    { 100: { ...config, description: 'root/hunter2\n' } },
    { keepsDescriptions },
  );

  expect((specsOf(found, 'home/qemu/100') as { description?: string }).description).toBe(description);
});

test('the tag of a VXLAN is no VLAN', () => {
  expect(specsOf(observed([nodeRow], {}), 'home/vnet/vnet1')).toEqual({ parent: 'pvehome', zone: 'z' });
});
