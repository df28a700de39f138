/**
 * Plays an estate through the real store: what several sources say, step by step, and what must come of it. The
 * files beside this one are data; what their words mean stands in README.md there.
 */

import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { type Cmdb, openCmdb } from '../../src/cmdb/cmdb.ts';
import { openHand } from '../../src/cmdb/hand.ts';
import type { ClaimId, Item, ItemId } from '../../src/cmdb/item.ts';
import { survivingId } from '../../src/cmdb/store/merged.ts';
import { findItemById } from '../../src/cmdb/store/read-items.ts';
import { sweep } from '../../src/cmdb/sweep.ts';
import { openVerdicts } from '../../src/cmdb/verdict.ts';
import type { Caller } from '../../src/http/endpoint.ts';
import { groupWords } from '../../src/inventory/group-words.ts';
import { hostNames } from '../../src/inventory/names.ts';
import type { Store } from '../../src/store/open.ts';
import { stamp } from '../../src/time.ts';
import { emptyStore, putBack } from './store.ts';

export interface Estate {
  name: string;
  why: string;
  sites: Record<string, { domains: string[] }>;
  default_site: string;
  permute?: boolean;
  steps: Step[];
}

interface PassStep {
  source: string;
  complete: boolean;
  begun?: string;
  why?: string;
}

export interface Step {
  at: string;
  pass?: PassStep | PassStep[];
  permute?: boolean;
  observations?: Observed[];
  action?: Record<string, Record<string, unknown>>;
  expect?: Expected;
}

export interface Observed {
  source: string;
  key: string;
  ci_type?: string;
  ci_name?: string;
  site_id?: string;
  parent?: string;
  container?: boolean;
  given?: string;
  partial?: boolean;
  at?: string;
  identifiers?: { pve?: string; uuid?: string; serial?: string; mac?: string[]; machine_id?: string; fqdn?: string };
  power?: string;
  lifecycle?: string;
  specs?: Record<string, unknown>;
  tags?: string[];
  environment?: string;
  role?: string;
  criticality?: string;
  owner?: string;
  notes?: string;
  managed_by?: string;
  ansible?: Record<string, unknown>;
}

interface Expected {
  partition?: string[][];
  conflicts?: { claim: string; candidates: string[] }[];
  alarms?: Record<string, string>[];
  shared?: string[];
  ids?: Record<string, string>;
  answers?: Record<string, string>;
  status?: Record<string, string | null>;
  names?: Record<string, string | null>;
  ansible_names?: Record<string, string | null>;
  attributes?: Record<string, Record<string, unknown>>;
  pass?: string;
  shadowed?: string[];
}

export interface Fault {
  step: number;
  at: string;
  what: string;
  got: unknown;
  want: unknown;
}

/** What stands after a step, in words that do not depend on the ids that were given. */
export interface Seen {
  partition: string[][];
  documents: Record<string, Record<string, unknown>>;
  conflicts: { claim: string; candidates: string[] }[];
  alarms: Record<string, string>[];
  shared: string[];
  pass?: string | undefined;
}

export interface Played {
  faults: Fault[];
  seen: Seen[];
}

export interface Order {
  /** Shuffles what may be shuffled, by numbers from 0 to 1. */
  random?: (() => number) | undefined;
  /** Delivers each observation twice. */
  twice?: boolean;
  /** Looks on after each step. */
  watch?: (store: Store, cmdb: Cmdb, now: Temporal.Instant) => Promise<void>;
}

/** The same numbers for the same seed, on every machine. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const all = [...list];
  for (let index = all.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [all[index], all[other]] = [all[other] as T, all[index] as T];
  }
  return all;
}

/** Whether the order in which things are said is free in any of its steps. */
export function varies(estate: Estate): boolean {
  return estate.permute === true || estate.steps.some((step) => step.permute);
}

export async function play(estate: Estate, order: Order = {}): Promise<Played> {
  const world = await openWorld(estate);
  try {
    const faults: Fault[] = [];
    const seen: Seen[] = [];
    for (const [number, step] of estate.steps.entries()) {
      const done = await world
        .take(step, { ...order, mayShuffle: step.permute ?? estate.permute ?? false })
        .catch((error: Error) => {
          faults.push({ step: number, at: step.at, what: error.stack ?? error.message, got: 'an error', want: 'none' });
          return { pass: undefined, shadowed: undefined };
        });
      await order.watch?.(world.store, world.cmdb, Temporal.Instant.from(step.at));
      const state = await world.look();
      seen.push({ ...state, ...(done.pass === undefined ? {} : { pass: done.pass }) });
      const say = (what: string, got: unknown, want: unknown) =>
        faults.push({ step: number, at: step.at, what, got, want });
      if (step.expect) await world.hold(step.expect, state, done, say);
    }
    return { faults, seen };
  } finally {
    await world.close();
  }
}

interface Done {
  pass: string | undefined;
  shadowed: string[] | undefined;
}

interface ClaimRow {
  claim_id: ClaimId;
  source: string;
  native_key: string;
  ci_id: ItemId | null;
  bound_ci_id: string | null;
  alarm: string | null;
  gone_since: string | null;
}

async function openWorld({ sites, default_site }: Pick<Estate, 'sites' | 'default_site'>) {
  const store = await emptyStore();
  let now = Temporal.Instant.from('2026-01-01T00:00:00Z');
  const clock = () => now;
  const settings = {
    default_site,
    sites,
    types: {},
    relationship_types: {},
    ranks: {},
    retire_after: { passes: 3, hours: 24 },
    timezone: 'UTC',
  };
  const cmdb = openCmdb({
    store,
    settings,
    timeZone: 'UTC',
    names: hostNames(new Set(), true),
    groups: groupWords({ groups: {} }),
    clock,
  });
  const hand = openHand(cmdb, store, clock);
  const verdicts = openVerdicts(cmdb, store, clock);
  const labels = new Map<string, ItemId>();

  const itemOf = async (name: string): Promise<ItemId> => {
    if (name.startsWith('@')) return (await survivingId(store.read, labels.get(name.slice(1)) as ItemId)) as ItemId;
    const claim = (await claimRows(store)).find((row) => refOf(row) === name);
    if (!claim?.ci_id) throw new Error(`nobody has the claim ${name}`);
    return claim.ci_id;
  };

  async function hear(one: Observed): Promise<void> {
    const said = await observation(one, itemOf);
    const [kind, name] = one.source.split(':') as [string, string];
    if (kind === 'manual') await cmdb.write({ ...said.item, external_id: one.key }, null, true, callerOf(name));
    else await cmdb.observe(one.source, [said]);
  }

  async function act(action: Record<string, Record<string, unknown>>): Promise<string[] | undefined> {
    const [[verb, words] = []] = Object.entries(action);
    if (!verb || !words) return undefined;
    const text = (key: string) => words[key] as string;
    const why = { reason: text('reason') ?? 'because', until: (words.until as string | undefined) ?? null };
    switch (verb) {
      case 'put': {
        const id = await itemOf(text('ci'));
        const { specs, ...body } = words.body as Record<string, unknown>;
        const [kind, name] = text('by').split(':') as [string, string];
        const said = {
          ...body,
          ...(specs ? { technical_specs: specs } : {}),
          ...(kind === 'manual' ? {} : { managed_by: kind }),
        };
        const item = await findItemById(store.read, id);
        const { shadowed } = await cmdb.write(said, item ?? null, false, callerOf(name));
        return shadowed.map(({ pointer }) => pointer.slice(1).replace('technical_specs/', 'specs.')).sort();
      }
      case 'pin':
        await hand.pin(await itemOf(text('ci')), pathOf(text('attribute')), words.value, why, callerOf('alice'));
        return undefined;
      case 'hold':
        await hand.hold(await itemOf(text('ci')), why, callerOf((text('by') ?? 'alice').replace('manual:', '')));
        return undefined;
      case 'release':
        await hand.release(await itemOf(text('ci')), undefined, callerOf('alice'));
        return undefined;
      case 'untag': {
        const item = (await findItemById(store.read, await itemOf(text('ci')))) as NonNullable<
          Awaited<ReturnType<typeof findItemById>>
        >;
        await cmdb.write(
          { tags: item.tags.filter((tag) => tag !== text('tag')), created_at: item.created_at },
          item,
          false,
          callerOf('alice'),
        );
        return undefined;
      }
      case 'resolve': {
        const claim = await claimOf(store, text('claim'));
        const conflict = await store.read
          .selectFrom('conflicts')
          .select('conflict_id')
          .where('claim_id', '=', claim)
          .where('until', 'is', null)
          .executeTakeFirstOrThrow();
        const decision = text('decision') as 'same' | 'apart';
        const ci_id = words.with === undefined ? undefined : await itemOf(text('with'));
        await verdicts.resolve(conflict.conflict_id, { decision, ci_id }, callerOf('alice'));
        return undefined;
      }
      case 'merge':
        await verdicts.merge(await itemOf(text('into')), await itemOf(text('other')), undefined, callerOf('alice'));
        return undefined;
      case 'split': {
        const claims = await Promise.all((words.claims as string[]).map((ref) => claimOf(store, ref)));
        const item = await itemOf((words.claims as string[])[0] as string);
        await verdicts.split(item, claims, undefined, callerOf('alice'));
        return undefined;
      }
      case 'adopt':
        await verdicts.adopt(await itemOf(text('into')), await itemOf(text('from')), undefined, callerOf('alice'));
        return undefined;
      case 'accept': {
        const held = await store.read
          .selectFrom('sources')
          .select('held_pass_id')
          .where('source', '=', text('source'))
          .executeTakeFirst();
        if (held?.held_pass_id) await cmdb.accept(held.held_pass_id, callerOf('alice'));
        return undefined;
      }
      case 'withdraw':
        await cmdb.withdraw(text('source'), false, callerOf('alice'));
        return undefined;
      default:
        throw new Error(`no action is called ${verb}`);
    }
  }

  return {
    store,
    cmdb,
    async take(step: Step, { random, twice, mayShuffle }: Order & { mayShuffle: boolean }): Promise<Done> {
      now = Temporal.Instant.from(step.at);
      const passes = [step.pass ?? []].flat();
      const given = step.observations ?? [];
      const list = twice ? (random && mayShuffle ? [...given, ...given] : given.flatMap((one) => [one, one])) : given;
      const delivered = random && mayShuffle ? shuffled(list, random) : list;
      for (const one of delivered) if (!passes.some(({ source }) => source === one.source)) await hear(one);
      const outcomes = new Map<string, string>();
      for (const { source, complete, begun, why } of passes) {
        const observations = [];
        const own = delivered.filter((one) => one.source === source);
        // Within one reading a thing is named once.
        const once = own.filter((one, index) => own.findIndex(({ key }) => key === one.key) === index);
        for (const one of once) observations.push(await observation(one, itemOf));
        const reading = {
          complete,
          why: why ?? null,
          begunAt: begun === undefined ? now : Temporal.Instant.from(begun),
        };
        outcomes.set(source, (await cmdb.read(source, observations, reading)).outcome);
      }
      const shadowed = step.action ? await act(step.action) : undefined;
      await sweep(cmdb, store, clock);
      return { pass: passes[0] && outcomes.get(passes[0].source), shadowed };
    },
    look: () => look(store),
    async hold(expect: Expected, state: Seen, done: Done, say: (what: string, got: unknown, want: unknown) => void) {
      const want = (what: string, got: unknown, wanted: unknown) => {
        if (wanted !== undefined && !isDeepStrictEqual(got, wanted)) say(what, got, wanted);
      };
      want('partition', state.partition, expect.partition && sortedGroups(expect.partition));
      want('conflicts', state.conflicts, expect.conflicts && sortedConflicts(expect.conflicts));
      want('alarms', state.alarms, expect.alarms && sortedByText(expect.alarms));
      want('shared', state.shared, expect.shared && [...expect.shared].sort());
      want('pass', done.pass, expect.pass);
      want('shadowed', done.shadowed, expect.shadowed);
      const rows = await claimRows(store);
      const idOf = (name: string) => rows.find((row) => refOf(row) === name)?.ci_id ?? null;
      for (const [label, name] of Object.entries(expect.ids ?? {})) {
        const id = idOf(name);
        if (!labels.has(label) && id) labels.set(label, id);
        else want(`id of ${label}`, id, labels.get(label));
      }
      for (const [label, name] of Object.entries(expect.answers ?? {}))
        want(`${label} answers with`, await survivingId(store.read, labels.get(label) as ItemId), idOf(name));
      const documentOf = async (name: string) => {
        const id = name.startsWith('@')
          ? await survivingId(store.read, labels.get(name.slice(1)) as ItemId)
          : idOf(name);
        const item = id ? await findItemById(store.read, id) : undefined;
        return item && document(item);
      };
      const table = [
        ['ci_status', expect.status],
        ['ci_name', expect.names],
        ['ansible_name', expect.ansible_names],
      ] as const;
      for (const [attribute, wanted] of table)
        for (const [name, value] of Object.entries(wanted ?? {}))
          want(`${attribute} of ${name}`, (await documentOf(name))?.[attribute] ?? null, value);
      for (const [name, attributes] of Object.entries(expect.attributes ?? {}))
        for (const [attribute, value] of Object.entries(attributes))
          want(`${attribute} of ${name}`, (await documentOf(name))?.[attribute] ?? null, value);
    },
    close: () => putBack(store),
  };
}

function callerOf(tokenName: string): Caller {
  return { tokenName, scopes: new Set(), changeRef: null, requestId: null, address: null } as unknown as Caller;
}

async function observation(one: Observed, itemOf: (name: string) => Promise<ItemId>) {
  const {
    identifiers = {},
    specs = {},
    power,
    parent,
    key,
    source: _source,
    given,
    partial,
    at,
    container,
    ...said
  } = one;
  const { pve, mac, ...marks } = identifiers;
  const technical_specs = { ...specs, ...marks, ...(mac ? { macs: mac } : {}), ...(parent ? { parent } : {}) };
  return {
    key,
    item: {
      ...said,
      ...(power === undefined ? {} : { ci_status: power }),
      ...(Object.keys(technical_specs).length > 0 ? { technical_specs } : {}),
    },
    pve,
    container,
    partial,
    served: given === undefined ? undefined : await itemOf(given),
    at: at === undefined ? undefined : stamp(Temporal.Instant.from(at)),
  };
}

function refOf({ source, native_key }: Pick<ClaimRow, 'source' | 'native_key'>): string {
  return `${source} ${native_key}`;
}

/** Claims of sources; what people wrote to an item by its id, and what only remembers a former guest, is left out. */
async function claimRows({ read }: Store): Promise<ClaimRow[]> {
  const { rows } = await sql<ClaimRow>`
    SELECT claim_id, source, native_key, ci_id, bound_ci_id, alarm, gone_since FROM claims
    WHERE ghost_of IS NULL AND native_key NOT LIKE 'ci:%' ORDER BY source, native_key`.execute(read);
  return rows;
}

async function claimOf(store: Store, ref: string): Promise<ClaimId> {
  return (await claimRows(store)).find((row) => refOf(row) === ref)?.claim_id as ClaimId;
}

async function look(store: Store): Promise<Seen> {
  const rows = await claimRows(store);
  const groups = new Map<ItemId, string[]>();
  for (const row of rows) if (row.ci_id) groups.set(row.ci_id, [...(groups.get(row.ci_id) ?? []), refOf(row)]);
  const documents: Seen['documents'] = {};
  for (const [id, refs] of groups) {
    const item = await findItemById(store.read, id);
    if (item) documents[[...refs].sort()[0] as string] = document(item);
  }
  const known = new Map(rows.map((row) => [row.claim_id as string, refOf(row)]));
  const open = await store.read
    .selectFrom('conflicts')
    .select(['claim_id', 'candidates'])
    .where('until', 'is', null)
    .execute();
  const alerts = await store.read.selectFrom('alerts').select(['kind', 'subject']).where('until', 'is', null).execute();
  return {
    partition: sortedGroups([...groups.values()]),
    documents,
    conflicts: sortedConflicts(
      open.map(({ claim_id, candidates }) => ({
        claim: known.get(claim_id) as string,
        candidates: (JSON.parse(candidates) as string[])
          .map((id) => known.get(id))
          .filter((ref) => ref !== undefined && ref !== known.get(claim_id)) as string[],
      })),
    ),
    alarms: sortedByText([
      ...rows
        .filter((row) => row.alarm !== null && row.gone_since === null)
        .map((row) => ({ alarm: 'another_machine_answered', claim: refOf(row) })),
      ...alerts
        .filter(({ kind }) => kind === 'suspicious_pass')
        .map(({ subject }) => ({ alarm: 'suspicious_pass', source: subject })),
    ]),
    shared: alerts
      .filter(({ kind }) => kind === 'shared_identifier')
      .map(({ subject }) => subject)
      .sort(),
  };
}

/** An item in the words of an estate. */
function document(item: Item): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of [
    'ci_type',
    'ci_name',
    'ci_status',
    'lifecycle',
    'power',
    'absence',
    'site_id',
    'environment',
    'role',
    'criticality',
    'owner',
    'notes',
    'tags',
    'managed_by',
    'discovered_by',
    'generation',
    'ansible_name',
  ] as const)
    out[key] = item[key];
  // A name made of the id is another one in each play.
  if (/^ci-[0-9a-f]{8}$/.test(String(out.ansible_name))) out.ansible_name = 'ci-ID';
  for (const [key, value] of Object.entries(item.technical_specs)) out[`specs.${key}`] = value;
  for (const [attribute, { source }] of Object.entries(item.winners))
    out[`winner.${attribute.replace('technical_specs.', 'specs.')}`] = source;
  return out;
}

function pathOf(attribute: string): string {
  return attribute.replace(/^specs\./, 'technical_specs.');
}

function sortedGroups(groups: readonly (readonly string[])[]): string[][] {
  return groups.map((group) => [...group].sort()).sort((a, b) => ((a[0] as string) < (b[0] as string) ? -1 : 1));
}

function sortedConflicts(conflicts: readonly { claim: string; candidates: readonly string[] }[]) {
  return conflicts
    .map(({ claim, candidates }) => ({ claim, candidates: [...new Set(candidates)].sort() }))
    .sort((a, b) => (a.claim < b.claim ? -1 : 1));
}

function sortedByText<T>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}
