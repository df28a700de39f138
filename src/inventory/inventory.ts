/**
 * The inventory as it is served: made once per revision, only changed items anew, and kept as it was told. The
 * event loop gets its turns while it is made, and whoever asks meanwhile waits for the same making.
 */

import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Static } from 'typebox';
import type { ItemId } from '../cmdb/item.ts';
import { effectiveSite, type SiteSettings } from '../cmdb/sites.ts';
import { loadActivity } from '../cmdb/store/activity.ts';
import { listSites, type Site } from '../cmdb/store/sites.ts';
import { DomainError } from '../errors.ts';
import { parseExactly } from '../json.ts';
import { setAlerts } from '../store/alerts.ts';
import type { Store } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import { type Clock, stamp } from '../time.ts';
import { shareOut } from './address.ts';
import { configuredWords, type Group, groupRulesOf, groupsOf, withoutCircles } from './groups.ts';
import { type Host, type HostRules, hostOf } from './host.ts';
import { matcherOf } from './match.ts';
import { type Rendered, render } from './render.ts';
import type { inventorySettings } from './settings.ts';
import {
  changedItems,
  currentRevision,
  findVersion,
  findVersionAt,
  listGroupWords,
  loadAddressWords,
  loadHostItems,
  storeVersion,
  touchVersions,
} from './store.ts';

export type InventorySettings = Static<typeof inventorySettings>;

const pack = promisify(gzip);
const unpack = promisify(gunzip);
const batch = 250;
const keptAnswers = 8;

/** What is asked for; nothing is the whole. */
export interface Question {
  site_id?: string;
  group?: string;
  status?: string;
  include: readonly ('held' | 'stopped')[];
  /** The caller is the very machine on which the service runs. */
  isHere: boolean;
}

export interface Served {
  version: string;
  body: Buffer;
  packed: Buffer;
}

/** Everything that an answer is made of, at one revision. */
export interface Snapshot {
  revision: number;
  hosts: ReadonlyMap<ItemId, Host>;
  groups: readonly Group[];
  sites: ReadonlyMap<string, Site>;
  rules: HostRules;
}

export interface Inventory {
  answer(question: Question): Promise<Served>;
  /** The variables of one host, or undefined where it is not served. */
  host(question: Question, name: string): Promise<Record<string, unknown> | undefined>;
  /** What was told, by version or by moment. Throws `not_found`. */
  told(at: string | { moment: string }, question: Question): Promise<Served>;
  snapshot(): Promise<Snapshot>;
  /** Whether the caller with this hash is the machine on which the service runs. */
  isHere(controller: string | undefined): boolean;
  /** The versions in use are noted as served just now. */
  touch(): Promise<void>;
  close(): Promise<void>;
}

export interface InventoryParts {
  store: Store;
  settings: InventorySettings;
  siteSettings: SiteSettings;
  clock: Clock;
  /** Who this machine is: the hash that its own scripts send, and its item. */
  here: { controller: string | undefined; item: () => Promise<ItemId | undefined> };
}

export function openInventory({ store, settings, siteSettings, clock, here }: InventoryParts): Inventory {
  const configured = configuredWords(settings.groups);
  const notServed = settings.not_served.map(matcherOf);
  let current: (Snapshot & { described: string }) | undefined;
  let making: Promise<Snapshot> | undefined;
  const answers = new Map<string, { revision: number; served: Promise<Served> }>();
  const unwritten = new Set<Promise<void>>();

  async function snapshot(): Promise<Snapshot> {
    const revision = await currentRevision(store.read);
    // One that is being made may be of before this question: then another is made after it.
    while (!current || current.revision < revision) {
      making ??= make().finally(() => {
        making = undefined;
      });
      await making;
    }
    return current;
  }

  async function make(): Promise<Snapshot> {
    const former = current;
    const revision = await currentRevision(store.read);
    const words = [...configured, ...(await listGroupWords(store.read))];
    const sites = new Map(
      (await listSites(store.read)).map((site) => [site.site_id, effectiveSite(site, siteSettings)]),
    );
    const described = JSON.stringify([words, [...sites.values()].map(({ updated_at: _, ...site }) => site)]);
    const groups = withoutCircles(groupsOf(words));
    const rules: HostRules = {
      serving: { notServed, sites },
      groups: groupRulesOf(groups),
      hostvars: settings.hostvars,
      preferred: settings.address,
    };
    const isSame = former?.described === described;
    const hosts = new Map(isSame ? former.hosts : []);
    const ids = await changedItems(store.read, isSame ? former.revision : -1);
    for (let from = 0; from < ids.length; from += batch) await addHosts(hosts, ids.slice(from, from + batch), rules);
    current = { revision, hosts, groups, sites, rules, described };
    return current;
  }

  async function addHosts(hosts: Map<ItemId, Host>, ids: readonly ItemId[], rules: HostRules): Promise<void> {
    const items = await loadHostItems(store.read, ids);
    const words = await loadAddressWords(store.read, ids);
    const activities = await loadActivity(store.read, ids);
    for (const [count, id] of ids.entries()) {
      const item = items.get(id);
      const host = item && hostOf(item, words.get(id) ?? [], rules, activities.get(id));
      if (host) hosts.set(id, host);
      else hosts.delete(id);
      if (count % 64 === 0) await turn();
    }
  }

  async function answer(question: Question): Promise<Served> {
    const state = await snapshot();
    const key = keyOf(question);
    const known = answers.get(key);
    if (known?.revision === state.revision) return await known.served;
    const entry = { revision: state.revision, served: made(state, question, key, known) };
    answers.delete(key);
    answers.set(key, entry);
    if (answers.size > keptAnswers) answers.delete(answers.keys().next().value as string);
    entry.served.catch(() => answers.delete(key));
    return await entry.served;
  }

  async function made(
    state: Snapshot,
    question: Question,
    key: string,
    former: { served: Promise<Served> } | undefined,
  ): Promise<Served> {
    const rendered = await renderFor(state, question);
    const before = await former?.served.catch(() => undefined);
    // A change that this answer does not show leaves it as it was told, under its former version.
    if (before?.version.endsWith(`-${rendered.contentHash}`)) return before;
    // At level 6 it is a sixth smaller, and takes four times as long: two thirds of all the making.
    const packed = await pack(rendered.body, { level: 1 });
    const served = { version: rendered.version, body: rendered.body, packed };
    await keep(served, key, state.revision);
    if (key === '' || key === keyOf({ include: [], isHere: true })) void raiseAlerts(state).catch(() => undefined);
    return served;
  }

  /** On disk before it is told, unless a long write is under way: then as soon as that is done. */
  async function keep(served: Served, key: string, revision: number): Promise<void> {
    const isFree = store.waiting() === 0;
    const at = stamp(clock());
    const writing = store
      .write((trx) => storeVersion(trx, { version: served.version, question: key, revision, body: served.packed }, at))
      .catch(() => undefined)
      .finally(() => unwritten.delete(writing));
    unwritten.add(writing);
    if (isFree) await writing;
  }

  async function renderFor(state: Snapshot, question: Question): Promise<Rendered> {
    // What is asked for is a part; whose an address is depends on all that are served.
    const all = [...state.hosts.values()].filter((host) => isIncluded(host, question));
    const hosts = all.filter((host) => isAsked(host, question));
    const { lost } = shareOut(all);
    const siteVars = new Map(
      [...state.sites].filter(([, site]) => Object.keys(site.vars).length > 0).map(([id, site]) => [id, site.vars]),
    );
    const localItem = question.isHere ? await here.item() : undefined;
    return await render({ hosts, lost, groups: state.groups, siteVars, revision: state.revision, localItem });
  }

  async function raiseAlerts(state: Snapshot): Promise<void> {
    const { shared } = sharedAmongServed(state);
    const addresses = new Map(shared.map(({ address, hosts, keptBy }) => [address, sharedWords(hosts, keptBy)]));
    const groups = new Set([...state.groups, ...state.hosts.values()].flatMap(groupNamesOf));
    const clashes = [...state.hosts.values()].map((host) => host.name).filter((name) => groups.has(name));
    const names = new Map(
      clashes.map((name) => [
        name,
        `A host and a group are named ${name}; Ansible warns of it in every run. Rename one of them.`,
      ]),
    );
    await store.write(async (trx) => {
      await setAlerts(trx, 'shared_address', addresses, stamp(clock()));
      await setAlerts(trx, 'host_named_like_group', names, stamp(clock()));
    });
  }

  return {
    answer,
    snapshot,
    async host(question, name) {
      const { body } = await answer(question);
      const parsed = parseExactly(body.toString('utf8'), JSON.rawJSON) as {
        _meta: { hostvars: Record<string, Record<string, unknown>> };
      };
      return Object.hasOwn(parsed._meta.hostvars, name) ? parsed._meta.hostvars[name] : undefined;
    },
    async told(at, question) {
      await Promise.all(unwritten);
      const found =
        typeof at === 'string' ? await named(at) : await findVersionAt(store.read, at.moment, keyOf(question));
      if (!found) {
        const what =
          typeof at === 'string'
            ? `No version ${at} of the inventory is kept`
            : 'No inventory was told by then, to that question';
        throw new DomainError(
          'not_found',
          `${what}; versions are kept for ${settings.keep_days} days after they were last served.`,
        );
      }
      return { version: found.version, body: await unpack(found.body), packed: found.body };
    },
    isHere: (controller) => controller !== undefined && controller === here.controller,
    async touch() {
      const versions = await Promise.all([...answers.values()].map(async ({ served }) => (await served).version));
      if (versions.length > 0) await store.write((trx) => touchVersions(trx, versions, stamp(clock())));
    },
    async close() {
      await Promise.all(unwritten);
    },
  };

  async function named(version: string): Promise<{ version: string; body: Buffer } | undefined> {
    const body = await findVersion(store.read, version);
    return body && { version, body };
  }
}

/** The addresses that several served hosts have, and who loses theirs by it. */
export function sharedAmongServed({ hosts }: Pick<Snapshot, 'hosts'>): ReturnType<typeof shareOut> {
  return shareOut([...hosts.values()].filter((host) => host.serving.served));
}

function isIncluded({ serving }: Host, question: Question): boolean {
  return serving.served || (serving.unless !== undefined && question.include.includes(serving.unless));
}

function isAsked(host: Host, question: Question): boolean {
  if (question.site_id !== undefined && host.site_id !== question.site_id) return false;
  if (question.status !== undefined && host.ci_status !== question.status) return false;
  return question.group === undefined || host.groups.includes(question.group);
}

/** The groups that a group or a host makes Ansible know. */
function groupNamesOf(one: Group | Host): readonly string[] {
  return 'children' in one ? [one.group_name, ...one.children] : one.groups;
}

/** A question as text; '' for the whole inventory, asked from elsewhere. */
export function keyOf(question: Question): string {
  const parts = [
    ...(question.site_id === undefined ? [] : [`site_id=${question.site_id}`]),
    ...(question.group === undefined ? [] : [`group=${question.group}`]),
    ...(question.status === undefined ? [] : [`status=${question.status}`]),
    ...(question.include.length === 0 ? [] : [`include=${question.include.toSorted().join(',')}`]),
    ...(question.isHere ? ['here'] : []),
  ];
  return parts.join('&');
}

function sharedWords(hosts: readonly string[], keptBy: readonly string[]): string {
  const who = keptBy.length > 0 ? `${keptBy.join(', ')} keeps it` : 'none of them has it in the inventory';
  return `${hosts.join(', ')} have this address; ${who}. Say which is right with ansible.host.`;
}

/**
 * The hash by which a script tells that it runs on this very machine: of boot id, host name and machine-id.
 * Undefined without boot id or host name; clones share a machine-id, so it alone says nothing.
 */
export function controllerHash(bootId: string, hostName: string, machineId: string): string | undefined {
  if (bootId === '' || hostName === '') return undefined;
  return createHash('sha256').update(`${bootId}\n${hostName}\n${machineId}`).digest('hex');
}
