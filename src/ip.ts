/** IP addresses and networks as text. Pure. */

import { BlockList, isIP } from 'node:net';

/** Addresses come with the length of their network as well: `10.0.0.5/24`. */
export function withoutPrefix(address: string): string {
  return address.trim().replace(/\/\d+$/, '');
}

const unreachable = new BlockList();
unreachable.addSubnet('127.0.0.0', 8);
unreachable.addSubnet('169.254.0.0', 16);
unreachable.addSubnet('0.0.0.0', 8);
unreachable.addSubnet('172.17.0.0', 16);
unreachable.addAddress('::1', 'ipv6');
unreachable.addSubnet('fe80::', 10, 'ipv6');

/** Not loopback, link-local, or the bridge that every Docker host has. */
export function isReachable(address: string): boolean {
  const family = familyOf(address);
  return family !== undefined && !address.includes('%') && !unreachable.check(address, family);
}

/** Whether a text is a network such as `10.0.0.0/8` or `fd00::/8`. */
export function isNetwork(text: string): boolean {
  const [base = '', length = ''] = text.split('/');
  const family = familyOf(base);
  return family !== undefined && /^\d{1,3}$/.test(length) && Number(length) <= (family === 'ipv6' ? 128 : 32);
}

/** Whether an address is one of a network such as `10.0.0.0/8`; nothing is in one that is none. */
export function isWithin(address: string, network: string): boolean {
  const [base, length] = network.split('/') as [string, string];
  const family = familyOf(base);
  if (family === undefined || familyOf(address) !== family || !isNetwork(network)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(length), family);
  return list.check(address, family);
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const family = isIP(address);
  if (family === 0) return undefined;
  return family === 6 ? 'ipv6' : 'ipv4';
}

const octet = 256;

/** The number of an IPv4 address, by which addresses are in order; undefined for any other text. */
export function numberOfIpv4(address: string): number | undefined {
  if (isIP(address) !== 4) return undefined;
  return address.split('.').reduce((number, part) => number * octet + Number(part), 0);
}

export function ipv4Of(number: number): string {
  return [octet ** 3, octet ** 2, octet, 1].map((weight) => Math.floor(number / weight) % octet).join('.');
}

/** The first and the last address of `10.0.0.0/24`, as numbers; undefined where that is no network of IPv4. */
export function rangeOfIpv4(network: string): { first: number; last: number } | undefined {
  const [base = '', length = ''] = network.split('/');
  const number = numberOfIpv4(base);
  const bits = Number(length);
  if (number === undefined || !/^\d+$/.test(length) || bits > 32) return undefined;
  const size = 2 ** (32 - bits);
  const first = Math.floor(number / size) * size;
  return { first, last: first + size - 1 };
}
