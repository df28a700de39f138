/**
 * The configuration of a guest, as far as it says what the guest is. Passwords, keys, hook scripts and arguments are
 * never read out of it. Pure.
 */

import { flag, list, number, object, parts, text } from './answer.ts';
import { type GuestType, tagsOf } from './rows.ts';

export interface Nic {
  /** `net0` and so on. */
  name: string;
  mac: string | undefined;
  bridge: string | undefined;
  vlan: number | undefined;
  /** From the configuration alone: what cloud-init or the container was given. */
  addresses: readonly string[];
}

export interface Disk {
  name: string;
  storage: string | undefined;
  sizeGb: number | undefined;
}

export interface GuestConfig {
  digest: string | undefined;
  name: string | undefined;
  tags: readonly string[];
  uuid: string | undefined;
  cores: number | undefined;
  sockets: number | undefined;
  memoryMb: number | undefined;
  osType: string | undefined;
  nics: readonly Nic[];
  disks: readonly Disk[];
  /** ISO 8601. */
  createdAt: string | undefined;
  description: string | undefined;
  /** The device of the guest agent is there, which does not say that the agent runs. */
  hasAgent: boolean;
  /** It has a snapshot that the present state came of. */
  hasSnapshots: boolean;
  isTemplate: boolean;
  startsOnBoot: boolean;
}

export function readConfig(type: GuestType, data: unknown): GuestConfig {
  const config = object(data);
  const keys = Object.keys(config).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const nics = keys.filter((key) => /^net\d+$/.test(key)).map((key) => nicOf(type, key, config));
  // The variables of EFI and of a TPM are a few MiB, and nobody's disk.
  const isDisk = type === 'qemu' ? /^(ide|sata|scsi|virtio)\d+$/ : /^(rootfs|mp\d+)$/;
  const disks = keys.filter((key) => isDisk.test(key)).flatMap((key) => diskOf(key, config[key]) ?? []);
  return {
    digest: text(config.digest),
    name: text(type === 'qemu' ? config.name : config.hostname),
    tags: tagsOf(config.tags),
    uuid: type === 'qemu' ? uuidOf(config.smbios1) : undefined,
    cores: coresOf(type, config),
    sockets: type === 'qemu' ? (number(config.sockets) ?? 1) : undefined,
    memoryMb: memoryOf(config.memory) ?? (type === 'lxc' ? 512 : undefined),
    osType: text(config.ostype),
    nics,
    disks,
    createdAt: createdAt(config.meta),
    description: text(config.description)?.replaceAll('\r\n', '\n'),
    hasAgent: type === 'qemu' && hasAgent(config.agent),
    hasSnapshots: text(config.parent) !== undefined,
    isTemplate: flag(config.template),
    startsOnBoot: flag(config.onboot),
  };
}

/** Whether a number holds another guest than before: by its UUID, or where it has none by all of its MACs. */
export function isAnotherBody(before: GuestConfig, now: GuestConfig): boolean {
  if (before.uuid !== undefined && now.uuid !== undefined) return before.uuid.toLowerCase() !== now.uuid.toLowerCase();
  const former = before.nics.flatMap(({ mac }) => mac ?? []);
  const present = now.nics.flatMap(({ mac }) => mac ?? []);
  return former.length > 0 && present.length > 0 && !present.some((mac) => former.includes(mac));
}

/** Cores of all sockets; of a container without the setting undefined: it has those of its host. */
function coresOf(type: GuestType, config: Record<string, unknown>): number | undefined {
  const cores = number(config.cores);
  if (type === 'lxc') return cores;
  const all = (cores ?? 1) * (number(config.sockets) ?? 1);
  return Math.min(all, number(config.vcpus) ?? all);
}

/** A number up to 8.0, then a text, which may be `current=2048`. */
function memoryOf(written: unknown): number | undefined {
  return number(written) ?? number(parts(written).byKey.get('current')) ?? number(parts(written).first);
}

/** `uuid=…`, and other parts, which may be encoded; the UUID never is. */
function uuidOf(smbios: unknown): string | undefined {
  return parts(smbios).byKey.get('uuid');
}

/** Written as `1`, `enabled=1,type=virtio`, `0`, `enabled=0`, or not at all. */
function hasAgent(written: unknown): boolean {
  const { first, byKey } = parts(written);
  return flag(first) || flag(byKey.get('enabled'));
}

/** `creation-qemu=9.0.2,ctime=1700000000`, since 7.1. */
function createdAt(meta: unknown): string | undefined {
  const seconds = number(parts(meta).byKey.get('ctime'));
  if (seconds === undefined || seconds <= 0 || seconds > 4e9) return undefined;
  return new Date(seconds * 1000).toISOString();
}

const macForm = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

function nicOf(type: GuestType, name: string, config: Record<string, unknown>): Nic {
  const { byKey } = parts(config[name]);
  // Of a VM the first key is the model, and its value the MAC.
  const mac = type === 'lxc' ? byKey.get('hwaddr') : [...byKey.values()].find((value) => macForm.test(value));
  const wished = type === 'lxc' ? byKey : parts(config[name.replace('net', 'ipconfig')]).byKey;
  return {
    name,
    mac: mac !== undefined && macForm.test(mac) ? mac.toLowerCase() : undefined,
    bridge: byKey.get('bridge'),
    vlan: number(byKey.get('tag')),
    addresses: [wished.get('ip'), wished.get('ip6')].flatMap((address) => fixedAddress(address) ?? []),
  };
}

/** `10.0.0.5/24` without its length; `dhcp`, `auto` and `manual` are none. */
function fixedAddress(written: string | undefined): string | undefined {
  const address = written?.split('/')[0];
  return address !== undefined && /[.:]/.test(address) ? address : undefined;
}

function diskOf(name: string, written: unknown): Disk | undefined {
  const { first, byKey } = parts(written);
  const volume = first ?? byKey.get('volume') ?? byKey.get('file');
  if (volume === undefined || volume === 'none' || byKey.get('media') === 'cdrom') return undefined;
  const colon = volume.indexOf(':');
  const storage = volume.startsWith('/') || colon < 1 ? undefined : volume.slice(0, colon);
  return { name, storage, sizeGb: sizeInGb(byKey.get('size')) };
}

const unitInGb: Readonly<Record<string, number>> = { K: 1 / 1024 ** 2, M: 1 / 1024, G: 1, T: 1024 };

/** `32G`, `1032M`, `4T`, or bytes. */
function sizeInGb(written: string | undefined): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([KMGT])?$/.exec(written ?? '') ?? [];
  if (amount === undefined) return undefined;
  return rounded(unit === undefined ? Number(amount) / 1024 ** 3 : Number(amount) * (unitInGb[unit] as number));
}

/** Three places are enough to tell a disk. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

export interface Snapshot {
  name: string;
  takenAt: string | null;
}

/** Without `current`, which is the state that the guest has now. */
export function readSnapshots(data: unknown): Snapshot[] {
  return list(data).flatMap((entry) => {
    const { name: written, snaptime } = object(entry);
    const name = text(written);
    const seconds = number(snaptime);
    if (name === undefined || name === 'current') return [];
    return [{ name, takenAt: seconds ? new Date(seconds * 1000).toISOString() : null }];
  });
}
