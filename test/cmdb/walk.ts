/**
 * Random walks through the real store: several sources and people speak of a small house whose machines come, go and
 * change, while time passes. What must hold after each step is asked here; walk.test.ts says how many walks there are.
 */

import { hash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { type Cmdb, openCmdb } from '../../src/cmdb/cmdb.ts';
import { explain } from '../../src/cmdb/explain.ts';
import { openHand } from '../../src/cmdb/hand.ts';
import { itemAt } from '../../src/cmdb/history.ts';
import type { ClaimId, Document, Item, ItemId, Json } from '../../src/cmdb/item.ts';
import { isDead } from '../../src/cmdb/names.ts';
import { pathOf } from '../../src/cmdb/pin.ts';
import { reconcile } from '../../src/cmdb/reconcile.ts';
import { revertChange } from '../../src/cmdb/revert.ts';
import type { Observation } from '../../src/cmdb/speak.ts';
import { listChanges } from '../../src/cmdb/store/changes.ts';
import { loadClaims } from '../../src/cmdb/store/claims.ts';
import { loadSteps } from '../../src/cmdb/store/history.ts';
import { loadItems } from '../../src/cmdb/store/items.ts';
import type { KeptPin } from '../../src/cmdb/store/pins.ts';
import { findItemById, listItems, type ReadItem } from '../../src/cmdb/store/read-items.ts';
import { sweep } from '../../src/cmdb/sweep.ts';
import { openVerdicts } from '../../src/cmdb/verdict.ts';
import { DomainError } from '../../src/errors.ts';
import type { Caller } from '../../src/http/endpoint.ts';
import { groupWords } from '../../src/inventory/group-words.ts';
import { hostNames } from '../../src/inventory/names.ts';
import { openLog } from '../../src/log.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { stamp } from '../../src/time.ts';
import { seeded } from '../estates/run.ts';

export interface Failure {
  step: number;
  what: string;
  detail: unknown;
}

export interface WalkOptions {
  /** Leaves out what people do. */
  withoutPeople?: boolean;
  /** Undoes all that people did, newest first, at the end. */
  revertsAll?: boolean;
  /** What people may do; all unless told. */
  people?: readonly string[];
}

export interface Walked {
  failure: Failure | undefined;
  /** What stands at the end, in words that do not depend on ids and times. */
  state: State;
  /** What was dead, step by step: a claim of it, and what it was called. */
  dead: Map<string, string>[];
}

export interface State {
  partition: string[][];
  waiting: string[];
  documents: Record<string, Record<string, unknown>>;
  pins: Record<string, unknown>;
}

const caller = (tokenName: string): Caller =>
  ({ tokenName, scopes: new Set(), changeRef: null, requestId: null, address: null }) as unknown as Caller;
const alice = caller('alice');

interface Saved {
  id: ItemId;
  at: string;
  document: Document;
}

/** A machine as it really is. */
interface Machine {
  number: number;
  type: 'qemu' | 'lxc';
  name: string;
  node: string;
  uuid: string;
  mac: string;
  power: string;
  cores: number;
  tags: string[];
}

const nodes = ['pve1', 'pve2'];
const names = ['web', 'db', 'mail', 'cache', 'git', 'dns', 'nas', 'vpn'];
const homeSource = 'proxmox-api:home';

export class Walk {
  readonly #random: () => number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'rollcall-walk-'));
  readonly #options: WalkOptions;
  readonly #saved: Saved[] = [];
  #now = Temporal.Instant.from('2026-01-01T00:00:00Z');
  #store!: Store;
  #cmdb!: Cmdb;
  #hand!: ReturnType<typeof openHand>;
  #verdicts!: ReturnType<typeof openVerdicts>;
  #machines: Machine[] = [];
  #counter = 0;
  readonly #dead: Map<string, string>[] = [];
  /** Of each source, until when it is silent. */
  readonly #silent = new Map<string, Temporal.Instant>();

  private constructor(seed: number, options: WalkOptions) {
    this.#random = seeded(seed);
    this.#options = options;
  }

  /** For whoever looks into a failing walk. */
  static onFailure: ((store: Store) => Promise<void>) | undefined;

  static async run(seed: number, steps: number, options: WalkOptions = {}): Promise<Walked> {
    const walk = new Walk(seed, options);
    await walk.#open();
    try {
      return await walk.#walk(steps);
    } finally {
      await walk.#store.close();
      rmSync(walk.#folder, { recursive: true, force: true });
    }
  }

  readonly #clock = () => this.#now;

  async #sweep(): Promise<void> {
    await sweep(this.#cmdb, this.#store, this.#clock);
  }

  async #open(): Promise<void> {
    this.#store = await openStore(this.#folder, openLog('silent', 'json'));
    const settings = {
      default_site: 'site-home',
      sites: {},
      types: {},
      relationship_types: {},
      ranks: {},
      retire_after: { passes: 3, hours: 24 },
      timezone: 'UTC',
    };
    const parts = { store: this.#store, settings, timeZone: 'UTC', clock: this.#clock };
    this.#cmdb = openCmdb({ ...parts, names: hostNames(new Set(), true), groups: groupWords({ groups: {} }) });
    this.#hand = openHand(this.#cmdb, this.#store, this.#clock);
    this.#verdicts = openVerdicts(this.#cmdb, this.#store, this.#clock);
  }

  /**
   * Whatever would be different by asking anew is so now: a name that is free again, a word that is too old, a claim
   * whose place was kept although it would find another.
   */
  async #settle(): Promise<void> {
    await this.#sweep();
    const items = (await this.#rows()).map(({ ci_id }) => ({ ci_id, source: 'clock' }));
    const occasion = { at: stamp(this.#now), actor: null, changeRef: null, requestId: null };
    const asked = (await this.#claims()).filter(isSaid).map(({ claim_id }) => claim_id);
    await this.#store.write((trx) => reconcile(trx, this.#cmdb.heart, [], occasion, { items, asked, by: 'clock' }));
  }

  async #reopen(): Promise<void> {
    await this.#store.close();
    await this.#open();
  }

  async #walk(steps: number): Promise<Walked> {
    let failure: Failure | undefined;
    for (let step = 0; step < steps && !failure; step += 1) {
      // As many numbers for each step, whatever it does with them: so the next one is the same one.
      const numbers = Array.from({ length: 12 }, () => this.#random());
      failure = await this.#step(step, numbers).then(
        (fault) => fault,
        (error: Error) => ({ step, what: error.message, detail: error.stack }),
      );
    }
    const end = this.#now;
    const isCompared = this.#options.revertsAll || this.#options.withoutPeople;
    if (!failure && this.#options.revertsAll) {
      await this.#revertSince(0).catch((error: Error) => {
        failure = { step: steps, what: error.message, detail: error.stack };
      });
      failure ??= await this.#faults(steps);
    }
    if (failure) await Walk.onFailure?.(this.#store);
    // What was undone took its time: both come to the same moment.
    if (!failure && isCompared) {
      this.#now = end.add({ hours: 72 });
      await this.#settle();
    }
    return { failure, state: await this.state(), dead: this.#dead };
  }

  async #step(step: number, numbers: readonly number[]): Promise<Failure | undefined> {
    const dice = diceOf(numbers);
    const jump =
      dice.next() < 0.05 ? dice.pick([3601, 86_401, 8 * 86_401, 30 * 86_401]) : 1 + Math.floor(dice.next() * 3600);
    this.#now = this.#now.add({ seconds: jump });
    const verb = dice.pick(verbs);
    const said = await this.#do(verb, dice, step);
    await this.#sweep();
    if (said) return { step, ...said, what: `${verb}: ${said.what}` };
    if (this.#options.revertsAll || this.#options.withoutPeople) await this.#noteDead();
    const fault = await this.#faults(step);
    if (fault) return { ...fault, what: `after ${verb}: ${fault.what}` };
    await this.#save();
    if (step % 25 === 24) return (await this.#pastFault(step, dice)) ?? (await this.#readingFault(step));
    return undefined;
  }

  async #noteDead(): Promise<void> {
    const dead = new Map((await this.#rows()).filter(isDead).map(({ ci_id, ci_name }) => [ci_id, ci_name]));
    const claims = (await this.#claims()).filter(({ ci_id, kind }) => kind !== 'manual' && ci_id && dead.has(ci_id));
    this.#dead.push(new Map(claims.map(({ ref, ci_id }) => [ref, dead.get(ci_id as ItemId) as string])));
  }

  async #do(verb: string, dice: Dice, step: number): Promise<Omit<Failure, 'step'> | undefined> {
    if (verb.startsWith('people:')) {
      const deed = verb.slice(7);
      if (this.#options.withoutPeople) return undefined;
      if (this.#options.people && !this.#options.people.includes(deed)) return undefined;
      return await this.#people(deed, dice, step);
    }
    switch (verb) {
      case 'world':
        this.#changeWorld(dice);
        return undefined;
      case 'pass':
        return await this.#pass();
      case 'row':
        return await this.#row(dice);
      case 'terraform':
        return await this.#terraform(dice);
      case 'facts':
        return await this.#facts(dice);
      case 'import':
        return await this.#import(dice);
      case 'older':
        return await this.#older(dice);
      case 'silent':
        this.#silent.set(dice.pick([homeSource, 'terraform:infra']), this.#now.add({ hours: 24 * 20 }));
        return undefined;
      case 'sweep':
        await this.#sweep();
        return undefined;
      case 'restart':
        await this.#reopen();
        return undefined;
      default:
        throw new Error(`nothing is called ${verb}`);
    }
  }

  #changeWorld(dice: Dice): void {
    const one = dice.maybe(this.#machines);
    const change = dice.next();
    if (!one || this.#machines.length < 6 || change < 0.25) {
      const type = dice.next() < 0.7 ? 'qemu' : 'lxc';
      const used = new Set(this.#machines.map(({ number }) => number));
      let number = 100;
      while (used.has(number)) number += 1;
      this.#machines.push({
        ...this.#body(),
        number,
        type,
        name: `${dice.pick(names)}-${1 + Math.floor(dice.next() * 3)}`,
        node: dice.pick(nodes),
        power: 'running',
        cores: 2,
        tags: [],
      });
    } else if (change < 0.35) this.#machines = this.#machines.filter((other) => other !== one);
    else if (change < 0.45) one.name = `${dice.pick(names)}-${1 + Math.floor(dice.next() * 3)}`;
    else if (change < 0.6) one.power = dice.pick(['running', 'stopped', 'paused']);
    else if (change < 0.7) one.cores = 1 + Math.floor(dice.next() * 8);
    else if (change < 0.78) one.tags = dice.next() < 0.5 ? ['prod'] : ['prod', 'backup'];
    else if (change < 0.84) one.node = dice.pick(nodes);
    else if (change < 0.9) Object.assign(one, this.#body());
    else if (change < 0.95) {
      // Restored beside its original, or in its place.
      const number = Math.max(...this.#machines.map((other) => other.number)) + 1;
      if (dice.next() < 0.5) this.#machines.push({ ...one, number, tags: [] });
      else one.number = number;
    } else one.type = one.type === 'qemu' ? 'lxc' : 'qemu';
  }

  #body(): { uuid: string; mac: string } {
    this.#counter += 1;
    const hex = this.#counter.toString(16).padStart(4, '0');
    return { uuid: `4c4c4544-0000-4000-8000-00000000${hex}`, mac: `bc:24:11:00:${hex.slice(0, 2)}:${hex.slice(2)}` };
  }

  #seen({ number, type, name, node, uuid, mac, power, cores, tags }: Machine): Observation {
    return {
      key: `home/${type}/${number}`,
      pve: `home/${number}`,
      item: {
        ci_type: type === 'qemu' ? 'virtual_machine' : 'lxc_container',
        ci_name: name,
        ci_status: power,
        tags,
        technical_specs: { vmid: number, node, cpu_cores: cores, macs: [mac], ...(type === 'qemu' ? { uuid } : {}) },
      },
    };
  }

  #isSilent(source: string): boolean {
    const until = this.#silent.get(source);
    return until !== undefined && Temporal.Instant.compare(this.#now, until) < 0;
  }

  async #pass(): Promise<undefined> {
    if (this.#isSilent(homeSource)) return;
    const reading = { complete: true, why: null, begunAt: this.#now };
    await this.#cmdb.read(
      homeSource,
      this.#machines.map((machine) => this.#seen(machine)),
      reading,
    );
  }

  async #row(dice: Dice): Promise<undefined> {
    const one = dice.maybe(this.#machines);
    if (one && !this.#isSilent(homeSource)) await this.#cmdb.observe(homeSource, [this.#seen(one)]);
  }

  async #terraform(dice: Dice): Promise<undefined> {
    if (this.#isSilent('terraform:infra')) return;
    const planned = this.#machines.filter(({ number }) => number % 2 === 0);
    const batch = planned.map(({ number, type, name, node, uuid }) => ({
      key: `module.${name}.${number}`,
      item: {
        ci_type: type === 'qemu' ? 'virtual_machine' : 'lxc_container',
        ci_name: name,
        lifecycle: 'active',
        environment: dice.next() < 2 ? 'prod' : 'test',
        technical_specs: { vmid: number, node, cpu_cores: 4, ...(number % 4 === 0 && type === 'qemu' ? { uuid } : {}) },
      },
    }));
    await this.#cmdb.read('terraform:infra', batch, { complete: true, why: null, begunAt: this.#now });
  }

  async #facts(dice: Dice): Promise<undefined> {
    const one = dice.maybe(this.#machines.filter(({ power }) => power === 'running'));
    if (!one) return;
    const served = dice.next() < 0.6 ? await this.#itemOf(homeSource, `home/${one.type}/${one.number}`) : undefined;
    await this.#cmdb.observe('ansible:facts', [
      {
        key: one.name,
        container: one.type === 'lxc',
        ...(served ? { served } : {}),
        item: {
          ci_name: one.name,
          technical_specs: { os: 'debian', os_version: dice.pick(['12', '13']), macs: [one.mac], uuid: one.uuid },
        },
      },
    ]);
  }

  async #import(dice: Dice): Promise<undefined> {
    const items = names
      .filter((_, index) => (index + Math.floor(dice.next() * 3)) % 3 !== 0)
      .map((name) => ({ key: `${name}-1`, item: { ci_name: `${name}-1`, role: name, tags: ['inventory'] } }));
    await this.#cmdb.read('import:hosts.yml', items, { complete: true, why: null, begunAt: this.#now });
  }

  async #older(dice: Dice): Promise<undefined> {
    const one = dice.maybe(this.#machines);
    if (!one) return;
    const at = stamp(this.#now.subtract({ hours: 1 + Math.floor(dice.next() * 48) }));
    await this.#cmdb.observe(homeSource, [{ ...this.#seen({ ...one, cores: 64, power: 'stopped' }), at }]);
  }

  async #itemOf(source: string, key: string): Promise<ItemId | undefined> {
    const row = await this.#store.read
      .selectFrom('claims')
      .select('ci_id')
      .where('source', '=', source)
      .where('native_key', '=', key)
      .executeTakeFirst();
    return (row?.ci_id ?? undefined) as ItemId | undefined;
  }

  /** Items that are to be found by people, in an order that does not depend on their ids. */
  async #items(): Promise<ReadItem[]> {
    const refs = new Map<ItemId | null, string>();
    for (const { ci_id, ref } of await this.#claims()) if (!refs.has(ci_id)) refs.set(ci_id, ref);
    const order = ({ ci_id, created_at }: ReadItem) => `${refs.get(ci_id) ?? ''} ${created_at}`;
    const known = (await this.#rows()).filter((item) => item.merged_into === null && item.deleted_at === null);
    return known.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  }

  /** All that are not merged into another. */
  async #rows(): Promise<ReadItem[]> {
    const rows = await this.#store.read
      .selectFrom('configuration_items')
      .select('ci_id')
      .where('merged_into', 'is', null)
      .orderBy('ci_id')
      .execute();
    const ids = rows.map(({ ci_id }) => ci_id as ItemId);
    const items = await loadItems(this.#store.read, ids);
    const unread = { last_seen_at: null, last_discovered_at: null, last_configured_at: null };
    return ids.map((id) => ({ ...(items.get(id) as Item), ...unread }));
  }

  async #claims() {
    const rows = await this.#store.read
      .selectFrom('claims')
      .select(['claim_id', 'source', 'kind', 'native_key', 'ci_id', 'said', 'gone_since', 'gone_for_good', 'ghost_of'])
      .orderBy('source')
      .orderBy(sql`CASE WHEN native_key LIKE 'ci:%' THEN '' ELSE native_key END`)
      .orderBy('first_said_at')
      .execute();
    return rows.map((row) => ({
      ...row,
      claim_id: row.claim_id as ClaimId,
      ci_id: row.ci_id as ItemId | null,
      ref: `${row.source} ${row.native_key.startsWith('ci:') ? 'ci' : row.native_key}`,
    }));
  }

  async #people(deed: string, dice: Dice, step: number): Promise<Omit<Failure, 'step'> | undefined> {
    if (deed === 'burst') return await this.#burst(dice, step);
    if (deed === 'merge and split' || deed === 'split and merge') return await this.#thereAndBack(deed, dice);
    await this.#deed(deed, dice, step);
    return undefined;
  }

  /** What cannot be, such as merging what contradicts, is refused and changes nothing. */
  async #deed(deed: string, dice: Dice, step: number): Promise<void> {
    try {
      await this.#deeds[deed]?.(dice, step);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  }

  readonly #deeds: Record<string, (dice: Dice, step: number) => Promise<unknown>> = {
    word: async (dice, step) => {
      const item = dice.maybe(await this.#items());
      if (!item) return;
      const body = dice.pick<Record<string, unknown>>([
        { notes: `note ${step}` },
        { owner: dice.pick(['alice', 'bob']), criticality: 'high' },
        { environment: dice.pick(['test', 'dev']) },
        { technical_specs: { cpu_cores: 16, rack: dice.pick(['A1', 'B2']) } },
        { ansible: { vars: { http_port: step }, groups: [dice.pick(['webservers', 'dbservers'])] } },
        { tags: [dice.pick(['mine', 'yours'])] },
        { ci_status: dice.pick(['maintenance', 'running', 'retired', 'active']) },
        { ansible: { user: 'root' }, notes: null },
        { tags: item.tags.slice(1), created_at: item.created_at },
      ]);
      await this.#cmdb.write(body, item, false, caller(dice.pick(['alice', 'bob'])));
    },
    rename: async (dice, step) => {
      const item = dice.maybe(await this.#items());
      const body = dice.next() < 0.5 ? { ci_name: `renamed-${step}` } : { ansible: { name: `host-${step}` } };
      if (item) await this.#cmdb.write(body, item, false, alice);
    },
    register: async (dice, step) => {
      const body = { ci_type: 'physical_server', ci_name: `server-${step}`, external_id: `asset-${step}` };
      await this.#cmdb.write({ ...body, technical_specs: { rack: dice.pick(['A1', 'B2']) } }, null, true, alice);
    },
    pin: async (dice) => {
      const item = dice.maybe(await this.#items());
      const [attribute, value] = dice.pick<[string, Json]>([
        ['technical_specs.cpu_cores', 32],
        ['environment', 'lab'],
        ['power', 'running'],
        ['ansible.vars.http_port', 80],
      ]);
      const until = dice.next() < 0.3 ? '2d' : null;
      if (item) await this.#hand.pin(item.ci_id, attribute, value, { reason: 'it is so', until }, alice);
    },
    unpin: async (dice) => {
      const pin = dice.maybe(
        await this.#store.read.selectFrom('pins').select(['ci_id', 'attribute']).orderBy('since').execute(),
      );
      if (pin) await this.#hand.unpin(pin.ci_id as ItemId, pin.attribute, undefined, alice);
    },
    hold: async (dice) => {
      const item = dice.maybe(await this.#items());
      const why = { reason: 'new disk', until: dice.next() < 0.5 ? '1d' : null };
      if (item) await this.#hand.hold(item.ci_id, why, alice);
    },
    release: async (dice) => {
      const item = dice.maybe((await this.#items()).filter(({ hold }) => hold !== null));
      if (item) await this.#hand.release(item.ci_id, undefined, alice);
    },
    delete: async (dice) => {
      const item = dice.maybe(await this.#items());
      if (item) await this.#cmdb.hide(item, alice);
    },
    merge: async (dice) => {
      const [into, other] = await this.#twoToMerge(dice);
      if (into && other) await this.#verdicts.merge(into.ci_id, other.ci_id, undefined, alice);
    },
    split: async (dice) => {
      const several = await this.#severalClaims();
      const claims = dice.maybe(several);
      const one = claims && dice.pick(claims);
      if (one) await this.#verdicts.split(one.ci_id as ItemId, [one.claim_id], undefined, alice);
    },
    adopt: async (dice) => {
      const items = await this.#items();
      const dead = dice.maybe(items.filter(({ ci_status }) => ci_status === 'missing' || ci_status === 'retired'));
      const living = dice.maybe(items.filter(({ ci_status }) => ci_status === 'running'));
      if (dead && living) await this.#verdicts.adopt(living.ci_id, dead.ci_id, undefined, alice);
    },
    resolve: async (dice) => {
      const open = await this.#store.read
        .selectFrom('conflicts')
        .select(['conflict_id', 'candidates'])
        .where('until', 'is', null)
        .orderBy('since')
        .execute();
      const conflict = dice.maybe(open);
      if (!conflict) return;
      const candidates = JSON.parse(conflict.candidates) as string[];
      const claims = (await this.#claims()).filter(({ claim_id }) => candidates.includes(claim_id));
      const ci_id = dice.maybe(claims)?.ci_id ?? undefined;
      const decision = dice.next() < 0.5 && ci_id ? 'same' : 'apart';
      await this.#verdicts.resolve(
        conflict.conflict_id,
        { decision, ci_id: decision === 'same' ? ci_id : undefined },
        alice,
      );
    },
    revert: async (dice) => {
      const { rows } = await listChanges(this.#store.read, {}, 40);
      const change = dice.maybe(rows.filter(({ source }) => source.startsWith('manual:')));
      if (change) await this.#revert(change.change_id);
    },
  };

  /** Two that a person may well take for one: what a hypervisor reports under two numbers is not one. */
  async #twoToMerge(dice: Dice): Promise<[ReadItem | undefined, ReadItem | undefined]> {
    const items = await this.#items();
    const measured = new Set(
      (await this.#claims()).filter(({ source }) => source === homeSource).map(({ ci_id }) => ci_id),
    );
    const into = dice.maybe(items);
    const other = dice.maybe(
      items.filter(({ ci_id }) => ci_id !== into?.ci_id && !(measured.has(ci_id) && into && measured.has(into.ci_id))),
    );
    return [into, other];
  }

  /** Items with claims of several that have a key of their own. */
  async #severalClaims() {
    const hidden = new Set(
      (await this.#rows()).filter(({ deleted_at }) => deleted_at !== null).map(({ ci_id }) => ci_id),
    );
    const claims = (await this.#claims()).filter(
      ({ native_key, ci_id, gone_since, ghost_of }) =>
        ci_id && !hidden.has(ci_id) && gone_since === null && ghost_of === null && !native_key.startsWith('ci:'),
    );
    const groups = Map.groupBy(claims, ({ ci_id }) => ci_id as ItemId);
    return [...groups.values()].filter((list) => list.length > 1);
  }

  /** What people do, and undo at once, leaves everything as it was. */
  async #burst(dice: Dice, step: number): Promise<Omit<Failure, 'step'> | undefined> {
    await this.#settle();
    const before = await this.#whole();
    const last = await this.#lastChange();
    const deeds = Object.keys(this.#deeds).filter((deed) => deed !== 'revert');
    const done: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      this.#now = this.#now.add(aMoment);
      const deed = dice.pick(deeds);
      done.push(deed);
      await this.#deed(deed, dice, step * 10 + count);
    }
    await this.#revertSince(last);
    await this.#settle();
    const after = await this.#whole();
    return isDeepStrictEqual(before, after)
      ? undefined
      : { what: `not as before once ${done.join(', ')} were undone`, detail: differencesOf(before, after) };
  }

  async #thereAndBack(deed: string, dice: Dice): Promise<Omit<Failure, 'step'> | undefined> {
    await this.#settle();
    const before = await this.#whole();
    if (deed === 'merge and split') {
      const [into, other] = await this.#twoToMerge(dice);
      if (!into || !other) return undefined;
      const claims = (await this.#claims()).filter(
        ({ ci_id, native_key }) => ci_id === other.ci_id && !native_key.startsWith('ci:'),
      );
      if (claims.length === 0 || into.ci_status === 'retired' || other.ci_status === 'retired') return undefined;
      try {
        await this.#verdicts.merge(into.ci_id, other.ci_id, undefined, alice);
      } catch (error) {
        if (error instanceof DomainError) return undefined;
        throw error;
      }
      this.#now = this.#now.add(aMoment);
      const ids = claims.map(({ claim_id }) => claim_id);
      if ((await this.#claims()).some(({ claim_id, ci_id }) => ids.includes(claim_id) && ci_id !== into.ci_id))
        return undefined;
      if (await this.#isBeyond(before, [into.ci_id, other.ci_id])) return undefined;
      try {
        await this.#verdicts.split(into.ci_id, ids, undefined, alice);
      } catch (error) {
        if (error instanceof DomainError && /nothing to split/.test(JSON.stringify(error.errors))) return undefined;
        throw error;
      }
    } else {
      const claims = dice.maybe(await this.#severalClaims());
      const one = claims && dice.pick(claims);
      if (!one) return undefined;
      const from = one.ci_id as ItemId;
      try {
        const item = await this.#verdicts.split(from, [one.claim_id], undefined, alice);
        // What it says itself may be of an item that is there already.
        if (item.ci_id in before) return undefined;
        // One claim may hold others together: then there are more than two now.
        if (await this.#isBeyond(before, [from, item.ci_id])) return undefined;
        this.#now = this.#now.add(aMoment);
        await this.#verdicts.merge(from, item.ci_id, undefined, alice);
      } catch (error) {
        if (error instanceof DomainError) return undefined;
        throw error;
      }
    }
    await this.#settle();
    const after = await this.#whole();
    return isDeepStrictEqual(before, after)
      ? undefined
      : { what: 'not as before', detail: differencesOf(before, after) };
  }

  /** Whether other items than these have other claims than before. */
  async #isBeyond(before: Record<string, unknown>, ids: readonly ItemId[]): Promise<boolean> {
    const after = await this.#whole();
    const claimsOf = (whole: Record<string, unknown>, id: string) =>
      (whole[id] as { claims?: unknown } | undefined)?.claims;
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].some(
      (id) => !ids.includes(id as ItemId) && !isDeepStrictEqual(claimsOf(before, id), claimsOf(after, id)),
    );
  }

  async #lastChange(): Promise<number> {
    return (await listChanges(this.#store.read, {}, 1)).rows[0]?.change_no ?? 0;
  }

  /** Undoes all that people did since then, newest first. */
  async #revertSince(changeNo: number): Promise<void> {
    const rows = await this.#store.read
      .selectFrom('changes')
      .select(['change_id', 'undo'])
      .where('change_no', '>', changeNo)
      .where('undo', 'is not', null)
      .orderBy('change_no', 'desc')
      .execute();
    for (const { change_id, undo } of rows) {
      if (undo === null || 'with' in (JSON.parse(undo) as object)) continue;
      this.#now = this.#now.add(aMoment);
      await this.#revert(change_id);
    }
  }

  async #revert(change_id: string): Promise<void> {
    try {
      await revertChange({ cmdb: this.#cmdb, store: this.#store, clock: this.#clock }, change_id, undefined, alice);
    } catch (error) {
      if (!(error instanceof DomainError && error.code === 'conflict')) throw error;
    }
  }

  /** What stands, with the ids: items that were never there for anybody are left out. */
  async #whole(): Promise<Record<string, unknown>> {
    const claims = (await this.#claims()).filter(isSaid);
    const whole: Record<string, unknown> = {};
    const pins = await this.#pinsByItem();
    const edges = await this.#edgesByItem();
    for (const item of await this.#rows()) {
      if (item.deleted_at !== null && !claims.some(({ ci_id }) => ci_id === item.ci_id)) continue;
      const own = claims.filter(({ ci_id }) => ci_id === item.ci_id).map(({ ref }) => ref);
      if (own.length === 0 && item.ci_status === 'retired') continue;
      whole[item.ci_id] = {
        ...documentOf(item),
        claims: own,
        pins: (pins.get(item.ci_id) ?? []).map(withoutSince),
        edges: edges.get(item.ci_id) ?? [],
      };
    }
    whole.waiting = claims.filter(({ ci_id }) => ci_id === null).map(({ ref }) => ref);
    return whole;
  }

  async #pinsByItem(): Promise<Map<ItemId, KeptPin[]>> {
    const rows = await this.#store.read
      .selectFrom('pins')
      .select(['ci_id', 'attribute', 'value', 'reason', 'pinned_by', 'since', 'until'])
      .orderBy('attribute')
      .execute();
    const pins = new Map<ItemId, KeptPin[]>();
    for (const { ci_id, value, ...row } of rows) {
      const pin = { ...row, value: JSON.parse(value) as Json };
      pins.set(ci_id as ItemId, [...(pins.get(ci_id as ItemId) ?? []), pin]);
    }
    return pins;
  }

  async #edgesByItem() {
    const rows = await this.#store.read
      .selectFrom('edges')
      .select(['ci_id', 'relationship_type', 'target_ci_id', 'source', 'relationship_strength'])
      .orderBy('relationship_type')
      .orderBy('target_ci_id')
      .execute();
    return Map.groupBy(rows, ({ ci_id }) => ci_id);
  }

  async state(): Promise<State> {
    const claims = (await this.#claims()).filter(isSaid);
    const groups = Map.groupBy(
      claims.filter(({ ci_id }) => ci_id !== null),
      ({ ci_id }) => ci_id as ItemId,
    );
    const state: State = { partition: [], waiting: [], documents: {}, pins: {} };
    const allPins = await this.#pinsByItem();
    for (const item of await this.#rows()) {
      const refs = (groups.get(item.ci_id) ?? []).map(({ ref }) => ref).sort();
      const [first] = refs;
      if (first === undefined) continue;
      state.partition.push(refs);
      state.documents[first] = documentOf(item);
      const pins = allPins.get(item.ci_id);
      if (pins) state.pins[first] = pins.map(withoutSince);
    }
    state.partition.sort((a, b) => ((a[0] as string) < (b[0] as string) ? -1 : 1));
    state.waiting = claims.filter(({ ci_id }) => ci_id === null).map(({ ref }) => ref);
    return state;
  }

  async #faults(step: number): Promise<Failure | undefined> {
    const rows = await this.#rows();
    return (await this.#invariantFault(step)) ?? (await this.#explainFault(step, rows));
  }

  async #explainFault(step: number, rows: readonly ReadItem[]): Promise<Failure | undefined> {
    const { read } = this.#store;
    const { ranks, defaultSite } = this.#cmdb.heart;
    const claims = await loadClaims(
      read,
      rows.map(({ ci_id }) => ci_id),
    );
    const pins = await this.#pinsByItem();
    for (const item of rows) {
      const own = claims.get(item.ci_id) ?? [];
      if (own.length === 0) continue;
      const explained = explain(item, own, pins.get(item.ci_id) ?? [], ranks, defaultSite);
      for (const { attribute, value, winner } of explained) {
        const stored = valueAt(item, attribute);
        const known = item.winners[attribute]?.source ?? null;
        if (!isDeepStrictEqual(value, stored) || (winner !== null && winner !== known))
          return {
            step,
            what: `${attribute} of ${item.ci_name} is not as it is explained`,
            detail: { stored, explained: value, winner, known, ci_id: item.ci_id },
          };
      }
      const unexplained = Object.keys(item.winners).filter(
        (one) => !explained.some(({ attribute }) => attribute === one),
      );
      if (unexplained.length > 0) return { step, what: 'has winners that are not explained', detail: unexplained };
    }
    return undefined;
  }

  async #invariantFault(step: number): Promise<Failure | undefined> {
    for (const [what, query] of invariants) {
      const { rows } = await sql.raw(query).execute(this.#store.read);
      if (rows.length > 0) return { step, what, detail: rows };
    }
    return undefined;
  }

  async #save(): Promise<void> {
    const at = stamp(this.#now);
    for (const item of await this.#rows()) this.#saved.push({ id: item.ci_id, at, document: plainDocument(item) });
  }

  async #pastFault(step: number, dice: Dice): Promise<Failure | undefined> {
    const random = seeded(Math.floor(dice.next() * 1_000_000));
    for (let count = 0; count < 20 && this.#saved.length > 0; count += 1) {
      const { id, at, document } = this.#saved[Math.floor(random() * this.#saved.length)] as Saved;
      const item = (await this.#storedItem(id)) as ReadItem;
      const then = itemAt(item, await loadSteps(this.#store.read, id, at), at);
      if (!isDeepStrictEqual(plainDocument(then), document))
        return {
          step,
          what: `${item.ci_name} at ${at} is not as it was`,
          detail: { ci_id: id, ...differencesOf(document, plainDocument(then)) },
        };
    }
    return undefined;
  }

  /** Also of one that was merged into another. */
  async #storedItem(id: ItemId): Promise<ReadItem | undefined> {
    const item = await findItemById(this.#store.read, id);
    return item && { ...item, ci_id: id };
  }

  /** Time that passes while things are only read writes nothing. */
  async #readingFault(step: number): Promise<Failure | undefined> {
    // Closed and opened again, so that what a checkpoint does is done.
    await this.#reopen();
    const before = this.#bytes();
    const now = this.#now;
    this.#now = now.add({ hours: 24 * 40 });
    await this.#explainFault(step, await this.#rows());
    await listItems(this.#store.read, {}, 100);
    await listChanges(this.#store.read, {}, 100);
    await this.#reopen();
    const after = this.#bytes();
    this.#now = now;
    return before === after ? undefined : { step, what: 'reading wrote something', detail: { before, after } };
  }

  #bytes(): string {
    const files = ['rollcall.db', 'rollcall.db-wal'].map((name) => join(this.#folder, name));
    return files.map((file) => (existsSync(file) ? hash('sha1', readFileSync(file)) : 'none')).join(' ');
  }
}

/** People are quick here: no word becomes too old between what they do and what undoes it, which would be time's doing. */
const aMoment = { milliseconds: 1 };

const verbs = [
  ...Array.from({ length: 10 }, () => 'world'),
  ...Array.from({ length: 9 }, () => 'pass'),
  ...Array.from({ length: 4 }, () => 'row'),
  ...Array.from({ length: 4 }, () => 'terraform'),
  ...Array.from({ length: 6 }, () => 'facts'),
  ...Array.from({ length: 3 }, () => 'import'),
  'older',
  'older',
  'silent',
  'sweep',
  'sweep',
  'restart',
  ...Array.from({ length: 6 }, () => 'people:word'),
  ...[
    'rename',
    'register',
    'pin',
    'pin',
    'unpin',
    'hold',
    'release',
    'delete',
    'merge',
    'split',
    'adopt',
    'resolve',
  ].map((deed) => `people:${deed}`),
  'people:revert',
  'people:burst',
  'people:burst',
  'people:merge and split',
  'people:split and merge',
];

const invariants: readonly (readonly [string, string])[] = [
  [
    'a claim is on an item that is not there, or answers with another',
    `SELECT c.claim_id, c.source, c.native_key, i.merged_into FROM claims c LEFT JOIN configuration_items i ON i.ci_id = c.ci_id
      WHERE c.ci_id IS NOT NULL AND (i.ci_id IS NULL OR i.merged_into IS NOT NULL)`,
  ],
  [
    'a living item has no claims',
    `SELECT ci_id, ci_name, ci_status FROM configuration_items i WHERE merged_into IS NULL AND deleted_at IS NULL
      AND ci_status <> 'retired' AND NOT EXISTS (SELECT 1 FROM claims c WHERE c.ci_id = i.ci_id)`,
  ],
  [
    'a name in the inventory is borne twice',
    `SELECT ansible_name FROM configuration_items WHERE ansible_name IS NOT NULL GROUP BY ansible_name HAVING count(*) > 1`,
  ],
  [
    'two living guests of one hypervisor are on one item',
    `SELECT ci_id, source FROM claims WHERE kind = 'proxmox-api' AND ci_id IS NOT NULL AND gone_since IS NULL AND ghost_of IS NULL
      GROUP BY ci_id, source HAVING count(*) > 1`,
  ],
  [
    'a merged item does not lead to a living one',
    `WITH RECURSIVE line (start, ci_id, depth) AS (
      SELECT ci_id, merged_into, 1 FROM configuration_items WHERE merged_into IS NOT NULL
      UNION ALL SELECT line.start, i.merged_into, depth + 1 FROM line JOIN configuration_items i ON i.ci_id = line.ci_id
        WHERE i.merged_into IS NOT NULL AND depth < 50
    ) SELECT start FROM line WHERE depth >= 50
      UNION SELECT m.ci_id FROM configuration_items m LEFT JOIN configuration_items i ON i.ci_id = m.merged_into
        WHERE m.merged_into IS NOT NULL AND i.ci_id IS NULL`,
  ],
];

interface Dice {
  next(): number;
  pick<T>(list: readonly T[]): T;
  maybe<T>(list: readonly T[]): T | undefined;
}

/** Numbers of one step; a step that wants more gets them out of its last. */
function diceOf(numbers: readonly number[]): Dice {
  let count = 0;
  const more = seeded(Math.floor((numbers.at(-1) ?? 0) * 2 ** 31));
  const next = () => {
    count += 1;
    return count < numbers.length ? (numbers[count - 1] as number) : more();
  };
  const maybe = <T>(list: readonly T[]) => list[Math.floor(next() * list.length)];
  return { next, maybe, pick: (list) => maybe(list) as (typeof list)[number] };
}

/** What was taken back altogether, and was never heard of otherwise, counts as never said. */
function isSaid({
  said,
  gone_for_good,
  ghost_of,
}: {
  said: string;
  gone_for_good: string | null;
  ghost_of: string | null;
}): boolean {
  return ghost_of === null && !(said === '{}' && gone_for_good === 'withdrawn');
}

function withoutSince({ since: _, ...pin }: KeptPin) {
  return pin;
}

function documentOf(item: Item): Record<string, unknown> {
  const document: Record<string, unknown> = { ...plainDocument(item) };
  document.winners = Object.fromEntries(
    Object.entries(item.winners).map(([attribute, { source }]) => [attribute, source]),
  );
  document.taken_off = item.taken_off;
  if (/^ci-[0-9a-f]{8}$/.test(String(document.ansible_name))) document.ansible_name = 'ci-ID';
  return document;
}

const documentKeys: readonly (keyof Document)[] = [
  'ci_type',
  'ci_name',
  'ci_status',
  'lifecycle',
  'power',
  'hold',
  'absence',
  'site_id',
  'environment',
  'role',
  'criticality',
  'technical_specs',
  'tags',
  'ansible',
  'ansible_name',
  'managed_by',
  'discovered_by',
  'terraform_resource_id',
  'external_id',
  'owner',
  'notes',
  'generation',
  'deleted_at',
];

function plainDocument(item: Partial<Document>): Document {
  return Object.fromEntries(documentKeys.map((key) => [key, item[key] ?? null])) as unknown as Document;
}

function valueAt(item: Item, attribute: string): unknown {
  if (attribute === 'ansible.name') return item.ansible_name;
  if (attribute === 'ansible.groups') return item.ansible.groups ?? [];
  const path = pathOf(attribute);
  return path.reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], item) ?? null;
}

/** Place by place, so that a failing walk can be read. */
export function differencesOf(before: unknown, after: unknown, place = ''): Record<string, unknown> {
  if (isDeepStrictEqual(before, after)) return {};
  const areObjects = [before, after].every((one) => typeof one === 'object' && one !== null && !Array.isArray(one));
  if (!areObjects) return { [place]: { before, after } };
  const [a, b] = [before as Record<string, unknown>, after as Record<string, unknown>];
  return Object.assign(
    {},
    ...[...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) =>
      differencesOf(a[key], b[key], `${place}/${key}`),
    ),
  ) as Record<string, unknown>;
}
