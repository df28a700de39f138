import { describe, expect, test } from 'vitest';
import { isAnotherBody, readConfig, readSnapshots } from '../../src/proxmox/guest-config.ts';

const uuid = '0c632d4e-86a5-438c-b03a-a056da5590e8';
const mac = 'BC:24:11:AA:BB:CC';

test('a virtual machine is read whole, and nothing that is secret', () => {
  const config = readConfig('qemu', {
    name: 'web',
    cores: 4,
    sockets: 2,
    memory: '2048',
    ostype: 'l26',
    smbios1: `uuid=${uuid}`,
    meta: 'creation-qemu=9.0.2,ctime=1700000000',
    agent: '1',
    onboot: 1,
    tags: 'web;prod',
    parent: 'before',
    digest: 'd1',
    net0: `virtio=${mac},bridge=vmbr0,firewall=1,tag=20,link_down=1`,
    ipconfig0: 'ip=10.0.0.5/24,gw=10.0.0.1,ip6=auto',
    scsi0: 'local-lvm:vm-100-disk-0,iothread=1,size=32G',
    efidisk0: 'local-lvm:vm-100-disk-1,size=4M',
    tpmstate0: 'local-lvm:vm-100-disk-2,size=4M',
    unused0: 'local-lvm:vm-100-disk-9',
    ide2: 'local:iso/debian.iso,media=cdrom',
    description: 'a\r\nb\n',
    ciuser: 'ops',
    cipassword: '**********',
    sshkeys: 'ssh-ed25519%20AAAA',
    args: '-device secret',
    hookscript: 'local:snippets/x.pl',
  });

  expect(config).toEqual({
    digest: 'd1',
    name: 'web',
    tags: ['prod', 'web'],
    uuid,
    cores: 8,
    sockets: 2,
    memoryMb: 2048,
    osType: 'l26',
    nics: [{ name: 'net0', mac: mac.toLowerCase(), bridge: 'vmbr0', vlan: 20, addresses: ['10.0.0.5'] }],
    disks: [{ name: 'scsi0', storage: 'local-lvm', sizeGb: 32 }],
    createdAt: '2023-11-14T22:13:20.000Z',
    description: 'a\nb',
    hasAgent: true,
    hasSnapshots: true,
    isTemplate: false,
    startsOnBoot: true,
  });
});

test('a container is read whole', () => {
  expect(
    readConfig('lxc', {
      hostname: 'db',
      arch: 'amd64',
      cores: 2,
      memory: 512,
      swap: 512,
      ostype: 'debian',
      rootfs: 'local-lvm:vm-101-disk-0,size=8G',
      mp0: '/mnt/tank,mp=/data,backup=0',
      mp1: 'nas:101/vm-101-disk-1.raw,mp=/var,size=1T',
      net0: `name=eth0,bridge=vmbr0,gw=10.0.0.1,hwaddr=${mac},ip=10.0.0.6/24,ip6=2001:db8::6/64,type=veth`,
      lxc: [['lxc.cgroup2.devices.allow', 'c 10:200 rwm']],
      env: 'PASSWORD=secret',
    }),
  ).toEqual({
    digest: undefined,
    name: 'db',
    tags: [],
    uuid: undefined,
    cores: 2,
    sockets: undefined,
    memoryMb: 512,
    osType: 'debian',
    nics: [
      {
        name: 'net0',
        mac: mac.toLowerCase(),
        bridge: 'vmbr0',
        vlan: undefined,
        addresses: ['10.0.0.6', '2001:db8::6'],
      },
    ],
    disks: [
      { name: 'mp0', storage: undefined, sizeGb: undefined },
      { name: 'mp1', storage: 'nas', sizeGb: 1024 },
      { name: 'rootfs', storage: 'local-lvm', sizeGb: 8 },
    ],
    createdAt: undefined,
    description: undefined,
    hasAgent: false,
    hasSnapshots: false,
    isTemplate: false,
    startsOnBoot: false,
  });
});

test.each([
  ['a number, up to 8.0', { memory: 2048 }, { memoryMb: 2048 }],
  ['a text, from 8.1', { memory: '2048' }, { memoryMb: 2048 }],
  ['a text with its key', { memory: 'current=2048' }, { memoryMb: 2048 }],
  ['left out', {}, { memoryMb: undefined }],
])('memory is %s', (_, config, read) => {
  expect(readConfig('qemu', config)).toMatchObject(read);
});

test('a container whose memory or cores are left out has 512 MiB, and those of its host', () => {
  expect(readConfig('lxc', {})).toMatchObject({ memoryMb: 512, cores: undefined });
});

test.each([
  [{}, 1],
  [{ cores: 4 }, 4],
  [{ cores: 4, sockets: 2 }, 8],
  [{ cores: 4, sockets: 2, vcpus: 3 }, 3],
  [{ cores: '2' }, 2],
])('cores of %j are %i', (config, cores) => {
  expect(readConfig('qemu', config).cores).toBe(cores);
});

test.each([
  [`uuid=${uuid}`, uuid],
  [`base64=1,manufacturer=UHJveG1veA==,uuid=${uuid}`, uuid],
  [`uuid=${uuid},base64=1,serial=YWJj`, uuid],
  ['manufacturer=Dell', undefined],
  [undefined, undefined],
])('the UUID is read out of %j', (smbios1, read) => {
  expect(readConfig('qemu', { smbios1 }).uuid).toBe(read);
});

test.each([
  ['1', true],
  [1, true],
  ['1,fstrim_cloned_disks=1', true],
  ['enabled=1,type=virtio', true],
  ['0', false],
  ['enabled=0', false],
  ['enabled=0,fstrim_cloned_disks=1', false],
  [undefined, false],
])('an agent written as %j is there: %s', (agent, hasAgent) => {
  expect(readConfig('qemu', { agent }).hasAgent).toBe(hasAgent);
});

describe('a network card', () => {
  const nicOf = (net0: string) => readConfig('qemu', { net0 }).nics[0];

  test.each(['virtio', 'e1000', 'e1000e', 'rtl8139', 'vmxnet3'])('of the model %s has its MAC', (model) => {
    expect(nicOf(`${model}=${mac},bridge=vmbr0`)?.mac).toBe(mac.toLowerCase());
  });

  test('may be without a bridge, or with its parts in another order', () => {
    expect(nicOf(`virtio=${mac}`)).toMatchObject({ mac: mac.toLowerCase(), bridge: undefined, vlan: undefined });
    expect(nicOf(`bridge=vnet1,model=virtio,macaddr=${mac},trunks=10;20`)).toMatchObject({
      mac: mac.toLowerCase(),
      bridge: 'vnet1',
    });
  });

  test.each(['ip=dhcp', 'ip6=auto', 'ip=manual', 'ip=dhcp,ip6=dhcp', ''])('has no fixed address by %j', (ipconfig0) => {
    expect(readConfig('qemu', { net0: `virtio=${mac}`, ipconfig0 }).nics[0]?.addresses).toEqual([]);
  });

  test('is one of many in the order of their numbers', () => {
    const config = Object.fromEntries(['net10', 'net2', 'net0'].map((name) => [name, `virtio=${mac}`]));

    expect(readConfig('qemu', config).nics.map(({ name }) => name)).toEqual(['net0', 'net2', 'net10']);
  });
});

test.each([
  ['local-lvm:vm-100-disk-0,size=32G', { storage: 'local-lvm', sizeGb: 32 }],
  ['nas:100/vm-100-disk-0.qcow2,size=1032M', { storage: 'nas', sizeGb: 1.008 }],
  ['ceph:vm-1-disk-0,size=4T', { storage: 'ceph', sizeGb: 4096 }],
  ['local:vm-1-disk-0,size=528K', { storage: 'local', sizeGb: 0.001 }],
  ['local:vm-1-disk-0,size=1073741824', { storage: 'local', sizeGb: 1 }],
  ['file=local:vm-1-disk-0,size=2G', { storage: 'local', sizeGb: 2 }],
  ['/dev/disk/by-id/ata-WDC_1,size=1G', { storage: undefined, sizeGb: 1 }],
  ['local:vm-1-disk-0', { storage: 'local', sizeGb: undefined }],
])('a disk %j is read', (virtio0, read) => {
  expect(readConfig('qemu', { virtio0 }).disks).toEqual([{ name: 'virtio0', ...read }]);
});

test.each(['none,media=cdrom', 'local:iso/x.iso,media=cdrom,size=3M', 'local:vm-1-cloudinit,media=cdrom', ''])(
  '%j is no disk',
  (ide2) => {
    expect(readConfig('qemu', { ide2 }).disks).toEqual([]);
  },
);

test.each([[undefined], ['creation-qemu=9.0.2'], ['ctime=0'], ['ctime=99999999999999'], ['ctime=x']])(
  'when it was made is not known by %j',
  (meta) => {
    expect(readConfig('qemu', { meta }).createdAt).toBeUndefined();
  },
);

test.each([[null], ['text'], [[]], [{}]])('what is no configuration says nothing: %j', (data) => {
  expect(readConfig('qemu', data)).toMatchObject({ name: undefined, uuid: undefined, nics: [], disks: [] });
});

test('snapshots are all but the present state', () => {
  expect(
    readSnapshots([
      { name: 'before', snaptime: 1_700_000_000, description: 'x\n' },
      { name: 'old' },
      { name: 'current', description: 'You are here!', running: 1, digest: 'd' },
      null,
    ]),
  ).toEqual([
    { name: 'before', takenAt: '2023-11-14T22:13:20.000Z' },
    { name: 'old', takenAt: null },
  ]);
});

describe('another body', () => {
  const body = (smbios: string | undefined, ...macs: string[]) =>
    readConfig('qemu', {
      smbios1: smbios && `uuid=${smbios}`,
      ...Object.fromEntries(macs.map((one, index) => [`net${index}`, `virtio=${one}`])),
    });

  test.each([
    ['has another UUID, whatever its MACs', body(uuid, mac), body(uuid.replace('0c', '1c'), mac), true],
    ['has not the same UUID in capitals', body(uuid, mac), body(uuid.toUpperCase(), 'BC:24:11:00:00:01'), false],
    ['has no MAC in common, where there is no UUID', body(undefined, mac), body(undefined, 'BC:24:11:00:00:01'), true],
    [
      'has not one MAC in common',
      body(undefined, mac, 'BC:24:11:00:00:01'),
      body(undefined, 'BC:24:11:00:00:01', 'BC:24:11:00:00:02'),
      false,
    ],
    ['is not told by what is not known', body(undefined), body(undefined, mac), false],
  ])('%s', (_, before, now, isAnother) => {
    expect(isAnotherBody(before, now)).toBe(isAnother);
  });
});
