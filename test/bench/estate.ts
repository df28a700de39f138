/** Machines for the bench: as many as are asked for, always the same, as clients in the field send them. */

export interface Item {
  ci_type: string;
  ci_name: string;
  ci_status: string;
  site_id: string;
  managed_by?: string;
  external_id?: string;
  terraform_resource_id?: string;
  environment?: string;
  role?: string;
  owner?: string;
  tags: string[];
  technical_specs: Record<string, unknown>;
  ansible?: Record<string, unknown>;
}

const systems = [
  ['debian', '12.5', '6.1.0-18-amd64'],
  ['debian', '13.1', '6.12.43-amd64'],
  ['ubuntu', '24.04', '6.8.0-31-generic'],
  ['rocky', '9.4', '5.14.0-427.el9.x86_64'],
] as const;
const roles = ['web', 'db', 'cache', 'queue', 'mail', 'dns', 'build', 'monitor', 'proxy', 'backup'] as const;
const environments = ['production', 'staging', 'development'] as const;
const sites = ['site-home', 'site-ranch', 'site-city'] as const;
const nodes = 40;

/** Who says it: guests that a hypervisor's client reports, resources of Terraform, or people's lists without any key. */
export type Kind = 'proxmox-api' | 'terraform' | 'people';
export const kinds: readonly Kind[] = ['proxmox-api', 'terraform', 'people'];

/** What one client says of `count` machines. */
export function itemsOf(kind: Kind, count: number): Item[] {
  const random = seeded(count + kinds.indexOf(kind));
  return Array.from({ length: count }, (_, index) => machineOf(kind, index, random));
}

/** A third from each kind of client; no two speak of one machine. */
export function mixedItems(count: number): Item[] {
  const random = seeded(count);
  return Array.from({ length: count }, (_, index) => machineOf(kinds[index % 3] as Kind, index, random));
}

function machineOf(kind: Kind, index: number, random: Random): Item {
  const role = random.of(roles);
  const site = random.of(sites);
  const node = `pve${1 + Math.floor(random.next() * nodes)}`;
  const vmid = 100 + index;
  const [os, os_version, kernel] = random.of(systems);
  const name = `${role}-${String(index).padStart(5, '0')}`;
  const isContainer = kind === 'proxmox-api' && random.next() < 0.4;
  const specs = {
    cpu_cores: 1 + Math.floor(random.next() * 16),
    memory_mb: 512 * (1 + Math.floor(random.next() * 64)),
    disk_gb: 8 * (1 + Math.floor(random.next() * 64)),
    os,
    os_version,
    addresses: [addressOf(index), `fd00::${index.toString(16)}`],
    macs: [macOf(index)],
  };
  const item: Item = {
    ci_type: isContainer ? 'lxc_container' : kind === 'people' ? 'physical_server' : 'virtual_machine',
    ci_name: name,
    ci_status: kind === 'proxmox-api' ? 'running' : 'active',
    site_id: site,
    tags: [`rack${Math.floor(random.next() * 30)}`, role, ...(random.next() < 0.3 ? ['critical'] : [])],
    technical_specs: specs,
  };
  if (kind === 'people') {
    return {
      ...item,
      environment: random.of(environments),
      role,
      owner: `${random.of(['ops', 'data', 'web'])}@example.org`,
      technical_specs: { ...specs, serial: `SN${random.hex(10)}`, fqdn: `${name}.example.org` },
      ansible: { host: addressOf(index), ...(random.next() < 0.2 ? { user: 'admin', groups: [`${role}s`] } : {}) },
    };
  }
  const guest = { ...specs, vmid, node, kernel, ...(isContainer ? {} : { uuid: random.uuid() }) };
  if (kind === 'terraform') {
    return {
      ...item,
      managed_by: kind,
      terraform_resource_id: `${node}/qemu/${vmid}`,
      environment: random.of(environments),
      role,
      technical_specs: guest,
    };
  }
  return {
    ...item,
    managed_by: kind,
    external_id: `home/${vmid}`,
    technical_specs: { ...guest, storage: [{ id: 'scsi0', gb: specs.disk_gb, pool: random.of(['fast', 'slow']) }] },
  };
}

function addressOf(index: number): string {
  return `10.${Math.floor(index / 65_536)}.${Math.floor(index / 256) % 256}.${index % 256}`;
}

function macOf(index: number): string {
  const digits = (0xbc2411000000 + index).toString(16);
  return digits.replaceAll(/(..)(?=.)/g, '$1:');
}

interface Random {
  /** From 0 up to, and without, 1. */
  next(): number;
  of<T>(list: readonly T[]): T;
  hex(digits: number): string;
  uuid(): string;
}

/** mulberry32: small, and the same everywhere. */
function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join('');
  return {
    next,
    of: (list) => list[Math.floor(next() * list.length)] as (typeof list)[number],
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
  };
}
