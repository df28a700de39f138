/** What is known of a cluster besides the list of its guests: what was read of each thing, and when. */

import type { Interface, NodeInterface, SystemFacts } from './addresses.ts';
import type { GuestConfig, Snapshot } from './guest-config.ts';

/** What can be read of one thing, by the kind of reading. */
export interface Contents {
  /** Of a guest, with what its row said when its configuration was read. */
  config: { sign: string; node: string; pool?: string | undefined; uptime: number; config: GuestConfig };
  snapshots: readonly Snapshot[];
  /** Of a running guest, from inside it; with how often in a row it did not answer. */
  inside: { interfaces: readonly Interface[] | null; uptime: number; failures: number };
  system: SystemFacts & { hostName: string | null };
  /** Of a node; null where the token may not see it, as for the cluster's below. */
  network: readonly NodeInterface[] | null;
  node: { version: string | null; kernel: string | null; cpuModel: string | null; sockets: number | null } | null;
  backup: { jobs: readonly BackupJob[]; uncovered: readonly number[] } | null;
  vnets: readonly Vnet[] | null;
  /** Of the cluster: the storages that it has, as subjects. */
  storages: readonly string[];
  /** Of the release, such as 9.1.4. */
  version: string | null;
  /** Of a node: it was down whenever it was looked at since it was read. */
  offline: null;
}
export type Kind = keyof Contents;

export interface BackupJob {
  id: string;
  schedule: string | undefined;
  storage: string | undefined;
  isEnabled: boolean;
}

export interface Vnet {
  name: string;
  zone: string | undefined;
  vlan: number | undefined;
  alias: string | undefined;
}

export interface Reading<K extends Kind> {
  /** Since the epoch. There are thousands of them, and an Instant for each would weigh more than what was read. */
  readAtMilliseconds: number;
  content: Contents[K];
}

/** Subjects are keys such as `qemu/101`, `node/pve1` and `cluster`. */
export class Knowledge {
  readonly #readings = new Map<string, { kind: Kind; subject: string; reading: Reading<Kind> }>();
  readonly #changed = new Set<string>();
  readonly #forgotten = new Map<string, { kind: Kind; subject: string }>();

  constructor(readings: Iterable<{ kind: Kind; subject: string; reading: Reading<Kind> }>) {
    for (const one of readings) this.#readings.set(placeOf(one.subject, one.kind), one);
  }

  of<K extends Kind>(subject: string, kind: K): Reading<K> | undefined {
    return this.#readings.get(placeOf(subject, kind))?.reading as Reading<K> | undefined;
  }

  learn<K extends Kind>(subject: string, kind: K, readAt: Temporal.Instant, content: Contents[K]): void {
    const place = placeOf(subject, kind);
    const reading = { readAtMilliseconds: readAt.epochMilliseconds, content };
    this.#readings.set(place, { kind, subject, reading });
    this.#changed.add(place);
    this.#forgotten.delete(place);
  }

  forget(subject: string, kind: Kind): void {
    const place = placeOf(subject, kind);
    if (!this.#readings.delete(place)) return;
    this.#changed.delete(place);
    this.#forgotten.set(place, { kind, subject });
  }

  subjectsOf(kind: Kind): string[] {
    return [...this.#readings.values()].filter((one) => one.kind === kind).map(({ subject }) => subject);
  }

  /** What is to be kept of what was learned since it was opened, and what no longer. */
  news(): {
    learned: { kind: Kind; subject: string; reading: Reading<Kind> }[];
    forgotten: { kind: Kind; subject: string }[];
  } {
    const learned = [...this.#changed].flatMap((place) => this.#readings.get(place) ?? []);
    return { learned, forgotten: [...this.#forgotten.values()] };
  }
}

function placeOf(subject: string, kind: Kind): string {
  return `${kind} ${subject}`;
}

export function guestSubject({ type, vmid }: { type: string; vmid: number }): string {
  return `${type}/${vmid}`;
}

export function nodeSubject(node: string): string {
  return `node/${node}`;
}

/** A shared storage has a row for each node and is one; any other is as many as there are nodes. */
export function storageSubject({
  node,
  storage,
  isShared,
}: {
  node: string;
  storage: string;
  isShared: boolean;
}): string {
  return isShared ? `storage/${storage}` : `storage/${node}/${storage}`;
}

export const clusterSubject = 'cluster';
