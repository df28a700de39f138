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
import { askableBy, type Reader, readDetails } from './details.ts';
import { movingOf, noteNodes, remarks, rowDoubts } from './doubts.ts';
import { isStale, type Pace } from './due.ts';
import { type Itself, lookAtCluster, refuseAnother, refuseStrange, refuseTwice, rightsToSee } from './itself.ts';
import { guestSubject, type Knowledge } from './knowledge.ts';
import { type Cluster, guestOf, keyOf, observationsOf } from './observations.ts';
import { isAsIn, type Picture, pictureOf } from './picture.ts';
import { choosesByPool, knownPools, refuseBlind } from './pools.ts';
import type { Rights } from './rights.ts';
import { type GuestRow, type Resources, readResources } from './rows.ts';
import { wantedBy } from './rules.ts';
import type { ClusterSettings } from './settings.ts';
import { forgetGuests, listClusters, loadKnowledge, standingCluster, storeCluster, storeNews } from './store.ts';
import { ProxmoxError } from './trouble.ts';
import { lookFor, lookForStorages } from './vanished.ts';

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
  /** As this process read them last. */
  let standing: Rights | undefined;
  /** What this process saw last; with the pass that said it whole, where nothing was left to be said. */
  let last: (Picture & Pick<Discovered, 'leftOut' | 'moving'> & { passId: string | undefined }) | undefined;

  async function look(api: Api, isFull: boolean): Promise<Looked> {
    const before = await standingCluster(store, source);
    if (before && !isFull) {
      const askRights = once(async () => (standing = await rightsToSee(api)));
      const rights = !standing || choosesByPool(settings) ? await askRights() : standing;
      const resources = readResources(await api.cluster.resources.$get());
      return { itself: before, resources, rights, askRights, isWhole: false };
    }
    const { itself, resources, rights } = await lookAtCluster(api, before);
    standing = rights;
    refuseAnother(name, itself, before);
    const others = await listClusters(store.read);
    refuseTwice(
      itself,
      others.filter((one) => one.source !== source && neighbours.includes(one.source)),
    );
    return { itself, resources, rights, askRights: async () => rights, isWhole: true };
  }

  /** Refuses what is not this cluster, and what cannot be told from what it shows. */
  async function lookWell(api: Api, isFull: boolean): Promise<Looked> {
    const looked = await look(api, isFull);
    refuseStrange(looked.resources, looked.itself);
    refuseBlind(settings, looked.rights);
    return looked;
  }

  function clusterOf({ own_name, nodes }: Itself): Cluster {
    return {
      name,
      site: settings.site,
      ownName: own_name ?? undefined,
      nodeAddresses: new Map(nodes.flatMap((node) => (node.address ? [[node.name, node.address] as const] : []))),
      keepsDescriptions: settings.descriptions,
    };
  }

  /** Says again what the last reading said, where this one shows the same. */
  async function sayAgain({ resources, itself }: Looked, begunAt: Temporal.Instant): Promise<Discovered | undefined> {
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
    { itself, resources, rights, askRights }: Looked,
    { begunAt, dryRun, progress }: { begunAt: Temporal.Instant; dryRun: boolean; progress: Reader['progress'] },
  ) {
    const cluster = clusterOf(itself);
    const known = await loadKnowledge(store.read, source);
    const guests = (await knownPools(resources.guests, known, askRights)).filter(isWanted);
    const reader = { api, known, now: begunAt, pace, rights, askRights, progress };
    const unread = await readDetails(reader, guests, resources.nodes);
    const told = guests.filter((row) => isTold(row, known, begunAt));
    const nodes = noteNodes(resources.nodes, known, begunAt);
    const vanished = await lookFor(api, resources.guests, known, nodes.down);
    const hidden = await lookForStorages(resources.storages, known, begunAt, askRights);
    const authors = await whoDidIt(api, last, resources, [...unread.changed, ...vanished.gone]);
    const doubts = [
      ...(itself.has_quorum ? [] : ['the cluster has no quorum, and answers from its last copy']),
      ...nodes.doubts,
      ...rowDoubts(resources, nodes.longDown),
    ];
    const subjects = new Set(told.map(guestSubject));
    const untold = resources.guests.map(guestSubject).filter((subject) => !subjects.has(subject));
    const observations = observationsOf(cluster, { ...resources, guests: told }, known);
    if (!dryRun) await store.write((trx) => storeNews(trx, source, known));
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
      moving: movingOf(guests, subjects, unread),
      isSure: unread.faults.size + vanished.hidden.length + vanished.unseen.length === 0,
      picture: await pictureOf(resources, { guests, mayAsk: askableBy(rights, known) }, known, begunAt, pace),
    };
  }

  async function sayAll(
    api: Api,
    looked: Looked,
    asked: { begunAt: Temporal.Instant; dryRun: boolean; progress: Reader['progress'] },
  ): Promise<Discovered> {
    const taken = await take(api, looked, asked);
    const { observations, names, gone, leftOut, moving } = taken;
    const { begunAt, dryRun } = asked;
    const pass = await cmdb.read(source, observations.splice(0), { ...taken.reading, begunAt, dryRun });
    if (!dryRun) {
      if (pass.outcome === 'good' && gone.length > 0) await store.write((trx) => forgetGuests(trx, source, gone));
      // What could not be read, or not be proved, is tried again.
      const isSaid = pass.outcome === 'good' && taken.isSure;
      last = { ...taken.picture, leftOut, moving, passId: isSaid ? pass.pass_id : undefined };
    }
    const waiting = pass.outcomes.flatMap(({ index, outcome }) =>
      outcome === 'waiting' ? [names[index] as string] : [],
    );
    return { pass, waiting, leftOut, moving };
  }

  return {
    source,

    async read(api, { isFull, dryRun = false, progress = ignore }) {
      const begunAt = clock();
      const looked = await lookWell(api, isFull);
      if (dryRun) return await sayAll(api, looked, { begunAt, dryRun, progress });
      const said = (await sayAgain(looked, begunAt)) ?? (await sayAll(api, looked, { begunAt, dryRun, progress }));
      if (looked.isWhole) {
        const itself = { ...looked.itself, source };
        await store.write((trx) => storeCluster(trx, itself, stamp(begunAt)));
      }
      return said;
    },

    async readOne(api, vmid) {
      const now = clock();
      const { itself, resources, rights, askRights } = await lookWell(api, false);
      const listed = resources.guests.find((guest) => guest.vmid === vmid);
      if (!listed) return undefined;
      const known = await loadKnowledge(store.read, source);
      const [row] = (await knownPools([listed], known, askRights)).filter(isWanted);
      if (!row)
        throw new ProxmoxError('invalid', `guest ${vmid} is left out by "include" and "exclude" in the settings`);
      known.forget(guestSubject(row), 'config');
      const { faults } = await readDetails({ api, known, now, pace, rights, askRights, progress: ignore }, [row], []);
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
}

interface Looked {
  itself: Itself;
  resources: Resources;
  rights: Rights;
  /** What the token may see now: some may have been taken since they were read. */
  askRights: () => Promise<Rights>;
  /** The cluster itself and the rights were asked for now, and not only the rows. */
  isWhole: boolean;
}

const ignore = () => undefined;

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => (asked ??= ask());
}

/** What its row says is so now, or it is dark and what was known of it stands. */
function isTold(row: GuestRow, known: Knowledge, now: Temporal.Instant): boolean {
  if (row.name === undefined) return known.of(guestSubject(row), 'config') !== undefined;
  return !isStale(row, known, now);
}
