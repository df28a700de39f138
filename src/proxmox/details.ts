/**
 * Reads what rows do not show: configurations, snapshots, what is inside running guests, networks of nodes. One guest
 * that cannot be read hides no other, and what was known of it stands; a wrong token ends it all at once.
 */

import { agentFault, isReached, type NodeInterface, readInterfaces, readNodeNetwork, readSystem } from './addresses.ts';
import { number, object, text } from './answer.ts';
import { type Api, part } from './client.ts';
import {
  type Due,
  guestDue,
  isStartedAnew,
  type Pace,
  type Surrounding,
  signOf,
  surroundingDue,
  surroundingsOf,
} from './due.ts';
import { eachOf } from './each.ts';
import { isAnotherBody, readConfig, readSnapshots } from './guest-config.ts';
import { type BackupJob, type Contents, clusterSubject, guestSubject, type Knowledge, type Vnet } from './knowledge.ts';
import { agentRight, majorOf, mayEver, type Rights } from './rights.ts';
import type { GuestRow, NodeRow } from './rows.ts';
import { fieldsIn, ProxmoxError, rowsIn } from './trouble.ts';

export interface Reader {
  api: Api;
  known: Knowledge;
  now: Temporal.Instant;
  pace: Pace;
  rights: Rights;
  /** As they are now. */
  askRights: () => Promise<Rights>;
  progress: (done: number, total: number) => void;
}

export interface Unread {
  /** By subject, why. */
  faults: Map<string, string>;
  /** Guests of which something is different from what was known. */
  changed: Set<string>;
}

const callsAtOnce = 6;
/** An agent that hangs holds one of three workers of its node for seconds. */
const agentCallsAtOnce = 2;
/** Systems of guests in one pass: of thousands that are new, the addresses matter more, and the next passes go on. */
const mostSystems = 100;
/** An agent may be there before the network is: for so long a guest without an address is one that still starts. */
const startSeconds = 600;

/** Reads what is due of these guests and nodes, and of the cluster. */
export async function readDetails(
  reader: Reader,
  guests: readonly GuestRow[],
  nodes: readonly NodeRow[],
): Promise<Unread> {
  const { api, known, now } = reader;
  if (!known.of(clusterSubject, 'version')) known.learn(clusterSubject, 'version', now, await readVersion(api));
  const unread = await readGuests(reader, guests);
  await readSurroundings(reader, nodes);
  return unread;
}

/** Which guests can be asked for what is inside them; the release decides which right it takes to ask an agent. */
export function askableBy(rights: Rights, known: Knowledge): (guest: Pick<GuestRow, 'type'>) => boolean {
  const version = known.of(clusterSubject, 'version')?.content ?? null;
  const mayAskAgents = mayEver(rights, agentRight(majorOf(version)));
  return ({ type }) => type === 'lxc' || mayAskAgents;
}

async function readGuests(reader: Reader, guests: readonly GuestRow[]): Promise<Unread> {
  const mayAsk = askableBy(reader.rights, reader.known);
  const unread: Unread = { faults: new Map(), changed: new Set() };
  const deadNodes = new Set<string>();
  const due = guests.filter((row) => isDue(reader, row, 'config'));
  let done = 0;
  await eachOf(due, callsAtOnce, async (row) => {
    await attempt(row, unread, deadNodes, () => readGuestConfig(reader, row, unread));
    done += 1;
    reader.progress(done, due.length);
  });
  const withSnapshots = guests.filter((row) => isDue(reader, row, 'snapshots'));
  await eachOf(withSnapshots, callsAtOnce, async (row) => {
    await attempt(row, unread, deadNodes, () => readGuestSnapshots(reader, row));
  });
  const inside = guests.filter((row) => mayAsk(row) && isDue(reader, row, 'inside'));
  await eachByNode(inside, (row) => readInside(reader, row));
  const systems = guests.filter((row) => mayAsk(row) && isDue(reader, row, 'system'));
  await eachByNode(systems.slice(0, mostSystems), (row) => readGuestSystem(reader, row));
  return unread;
}

async function eachByNode(guests: readonly GuestRow[], work: (row: GuestRow) => Promise<void>): Promise<void> {
  const byNode = Map.groupBy(guests, ({ node }) => node);
  await Promise.all([...byNode.values()].map((rows) => eachOf(rows, agentCallsAtOnce, work)));
}

function isDue({ known, now, pace }: Reader, row: GuestRow, kind: keyof Due): boolean {
  return guestDue(row, known, now, pace)[kind] <= now.epochMilliseconds;
}

async function attempt(
  row: GuestRow,
  { faults }: Unread,
  deadNodes: Set<string>,
  work: () => Promise<void>,
): Promise<void> {
  if (deadNodes.has(row.node)) return;
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ProxmoxError) || error.kind === 'auth') throw error;
    if (error.kind === 'node_down') deadNodes.add(row.node);
    faults.set(guestSubject(row), error.message);
  }
}

async function readGuestConfig({ api, known, now }: Reader, row: GuestRow, { faults, changed }: Unread): Promise<void> {
  const subject = guestSubject(row);
  const config = readConfig(
    row.type,
    fieldsIn(await guestAt(api, row).config.$get(), `the configuration of ${subject}`),
  );
  // Since its row was read the number may have gone to another guest: the next pass will see that whole.
  if (config.name !== undefined && config.name !== row.name) {
    faults.set(subject, `${subject} was being renamed`);
    return;
  }
  const before = known.of(subject, 'config')?.content.config;
  if (JSON.stringify(before) !== JSON.stringify(config)) changed.add(subject);
  // Nothing of what was inside the former guest of this number is so of the present one.
  if (before && isAnotherBody(before, config))
    for (const kind of ['snapshots', 'inside', 'system'] as const) known.forget(subject, kind);
  known.learn(subject, 'config', now, {
    sign: signOf(row),
    node: row.node,
    pool: row.pool,
    uptime: row.uptime,
    config,
  });
  if (!config.hasSnapshots) known.forget(subject, 'snapshots');
}

async function readGuestSnapshots({ api, known, now }: Reader, row: GuestRow): Promise<void> {
  const subject = guestSubject(row);
  const rows = rowsIn(await guestAt(api, row).snapshot.$get(), `the snapshots of ${subject}`);
  known.learn(subject, 'snapshots', now, readSnapshots(rows));
}

/** Whatever is wrong in there: what was known stands, and it is asked again later. */
async function readInside(reader: Reader, row: GuestRow): Promise<void> {
  const { api, known, now } = reader;
  const subject = guestSubject(row);
  const reading = known.of(subject, 'inside');
  const before = reading?.content;
  try {
    const data =
      row.type === 'lxc'
        ? await api.nodes.$(part(row.node)).lxc.$(row.vmid).interfaces.$get()
        : await api.nodes.$(part(row.node)).qemu.$(row.vmid).agent['network-get-interfaces'].$get();
    const refusal = agentFault(data) ?? (data === null ? 'it does not run' : undefined);
    if (refusal !== undefined) throw new ProxmoxError('inside_silent', refusal);
    const interfaces = readInterfaces(
      rowsIn(row.type === 'lxc' ? data : object(data).result, `the interfaces of ${subject}`),
    );
    if (row.uptime < startSeconds && !isReached(known.of(subject, 'config')?.content.config.nics ?? [], interfaces))
      throw new ProxmoxError('inside_silent', 'it has no address yet');
    known.learn(subject, 'inside', now, { interfaces, uptime: row.uptime, failures: 0 });
  } catch (error) {
    if (!(error instanceof ProxmoxError) || error.kind === 'auth') throw error;
    const isOldRelease = error.kind === 'not_implemented';
    const failures = isOldRelease ? 0 : (before?.failures ?? 0) + 1;
    known.learn(subject, 'inside', now, { interfaces: before?.interfaces ?? null, uptime: row.uptime, failures });
    return;
  }
  // It may have been started with another system, or another release of it: what was read is too old.
  const system = known.of(subject, 'system')?.content;
  if (system && reading && isStartedAnew(row, reading, now)) known.learn(subject, 'system', longAgo, system);
}

const longAgo = Temporal.Instant.fromEpochMilliseconds(0);
const noSystem = { os: undefined, osVersion: undefined, kernel: undefined, hostName: null };

/** What an agent does not tell it is asked for as seldom as what it tells; what was known stands. */
async function readGuestSystem({ api, known, now }: Reader, row: GuestRow): Promise<void> {
  const subject = guestSubject(row);
  const agent = api.nodes.$(part(row.node)).qemu.$(row.vmid).agent;
  let system = known.of(subject, 'system')?.content ?? noSystem;
  try {
    const data = await agent['get-osinfo'].$get();
    if (agentFault(data) === undefined) {
      fieldsIn(object(data).result, 'the system');
      const named = await agent['get-host-name'].$get();
      system = { ...readSystem(data), hostName: text(object(object(named).result)['host-name']) ?? null };
    }
  } catch (error) {
    if (!(error instanceof ProxmoxError) || error.kind === 'auth') throw error;
  }
  known.learn(subject, 'system', now, system);
}

function guestAt(api: Api, { node, type, vmid }: GuestRow) {
  const at = api.nodes.$(part(node));
  return type === 'lxc' ? at.lxc.$(vmid) : at.qemu.$(vmid);
}

/** Networks and releases of nodes, backup jobs, virtual networks: seldom, and as far as the token may see them. */
async function readSurroundings(reader: Reader, nodes: readonly NodeRow[]): Promise<void> {
  const { known, now, pace } = reader;
  const due = surroundingsOf(nodes).filter((one) => surroundingDue(one, known, now, pace) <= now.epochMilliseconds);
  await eachOf(due, callsAtOnce, async (one) => {
    try {
      known.learn(one.subject, one.kind, now, await readSurrounding(reader, one));
    } catch (error) {
      if (!(error instanceof ProxmoxError) || error.kind === 'auth') throw error;
      // What the token may not see, or this release does not have, is asked for as seldom as all else.
      // What was known of it stands.
      if (isLasting(error)) known.learn(one.subject, one.kind, now, known.of(one.subject, one.kind)?.content ?? null);
    }
  });
}

async function readSurrounding(
  { api, askRights }: Reader,
  { kind, node = '' }: Surrounding,
): Promise<Contents[Surrounding['kind']]> {
  switch (kind) {
    case 'network':
      return networksIn(await api.nodes.$(part(node)).network.$get(), node);
    case 'node':
      return nodeFacts(await api.nodes.$(part(node)).status.$get());
    case 'version':
      return await readVersion(api);
    case 'backup':
      return await readBackup(api);
    case 'vnets':
      // Without the right the list is empty, and no error.
      if (!mayEver(await askRights(), 'SDN.Audit'))
        throw new ProxmoxError('permission', 'the token may see no virtual network');
      return vnetsIn(rowsIn(await api.cluster.sdn.vnets.$get(), 'the virtual networks'));
  }
}

async function readVersion(api: Api): Promise<string | null> {
  return text(fieldsIn(await api.version.$get(), 'the version').version) ?? null;
}

function isLasting({ kind }: ProxmoxError): boolean {
  return kind === 'permission' || kind === 'not_implemented' || kind === 'not_found' || kind === 'invalid';
}

/** A node that answers has at least the one by which it does. */
function networksIn(data: unknown, node: string): readonly NodeInterface[] {
  const networks = readNodeNetwork(rowsIn(data, `the networks of ${node}`));
  if (networks.length > 0) return networks;
  throw new ProxmoxError('protocol', `the networks of ${node} were answered without one`);
}

function nodeFacts(data: unknown) {
  const status = fieldsIn(data, 'the state of a node');
  const cpu = object(status.cpuinfo);
  const kernel = text(object(status['current-kernel']).release) ?? text(status.kversion) ?? null;
  return {
    // pve-manager/9.1.4/0123456789abcdef
    version: text(status.pveversion)?.split('/')[1] ?? null,
    kernel,
    cpuModel: text(cpu.model) ?? null,
    sockets: number(cpu.sockets) ?? null,
  };
}

async function readBackup(api: Api): Promise<NonNullable<Contents['backup']>> {
  const jobs = rowsIn(await api.cluster.backup.$get(), 'the backup jobs').flatMap((entry): BackupJob[] => {
    const job = object(entry);
    const id = text(job.id);
    if (id === undefined) return [];
    const isEnabled = job.enabled === undefined || number(job.enabled) === 1;
    return [{ id, schedule: text(job.schedule), storage: text(job.storage), isEnabled }];
  });
  const rows = rowsIn(await api.cluster['backup-info']['not-backed-up'].$get(), 'the guests without a backup');
  const uncovered = rows.flatMap((row) => number(object(row).vmid) ?? []).sort((a, b) => a - b);
  return { jobs, uncovered };
}

function vnetsIn(rows: readonly unknown[]): Vnet[] {
  return rows.flatMap((entry) => {
    const one = object(entry);
    const name = text(one.vnet);
    if (name === undefined) return [];
    return [{ name, zone: text(one.zone), vlan: number(one.tag), alias: text(one.alias) }];
  });
}
