/** The heart, opened: what writes items, in one transaction each, and what others ask of it. */

import type { Static, TObject } from 'typebox';
import { faultFinder, invalid } from '../check.ts';
import { DomainError, type Fault } from '../errors.ts';
import type { Caller } from '../http/endpoint.ts';
import { setAlerts } from '../store/alerts.ts';
import { nested, type Store, type Trx, writeOrRehearse } from '../store/open.ts';
import { inTurns, turn } from '../store/turn.ts';
import { type Clock, type Stamp, stamp } from '../time.ts';
import type { GroupSaid, GroupsTaken, GroupWords } from './group-words.ts';
import type { Item, ItemId, SourceRef } from './item.ts';
import { kindOf, type Ranks, ranksOf, sourceKinds, sourceRef } from './kinds.ts';
import type { HostNames } from './names.ts';
import { occasionOf, unattended } from './occasion.ts';
import { acceptPass, type PassResult, takePass, takePassAgain, withoutRepeats } from './passes.ts';
import { reconcile } from './reconcile.ts';
import { relate } from './relate.ts';
import { idsIn } from './relationship.ts';
import { openRepeats } from './repeats.ts';
import type { cmdbSettings } from './settings.ts';
import { domainsOf, type SiteSettings } from './sites.ts';
import {
  type ItemBody,
  type Observation,
  observedBySource,
  type Shadow,
  type Speaker,
  type Spoken,
  shadowsOf,
  spokenBySource,
  spokenByToken,
} from './speak.ts';
import type { Heart, Outcome, Statement } from './statement.ts';
import { type Change, type Occasion, raiseRevision, storeChanges } from './store/changes.ts';
import { candidatesOf } from './store/conflicts.ts';
import { unknownIds } from './store/edges.ts';
import { hideItem } from './store/items.ts';
import { listHeldPasses } from './store/passes.ts';
import { findItemById, type ReadItem } from './store/read-items.ts';
import { itemPlaces } from './undo.ts';
import { type ItemSchemas, itemSchemas, specsSchema } from './wire.ts';
import { type Withdrawn, withdraw } from './withdraw.ts';
import { loadWorks, type Work } from './work.ts';

export type CmdbSettings = Static<TObject<typeof cmdbSettings>>;

export interface Cmdb {
  heart: Heart;
  schemas: ItemSchemas;
  settings: CmdbSettings;
  timeZone: string;
  /** What is wrong in a body that speaks of an item of this type. */
  faultsOf(body: ItemBody, type: string): Fault[];
  /** One write; answers the item as it is now, and what of the write is outranked. Throws `invalid`, `conflict`. */
  write(body: ItemBody, target: ReadItem | null, registers: boolean, caller: Caller): Promise<Written>;
  /** Many registrations in one transaction, each whole or absent. */
  writeAll(bodies: readonly unknown[], caller: Caller): Promise<BulkResult[]>;
  hide(item: ReadItem, caller: Caller): Promise<ReadItem>;
  pass(pass: PassBody, caller: Caller): Promise<PassResult & { errors: ItemFaults[]; groups: GroupsTaken }>;
  /** What one of our own sources says of some things, each under its own key: the whole of what it says of them. */
  observe(source: string, batch: readonly Observation[], changeRef?: string | null): Promise<Outcome[]>;
  /** One reading of one of our own sources, whole or not, in one transaction. Its changes are told by a rehearsal alone. */
  read(source: string, batch: readonly Observation[], reading: OwnReading): Promise<PassResult>;
  /**
   * One that says the very same as an earlier one, without saying it again; undefined where it has to be said, since
   * hearing it would do more than note the time.
   */
  readAgain(
    source: string,
    again: { passId: string; begunAt: Temporal.Instant },
  ): Promise<{ pass: PassResult; absent: number } | undefined>;
  accept(passId: string, caller: Caller): Promise<{ missing: number }>;
  /** Takes its word from a source; or says, and does not do, what that would change. Throws `not_found`. */
  withdraw(source: string, dryRun: boolean, caller: Caller): Promise<Withdrawn & { groupChanges: Change[] }>;
}

export interface OwnReading {
  complete: boolean;
  why: string | null;
  begunAt: Temporal.Instant;
  /** Keys of things that were left out on purpose, or could not be judged: neither seen nor gone. */
  leftOut?: ReadonlySet<string>;
  /** By key, who did what differs, where that is known: the actor of the change. */
  authors?: ReadonlyMap<string, string>;
  /** Says what it would change, and changes nothing. */
  dryRun?: boolean;
}

export interface Written {
  item: ReadItem;
  outcome: Outcome['outcome'];
  shadowed: Shadow[];
}

export interface ItemFaults {
  index: number;
  errors: Fault[];
}

export interface BulkResult {
  index: number;
  status: number;
  ci_id?: string;
  errors?: Fault[];
}

export interface PassBody {
  source: string;
  complete: boolean;
  why?: string | undefined;
  dry_run?: boolean | undefined;
  items: readonly unknown[];
  /** All that it says of groups; left out, what it said of them stands. */
  groups?: readonly GroupSaid[] | undefined;
  origin?: { host: string; path: string } | undefined;
  takes_over?: boolean | undefined;
}

/** So many registrations are worked on at once; all of them are one transaction. It bounds memory and waiting. */
const bulkPart = 500;

export interface CmdbParts {
  store: Store;
  settings: CmdbSettings;
  timeZone: string;
  names: HostNames;
  groups: GroupWords;
  clock: Clock;
}

const compilesAfterMilliseconds = 500;

export function openCmdb({ store, settings, timeZone, names, groups, clock }: CmdbParts): Cmdb {
  const ranks = ranksOf(sourceKinds, settings.ranks as Record<string, string[]>);
  const sites = settings.sites as SiteSettings;
  const heart: Heart = { ranks, defaultSite: settings.default_site, names, domainsOf: (trx) => domainsOf(trx, sites) };
  const schemas = itemSchemas(Object.keys(settings.types));
  const bodyFaults = faultFinder(schemas.body);
  const registrationFaults = faultFinder(schemas.registration);
  // Compiling these takes a while: it is done soon after the start, not while the first write waits for it.
  setTimeout(() => void [bodyFaults({}), registrationFaults({})], compilesAfterMilliseconds).unref();
  const specsFaults = specsFaultFinder(settings.types as Parameters<typeof specsSchema>[1]);

  const speakerOf = (caller: Caller, ranksNow: Ranks) => ({
    tokenName: caller.tokenName,
    ranks: ranksNow,
    atMilliseconds: clock().epochMilliseconds,
  });

  const repeats = openRepeats();
  const registration = (body: unknown, index: number, speaker: Speaker): Spoken => {
    const faults = registrationFaults(body);
    if (faults.length > 0) return { statements: [], faults };
    const spoken = spokenByToken(body as ItemBody, index, null, true, speaker);
    return { ...spoken, faults: [...spoken.faults, ...specsFaults(body as ItemBody, undefined)] };
  };

  /** Ids of other items that are none, by the place of the body. No item is ever deleted: what is known stays known. */
  const unknownOthers = async (bodies: readonly unknown[]): Promise<Map<number, Fault[]>> => {
    const named = bodies.map((body) => (isRelated(body) ? idsIn(body) : []));
    const unknown = await unknownIds(store.read, [...new Set(named.flatMap((list) => list.map(({ id }) => id)))]);
    if (unknown.size === 0) return new Map();
    return new Map(
      named.map((list, index) => [
        index,
        list
          .filter(({ id }) => unknown.has(id))
          .map(({ pointer, id }) => ({ pointer, detail: `there is no item ${id.slice(0, 60)}` })),
      ]),
    );
  };

  const observed = async (source: string, batch: readonly Observation[]) => {
    const ref = sourceOf(source, ranks);
    const speaker = { tokenName: '', ranks, atMilliseconds: clock().epochMilliseconds };
    const unknown = await unknownOthers(batch.map(({ item }) => item));
    const statements: Statement[] = [];
    for (const [index, observation] of batch.entries()) {
      const faults = [...bodyFaults(observation.item), ...(unknown.get(index) ?? [])];
      const spoken = observedBySource(observation, index, ref, speaker);
      if (faults.length + spoken.faults.length > 0)
        throw invalid(`What ${source} says of ${observation.key}`, [...faults, ...spoken.faults]);
      statements.push(...spoken.statements);
      if (index % 64 === 0) await turn();
    }
    return { ref, statements };
  };

  const cmdb: Cmdb = {
    heart,
    schemas,
    settings,
    timeZone,

    faultsOf: (body, type) => [...bodyFaults(body), ...specsFaults(body, type)],

    async write(body, target, registers, caller) {
      const { statements, faults } = spokenByToken(body, 0, target?.ci_id ?? null, registers, speakerOf(caller, ranks));
      faults.push(...specsFaults(body, target?.ci_type), ...((await unknownOthers([body])).get(0) ?? []));
      if (faults.length > 0) throw invalid('The item', faults);
      const written = await writeOrRehearse(store.write, caller.dryRun, async (trx) => {
        const { outcomes } = await reconcile(trx, heart, statements, occasionOf(caller, clock));
        const [outcome] = outcomes as [Outcome];
        if (outcome.outcome === 'waiting') return outcome;
        return { outcome: outcome.outcome, item: await currentItem(trx, outcome.ci_id) };
      });
      if (!('item' in written)) throw severalFit(await candidatesOf(store.read, written.candidates));
      return { ...written, shadowed: shadowsOf(statements, written.item, ranks) };
    },

    async writeAll(bodies, caller) {
      const results: BulkResult[] = [];
      const speaker = speakerOf(caller, ranks);
      const occasion = occasionOf(caller, clock);
      await store.write(async (trx) => {
        for await (const part of inTurns([...bodies.entries()], bulkPart)) {
          const batches: Statement[][] = [];
          const unknown = await unknownOthers(part.map(([, body]) => body));
          for (const [place, [index, body]] of part.entries()) {
            const spoken = repeats(body, index, speaker, () => registration(body, index, speaker));
            const { statements } = spoken;
            const faults = [...spoken.faults, ...(unknown.get(place) ?? [])];
            if (faults.length > 0) results.push({ index, status: 400, errors: faults });
            else batches.push(statements);
            if (index % 64 === 0) await turn();
          }
          if (batches.length > 0) results.push(...(await reconcileInParts(trx, heart, batches, occasion)));
        }
      });
      return results.sort((a, b) => a.index - b.index);
    },

    async hide(item, caller) {
      const occasion = occasionOf(caller, clock);
      return await writeOrRehearse(store.write, caller.dryRun, async (trx) => {
        if (item.deleted_at) return await currentItem(trx, item.ci_id);
        const work = (await loadWorks(trx, [item.ci_id])).get(item.ci_id) as Work;
        const revision = await raiseRevision(trx);
        await hideItem(trx, item.ci_id, occasion.at, revision);
        const difference = {
          before: { deleted_at: null, ansible_name: item.ansible_name },
          after: { deleted_at: occasion.at, ansible_name: null },
        };
        const source = sourceRef('manual', caller.tokenName);
        const former = work.former as Item;
        const places = itemPlaces(former, { ...former, deleted_at: occasion.at, ansible_name: null });
        const undo = { items: { [item.ci_id]: places ?? {} } };
        const subject = { subject: 'ci' as const, subject_id: item.ci_id };
        const changes: Change[] = [{ ...subject, action: 'deleted', source, ...difference, undo }];
        const hidden = { ...work, item: { ...former, deleted_at: occasion.at }, source };
        await storeChanges(trx, await relate(trx, ranks, [hidden], [], changes, occasion.at), revision, occasion);
        return await currentItem(trx, item.ci_id);
      });
    },

    async pass(body, caller) {
      const source = sourceOf(body.source, ranks);
      if (body.groups && ranks.roleOf(kindOf(source)) !== 'people')
        throw invalid('The pass', [
          { pointer: '/groups', detail: `a source of kind ${kindOf(source)} cannot say this; people say it` },
        ]);
      const errors: ItemFaults[] = [];
      const said: Statement[] = [];
      const speaker = speakerOf(caller, ranks);
      const unknown = await unknownOthers(body.items);
      for (const [index, item] of body.items.entries()) {
        const faults = [...bodyFaults(item), ...(unknown.get(index) ?? [])];
        const spoken = faults.length === 0 ? spokenBySource(item as ItemBody, index, source, speaker) : undefined;
        if (spoken)
          faults.push(...spoken.faults, ...specsFaults(item as ItemBody, undefined), ...nameFaults(item as ItemBody));
        if (faults.length > 0) errors.push({ index, errors: faults });
        else if (spoken) said.push(...spoken.statements);
        if (index % 64 === 0) await turn();
      }
      const { statements, repeated } = withoutRepeats(said);
      for (const { index, fault } of repeated) errors.push({ index, errors: [fault] });
      const reading = {
        source,
        complete: body.complete,
        why: body.why ?? null,
        statements,
        begunAt: stamp(clock()),
        leftOut: nothing,
        tellsChanges: true,
        refused: errors.length,
        origin: body.origin ?? null,
        takesOver: body.takes_over ?? false,
      };
      const occasion = occasionOf(caller, clock);
      const take = async (trx: Trx) => {
        const result = await takePass(trx, heart, reading, occasion);
        await alertHeldPasses(trx, occasion.at as Stamp);
        const { pass_id: passId, outcome } = result;
        const taken = body.groups
          ? await groups.take(trx, source, body.groups, outcome === 'good', { ...occasion, passId })
          : { changes: [], shadowed: [] };
        return { ...result, groups: taken };
      };
      const result = await writeOrRehearse(store.write, body.dry_run, take);
      return { ...result, errors };
    },

    async observe(source, batch, changeRef = null) {
      const { statements } = await observed(source, batch);
      const occasion = { ...unattended(stamp(clock())), changeRef };
      return (await store.write((trx) => reconcile(trx, heart, statements, occasion))).outcomes;
    },

    async read(source, batch, { complete, why, begunAt, leftOut = nothing, authors, dryRun }) {
      const { ref, statements } = await observed(source, batch);
      const occasion = { ...unattended(stamp(clock())), authors };
      const reading = {
        source: ref,
        complete,
        why,
        statements,
        begunAt: stamp(begunAt),
        leftOut,
        tellsChanges: dryRun === true,
        refused: 0,
        origin: null,
        takesOver: false,
      };
      return await writeOrRehearse(store.write, dryRun, async (trx) => {
        const result = await takePass(trx, heart, reading, occasion);
        await alertHeldPasses(trx, occasion.at as Stamp);
        return result;
      });
    },

    async readAgain(source, { passId, begunAt }) {
      const ref = sourceOf(source, ranks);
      const occasion = unattended(stamp(clock()));
      return await store.write((trx) => takePassAgain(trx, heart, ref, { passId, begunAt: stamp(begunAt) }, occasion));
    },

    async accept(passId, caller) {
      return await store.write(async (trx) => {
        const occasion = occasionOf(caller, clock);
        const accepted = await acceptPass(trx, heart, passId, occasion);
        await alertHeldPasses(trx, occasion.at as Stamp);
        return accepted;
      });
    },

    async withdraw(source, dryRun, caller) {
      const occasion = occasionOf(caller, clock);
      const take = async (trx: Trx) => {
        const by = sourceRef('manual', caller.tokenName);
        const withdrawn = await withdraw(trx, heart, source, by, occasion);
        const groupChanges = await groups.withdraw(trx, source, by, occasion);
        await alertHeldPasses(trx, occasion.at as Stamp);
        return { ...withdrawn, groupChanges };
      };
      return await writeOrRehearse(store.write, dryRun, take);
    },
  };
  return cmdb;
}

const nothing: ReadonlySet<string> = new Set();

function isRelated(body: unknown): body is ItemBody {
  return typeof body === 'object' && body !== null && 'relationships' in body;
}

async function currentItem(trx: Trx, id: ItemId): Promise<ReadItem> {
  const item = await findItemById(trx, id);
  if (!item) throw new DomainError('not_found', `There is no item ${id}.`);
  return item;
}

function sourceOf(source: string, ranks: Ranks): SourceRef {
  const kind = kindOf(source);
  if (kind !== 'manual' && ranks.isAutomatic(kind) && source.length > kind.length + 1) return source as SourceRef;
  throw invalid('The pass', [
    { pointer: '/source', detail: 'must be a kind and a name, such as import:hosts.yml or proxmox-api:home' },
  ]);
}

const severalFitText =
  'What is said fits several items that cannot be one, so it waits. "rollcall conflicts" shows which; a person has to say.';

function severalFit(candidates: readonly unknown[]): DomainError {
  return new DomainError('conflict', severalFitText, { extra: { candidates: [...candidates] } });
}

function nameFaults(item: ItemBody): Fault[] {
  return typeof item.ci_name === 'string' ? [] : [{ pointer: '/ci_name', detail: '"ci_name" is missing' }];
}

/** The faults of an item's specs under the schema of its type. */
function specsFaultFinder(
  types: Parameters<typeof specsSchema>[1],
): (body: ItemBody, knownType: string | undefined) => Fault[] {
  const finders = new Map<string, (specs: unknown) => Fault[]>();
  return (body, knownType) => {
    if (typeof body.technical_specs !== 'object' || body.technical_specs === null) return [];
    const type = typeof body.ci_type === 'string' ? body.ci_type : (knownType ?? 'machine');
    let find = finders.get(type);
    if (!find) {
      find = faultFinder(specsSchema(type, types));
      finders.set(type, find);
    }
    return find(body.technical_specs).map(({ pointer, detail }) => ({ pointer: `/technical_specs${pointer}`, detail }));
  };
}

/** All at once; where one is refused, in halves, until the refused one stands alone. */
async function reconcileInParts(
  trx: Trx,
  heart: Heart,
  batches: readonly (readonly Statement[])[],
  occasion: Occasion,
): Promise<BulkResult[]> {
  try {
    const { outcomes } = await nested(trx, () => reconcile(trx, heart, batches.flat(), occasion));
    const byIndex = new Map<number, BulkResult>();
    for (const { index, ci_id, outcome } of outcomes) {
      if (byIndex.has(index)) continue;
      if (ci_id === null) byIndex.set(index, { index, status: 409, errors: [{ pointer: '', detail: severalFitText }] });
      else byIndex.set(index, { index, status: outcome === 'created' ? 201 : 200, ci_id });
    }
    return [...byIndex.values()];
  } catch (error) {
    if (!(error instanceof DomainError) || error.code === 'unavailable') throw error;
    const [only] = batches;
    if (batches.length === 1) {
      const errors = error.errors.length > 0 ? [...error.errors] : [{ pointer: '', detail: error.message }];
      return [{ index: only?.[0]?.index ?? 0, status: error.code === 'conflict' ? 409 : 400, errors }];
    }
    const half = Math.ceil(batches.length / 2);
    return [
      ...(await reconcileInParts(trx, heart, batches.slice(0, half), occasion)),
      ...(await reconcileInParts(trx, heart, batches.slice(half), occasion)),
    ];
  }
}

async function alertHeldPasses(trx: Trx, at: Stamp): Promise<void> {
  const held = await listHeldPasses(trx);
  const standing = new Map(
    held.map(({ source, pass_id, why }) => [
      source,
      `${why ?? 'held'}. "rollcall passes show ${pass_id}" shows it; if it is right, say so with "rollcall passes accept ${pass_id}".`,
    ]),
  );
  await setAlerts(trx, 'suspicious_pass', standing, at);
}
