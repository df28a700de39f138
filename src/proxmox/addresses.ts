/**
 * The addresses of a guest: what its agent or its container says, held against the network cards that the hypervisor
 * gave it. A guest has more than those: bridges of Docker, tunnels, addresses of other networks. Pure.
 */

import { list, number, object, text } from './answer.ts';
import type { Nic } from './guest-config.ts';

export interface Interface {
  name: string;
  mac: string | undefined;
  addresses: readonly string[];
}

/** Of `agent/network-get-interfaces` or `lxc/{id}/interfaces`; null, for a container that does not run, has none. */
export function readInterfaces(data: unknown): Interface[] {
  const entries = Array.isArray(data) ? data : list(object(data).result);
  return entries.flatMap((entry) => {
    const one = object(entry);
    const name = text(one.name);
    if (name === undefined) return [];
    const mac = (text(one['hardware-address']) ?? text(one.hwaddr))?.toLowerCase();
    const listed = list(one['ip-addresses']).flatMap((each) => text(object(each)['ip-address']) ?? []);
    // Before 8.4 a container tells the last address of each family alone.
    const single = [text(one.inet), text(one.inet6)].flatMap((address) => address?.split('/')[0] ?? []);
    return [{ name, mac, addresses: listed.length > 0 ? listed : single }];
  });
}

export interface Addresses {
  /** All that others can reach it by, the primary one first. */
  addresses: readonly string[];
  primary: string | undefined;
}

/**
 * The primary address is on the first card, IPv4 before IPv6. What no card of the guest has is left out: it is of a
 * network inside it.
 */
export function addressesOf(nics: readonly Nic[], interfaces: readonly Interface[] | undefined): Addresses {
  const seen = interfaces === undefined ? [] : nics.flatMap((nic) => addressesOn(nic, interfaces));
  const found = seen.length > 0 ? seen : nics.flatMap(({ addresses }) => inOrder(addresses.filter(isReachable)));
  const addresses = [...new Set(found)];
  return { addresses, primary: addresses[0] };
}

/** By card, the addresses that are seen on it. */
export function interfacesOf(
  nics: readonly Nic[],
  interfaces: readonly Interface[] | undefined,
): { name: string; mac: string; addresses: string[] }[] {
  return nics.flatMap((nic) => {
    const addresses = interfaces === undefined ? [] : addressesOn(nic, interfaces);
    return nic.mac === undefined || addresses.length === 0 ? [] : [{ name: nic.name, mac: nic.mac, addresses }];
  });
}

/** Whether any card of a guest has an address. */
export function isReached(nics: readonly Nic[], interfaces: readonly Interface[]): boolean {
  return nics.some((nic) => addressesOn(nic, interfaces).length > 0);
}

function addressesOn({ mac }: Nic, interfaces: readonly Interface[]): string[] {
  if (mac === undefined) return [];
  return inOrder(interfaces.filter((one) => one.mac === mac).flatMap((one) => one.addresses.filter(isReachable)));
}

/** IPv4 first; an address of one's own network (fd00::/8) before a public one would help nobody to decide. */
function inOrder(addresses: readonly string[]): string[] {
  return [...addresses].sort((a, b) => Number(a.includes(':')) - Number(b.includes(':')));
}

/** Neither loopback nor link-local, of which every machine has the same. */
function isReachable(address: string): boolean {
  const lower = address.toLowerCase();
  return !/^(127\.|169\.254\.|0\.|::1$|::$|fe[89ab][0-9a-f]:)/.test(lower) && !lower.includes('%');
}

export interface SystemFacts {
  os: string | undefined;
  osVersion: string | undefined;
  kernel: string | undefined;
}

const notSaid = new Set(['N/A', 'n/a', 'unknown']);
const said = (value: unknown): string | undefined => {
  const read = text(value);
  return read === undefined || notSaid.has(read) ? undefined : read;
};

/** Of `agent/get-osinfo`. Windows says N/A for its version, and tells it in its name alone. */
export function readSystem(data: unknown): SystemFacts {
  const result = object(object(data).result);
  return {
    os: said(result['pretty-name']) ?? said(result.name) ?? said(result.id),
    osVersion: said(result['version-id']) ?? said(result.version),
    kernel: said(result['kernel-release']),
  };
}

/** An agent's refusal is a success of the API: `{result: {error: {class, desc}}}`. */
export function agentFault(data: unknown): string | undefined {
  const { error } = object(object(data).result);
  if (error === undefined) return undefined;
  return text(object(error).desc) ?? text(object(error).class) ?? 'the agent refused';
}

/** Of a node, by its configuration: the one with the gateway is how it is managed. */
export function nodeAddress(interfaces: readonly NodeInterface[]): string | undefined {
  return interfaces.find(({ hasGateway }) => hasGateway)?.addresses[0];
}

export interface NodeInterface {
  name: string;
  type: string;
  addresses: readonly string[];
  cidr: string | undefined;
  hasGateway: boolean;
  vlan: number | undefined;
  isVlanAware: boolean;
  ports: readonly string[];
  comment: string | undefined;
}

/** Of `/nodes/{node}/network`: the file, so what DHCP gave is not there. */
export function readNodeNetwork(data: unknown): NodeInterface[] {
  return list(data).flatMap((entry) => {
    const one = object(entry);
    const name = text(one.iface);
    if (name === undefined) return [];
    const addresses = [text(one.address), text(one.address6)].flatMap((address) => address?.split('/')[0] ?? []);
    return [
      {
        name,
        type: text(one.type) ?? 'unknown',
        addresses,
        cidr: text(one.cidr) ?? text(one.cidr6),
        hasGateway: text(one.gateway) !== undefined || text(one.gateway6) !== undefined,
        vlan: number(one['vlan-id']),
        isVlanAware: text(one.bridge_vlan_aware) === '1' || one.bridge_vlan_aware === true,
        ports: (text(one.bridge_ports) ?? '').split(/\s+/).filter((port) => port !== '' && port !== 'none'),
        comment: text(one.comments),
      },
    ];
  });
}
