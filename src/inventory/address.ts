/**
 * By which address a host is reached: the operator's word, else what the hypervisor sees, else what Terraform
 * intends. What a host says of itself never decides, and an address that two hosts would share is nobody's unless
 * one of them is clearly the fresher: a wrong address runs a play on the wrong machine. Pure.
 */

import { isIP } from 'node:net';
import type { Item } from '../cmdb/item.ts';
import { isReachable, isWithin, withoutPrefix } from '../ip.ts';
import { isAddress } from './safe.ts';

/** What one source says of a host's addresses. */
export interface AddressWord {
  source: string;
  kind: string;
  primary: string | null;
  addresses: readonly string[];
  seen_at: string;
}

export interface Address {
  value: string;
  /** The operator wrote it as it is; it is not questioned. */
  byOperator: boolean;
  from: string;
  seen_at: string;
}

const people = ['manual', 'import'];
const trusted = [...people, 'proxmox-api', 'terraform'];

export function addressOf(
  item: Item,
  words: readonly AddressWord[],
  preferred: readonly string[],
): Address | undefined {
  const { host } = item.ansible;
  if (host !== undefined && isAddress(host)) {
    return {
      value: host,
      byOperator: true,
      from: `ansible.host, said by ${item.winners['ansible.host']?.source ?? 'a person'}`,
      seen_at: '',
    };
  }
  const { fqdn } = item.technical_specs;
  for (const wish of preferred) {
    if (wish === 'fqdn' && typeof fqdn === 'string' && isAddress(fqdn))
      return { value: fqdn, byOperator: true, from: 'its fqdn, as inventory.address of its site prefers', seen_at: '' };
  }
  const inOrder = words
    .filter((word) => trusted.includes(word.kind))
    .toSorted((a, b) => trusted.indexOf(a.kind) - trusted.indexOf(b.kind) || (a.source < b.source ? -1 : 1));
  for (const word of inOrder) {
    const value = bestOf(word, preferred);
    if (value !== undefined)
      return {
        value,
        byOperator: people.includes(word.kind),
        from: `the addresses that ${word.source} says`,
        seen_at: word.seen_at,
      };
  }
  return undefined;
}

function bestOf(word: AddressWord, preferred: readonly string[]): string | undefined {
  const usable = [...new Set([...(word.primary === null ? [] : [word.primary]), ...word.addresses])]
    .map(withoutPrefix)
    .filter(isReachable);
  for (const network of preferred) {
    if (network === 'fqdn') continue;
    const inside = usable.find((address) => isWithin(address, network));
    if (inside !== undefined) return inside;
  }
  if (word.primary !== null && usable.includes(withoutPrefix(word.primary))) return withoutPrefix(word.primary);
  return usable.find((address) => isIP(address) === 4) ?? usable[0];
}

interface Contender {
  name: string;
  address: Address;
  isRunning: boolean;
}

const clearlyFresherMilliseconds = 24 * 3_600_000;

/**
 * Of hosts that have one address, those that keep it. Operators give one address to several hosts on purpose
 * (behind several ports, through a jump host); what was only seen gives way to their word.
 */
function keepersOf(contenders: readonly Contender[]): readonly Contender[] {
  const words = contenders.filter((contender) => contender.address.byOperator);
  if (words.length > 0) return words;
  const running = contenders.filter((contender) => contender.isRunning);
  const among = (running.length > 0 ? running : [...contenders]).toSorted((a, b) =>
    a.address.seen_at > b.address.seen_at ? -1 : 1,
  );
  const [first, second] = among as [Contender, Contender?];
  if (!second || Date.parse(first.address.seen_at) - Date.parse(second.address.seen_at) >= clearlyFresherMilliseconds)
    return [first];
  return [];
}

export interface SharedAddress {
  address: string;
  hosts: string[];
  keptBy: string[];
}

/** The addresses that several of these hosts have, and the names of the hosts that lose theirs by it. */
export function shareOut(hosts: Iterable<{ name: string; address: Address | undefined; isRunning: boolean }>): {
  shared: SharedAddress[];
  lost: Set<string>;
} {
  const byAddress = new Map<string, Contender[]>();
  for (const { name, address, isRunning } of hosts) {
    if (!address) continue;
    const contenders = byAddress.get(address.value);
    if (contenders) contenders.push({ name, address, isRunning });
    else byAddress.set(address.value, [{ name, address, isRunning }]);
  }
  const shared: SharedAddress[] = [];
  const lost = new Set<string>();
  for (const [address, contenders] of byAddress) {
    if (contenders.length < 2) continue;
    const keptBy = keepersOf(contenders).map((contender) => contender.name);
    if (keptBy.length === contenders.length) continue;
    for (const { name } of contenders) if (!keptBy.includes(name)) lost.add(name);
    shared.push({ address, hosts: contenders.map((contender) => contender.name).sort(), keptBy });
  }
  return { shared, lost };
}
