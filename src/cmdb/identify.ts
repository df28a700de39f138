/**
 * Which item does a claim speak of? By its native key, else by the number of the guest, else by type and name
 * within a site; never onto an item that already has another native key of that source. Pure: over what was
 * loaded, and over what was decided a moment before.
 */

import { hostTypes, type IdentifierKind, type ItemId, type Said } from './item.ts';

/** What of an item decides whether a claim may speak of it. */
export interface Candidate {
  ci_id: ItemId;
  ci_type: string;
  site_id: string;
  retired: boolean;
  created_at: string;
  /** Of each source that has a claim on it, that source's own keys for it, the gone ones too. */
  keys: ReadonlyMap<string, ReadonlySet<string>>;
  /** The numbers that hypervisors report for it. */
  numbers: ReadonlySet<string>;
}

export interface Known {
  byKey(source: string, key: string): ItemId | undefined;
  byIdentifier(kind: IdentifierKind, value: string): readonly Candidate[];
}

export interface Identified {
  ci_id: ItemId;
  /** Why: the word of a change or an explanation. */
  by: 'key' | 'number' | 'name';
}

export function identify(
  source: string,
  key: string | null,
  said: Said,
  identifiers: readonly Identifier[],
  known: Known,
): Identified | undefined {
  if (key !== null) {
    const id = known.byKey(source, key);
    if (id) return { ci_id: id, by: 'key' };
  }
  for (const [kind, by] of rules) {
    const found: Candidate[] = [];
    for (const identifier of identifiers) {
      if (identifier.kind !== kind) continue;
      for (const candidate of known.byIdentifier(kind, identifier.value))
        if (agrees(candidate, source, key, said)) found.push(candidate);
    }
    if (found.length === 0) continue;
    const best = by === 'number' ? onlyGuest(found, said) : bestOf(found);
    if (best) return { ci_id: best.ci_id, by };
  }
  return undefined;
}

/** By what an item is found, the strongest first. */
const rules = [
  ['pve', 'number'],
  ['guest', 'number'],
  ['name', 'name'],
] as const;

/** A living one before a retired one, then the oldest. */
function bestOf(found: readonly Candidate[]): Candidate | undefined {
  const living = found.filter((candidate) => !candidate.retired);
  const among = living.length > 0 ? living : [...found];
  return among.sort((a, b) =>
    a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.ci_id < b.ci_id ? -1 : 1,
  )[0];
}

/**
 * A number says something only where a hypervisor reports it, on one side or the other. One that fits guests of
 * several clusters means the one at the site that is named, else none.
 */
function onlyGuest(found: readonly Candidate[], said: Said): Candidate | undefined {
  const reported = [...new Set(found)].filter((candidate) => said.pve !== undefined || candidate.numbers.size > 0);
  const atSite = reported.filter((candidate) => candidate.site_id === said.site_id);
  const among = atSite.length > 0 ? atSite : reported;
  return among.length === 1 ? among[0] : undefined;
}

function agrees(candidate: Candidate, source: string, key: string | null, said: Said): boolean {
  const type = said.ci_type ?? 'machine';
  const sameType =
    type === candidate.ci_type ||
    (hostTypes.has(type) &&
      hostTypes.has(candidate.ci_type) &&
      (type === 'machine' || candidate.ci_type === 'machine'));
  if (!sameType) return false;
  if (said.pve && candidate.numbers.size > 0 && !candidate.numbers.has(said.pve)) return false;
  const keys = candidate.keys.get(source);
  return key === null || !keys || keys.size === 0 || keys.has(key);
}

export interface Identifier {
  kind: IdentifierKind;
  value: string;
}

/** The normalised values by which a claim can be found. Placeholders and shared hardware values are none. */
export function identifiersOf(said: Said, defaultSite: string): Identifier[] {
  const out: Identifier[] = [];
  const add = (kind: IdentifierKind, value: string | undefined) => {
    if (value !== undefined) out.push({ kind, value });
  };
  const type = said.ci_type ?? 'machine';
  const site = said.site_id ?? defaultSite;
  const name = nameOf(said.ci_name);
  if (!hostTypes.has(type)) {
    if (name) add('name', `${type} ${site} ${nameOf(said.technical_specs?.parent) ?? ''} ${name}`);
    return out;
  }
  const specs = said.technical_specs ?? {};
  add('pve', said.pve?.toLowerCase());
  add('guest', guestOf(said));
  const inside = type === 'lxc_container';
  if (!inside) {
    add('uuid', uuidOf(specs.uuid));
    add('serial', serialOf(specs.serial));
  }
  if (Array.isArray(specs.macs)) for (const mac of new Set(specs.macs.map(macOf))) add('mac', mac);
  add('machine_id', machineIdOf(specs.machine_id));
  const fqdn = fqdnOf(specs.fqdn);
  if (fqdn) add('fqdn', `${site} ${fqdn}`);
  if (name) add('name', `host ${site} ${name}`);
  return out;
}

/** `node/vmid`, out of the specs or out of a Terraform id such as `pve1/qemu/102`. */
export function guestOf(said: Said): string | undefined {
  const { vmid, node } = said.technical_specs ?? {};
  if (typeof vmid === 'number' && typeof node === 'string') return `${node.toLowerCase()}/${vmid}`;
  const match = /^([^/\s]+)\/(?:qemu|lxc)\/(\d+)$/.exec(said.terraform_resource_id ?? '');
  return match ? `${match[1]?.toLowerCase()}/${match[2]}` : undefined;
}

export function nameOf(value: unknown): string | undefined {
  const name = typeof value === 'string' ? value.trim().toLowerCase().replace(/\.$/, '') : '';
  return name === '' || /^localhost(\.|$)/.test(name) ? undefined : name;
}

const placeholderUuids = new Set([
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '03000200-0400-0500-0006-000700080009',
  '00020003-0004-0005-0006-000700080009',
  '12345678-1234-5678-90ab-cddeefaabbcc',
]);

export function uuidOf(value: unknown): string | undefined {
  const uuid = typeof value === 'string' ? value.trim().toLowerCase().replaceAll(/[{}]/g, '') : '';
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid) && !placeholderUuids.has(uuid) ? uuid : undefined;
}

const placeholderSerials = new Set([
  '',
  '0',
  'none',
  'na',
  'n/a',
  'not specified',
  'not applicable',
  'not available',
  'default string',
  'to be filled by o.e.m.',
  'system serial number',
  'chassis serial number',
  'serial number',
  '123456789',
  '0123456789',
  '1234567890',
  'unknown',
  'empty',
  'invalid',
  'null',
  'oem',
  'o.e.m.',
]);

export function serialOf(value: unknown): string | undefined {
  const serial = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return placeholderSerials.has(serial) || /^(.)\1*$/.test(serial) ? undefined : serial;
}

/** Group addresses, docker's, host ends of taps, Calico's, VRRP's and CARP's are of no machine alone. */
export function macOf(value: unknown): string | undefined {
  const mac = typeof value === 'string' ? value.trim().toLowerCase().replaceAll('-', ':') : '';
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) || Number.parseInt(mac.slice(0, 2), 16) % 2 === 1) return undefined;
  return /^(00:00:00:00:00:00|ee:ee:ee:ee:ee:ee|02:42:|fe:|00:00:5e:00:0[12]:)/.test(mac) ? undefined : mac;
}

export function machineIdOf(value: unknown): string | undefined {
  const id = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return id === '' || id === 'uninitialized' || /^0+$/.test(id) ? undefined : id;
}

export function fqdnOf(value: unknown): string | undefined {
  const name = typeof value === 'string' ? value.trim().toLowerCase().replace(/\.$/, '') : '';
  return !name.includes('.') || /^localhost(\.|$)/.test(name) || name.endsWith('.localdomain') ? undefined : name;
}
