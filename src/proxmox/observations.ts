/**
 * What a cluster is, as observations: each guest, node, storage and network under the cluster's own key for it, and how
 * they hang together. Rows say what is now; the rest is as it was read last. Pure.
 */

import type { Observation, Related } from '../cmdb/speak.ts';
import { type Addresses, addressesOf, interfacesOf, type NodeInterface, nodeAddress } from './addresses.ts';
import { type GuestConfig, type Nic, rounded } from './guest-config.ts';
import {
  clusterSubject,
  guestSubject,
  type Knowledge,
  nodeSubject,
  type Reading,
  storageSubject,
} from './knowledge.ts';
import type { GuestRow, NodeRow, Resources, StorageRow } from './rows.ts';

export interface Cluster {
  /** What it is called in the settings. */
  name: string;
  site: string | undefined;
  /** What it calls itself; undefined for a node that stands alone. */
  ownName: string | undefined;
  /** Of `/cluster/status`, by node. */
  nodeAddresses: ReadonlyMap<string, string>;
  keepsDescriptions: boolean;
}

const megabyte = 1024 ** 2;
const gigabyte = 1024 ** 3;

export function keyOf(cluster: Pick<Cluster, 'name'>, subject: string): string {
  return `${cluster.name}/${subject}`;
}

/** `guests` are those whose configuration was read: without its body a guest might be taken for another one. */
export function observationsOf(
  cluster: Cluster,
  { guests, nodes, storages }: Resources,
  known: Knowledge,
): Observation[] {
  const networks = networksOf(cluster, nodes, known);
  const shown = storagesOf(cluster, storages);
  // Those that the token does not see any more are there as well.
  const hidden = (known.of(clusterSubject, 'storages')?.content ?? []).map((subject) => keyOf(cluster, subject));
  const places = {
    networks: new Set(networks.map(({ key }) => key)),
    storages: new Set([...shown.keys(), ...hidden]),
  };
  return [
    ...clusterOf(cluster, nodes, known),
    ...nodes.map((node) => nodeOf(cluster, node, known)),
    ...shown.values(),
    ...networks,
    ...guests.flatMap((guest) => guestOf(cluster, guest, known, places) ?? []),
  ];
}

interface Places {
  networks: ReadonlySet<string>;
  storages: ReadonlySet<string>;
}

function placed(cluster: Cluster): { site_id?: string } {
  return cluster.site === undefined ? {} : { site_id: cluster.site };
}

/** With the places it is related to, where those are known; else it goes on as it was. */
export function guestOf(
  cluster: Cluster,
  row: GuestRow,
  known: Knowledge,
  places: Places | undefined,
): Observation | undefined {
  const subject = guestSubject(row);
  const key = keyOf(cluster, subject);
  const read = known.of(subject, 'config');
  if (read === undefined) return undefined;
  const ci_type = row.type === 'lxc' ? 'lxc_container' : 'virtual_machine';
  const base = { ci_type, ...placed(cluster), ci_status: row.status };
  // While its node is down, and in its first seconds, the row is empty: that takes nothing back.
  if (row.name === undefined)
    return { key, partial: true, item: { ...base, technical_specs: { vmid: row.vmid, node: row.node } } };
  return {
    key,
    item: { ...base, ci_name: row.name, tags: row.tags, technical_specs: guestSpecs(cluster, row, read, known) },
    ...(places ? { related: guestRelations(cluster, row, read.content.config, places) } : { partial: true }),
  };
}

function guestSpecs(
  cluster: Cluster,
  row: GuestRow,
  read: Reading<'config'>,
  known: Knowledge,
): Record<string, unknown> {
  const { config } = read.content;
  const subject = guestSubject(row);
  const inside = known.of(subject, 'inside')?.content.interfaces ?? undefined;
  const { addresses, primary }: Addresses = addressesOf(config.nics, inside);
  const system = known.of(subject, 'system')?.content;
  const backup = known.of(clusterSubject, 'backup')?.content;
  const snapshots = config.hasSnapshots ? known.of(subject, 'snapshots')?.content : [];
  return said({
    vmid: row.vmid,
    node: row.node,
    pool: row.pool,
    template: row.isTemplate || config.isTemplate || undefined,
    ha_state: row.haState,
    booted_at: row.uptime > 0 ? bootedAt(read) : undefined,
    cpu_cores: config.cores ?? row.cpus,
    cpu_sockets: config.sockets,
    memory_mb: config.memoryMb ?? sized(row.memoryBytes, megabyte),
    disk_gb: sized(row.diskBytes, gigabyte) ?? config.disks[0]?.sizeGb,
    disks: filled(config.disks.map(({ name, storage, sizeGb }) => said({ name, storage, size_gb: sizeGb }))),
    nics: filled(config.nics.map(({ name, mac, bridge, vlan }) => said({ name, mac, bridge, vlan }))),
    uuid: config.uuid,
    macs: filled(config.nics.flatMap(({ mac }) => mac ?? [])),
    addresses: filled(addresses),
    primary_address: primary,
    interfaces: filled(interfacesOf(config.nics, inside)),
    os_type: config.osType,
    os: system?.os,
    os_version: system?.osVersion,
    kernel: system?.kernel,
    hostname: system?.hostName,
    made_at: config.createdAt,
    starts_on_boot: config.startsOnBoot,
    snapshots: snapshots && filled(snapshots.map(({ name, takenAt }) => said({ name, taken_at: takenAt }))),
    backed_up: backup && !row.isTemplate ? !backup.uncovered.includes(row.vmid) : undefined,
    description: cluster.keepsDescriptions ? config.description : undefined,
  });
}

/** By the uptime that its configuration was read with: by that of each row it would be another moment each time. */
function bootedAt({ readAtMilliseconds, content: { uptime } }: Reading<'config'>): string | undefined {
  return uptime > 0 ? new Date(readAtMilliseconds - uptime * 1000).toISOString() : undefined;
}

function guestRelations(cluster: Cluster, row: GuestRow, config: GuestConfig, places: Places): Related[] {
  const on = keyOf(cluster, nodeSubject(row.node));
  const storages = [...new Set(config.disks.flatMap(({ storage }) => storage ?? []))].flatMap(
    (storage) => storageKeys(cluster, row.node, storage).find((key) => places.storages.has(key)) ?? [],
  );
  const networks = new Map<string, string[]>();
  for (const nic of config.nics) {
    const key = nic.bridge === undefined ? undefined : networkOf(cluster, row.node, nic.bridge, places.networks);
    if (key !== undefined) networks.set(key, [...(networks.get(key) ?? []), cardOf(nic)]);
  }
  return [
    { relationship_type: 'runs_on', relationship_strength: 'critical', key: on },
    ...storages.map((key) => ({ relationship_type: 'depends_on', relationship_strength: 'critical' as const, key })),
    ...[...networks].map(([key, cards]) => ({
      relationship_type: 'connects_to',
      relationship_strength: 'strong' as const,
      key,
      note: cards.join(', '),
    })),
  ];
}

function cardOf({ name, vlan }: Nic): string {
  return vlan === undefined ? name : `${name}, VLAN ${vlan}`;
}

function clusterOf(cluster: Cluster, nodes: readonly NodeRow[], known: Knowledge): Observation[] {
  if (cluster.ownName === undefined) return [];
  const backup = known.of(clusterSubject, 'backup')?.content;
  const jobs = backup?.jobs.map(({ id, schedule, storage, isEnabled }) =>
    said({ id, schedule, storage, enabled: isEnabled }),
  );
  return [
    {
      key: keyOf(cluster, clusterSubject),
      item: {
        ci_type: 'cluster',
        ci_name: cluster.ownName,
        ...placed(cluster),
        technical_specs: said({
          nodes: nodes.map(({ node }) => node).sort(),
          version: known.of(clusterSubject, 'version')?.content,
          backup_jobs: jobs && filled(jobs),
        }),
      },
    },
  ];
}

function nodeOf(cluster: Cluster, row: NodeRow, known: Knowledge): Observation {
  const subject = nodeSubject(row.node);
  const read = known.of(subject, 'node')?.content;
  const network = known.of(subject, 'network')?.content ?? [];
  const member = { relationship_type: 'member_of', relationship_strength: 'strong' as const };
  const primary = nodeAddress(network) ?? cluster.nodeAddresses.get(row.node);
  const addresses = [
    ...new Set([primary, ...network.flatMap((one) => one.addresses)].filter((one) => one !== undefined)),
  ];
  return {
    key: keyOf(cluster, subject),
    // Of a node that is down, or that the token may not look at, the row holds no figures: those that were known stand.
    ...(row.isOnline && row.cpus !== undefined ? {} : { partial: true }),
    item: {
      ci_type: 'physical_server',
      ci_name: row.node,
      ...placed(cluster),
      ci_status: row.isOnline ? 'running' : 'stopped',
      technical_specs: said({
        cpu_cores: row.cpus,
        cpu_sockets: read?.sockets,
        cpu_model: read?.cpuModel,
        memory_mb: sized(row.memoryBytes, megabyte),
        uptime: row.uptime > 0 ? row.uptime : undefined,
        addresses: filled(addresses),
        primary_address: primary,
        interfaces: filled(
          network
            .filter((one) => one.addresses.length > 0)
            .map((one) => ({ name: one.name, addresses: one.addresses })),
        ),
        os: read?.version ? 'Proxmox VE' : undefined,
        os_version: read?.version,
        kernel: read?.kernel,
      }),
    },
    related: cluster.ownName === undefined ? [] : [{ ...member, key: keyOf(cluster, clusterSubject) }],
  };
}

function storageKeys(cluster: Cluster, node: string, storage: string): [string, string] {
  const keyWhere = (isShared: boolean) => keyOf(cluster, storageSubject({ node, storage, isShared }));
  return [keyWhere(false), keyWhere(true)];
}

function storagesOf(cluster: Cluster, rows: readonly StorageRow[]): Map<string, Observation> {
  const found = new Map<string, Observation>();
  for (const { storage, node, isShared, type, content, capacityBytes } of rows) {
    const key = keyOf(cluster, storageSubject({ node, storage, isShared }));
    const former = found.get(key)?.item.technical_specs as Record<string, unknown> | undefined;
    const technical_specs = said({
      parent: isShared ? (cluster.ownName ?? cluster.name) : node,
      storage_type: type,
      shared: isShared,
      content: [...content].sort(),
      capacity_gb: sized(capacityBytes, gigabyte) ?? former?.capacity_gb,
    });
    found.set(key, {
      key,
      // Of one that is not reached now the row holds no size: that which was known stands.
      ...(technical_specs.capacity_gb === undefined ? { partial: true } : {}),
      item: { ci_type: 'storage', ci_name: storage, ...placed(cluster), technical_specs },
    });
  }
  return found;
}

const bridges = new Set(['bridge', 'OVSBridge']);

function networkOf(cluster: Cluster, node: string, bridge: string, known: ReadonlySet<string>): string | undefined {
  const keys = [keyOf(cluster, `network/${node}/${bridge}`), keyOf(cluster, `vnet/${bridge}`)];
  return keys.find((key) => known.has(key));
}

/** Bridges and VLANs of nodes, and the vnets that the cluster defines. */
function networksOf(cluster: Cluster, nodes: readonly NodeRow[], known: Knowledge): Observation[] {
  const ofNodes = nodes.flatMap(({ node }) =>
    (known.of(nodeSubject(node), 'network')?.content ?? [])
      .filter(({ type }) => bridges.has(type) || type === 'vlan')
      .map((one) => networkAt(cluster, node, one)),
  );
  const vnets = known.of(clusterSubject, 'vnets')?.content ?? [];
  return [
    ...ofNodes,
    ...vnets.map(({ name, zone, vlan, alias }) => ({
      key: keyOf(cluster, `vnet/${name}`),
      item: {
        ci_type: 'network',
        ci_name: name,
        ...placed(cluster),
        technical_specs: said({ parent: cluster.ownName ?? cluster.name, zone, vlan: vlanOf(vlan), alias }),
      },
    })),
  ];
}

function networkAt(cluster: Cluster, node: string, one: NodeInterface): Observation {
  return {
    key: keyOf(cluster, `network/${node}/${one.name}`),
    item: {
      ci_type: 'network',
      ci_name: one.name,
      ...placed(cluster),
      technical_specs: said({
        parent: node,
        cidr: one.cidr,
        vlan: vlanOf(one.vlan),
        vlan_aware: one.isVlanAware || undefined,
        ports: filled(one.ports),
        comment: one.comment,
      }),
    },
  };
}

/** A tag of a VXLAN is no VLAN. */
function vlanOf(tag: number | undefined): number | undefined {
  return tag !== undefined && Number.isInteger(tag) && tag >= 0 && tag <= 4095 ? tag : undefined;
}

function sized(bytes: number | undefined, unit: number): number | undefined {
  return bytes === undefined || bytes === 0 ? undefined : rounded(bytes / unit);
}

function filled<T>(values: readonly T[]): readonly T[] | undefined {
  return values.length > 0 ? values : undefined;
}

/** What is not known is not said. */
function said(specs: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(specs).filter(([, value]) => value !== undefined && value !== null));
}
