/** What of a network is free. Pure. */

import { ipv4Of, numberOfIpv4, rangeOfIpv4 } from '../ip.ts';
import type { Subnet } from './settings.ts';

export interface FreeAddresses {
  cidr: string;
  /** How many hosts it has room for. */
  size: number;
  used: number;
  reserved: number;
  free: number;
  /** The first ones that are free. */
  addresses: string[];
}

/** Networks of more hosts are nobody's to count through. */
const mostHosts = 2 ** 16;

/** Why a network cannot be looked at; undefined where it can. */
export function faultOfSubnet({ cidr, reserved }: Subnet): string | undefined {
  const range = rangeOfIpv4(cidr);
  if (!range) return `${cidr} is no network of IPv4 such as 10.0.0.0/24`;
  if (range.last - range.first >= mostHosts) return `${cidr} is larger than a /16; name the part that is in use`;
  const wrong = reserved.find((one) => rangeOf(one) === undefined);
  return wrong === undefined ? undefined : `${wrong} is no address, range or network of IPv4`;
}

/** The first and the last address of a network are of no host, but where it has only two. */
export function freeIn({ cidr, reserved }: Subnet, used: ReadonlySet<string>, limit: number): FreeAddresses {
  const { first, last } = rangeOfIpv4(cidr) as { first: number; last: number };
  const [from, to] = last - first > 1 ? [first + 1, last - 1] : [first, last];
  const kept = reserved.flatMap((one) => rangeOf(one) ?? []);
  const counts = { used: 0, reserved: 0, free: 0 };
  const addresses: string[] = [];
  for (let number = from; number <= to; number += 1) {
    const address = ipv4Of(number);
    if (used.has(address)) counts.used += 1;
    else if (kept.some((range) => number >= range.first && number <= range.last)) counts.reserved += 1;
    else {
      counts.free += 1;
      if (addresses.length < limit) addresses.push(address);
    }
  }
  return { cidr, size: to - from + 1, ...counts, addresses };
}

function rangeOf(written: string): { first: number; last: number } | undefined {
  if (written.includes('/')) return rangeOfIpv4(written);
  const [from = '', to = from] = written.split('-');
  const [first, last] = [numberOfIpv4(from), numberOfIpv4(to)];
  return first === undefined || last === undefined || last < first ? undefined : { first, last };
}
