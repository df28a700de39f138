import { describe, expect, test } from 'vitest';
import { type AddressClaim, addressesInUse, duplicatesIn } from '../../src/addresses/addresses.ts';
import { faultOfSubnet, freeIn } from '../../src/addresses/subnet.ts';

const claim = (ci_name: string, more: Partial<AddressClaim>): AddressClaim => ({
  ci_id: `id-of-${ci_name}`,
  ci_name,
  ci_type: 'virtual_machine',
  ci_status: 'running',
  site_id: 'site-home',
  source: 'proxmox-api:home',
  seen_at: '2026-03-02T10:00:00.000Z',
  primary: null,
  addresses: [],
  interfaces: [],
  ...more,
});
const lines = (claims: AddressClaim[]) =>
  addressesInUse(claims).map((row) => `${row.address} ${row.ci_name} ${row.interface} ${row.said_by.join(',')}`);

test('an address that several sources say of an item is one row, by the one that was heard last', () => {
  const rows = addressesInUse([
    claim('web', { primary: '10.0.0.5', interfaces: [{ name: 'net0', addresses: ['10.0.0.5/24'] }] }),
    claim('web', { source: 'ansible:facts', seen_at: '2026-03-02T11:00:00.000Z', addresses: ['10.0.0.5', '10.9.0.5'] }),
  ]);

  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatchObject({
    address: '10.0.0.5',
    interface: 'net0',
    is_primary: true,
    source: 'ansible:facts',
    said_by: ['ansible:facts', 'proxmox-api:home'],
    seen_at: '2026-03-02T11:00:00.000Z',
  });
  expect(rows[1]).toMatchObject({ address: '10.9.0.5', interface: null, is_primary: false });
});

test('addresses are in the order of their numbers, and those of IPv6 behind them', () => {
  expect(lines([claim('a', { addresses: ['fd00::1', '10.0.0.10', '10.0.0.9', '9.0.0.1'] })])).toEqual([
    '9.0.0.1 a null proxmox-api:home',
    '10.0.0.9 a null proxmox-api:home',
    '10.0.0.10 a null proxmox-api:home',
    'fd00::1 a null proxmox-api:home',
  ]);
});

test('what every machine has is nobody’s address, and what is no address is none', () => {
  const addresses = ['127.0.0.1', '::1', 'fe80::1', '169.254.0.1', '172.17.0.1', 'web.home.lab', '10.0.0.256', ''];

  expect(lines([claim('a', { primary: 'web.home.lab', addresses })])).toEqual([]);
});

test('an address is there twice where two items of one site have it, and not where they are at two sites', () => {
  const rows = addressesInUse([
    claim('a', { addresses: ['10.0.0.1', '10.0.0.2'] }),
    claim('b', { addresses: ['10.0.0.1'] }),
    claim('c', { addresses: ['10.0.0.2'], site_id: 'site-ranch' }),
  ]);

  expect(duplicatesIn(rows).map(({ address, ci_name }) => `${address} ${ci_name}`)).toEqual([
    '10.0.0.1 a',
    '10.0.0.1 b',
  ]);
});

describe('a subnet', () => {
  test('has free what is neither used nor reserved, nor its own or its broadcast address', () => {
    const subnet = { cidr: '10.0.0.0/29', reserved: ['10.0.0.1', '10.0.0.4-10.0.0.5'] };

    expect(freeIn(subnet, new Set(['10.0.0.2', '10.0.0.1', '10.1.0.3']), 10)).toEqual({
      cidr: '10.0.0.0/29',
      size: 6,
      used: 2,
      reserved: 2,
      free: 2,
      addresses: ['10.0.0.3', '10.0.0.6'],
    });
  });

  test.each([
    ['10.0.0.4/31', ['10.0.0.4', '10.0.0.5']],
    ['10.0.0.4/32', ['10.0.0.4']],
    ['10.0.0.7/30', ['10.0.0.5', '10.0.0.6']],
  ])('of few addresses: %s', (cidr, free) => {
    expect(freeIn({ cidr, reserved: [] }, new Set(), 10).addresses).toEqual(free);
  });

  test('tells as many as are asked for, and how many there are', () => {
    expect(freeIn({ cidr: '10.0.0.0/16', reserved: ['10.0.0.0/24'] }, new Set(), 2)).toMatchObject({
      free: 65_534 - 255,
      addresses: ['10.0.1.0', '10.0.1.1'],
    });
  });

  test.each([
    ['10.0.0.0/33', [], '10.0.0.0/33 is no network of IPv4 such as 10.0.0.0/24'],
    ['10.0.0.300/24', [], '10.0.0.300/24 is no network of IPv4 such as 10.0.0.0/24'],
    ['10.0.0.0/8', [], '10.0.0.0/8 is larger than a /16; name the part that is in use'],
    ['10.0.0.0/24', ['10.0.0.9-10.0.0.1'], '10.0.0.9-10.0.0.1 is no address, range or network of IPv4'],
  ])('of %s with %j is refused', (cidr, reserved, words) => {
    expect(faultOfSubnet({ cidr, reserved })).toBe(words);
  });
});
