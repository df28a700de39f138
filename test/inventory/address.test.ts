import { describe, expect, test } from 'vitest';
import { type AddressWord, addressOf, shareOut } from '../../src/inventory/address.ts';
import { itemWith } from './item.ts';

const early = '2026-03-01T09:00:00.000Z';
const late = '2026-03-02T10:00:00.000Z';

function word(kind: string, addresses: readonly string[], more: Partial<AddressWord> = {}): AddressWord {
  return { source: `${kind}:x`, kind, primary: null, addresses, seen_at: late, ...more };
}

describe('a host is reached by', () => {
  const home = word('proxmox-api', ['10.0.0.5', '192.168.1.5']);

  test.each<[string, AddressWord[], string[], string | undefined]>([
    [
      'what its hypervisor sees, before what Terraform intends',
      [word('terraform', ['10.0.0.9']), home],
      [],
      '10.0.0.5',
    ],
    [
      'what a person says, before both',
      [home, word('manual', ['10.9.9.9']), word('import', ['10.8.8.8'])],
      [],
      '10.9.9.9',
    ],
    ['what an import says, before what is measured', [home, word('import', ['10.8.8.8'])], [], '10.8.8.8'],
    ['what Terraform intends, where nobody sees it', [word('terraform', ['10.0.0.9'])], [], '10.0.0.9'],
    ['nothing that it says of itself', [word('ansible', ['10.0.0.7'])], [], undefined],
    ['nothing, where nobody knows', [], [], undefined],
    ['its primary address', [word('proxmox-api', ['10.0.0.5'], { primary: '10.0.0.6' })], [], '10.0.0.6'],
    ['the network that its site prefers', [home], ['192.168.0.0/16', '10.0.0.0/8'], '192.168.1.5'],
    ['the first that there is, where it is in no such network', [home], ['172.16.0.0/12'], '10.0.0.5'],
    ['an IPv4 address before an IPv6 one', [word('proxmox-api', ['2001:db8::5', '10.0.0.5'])], [], '10.0.0.5'],
    [
      'an IPv6 address, where its site prefers that',
      [word('proxmox-api', ['10.0.0.5', '2001:db8::5'])],
      ['2001:db8::/32'],
      '2001:db8::5',
    ],
    ['an address without the length of its network', [word('proxmox-api', ['10.0.0.5/24'])], [], '10.0.0.5'],
    [
      'no address of every machine',
      [word('proxmox-api', ['127.0.0.1', '::1', 'fe80::1', '169.254.1.1', '172.17.0.1', '0.0.0.0'])],
      [],
      undefined,
    ],
    ['nothing that is no address', [word('proxmox-api', ['-oProxyCommand=x', '{{ x }}', 'web'])], [], undefined],
    ['its fqdn, where its site prefers that', [home], ['fqdn'], 'web-1.example.org'],
  ])('%s', (_, words, preferred, expected) => {
    const item = itemWith({ technical_specs: { fqdn: 'web-1.example.org' } });

    expect(addressOf(item, words, preferred)?.value).toBe(expected);
  });

  test("the operator's own word before all", () => {
    const item = itemWith({ ansible: { host: 'jump.example.org' } });

    expect(addressOf(item, [home], ['10.0.0.0/8'])).toMatchObject({ value: 'jump.example.org', byOperator: true });
  });

  test('nothing that is an option of ssh, though an operator wrote it', () => {
    expect(addressOf(itemWith({ ansible: { host: '-oProxyCommand' } }), [], [])).toBeUndefined();
  });
});

describe('an address that two hosts have', () => {
  const host = (name: string, seen_at: string, more: { byOperator?: boolean; isRunning?: boolean } = {}) => ({
    name,
    isRunning: more.isRunning ?? true,
    address: { value: '10.0.0.5', from: 'x', byOperator: more.byOperator ?? false, seen_at },
  });

  test.each([
    ['stays with neither, where both are as fresh', [host('a', late), host('b', late)], []],
    ['stays with neither, within a day', [host('a', '2026-03-01T10:00:01.000Z'), host('b', late)], []],
    ['stays with the one seen a day later', [host('a', early), host('b', late)], ['b']],
    ['stays with the one that runs', [host('a', late, { isRunning: false }), host('b', early)], ['b']],
    ["is the operator's host's", [host('a', early, { byOperator: true }), host('b', late)], ['a']],
    [
      'stays with both, where operators gave it to both',
      [host('a', '', { byOperator: true }), host('b', '', { byOperator: true })],
      ['a', 'b'],
    ],
  ])('%s', (_, hosts, keepers) => {
    const { lost } = shareOut(hosts);

    expect(hosts.map(({ name }) => name).filter((name) => !lost.has(name))).toEqual(keepers);
  });
});
