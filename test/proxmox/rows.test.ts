import { expect, test } from 'vitest';
import { readResources, tagsOf } from '../../src/proxmox/rows.ts';

const guest = { type: 'qemu', vmid: 100, node: 'pve1', name: 'web', status: 'running' };
const readGuest = (row: object) => readResources([{ ...guest, ...row }]).guests[0];

test('a row is read whole', () => {
  const { guests, nodes, storages, unreadable } = readResources([
    {
      ...guest,
      id: 'qemu/100',
      template: 0,
      tags: 'web;prod',
      pool: 'lab',
      lock: 'backup',
      hastate: 'started',
      uptime: 60,
      maxcpu: 2,
      maxmem: 1024,
      maxdisk: 2048,
      memhost: 7,
    },
    { type: 'node', node: 'pve1', status: 'online', uptime: 5, maxcpu: 8, maxmem: 10, maxdisk: 20, level: '' },
    { type: 'storage', storage: 'nas', node: 'pve1', shared: 1, plugintype: 'nfs', content: 'iso,backup', maxdisk: 9 },
    { type: 'pool', id: '/pool/lab', pool: 'lab' },
    { type: 'sdn', sdn: 'localnetwork', node: 'pve1' },
    { type: 'network', network: 'localnetwork', node: 'pve1' },
  ]);

  expect(guests).toEqual([
    {
      type: 'qemu',
      vmid: 100,
      node: 'pve1',
      name: 'web',
      status: 'running',
      isTemplate: false,
      tags: ['prod', 'web'],
      pool: 'lab',
      lock: 'backup',
      haState: 'started',
      uptime: 60,
      cpus: 2,
      memoryBytes: 1024,
      diskBytes: 2048,
    },
  ]);
  expect(nodes).toEqual([{ node: 'pve1', isOnline: true, uptime: 5, cpus: 8, memoryBytes: 10, diskBytes: 20 }]);
  expect(storages).toEqual([
    { storage: 'nas', node: 'pve1', isShared: true, type: 'nfs', content: ['iso', 'backup'], capacityBytes: 9 },
  ]);
  expect(unreadable).toBe(0);
});

test.each([
  ['a number as text', { vmid: '100' }, { vmid: 100 }],
  ['a number in the id alone', { vmid: undefined, id: 'qemu/100' }, { vmid: 100 }],
  ['figures as text', { maxcpu: '2', uptime: '60' }, { cpus: 2, uptime: 60 }],
  ['a template by a text', { template: '1' }, { isTemplate: true }],
  [
    'no name, as while its node is down',
    { name: undefined, status: 'unknown' },
    { name: undefined, status: 'unknown' },
  ],
  ['a name that is empty', { name: '' }, { name: undefined }],
  ['a status that nobody knows yet', { status: 'hovering' }, { status: 'hovering' }],
  ['no status', { status: undefined }, { status: 'unknown' }],
  ['nulls', { tags: null, pool: null, maxmem: null }, { tags: [], pool: undefined, memoryBytes: undefined }],
])('a guest’s row is read with %s', (_, row, read) => {
  expect(readGuest(row)).toMatchObject(read);
});

test.each([
  ['without a number', { vmid: undefined }],
  ['with a number that is none', { vmid: 'abc' }],
  ['with a number that is not whole', { vmid: 1.5 }],
  ['without a node', { node: undefined }],
])('a guest’s row %s is counted, and hides no other', (_, row) => {
  const { guests, unreadable } = readResources([
    { ...guest, ...row },
    { ...guest, vmid: 101 },
  ]);

  expect(guests.map(({ vmid }) => vmid)).toEqual([101]);
  expect(unreadable).toBe(1);
});

test.each([[null], [{}], ['text'], [[null, 'text', 7, {}]]])('what is no list of rows has none: %j', (data) => {
  expect(readResources(data)).toEqual({ guests: [], nodes: [], storages: [], unreadable: 0 });
});

test.each([
  ['prod;web', ['prod', 'web']],
  ['web,prod', ['prod', 'web']],
  ['web prod', ['prod', 'web']],
  ['web; prod ;;web', ['prod', 'web']],
  ['c++;v1.2;team_a', ['c++', 'team_a', 'v1.2']],
  ['', []],
  [undefined, []],
  [null, []],
])('tags written as %j are read', (written, tags) => {
  expect(tagsOf(written)).toEqual(tags);
});
