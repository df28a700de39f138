/**
 * The rows of `/cluster/resources`: what one call says of all guests, nodes and storages. Proxmox VE adds fields in
 * every release and writes numbers as texts in some, so only what is used is read, and a row is never refused for one
 * odd field. Pure.
 */

import { flag, list, number, object, text } from './answer.ts';

export type GuestType = 'qemu' | 'lxc';

export interface GuestRow {
  type: GuestType;
  vmid: number;
  node: string;
  /** Undefined while its node is down, and in the first seconds of a guest. */
  name: string | undefined;
  /** What QEMU reports, or `unknown`. */
  status: string;
  isTemplate: boolean;
  tags: readonly string[];
  pool: string | undefined;
  /** Something is being done to it: `backup`, `migrate`, `create`… */
  lock: string | undefined;
  haState: string | undefined;
  /** Seconds; 0 when it is stopped. */
  uptime: number;
  cpus: number | undefined;
  memoryBytes: number | undefined;
  diskBytes: number | undefined;
}

export interface NodeRow {
  node: string;
  isOnline: boolean;
  uptime: number;
  cpus: number | undefined;
  memoryBytes: number | undefined;
  diskBytes: number | undefined;
}

export interface StorageRow {
  storage: string;
  node: string;
  isShared: boolean;
  type: string | undefined;
  content: readonly string[];
  capacityBytes: number | undefined;
}

export interface Resources {
  guests: readonly GuestRow[];
  nodes: readonly NodeRow[];
  storages: readonly StorageRow[];
  /** Rows that cannot be guests although they say so: no number, no node. */
  unreadable: number;
}

export function readResources(data: unknown): Resources {
  const found = { guests: [] as GuestRow[], nodes: [] as NodeRow[], storages: [] as StorageRow[] };
  let unreadable = 0;
  for (const entry of list(data)) {
    const row = object(entry);
    const type = text(row.type);
    if (type === 'qemu' || type === 'lxc') {
      const guest = guestRow(type, row);
      if (guest) found.guests.push(guest);
      else unreadable += 1;
    } else if (type === 'node') {
      const node = nodeRow(row);
      if (node) found.nodes.push(node);
      else unreadable += 1;
    } else if (type === 'storage') {
      const storage = storageRow(row);
      if (storage) found.storages.push(storage);
    }
  }
  found.guests.sort((a, b) => a.vmid - b.vmid);
  // Of one number the last row counts.
  const guests = found.guests.filter(({ vmid }, at, all) => all[at + 1]?.vmid !== vmid);
  return { guests, nodes: found.nodes, storages: found.storages, unreadable };
}

function guestRow(type: GuestType, row: Record<string, unknown>): GuestRow | undefined {
  const vmid = number(row.vmid) ?? number(text(row.id)?.split('/')[1]);
  const node = text(row.node);
  if (vmid === undefined || !Number.isInteger(vmid) || vmid < 1 || node === undefined) return undefined;
  return {
    type,
    vmid,
    node,
    name: text(row.name),
    status: text(row.status) ?? 'unknown',
    isTemplate: flag(row.template),
    tags: tagsOf(row.tags),
    pool: text(row.pool),
    lock: text(row.lock),
    haState: text(row.hastate),
    uptime: number(row.uptime) ?? 0,
    cpus: number(row.maxcpu),
    memoryBytes: number(row.maxmem),
    diskBytes: number(row.maxdisk),
  };
}

/** Proxmox VE joins them by `;`; files edited by hand and former releases have commas and blanks. */
export function tagsOf(written: unknown): readonly string[] {
  const tags = text(written);
  if (tags === undefined) return noTags;
  if (!separator.test(tags)) return [tags];
  return [...new Set(tags.split(separators).filter((tag) => tag !== ''))].sort();
}

const noTags: readonly string[] = [];
const separator = /[;,\s]/;
const separators = /[;,\s]+/;

function nodeRow(row: Record<string, unknown>): NodeRow | undefined {
  const node = text(row.node);
  if (node === undefined) return undefined;
  return {
    node,
    isOnline: text(row.status) === 'online',
    uptime: number(row.uptime) ?? 0,
    cpus: number(row.maxcpu),
    memoryBytes: number(row.maxmem),
    diskBytes: number(row.maxdisk),
  };
}

function storageRow(row: Record<string, unknown>): StorageRow | undefined {
  const [storage, node] = [text(row.storage), text(row.node)];
  if (storage === undefined || node === undefined) return undefined;
  return {
    storage,
    node,
    isShared: flag(row.shared),
    type: text(row.plugintype),
    content: (text(row.content) ?? '').split(',').filter((one) => one !== ''),
    capacityBytes: number(row.maxdisk),
  };
}
