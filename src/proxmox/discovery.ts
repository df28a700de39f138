/**
 * One reading of one cluster. A full one asks first what the token may see and whether the cluster has its quorum; a
 * light one asks for the rows alone. Both read the configuration of what is new or started anew before they speak of
 * it, prove that a guest that is not listed is gone, and tell the heart all that they saw at once.
 */

import type { Cmdb } from '../cmdb/cmdb.ts';
import type { PassResult } from '../cmdb/passes.ts';
import type { Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import { authorsIn } from './authors.ts';
import type { Api } from './client.ts';
import { type Reader, readGuests, readSurroundings, readVersion, type Unread } from './details.ts';
import { isStale, type Pace, signOf } from './due.ts';
import { lookAtCluster, refuseAnother, refuseStrange, refuseTwice } from './itself.ts';
import { clusterSubject, guestSubject, type Knowledge, nodeSubject } from './knowledge.ts';
import { type Cluster, guestOf, keyOf, observationsOf } from './observations.ts';
import { eachOf } from './pool.ts';
import { agentRight, majorOf, mayEver, type Rights } from './rights.ts';
import { type GuestRow, type NodeRow, type Resources, readResources } from './rows.ts';
import { wantedBy } from './rules.ts';
import type { ClusterSettings } from './settings.ts';
import { type KnownCluster, listClusters, loadKnowledge, standingCluster, storeCluster, storeNews } from './store.ts';
import { ProxmoxError } from './trouble.ts';

export interface DiscoveryParts {
  store: Store;
  cmdb: Cmdb;
  clock: Clock;
  settings: ClusterSettings;
  pace: Pace;
  /** The sources of all clusters in the settings. */
  sources: readonly string[];
}

export interface Discovered {
  pass: PassResult;
  /** What is called so may be of several items, and waits for a person. */
  waiting: string[];
  /** What was left out, in sentences. */
  leftOut: string[];
}

export interface Asked {
  isFull: boolean;
  dryRun?: boolean;
  progress?: (done: number, total: number) => void;
}

export interface Discovery {
  source: string;
  read(api: Api, asked: Asked): Promise<Discovered>;
  /** One guest at once; undefined where the cluster does not list it. */
  readOne(api: Api, vmid: number): Promise<{ ci_id: string | null; outcome: string } | undefined>;
}

/** A node that is down for longer is taken for what it is, and holds nothing else up. */
const nodeDownHours = 24;
/** A reading that would have to prove more than this is not trusted. */
const mostProofs = 500;
const callsAtOnce = 6;
/** Tasks that were begun so long before the last reading may have ended after it. */
const taskLeewayMinutes = 10;

export function sourceOf({ name }: Pick<ClusterSettings, 'name'>): string {
  return `proxmox-api:${name}`;
}

export function openDiscovery({ store, cmdb, clock, settings, pace, sources }: DiscoveryParts): Discovery {
  const source = sourceOf(settings);
  const isWanted = wantedBy(settings);
  let rights: Rights | undefined;
  /** What rows said when they were read last by this process. */
  let former: { at: Temporal.Instant; rows: Map<string, string> } | undefined;

  async function clusterNow(api: Api, isFull: boolean): Promise<{ cluster: Cluster; known: KnownCluster }> {
    const before = await standingCluster(store, source);
    const known = isFull || !before ? await lookAgain(api, before) : before;
    const cluster = {
      name: settings.name,
      site: settings.site,
      ownName: known.own_name ?? undefined,
      nodeAddresses: new Map(known.nodes.flatMap(({ name, address }) => (address ? [[name, address] as const] : []))),
      keepsDescriptions: settings.descriptions,
    };
    return { cluster, known };
  }

  async function lookAgain(api: Api, before: KnownCluster | undefined): Promise<KnownCluster> {
    const found = await lookAtCluster(api, before);
    const { itself } = found;
    rights = found.rights;
    refuseAnother(settings.name, itself, before);
    const others = (await listClusters(store.read)).filter((one) => one.source !== source);
    refuseTwice(
      settings.name,
      itself,
      others.filter((one) => sources.includes(one.source)),
    );
    return { ...itself, source, read_at: stamp(clock()) };
  }

  /** Reads what is due, the release before all else: it decides which right asks agents. */
  async function readDue(reader: Omit<Reader, 'mayAskAgents'>, guests: readonly GuestRow[], nodes: readonly NodeRow[]) {
    const { api, known, now } = reader;
    if (!known.of(clusterSubject, 'version')) known.learn(clusterSubject, 'version', now, await readVersion(api));
    const right = agentRight(majorOf(known.of(clusterSubject, 'version')?.content ?? null));
    const unread = await readGuests({ ...reader, mayAskAgents: !rights || mayEver(rights, right) }, guests);
    await readSurroundings(reader, nodes);
    return unread;
  }

  return {
    source,

    async read(api, { isFull, dryRun = false, progress = () => undefined }) {
      const begunAt = clock();
      const { cluster, known: itself } = await clusterNow(api, isFull);
      const resources = readResources(await api.cluster.resources.$get());
      refuseStrange(settings.name, resources, itself);
      const known = await loadKnowledge(store.read, source);
      const guests = resources.guests.filter(isWanted);
      const unread = await readDue({ api, known, now: begunAt, pace, progress }, guests, resources.nodes);

      const told = new Set(guests.filter((row) => isTold(row, known, begunAt)));
      const nodes = noteNodes(resources.nodes, known, begunAt);
      const vanished = await lookFor(api, resources, known, nodes.down);
      const seen = rowsOf(resources.guests);
      const authors = await whoDidIt(api, seen, unread, vanished.gone);
      const leftOut = new Set([
        ...resources.guests.filter((row) => !told.has(row)).map((row) => keyOf(cluster, guestSubject(row))),
        ...vanished.kept.map((subject) => keyOf(cluster, subject)),
      ]);
      const doubts = [
        ...(itself.has_quorum ? [] : ['the cluster has no quorum, and answers from its last copy']),
        ...nodes.doubts,
        ...rowDoubts(resources, nodes.longDown),
      ];
      const observations = observationsOf(cluster, { ...resources, guests: [...told] }, known);
      const pass = await cmdb.read(source, observations, {
        complete: doubts.length === 0,
        why: doubts.length === 0 ? null : doubts.join('; '),
        begunAt,
        leftOut,
        authors: new Map([...authors].map(([subject, author]) => [keyOf(cluster, subject), author])),
        dryRun,
      });
      if (!dryRun) {
        if (pass.outcome === 'good') for (const subject of vanished.gone) forgetGuest(known, subject);
        await store.write(async (trx) => {
          await storeNews(trx, source, known);
          if (isFull || itself.read_at === stamp(begunAt)) await storeCluster(trx, itself, stamp(begunAt));
        });
        former = { at: begunAt, rows: seen };
      }
      const waiting = pass.outcomes.flatMap(({ index, outcome }) =>
        outcome === 'waiting' ? [String(observations[index]?.item.ci_name)] : [],
      );
      return { pass, waiting, leftOut: [...doubts, ...remarks(unread, guests, told, vanished.kept.length)] };
    },

    async readOne(api, vmid) {
      const now = clock();
      const { cluster } = await clusterNow(api, false);
      const resources = readResources(await api.cluster.resources.$get());
      const row = resources.guests.find((guest) => guest.vmid === vmid);
      if (!row) return undefined;
      const known = await loadKnowledge(store.read, source);
      known.forget(guestSubject(row), 'config');
      const { faults } = await readDue({ api, known, now, pace, progress: () => undefined }, [row], []);
      const observation = isTold(row, known, now) ? guestOf(cluster, row, known, undefined) : undefined;
      if (!observation)
        throw new ProxmoxError(
          'server',
          faults.get(guestSubject(row)) ?? `guest ${vmid} is being made or moved; ask again`,
        );
      const [outcome] = await cmdb.observe(source, [observation]);
      await store.write((trx) => storeNews(trx, source, known));
      return { ci_id: outcome?.ci_id ?? null, outcome: outcome?.outcome ?? 'unchanged' };
    },
  };

  /** Of those that are not listed: which are gone, and which are there and not to be seen. */
  async function lookFor(api: Api, resources: Resources, known: Knowledge, down: ReadonlySet<string>) {
    const listed = new Map(resources.guests.map((row) => [row.vmid, row]));
    const gone: string[] = [];
    const kept: string[] = [];
    const doubtful: string[] = [];
    for (const subject of known.subjectsOf('config')) {
      const vmid = Number(subject.split('/')[1]);
      const row = listed.get(vmid);
      if (row && guestSubject(row) === subject) continue;
      // The number has another guest of another type now.
      if (row) gone.push(subject);
      else if (down.has(known.of(subject, 'config')?.content.node ?? '')) kept.push(subject);
      else doubtful.push(subject);
    }
    kept.push(...doubtful.splice(mostProofs));
    await eachOf(doubtful, callsAtOnce, async (subject) => {
      const isFree = await isNumberFree(api, Number(subject.split('/')[1]));
      (isFree ? gone : kept).push(subject);
    });
    return { gone, kept };
  }

  /** Only where something differs from what this process saw last. */
  async function whoDidIt(
    api: Api,
    seen: ReadonlyMap<string, string>,
    { changed }: Unread,
    gone: readonly string[],
  ): Promise<Map<string, string>> {
    if (!former) return new Map();
    const differing = [...seen]
      .filter(([subject, row]) => former?.rows.get(subject) !== row)
      .map(([subject]) => subject);
    const subjects = new Set([...differing, ...changed, ...gone]);
    if (subjects.size === 0) return new Map();
    try {
      const by = authorsIn(await api.cluster.tasks.$get(), former.at.subtract({ minutes: taskLeewayMinutes }));
      return new Map(
        [...subjects].flatMap((subject) => {
          const author = by.get(Number(subject.split('/')[1]));
          return author === undefined ? [] : [[subject, author] as const];
        }),
      );
    } catch (error) {
      if (error instanceof ProxmoxError && error.kind !== 'auth') return new Map();
      throw error;
    }
  }
}

/** What its row says is so now, or it is dark and what was known of it stands. */
function isTold(row: GuestRow, known: Knowledge, now: Temporal.Instant): boolean {
  if (row.name === undefined) return known.of(guestSubject(row), 'config') !== undefined;
  return !isStale(row, known, now);
}

/** `GET /cluster/nextid?vmid=` tells any token whether a number is taken, whatever it may see. */
async function isNumberFree(api: Api, vmid: number): Promise<boolean> {
  try {
    await api.cluster.nextid.$get({ vmid });
    return true;
  } catch (error) {
    if (error instanceof ProxmoxError && error.kind !== 'auth') return false;
    throw error;
  }
}

function forgetGuest(known: Knowledge, subject: string): void {
  for (const kind of ['config', 'snapshots', 'inside', 'system'] as const) known.forget(subject, kind);
}

function rowsOf(guests: readonly GuestRow[]): Map<string, string> {
  return new Map(guests.map((row) => [guestSubject(row), `${row.status} ${signOf(row)}`]));
}

/** Since when nodes are down; for the first day nothing is taken for gone. */
function noteNodes(nodes: readonly NodeRow[], known: Knowledge, now: Temporal.Instant) {
  const longDown = new Set<string>();
  const down = new Set<string>();
  const doubts: string[] = [];
  for (const { node, isOnline } of nodes) {
    const subject = nodeSubject(node);
    if (isOnline) {
      known.forget(subject, 'offline');
      continue;
    }
    down.add(node);
    const since = known.of(subject, 'offline')?.readAt;
    if (!since) known.learn(subject, 'offline', now, null);
    if (since && now.since(since).total('hours') >= nodeDownHours) longDown.add(node);
    else doubts.push(`node ${node} is down`);
  }
  return { down, longDown, doubts };
}

function rowDoubts({ guests, unreadable }: Resources, longDown: ReadonlySet<string>): string[] {
  const dark = guests.filter(({ name, node }) => name === undefined && !longDown.has(node));
  return [
    ...(dark.length > 0 ? [`of ${counted(dark.length, 'guest')} only the number is known now`] : []),
    ...(unreadable > 0 ? [`${counted(unreadable, 'row')} could not be read`] : []),
  ];
}

/** What stands as it was, and why; nothing of it is lost by that. */
function remarks(
  { faults }: Unread,
  guests: readonly GuestRow[],
  told: ReadonlySet<GuestRow>,
  hidden: number,
): string[] {
  const [first] = faults.values();
  const moving = guests.filter((row) => !told.has(row) && row.name !== undefined && !faults.has(guestSubject(row)));
  return [
    ...(faults.size > 0 ? [`${counted(faults.size, 'guest')} could not be read and stand as they were: ${first}`] : []),
    ...(moving.length > 0 ? [`${counted(moving.length, 'guest')} being made or moved, for the next reading`] : []),
    ...(hidden > 0
      ? [
          `${counted(hidden, 'guest')} not shown to this token any more and not known to be gone, so they stand as they were`,
        ]
      : []),
  ];
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
