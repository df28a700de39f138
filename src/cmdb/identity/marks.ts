/**
 * By what a thing can be found: the identifiers in what is said of it, each in one form, without those that
 * identify nothing (placeholders, addresses that many machines share). Pure.
 */

import { hostTypes, type IdentifierKind, type Said } from '../item.ts';
import type { Marks } from './witness.ts';

export interface Identifier {
  kind: IdentifierKind;
  value: string;
}

const noMarks: Marks = {
  pve: undefined,
  uuid: undefined,
  serial: undefined,
  macs: [],
  machineId: undefined,
  fqdn: undefined,
};

/** What identifies a machine. What is no machine (storage, a service) has its parent and its name, and nothing else. */
export function marksOf(said: Said): Marks {
  const type = said.ci_type ?? 'machine';
  if (!hostTypes.has(type)) return noMarks;
  const specs = said.technical_specs ?? {};
  // The UUID and the serial that are read inside a container are its host's.
  const isContainer = said.container === true || type === 'lxc_container';
  return {
    pve: said.pve?.toLowerCase(),
    uuid: isContainer ? undefined : uuidOf(specs.uuid),
    serial: isContainer ? undefined : serialOf(specs.serial),
    macs: macsOf(specs.macs),
    machineId: machineIdOf(specs.machine_id),
    fqdn: fqdnOf(specs.fqdn),
  };
}

/** A short name equals an FQDN in one of the domains of its site. */
export type DomainsOf = (site: string) => readonly string[];

/** The values by which a claim is found. `pve` is the number as it was resolved to a cluster, if it was. */
export function identifiersOf(
  said: Said,
  defaultSite: string,
  domainsOf: DomainsOf,
  marks = marksOf(said),
): Identifier[] {
  const out: Identifier[] = [];
  const add = (kind: IdentifierKind, value: string | undefined) => {
    if (value !== undefined) out.push({ kind, value });
  };
  const type = said.ci_type ?? 'machine';
  const site = said.site_id ?? defaultSite;
  const name = nameOf(said.ci_name);
  if (!hostTypes.has(type)) {
    if (name !== undefined) add('name', `${type} ${site} ${nameOf(said.technical_specs?.parent) ?? ''} ${name}`);
    return out;
  }
  add('pve', marks.pve);
  add('guest', guestOf(said));
  add('uuid', marks.uuid);
  add('serial', marks.serial);
  for (const mac of marks.macs) add('mac', mac);
  const domains = domainsOf(site);
  // Clones share a machine-id: it says something only together with the name.
  if (marks.machineId !== undefined && name !== undefined)
    add('machine_id', `${marks.machineId} ${shortNames(name, domains).at(-1)}`);
  addNames(out, site, name, marks.fqdn, domains);
  return out;
}

function addNames(
  out: Identifier[],
  site: string,
  name: string | undefined,
  fqdn: string | undefined,
  domains: readonly string[],
): void {
  const long = fqdnOf(name);
  if (fqdn !== undefined) out.push({ kind: 'fqdn', value: `${site} ${fqdn}` });
  if (long !== undefined && long !== fqdn) out.push({ kind: 'fqdn', value: `${site} ${long}` });
  if (name === undefined) return;
  const isPlain = fqdn === undefined && domains.length === 0;
  const names = isPlain
    ? [name]
    : new Set([...shortNames(name, domains), ...(fqdn === undefined ? [] : shortNames(fqdn, domains).slice(1))]);
  for (const each of names) out.push({ kind: 'name', value: `host ${site} ${each}` });
}

/** A name, and what is left of it without a domain of its site. */
function shortNames(name: string, domains: readonly string[]): string[] {
  const short = domains
    .filter((domain) => name.endsWith(`.${domain}`))
    .map((domain) => name.slice(0, -domain.length - 1));
  return [name, ...short];
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

function macsOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const macs = value.map(macOf).filter((mac) => mac !== undefined);
  return macs.length > 1 ? [...new Set(macs)].sort() : macs;
}
