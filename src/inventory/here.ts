/** The machine that the service runs on: how its own scripts name it, and which item it is. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { arch, cpus, hostname, networkInterfaces, release, totalmem } from 'node:os';
import type { ItemId } from '../cmdb/item.ts';
import type { ReadDb } from '../store/open.ts';
import { controllerHash } from './inventory.ts';
import { findItemByKey } from './store.ts';

/** The source that describes the machine of the service, at its first start. */
export const hereSource = 'ansible:this-machine';

export interface ThisMachine {
  /** What the inventory script sends from this machine; undefined where it cannot be told from others. */
  controller: string | undefined;
  /** Its own key: of machine-id and host name, so that data that moved elsewhere names no other machine. */
  key: string;
  /** What is known of it, as an item. */
  item: { ci_name: string; ci_type: string; technical_specs: Record<string, unknown> };
  findItem(db: ReadDb): Promise<ItemId | undefined>;
}

export function thisMachine(): ThisMachine {
  const machineId = firstLine('/etc/machine-id');
  const name = hostname();
  const key = createHash('sha256').update(`${machineId}\n${name}`).digest('hex').slice(0, 32);
  const interfaces = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((one) => !one.internal);
  const os = osRelease();
  return {
    controller: controllerHash(firstLine('/proc/sys/kernel/random/boot_id'), name, machineId),
    key,
    item: {
      ci_name: name,
      ci_type: 'machine',
      technical_specs: {
        ...(machineId ? { machine_id: machineId } : {}),
        ...(os.name ? { os: os.name } : {}),
        ...(os.version ? { os_version: os.version } : {}),
        kernel: release(),
        architecture: arch(),
        cpu_cores: cpus().length,
        memory_mb: Math.round(totalmem() / 1024 / 1024),
        addresses: [...new Set(interfaces.map((one) => one.address))],
        macs: [...new Set(interfaces.map((one) => one.mac))],
      },
    },
    findItem: (db) => findItemByKey(db, hereSource, key),
  };
}

function firstLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
function osRelease(): { name: string | undefined; version: string | undefined } {
  const text = firstLine('/etc/os-release');
  const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1];
  return { name: value('NAME'), version: value('VERSION_ID') };
}
