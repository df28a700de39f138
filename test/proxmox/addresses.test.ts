import { describe, expect, test } from 'vitest';
import {
  addressesOf,
  agentFault,
  nodeAddress,
  readInterfaces,
  readNodeNetwork,
  readSystem,
} from '../../src/proxmox/addresses.ts';
import type { Nic } from '../../src/proxmox/guest-config.ts';

const card = (mac: string, more: Partial<Nic> = {}): Nic => ({
  name: 'net0',
  mac,
  bridge: 'vmbr0',
  vlan: undefined,
  addresses: [],
  ...more,
});
const first = 'bc:24:11:00:00:01';
const second = 'bc:24:11:00:00:02';
const on = (name: string, mac: string | undefined, ...addresses: string[]) => ({
  name,
  ...(mac === undefined ? {} : { 'hardware-address': mac }),
  'ip-addresses': addresses.map((address) => ({
    'ip-address-type': address.includes(':') ? 'ipv6' : 'ipv4',
    'ip-address': address,
    prefix: 24,
  })),
});
const told = (...interfaces: object[]) => readInterfaces({ result: interfaces });

describe('the addresses of a guest', () => {
  test.each([
    ['are those of its card', told(on('eth0', first, '10.0.0.5')), ['10.0.0.5']],
    ['are known by a MAC in capitals', told(on('eth0', first.toUpperCase(), '10.0.0.5')), ['10.0.0.5']],
    ['have IPv4 first', told(on('eth0', first, '2001:db8::5', '10.0.0.5')), ['10.0.0.5', '2001:db8::5']],
    [
      'are of the first card before the second',
      told(on('b', second, '10.2.0.5'), on('a', first, '10.1.0.5')),
      ['10.1.0.5', '10.2.0.5'],
    ],
    ['are told once', told(on('a', first, '10.0.0.5'), on('bridge', first, '10.0.0.5')), ['10.0.0.5']],
    [
      'are none that are link-local',
      told(on('a', first, 'fe80::1', 'fe80::1%4', '169.254.1.2', '10.0.0.5')),
      ['10.0.0.5'],
    ],
    [
      'are no loopback',
      told(on('lo', '00:00:00:00:00:00', '127.0.0.1', '::1'), on('a', first, '10.0.0.5')),
      ['10.0.0.5'],
    ],
    [
      'are none of Docker, Kubernetes and tunnels',
      told(
        on('docker0', '02:42:aa:bb:cc:dd', '172.17.0.1'),
        on('br-0123', '02:42:de:ad:be:ef', '172.18.0.1'),
        on('cali0', 'ee:ee:ee:ee:ee:ee', '10.244.0.9'),
        on('cali1', 'ee:ee:ee:ee:ee:ee', '10.244.0.10'),
        on('tunl0', '00:00:00:00:00:00', '10.244.0.0'),
        on('wg0', undefined, '10.66.0.1'),
        on('tailscale0', undefined, '100.64.1.9', 'fd7a:115c:a1e0::1'),
        on('a', first, '10.0.0.5'),
      ),
      ['10.0.0.5'],
    ],
    [
      'are read beside VRRP interfaces without any',
      told({ name: 'vrrp.1', 'hardware-address': '00:00:5e:00:01:01' }, on('a', first, '10.0.0.5')),
      ['10.0.0.5'],
    ],
    [
      'are read beside interfaces without a name',
      told({ 'hardware-address': second }, null as never, on('a', first, '10.0.0.5')),
      ['10.0.0.5'],
    ],
    ['are read by names of any language', told(on('Ethernet-Verbindung 1', first, '10.0.0.5')), ['10.0.0.5']],
  ])('%s', (_, interfaces, addresses) => {
    expect(addressesOf([card(first), card(second, { name: 'net1' })], interfaces)).toEqual({
      addresses,
      primary: addresses[0],
    });
  });

  test('are those of its configuration until it tells any itself', () => {
    const nics = [card(first, { addresses: ['2001:db8::5', '10.0.0.5'] })];

    expect(addressesOf(nics, undefined)).toEqual({ addresses: ['10.0.0.5', '2001:db8::5'], primary: '10.0.0.5' });
    expect(addressesOf(nics, [])).toEqual({ addresses: ['10.0.0.5', '2001:db8::5'], primary: '10.0.0.5' });
    expect(addressesOf(nics, told(on('a', first, '10.9.0.5')))).toEqual({
      addresses: ['10.9.0.5'],
      primary: '10.9.0.5',
    });
  });

  test('are none where nothing tells of any', () => {
    expect(addressesOf([card(first)], told(on('a', first)))).toEqual({ addresses: [], primary: undefined });
    expect(addressesOf([], told(on('docker0', '02:42:aa:bb:cc:dd', '172.17.0.1')))).toEqual({
      addresses: [],
      primary: undefined,
    });
  });
});

test('a container tells all its addresses from 8.4 on, and before that the last of each family', () => {
  const row = { name: 'eth0', hwaddr: first, inet: '10.0.0.6/24', inet6: '2001:db8::6/64' };

  expect(readInterfaces([row])).toEqual([{ name: 'eth0', mac: first, addresses: ['10.0.0.6', '2001:db8::6'] }]);
  expect(
    readInterfaces([
      {
        ...row,
        'hardware-address': first,
        'ip-addresses': [
          { 'ip-address-type': 'inet', 'ip-address': '10.0.0.6', prefix: 24 },
          { 'ip-address-type': 'inet', 'ip-address': '10.0.0.7', prefix: 24 },
        ],
      },
    ]),
  ).toEqual([{ name: 'eth0', mac: first, addresses: ['10.0.0.6', '10.0.0.7'] }]);
});

test.each([[null], [{}], [{ result: null }], ['text']])('what is no list of interfaces has none: %j', (data) => {
  expect(readInterfaces(data)).toEqual([]);
});

test.each([
  [
    'Linux',
    {
      id: 'debian',
      name: 'Debian GNU/Linux',
      'pretty-name': 'Debian GNU/Linux 12 (bookworm)',
      version: '12 (bookworm)',
      'version-id': '12',
      'kernel-release': '6.1.0-28-amd64',
    },
    { os: 'Debian GNU/Linux 12 (bookworm)', osVersion: '12', kernel: '6.1.0-28-amd64' },
  ],
  [
    'Windows, which does not say its version',
    {
      id: 'mswindows',
      name: 'Microsoft Windows',
      'pretty-name': 'Windows Server 2022 Standard',
      version: 'N/A',
      'version-id': 'N/A',
      'kernel-release': '20348',
    },
    { os: 'Windows Server 2022 Standard', osVersion: undefined, kernel: '20348' },
  ],
  [
    'one that says its name alone',
    { name: 'Arch Linux' },
    { os: 'Arch Linux', osVersion: undefined, kernel: undefined },
  ],
])('the system is read of %s', (_, result, read) => {
  expect(readSystem({ result })).toEqual(read);
});

test.each([
  [{ result: { error: { class: 'CommandNotFound', desc: 'has been disabled' } } }, 'has been disabled'],
  [{ result: { error: { class: 'Unsupported' } } }, 'Unsupported'],
  [{ result: { error: {} } }, 'the agent refused'],
  [{ result: [] }, undefined],
  [null, undefined],
])('a refusal of an agent is a success of the API: %j', (data, words) => {
  expect(agentFault(data)).toBe(words);
});

test('a node is managed by the address with the gateway', () => {
  const network = readNodeNetwork([
    { iface: 'eno1', type: 'eth', method: 'manual', active: '1', exists: null },
    { iface: 'vmbr0.50', type: 'vlan', 'vlan-id': '50', address: '10.50.0.11', cidr: '10.50.0.11/24' },
    {
      iface: 'vmbr0',
      type: 'bridge',
      address: '10.0.0.11',
      cidr: '10.0.0.11/24',
      gateway: '10.0.0.1',
      address6: '2001:db8::11',
      bridge_ports: 'eno1 eno2',
      comments: 'LAN\n',
    },
    { iface: 'vmbr1', type: 'bridge', bridge_ports: 'none', bridge_vlan_aware: 1 },
  ]);

  expect(nodeAddress(network)).toBe('10.0.0.11');
  expect(network).toEqual([
    {
      name: 'eno1',
      type: 'eth',
      addresses: [],
      cidr: undefined,
      hasGateway: false,
      vlan: undefined,
      isVlanAware: false,
      ports: [],
      comment: undefined,
    },
    {
      name: 'vmbr0.50',
      type: 'vlan',
      addresses: ['10.50.0.11'],
      cidr: '10.50.0.11/24',
      hasGateway: false,
      vlan: 50,
      isVlanAware: false,
      ports: [],
      comment: undefined,
    },
    {
      name: 'vmbr0',
      type: 'bridge',
      addresses: ['10.0.0.11', '2001:db8::11'],
      cidr: '10.0.0.11/24',
      hasGateway: true,
      vlan: undefined,
      isVlanAware: false,
      ports: ['eno1', 'eno2'],
      comment: 'LAN',
    },
    {
      name: 'vmbr1',
      type: 'bridge',
      addresses: [],
      cidr: undefined,
      hasGateway: false,
      vlan: undefined,
      isVlanAware: true,
      ports: [],
      comment: undefined,
    },
  ]);
});
