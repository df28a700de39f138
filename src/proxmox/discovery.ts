/**
 * One reading of one cluster. A full one asks first what the token may see and whether the cluster has its quorum; a
 * light one asks for the rows alone. Both read the configuration of what is new or started anew before they speak of
 * it, prove that a guest that is not listed is gone, and tell the heart all that they saw at once.
 */

import type { Cmdb } from '../cmdb/cmdb.ts';
import type { PassResult } from '../cmdb/passes.ts';
import type { Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import { whoDidIt } from './authors.ts';
import type { Api } from './client.ts';
import { type Reader, readGuests, readSurroundings, readVersion } from './details.ts';

import { movingOf, noteNodes, remarks, rowDoubts } from './doubts.ts';
import { isStale, type Pace } from './due.ts';
import { lookAtCluster, refuseAnother, refuseStrange, refuseTwice } from './itself.ts';
import { clusterSubject, guestSubject, type Knowledge } from './knowledge.ts';
import { type Cluster, guestOf, keyOf, observationsOf, storageSubject } from './observations.ts';
import { isAsIn, type Picture, pictureOf, rowsOf } from './picture.ts';
import { agentRight, holdsBelow, majorOf, mayEver, type Rights, readRights } from './rights.ts';
import { type GuestRow, type NodeRow, type Resources, readResources, type StorageRow } from './rows.ts';
import { wantedBy } from './rules.ts';
import type { ClusterSettings } from './settings.ts';
import {
  forgetGuests,
  type KnownCluster,
  listClusters,
  loadKnowledge,
  standingCluster,
  storeCluster,
  storeNews,
} from './store.ts';
import { ProxmoxError } from './trouble.ts';
import { lookFor } from './vanished.ts';

export interface DiscoveryParts {
  store: Store;
  cmdb: Cmdb;
  clock: Clock;
  settings: ClusterSettings;
  pace: Pace;
  /** The sources of the clusters in the settings that stand at the same site. */
  neighbours: readonly string[];
}

export interface Discovered {
  pass: PassResult;
  /** What is called so may be of several items, and waits for a person. */
  waiting: string[];
  /** What could not be seen, in sentences. */
  leftOut: string[];
  /** How many guests are being made or moved, and are told of once that is over. */
  moving: number;
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

export function sourceOf({ name }: Pick<ClusterSettings, 'name'>): string {
  return `proxmox-api:${name}`;
}

export function openDiscovery({ store, cmdb, clock, settings, pace, neighbours }: DiscoveryParts): Discovery {
  const { name } = settings;
  const source = sourceOf(settings);
  const isWanted = wantedBy(settings);
  let rights: Rights | undefined;
  /** What this process saw last; with the pass that said it whole, where nothing was left to be said. */
  let last: (Picture & Pick<Discovered, 'leftOut' | 'moving'> & { passId: string | undefined }) | undefined;

  async function look(api: Api, isFull: boolean): Promise<{ itself: KnownCluster; resources: Resources }> {
    const before = await standingCluster(store, source);
    if (before && !isFull) return { itself: before, resources: readResources(await api.cluster.resources.$get()) };
    const { itself, resources, ...looked } = await lookAtCluster(api, before);
    rights = looked.rights;
    refuseAnother(name, itself, before);
    const others = await listClusters(store.read);
    refuseTwice(
      itself,
      others.filter((one) => one.source !== source && neighbours.includes(one.source)),
    );
    return { itself: { ...itself, source, read_at: stamp(clock()) }, resources };
  }

  function clusterOf({ own_name, nodes }: KnownCluster): Cluster {
    return {
      name,
      site: settings.site,
      ownName: own_name ?? undefined,
      nodeAddresses: new Map(nodes.flatMap((node) => (node.address ? [[node.name, node.address] as const] : []))),
      keepsDescriptions: settings.descriptions,
    };
  }

  /** The release decides which right asks agents. */
  function mayAskAgents(known: Knowledge): boolean {
    const right = agentRight(majorOf(known.of(clusterSubject, 'version')?.content ?? null));
    return !rights || mayEver(rights, right);
  }

  async function readDue(reader: Omit<Reader, 'mayAskAgents'>, guests: readonly GuestRow[], nodes: readonly NodeRow[]) {
    const { api, known, now } = reader;
    if (!known.of(clusterSubject, 'version')) known.learn(clusterSubject, 'version', now, await readVersion(api));
    const unread = await readGuests({ ...reader, mayAskAgents: mayAskAgents(known) }, guests);
    await readSurroundings(reader, nodes);
    return unread;
  }

  /** Says again what the last reading said, where this one shows the same. */
  async function sayAgain(
    resources: Resources,
    itself: KnownCluster,
    begunAt: Temporal.Instant,
  ): Promise<Discovered | undefined> {
    if (!last?.passId || !itself.has_quorum || !isAsIn(last, resources, begunAt)) return undefined;
    const again = await cmdb.readAgain(source, { passId: last.passId, begunAt });
    if (!again) return undefined;
    const { pass } = again;
    last = { ...last, passId: pass.pass_id };
    return { pass, waiting: [], leftOut: last.leftOut, moving: last.moving };
  }

  /** Reads what rows do not show, and puts together what is to be said. What was read is kept; all else goes. */
  async function take(
    api: Api,
    itself: KnownCluster,
    resources: Resources,
    { begunAt, dryRun, progress }: { begunAt: Temporal.Instant; dryRun: boolean; progress: Reader['progress'] },
  ) {
    const cluster = clusterOf(itself);
    const known = await loadKnowledge(store.read, source);
    const guests = resources.guests.filter(isWanted);
    const mayReadNetworks = !rights || mayEver(rights, 'SDN.Audit');
    const unread = await readDue(
      { api, known, now: begunAt, pace, progress, mayReadNetworks },
      guests,
      resources.nodes,
    );
    const told = new Set(guests.filter((row) => isTold(row, known, begunAt)));
    const nodes = noteNodes(resources.nodes, known, begunAt);
    const vanished = await lookFor(api, resources.guests, known, nodes.down);
    const isLooked = itself.read_at >= stamp(begunAt);
    const hidden = await lookForStorages(api, resources.storages, known, { now: begunAt, isLooked });
    const authors = await whoDidIt(api, last, rowsOf(resources), [...unread.changed, ...vanished.gone]);
    const doubts = [
      ...(itself.has_quorum ? [] : ['the cluster has no quorum, and answers from its last copy']),
      ...nodes.doubts,
      ...rowDoubts(resources, nodes.longDown),
    ];
    const untold = resources.guests.filter((row) => !told.has(row)).map((row) => guestSubject(row));
    const observations = observationsOf(cluster, { ...resources, guests: [...told] }, known);
    if (!dryRun) await store.write((trx) => storeNews(trx, source, known));
    const mayAsk = (guest: { type: string }) => guest.type === 'lxc' || mayAskAgents(known);
    return {
      observations,
      names: observations.map(({ item }) => String(item.ci_name)),
      reading: {
        complete: doubts.length === 0,
        why: doubts.length === 0 ? null : doubts.join('; '),
        leftOut: new Set(
          [...untold, ...vanished.hidden, ...vanished.unseen, ...hidden].map((subject) => keyOf(cluster, subject)),
        ),
        authors: new Map([...authors].map(([subject, author]) => [keyOf(cluster, subject), author])),
      },
      gone: vanished.gone,
      leftOut: [...doubts, ...remarks(unread, vanished.hidden.length)],
      moving: movingOf(guests, told, unread),
      isWhole: unread.faults.size + vanished.hidden.length + vanished.unseen.length === 0,
      picture: await pictureOf(resources, guests, known, begunAt, pace, mayAsk),
    };
  }

  return {
    source,

    async read(api, { isFull, dryRun = false, progress = ignore }) {
      const begunAt = clock();
      const { itself, resources } = await look(api, isFull);
      refuseStrange(resources, itself);
      const again = dryRun ? undefined : await sayAgain(resources, itself, begunAt);
      if (again) return again;

      const taken = await take(api, itself, resources, { begunAt, dryRun, progress });
      const { observations, names, gone, leftOut, moving } = taken;
      const pass = await cmdb.read(source, observations.splice(0), { ...taken.reading, begunAt, dryRun });
      if (!dryRun) {
        if (pass.outcome === 'good' && gone.length > 0) await store.write((trx) => forgetGuests(trx, source, gone));
        if (itself.read_at >= stamp(begunAt)) await store.write((trx) => storeCluster(trx, itself, stamp(begunAt)));
        // What could not be read, or not be proved, is tried again.
        const isWhole = pass.outcome === 'good' && taken.isWhole;
        last = { ...taken.picture, leftOut, moving, passId: isWhole ? pass.pass_id : undefined };
      }
      const waiting = pass.outcomes.flatMap(({ index, outcome }) =>
        outcome === 'waiting' ? [names[index] as string] : [],
      );
      return { pass, waiting, leftOut, moving };
    },

    async readOne(api, vmid) {
      const now = clock();
      const { itself, resources } = await look(api, false);
      refuseStrange(resources, itself);
      const row = resources.guests.find((guest) => guest.vmid === vmid);
      if (!row) return undefined;
      const known = await loadKnowledge(store.read, source);
      known.forget(guestSubject(row), 'config');
      const { faults } = await readDue({ api, known, now, pace, progress: ignore, mayReadNetworks: true }, [row], []);
      const observation = isTold(row, known, now) ? guestOf(clusterOf(itself), row, known, undefined) : undefined;
      if (!observation) {
        const why = faults.get(guestSubject(row)) ?? `guest ${vmid} is being made or moved; ask again`;
        throw new ProxmoxError('server', why);
      }
      const [outcome] = await cmdb.observe(source, [observation]);
      await store.write((trx) => storeNews(trx, source, known));
      last = undefined;
      return { ci_id: outcome?.ci_id ?? null, outcome: outcome?.outcome ?? 'unchanged' };
    },
  };

  /** Storages that are not listed any more only because the token may not see them. */
  async function lookForStorages(
    api: Api,
    rows: readonly StorageRow[],
    known: Knowledge,
    { now, isLooked }: { now: Temporal.Instant; isLooked: boolean },
  ): Promise<string[]> {
    const listed = new Set(rows.map(storageSubject));
    const former = known.of(clusterSubject, 'storages')?.content ?? [];
    const absent = former.filter((subject) => !listed.has(subject));
    const seesAll = () => rights !== undefined && holdsBelow(rights, '/storage', 'Datastore.Audit');
    // The right may have been taken since a full reading asked for it.
    if (absent.length > 0 && (!rights || (!isLooked && seesAll())))
      rights = readRights(await api.access.permissions.$get());
    const hidden = seesAll() ? [] : absent;
    const present = [...listed, ...hidden].sort();
    if (present.join() !== former.join()) known.learn(clusterSubject, 'storages', now, present);
    return hidden;
  }
}

const ignore = () => undefined;

/** What its row says is so now, or it is dark and what was known of it stands. */
function isTold(row: GuestRow, known: Knowledge, now: Temporal.Instant): boolean {
  if (row.name === undefined) return known.of(guestSubject(row), 'config') !== undefined;
  return !isStale(row, known, now);
}
