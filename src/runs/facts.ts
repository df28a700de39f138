/**
 * Facts as Ansible gathers them → what is said of an item. Only what is named here is ever kept: facts hold
 * environments, custom facts and other places for secrets. Pure.
 */

import type { ItemBody } from '../cmdb/speak.ts';

/** The keys of `technical_specs` that facts may fill. */
export const knownFacts = [
  'os',
  'os_version',
  'os_family',
  'kernel',
  'architecture',
  'cpu_cores',
  'memory_mb',
  'addresses',
  'interfaces',
  'macs',
  'fqdn',
  'machine_id',
  'uuid',
  'serial',
  'vendor',
  'product',
  'virtualization_type',
  'virtualization_role',
  'booted_at',
  'python_version',
  'service_manager',
  'ssh_host_keys',
] as const;
export type KnownFact = (typeof knownFacts)[number];

type Facts = Readonly<Record<string, unknown>>;

export interface Heard {
  item: ItemBody;
  /** Taken inside a container: the UUID and the serial are its host's. */
  container: boolean;
}

/** What facts of a host say. `at` is when they were gathered. Undefined where they say nothing of it. */
export function heardInFacts(facts: Facts, kept: ReadonlySet<string>, at: string): Heard | undefined {
  const read = (name: string) => facts[`ansible_${name}`] ?? facts[name];
  const container = isContainer(read);
  const specs: Record<string, unknown> = {};
  for (const fact of knownFacts) {
    if (!kept.has(fact)) continue;
    // In a container these are its host's.
    if (container && (fact === 'memory_mb' || fact === 'cpu_cores' || fact === 'uuid' || fact === 'serial')) continue;
    const value = fact === 'booted_at' ? bootTime(read, at) : readers[fact](read);
    if (value !== undefined) specs[fact] = value;
  }
  const name = nameOf(read);
  if (Object.keys(specs).length === 0 && name === undefined) return undefined;
  return {
    container,
    item: { ci_type: 'machine', ...(name === undefined ? {} : { ci_name: name }), technical_specs: specs },
  };
}

type Read = (name: string) => unknown;

const readers: Record<Exclude<KnownFact, 'booted_at'>, (read: Read) => unknown> = {
  os: (read) => textOf(read('distribution')),
  os_version: (read) => textOf(read('distribution_version')),
  os_family: (read) => textOf(read('os_family')),
  kernel: (read) => textOf(read('kernel')),
  architecture: (read) => textOf(read('architecture')),
  cpu_cores: (read) => numberOf(read('processor_vcpus')) ?? numberOf(read('processor_nproc')),
  memory_mb: (read) => numberOf(read('memtotal_mb')),
  addresses: (read) => addressesOf(read),
  interfaces: (read) => interfacesOf(read),
  macs: (read) => macsOf(read),
  fqdn: (read) => hostText(read('fqdn')),
  machine_id: (read) => textOf(read('machine_id')),
  uuid: (read) => textOf(read('product_uuid')),
  serial: (read) => textOf(read('product_serial')),
  vendor: (read) => textOf(read('system_vendor')),
  product: (read) => textOf(read('product_name')),
  virtualization_type: (read) => textOf(read('virtualization_type')),
  virtualization_role: (read) => textOf(read('virtualization_role')),
  python_version: (read) => textOf(read('python_version')),
  service_manager: (read) => textOf(read('service_mgr')),
  ssh_host_keys: (read) => sshKeysOf(read),
};

/** Ansible says NA where it does not know. */
function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text === '' || /^(na|n\/a)$/i.test(text) || text.length > 1000 ? undefined : text;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}

/** What a resolver that knows nothing says is no name. */
function hostText(value: unknown): string | undefined {
  const text = textOf(value);
  return text === undefined || /^localhost(\.|$)/i.test(text) ? undefined : text;
}

function nameOf(read: Read): string | undefined {
  return hostText(read('hostname')) ?? hostText(read('nodename'));
}

const containerTypes = /^(lxc|docker|podman|container|containerd|systemd-nspawn|openvz)$/;

function isContainer(read: Read): boolean {
  const guests = read('virtualization_tech_guest');
  const types = [read('virtualization_type'), ...(Array.isArray(guests) ? guests : [])];
  return (
    read('virtualization_role') !== 'host' &&
    types.some((type) => typeof type === 'string' && containerTypes.test(type.toLowerCase()))
  );
}

function addressesOf(read: Read): string[] | undefined {
  const lists = [read('all_ipv4_addresses'), read('all_ipv6_addresses')];
  const all = lists.flatMap((list) => (Array.isArray(list) ? list : []));
  const addresses = all.flatMap((address) => textOf(address) ?? []).filter((address) => !isLocal(address));
  return addresses.length > 0 ? [...new Set(addresses)] : undefined;
}

/** Of the machine itself, or of a wire: many have the same. */
function isLocal(address: string): boolean {
  return /^(127\.|169\.254\.|::1$|fe[89ab][0-9a-f]:)/i.test(address);
}

/** Those of the interfaces, which the callback plugin sends by name, and that of the default route. */
function macsOf(read: Read): string[] | undefined {
  const interfaces = Object.values(objectOf(read('interfaces')));
  const macs = [...interfaces, read('default_ipv4')].flatMap(
    (one) => textOf(objectOf(one).macaddress)?.toLowerCase() ?? [],
  );
  return macs.length > 0 ? [...new Set(macs)] : undefined;
}

/** Those that have an address of their own. */
function interfacesOf(read: Read): { name: string; mac?: string; addresses: string[] }[] | undefined {
  const interfaces = Object.entries(objectOf(read('interfaces'))).flatMap(([name, one]) => {
    const { addresses, macaddress } = objectOf(one);
    const own = (Array.isArray(addresses) ? addresses : []).flatMap((address) => textOf(address) ?? []);
    const usable = own.filter((address) => !isLocal(address));
    const mac = textOf(macaddress)?.toLowerCase();
    return usable.length === 0 ? [] : [{ name, ...(mac === undefined ? {} : { mac }), addresses: usable }];
  });
  return interfaces.length > 0 ? interfaces : undefined;
}

function objectOf(value: unknown): Facts {
  return typeof value === 'object' && value !== null ? (value as Facts) : {};
}

/** By kind, each as it stands in a known_hosts file. */
function sshKeysOf(read: Read): Record<string, string> | undefined {
  const keys: Record<string, string> = {};
  for (const kind of ['ed25519', 'ecdsa', 'rsa']) {
    const key = textOf(read(`ssh_host_key_${kind}_public`));
    if (key === undefined) continue;
    keys[kind] = `${textOf(read(`ssh_host_key_${kind}_public_keytype`)) ?? `ssh-${kind}`} ${key}`;
  }
  return Object.keys(keys).length > 0 ? keys : undefined;
}

/** By the machine's own clock where it said that: else by when its facts were gathered. */
function bootTime(read: Read, at: string): string | undefined {
  const uptime = numberOf(read('uptime_seconds'));
  if (uptime === undefined) return undefined;
  const clock = Number(objectOf(read('date_time')).epoch);
  const now = clock > 0 ? clock * 1000 : Date.parse(at);
  return new Date(now - uptime * 1000).toISOString();
}
