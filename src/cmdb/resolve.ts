/** Which claim each statement of a batch belongs to, and which of them say nothing new. */

import { randomUUIDv7 } from 'node:crypto';
import { DomainError } from '../errors.ts';
import type { Trx } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import { millisecondsOf } from '../time.ts';
import { type Identifier, identifiersOf, nameOf } from './identity/marks.ts';
import { type ClaimId, hostTypes, type ItemId, type Said } from './item.ts';
import type { Heart, Statement } from './statement.ts';
import { stopsAfterMilliseconds } from './status.ts';
import { type Glance, glanceBy, glanceByItems, ownKeyless, sourcesWithKeyless } from './store/glance.ts';

interface World {
  at: string;
  heart: Heart;
  glances: Map<string, Glance>;
  /** Without a key, the claim whose last words are just these again. */
  repeated: Map<Statement, Glance>;
  byItem: Map<string, Glance[]>;
  /** What a source without keys said before, by what identifies it. */
  keyless: Map<string, Glance[]>;
  identifiers: Map<Statement, Identifier[]>;
}

const keyed = (source: string, key: string) => `${source}\n${key}`;

/** By what a source without keys of its own is known to speak of the same thing again, the strongest first. */
const tellingKinds = ['pve', 'guest', 'uuid', 'serial', 'mac', 'fqdn', 'name'] as const;

export async function loadWorld(trx: Trx, heart: Heart, statements: readonly Statement[], at: string): Promise<World> {
  const keys = bySource(statements, (statement) => statement.key);
  const glances = new Map(
    (await glanceBy(trx, 'native_key', keys)).map((glance) => [keyed(glance.source, glance.native_key), glance]),
  );
  const world: World = {
    at,
    heart,
    glances,
    repeated: new Map(),
    byItem: new Map(),
    keyless: new Map(),
    identifiers: new Map(),
  };
  const sources = [...new Set(statements.map((statement) => statement.source))];
  const withKeyless = await sourcesWithKeyless(trx, sources);
  if (withKeyless.size > 0) world.repeated = await findRepeated(trx, world, statements);
  await findKeyless(trx, world, statements, withKeyless);
  const ids = new Set<ItemId>();
  for (const statement of statements) if (statement.target) ids.add(statement.target);
  if (statements.some((statement) => statement.companion))
    for (const glance of [...glances.values(), ...world.repeated.values(), ...[...world.keyless.values()].flat()])
      if (glance.ci_id) ids.add(glance.ci_id);
  if (ids.size > 0) {
    for (const glance of await glanceByItems(trx, sources, [...ids])) {
      const key = keyed(glance.source, glance.ci_id as string);
      world.byItem.set(key, [...(world.byItem.get(key) ?? []), glance]);
    }
  }
  return world;
}

/** What sources without keys said before of things that bear the same marks. */
async function findKeyless(
  trx: Trx,
  world: World,
  statements: readonly Statement[],
  withKeyless: ReadonlySet<string>,
): Promise<void> {
  const values = new Map<string, Map<string, Set<string>>>();
  for (const [count, statement] of statements.entries()) {
    if (!withKeyless.has(statement.source) && !isFree(statement)) continue;
    if (statement.target !== null || statement.companion || world.repeated.has(statement)) continue;
    if (statement.key !== null && world.glances.has(keyed(statement.source, statement.key))) continue;
    // A source that says something without a key for the first time is known again by the name, within this write.
    if (!withKeyless.has(statement.source)) {
      world.identifiers.set(statement, nameMarks(statement.said, world.heart.defaultSite));
      continue;
    }
    const identifiers = identifiersOf(statement.said, world.heart.defaultSite, noDomains);
    world.identifiers.set(statement, identifiers);
    const bySource = values.get(statement.source) ?? new Map<string, Set<string>>();
    values.set(statement.source, bySource);
    for (const { kind, value } of identifiers) bySource.set(kind, (bySource.get(kind) ?? new Set()).add(value));
    if (count % 256 === 0) await turn();
  }
  for (const [source, kinds] of values)
    if (withKeyless.has(source))
      for (const kind of tellingKinds)
        for (const { mark, ...glance } of await ownKeyless(trx, source, kind, [...(kinds.get(kind) ?? [])]))
          enter(world, source, `${kind} ${mark}`, glance);
}

const noDomains = () => [];

function nameMarks({ ci_name, ci_type, site_id, technical_specs }: Said, defaultSite: string): Identifier[] {
  const name = nameOf(ci_name);
  if (name === undefined) return [];
  const parent = technical_specs?.parent;
  const kind = hostTypes.has(ci_type ?? 'machine') ? 'host' : `${ci_type} ${typeof parent === 'string' ? parent : ''}`;
  return [{ kind: 'name', value: `${kind} ${site_id ?? defaultSite} ${name}` }];
}

function enter(world: World, source: string, mark: string, glance: Glance): void {
  const key = keyed(source, mark);
  const list = world.keyless.get(key);
  if (!list) world.keyless.set(key, [glance]);
  else if (!list.some(({ claim_id }) => claim_id === glance.claim_id)) list.push(glance);
}

const isFree = ({ key, target, companion }: Statement) => key === null && target === null && !companion;

function bySource(
  statements: readonly Statement[],
  read: (statement: Statement) => string | null,
): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const statement of statements) {
    const value = read(statement);
    if (value === null) continue;
    const list = values.get(statement.source);
    if (list) list.push(value);
    else values.set(statement.source, [value]);
  }
  return values;
}

/** Statements without a key whose source said just this, of one item, when it was heard last: they need no finding. */
async function findRepeated(trx: Trx, world: World, statements: readonly Statement[]): Promise<Map<Statement, Glance>> {
  const hashes = bySource(statements, (statement) => (isFree(statement) ? statement.heard : null));
  const byHash = new Map<string, Glance[]>();
  for (const glance of await glanceBy(trx, 'hash', hashes)) {
    const key = keyed(glance.source, glance.hash);
    byHash.set(key, [...(byHash.get(key) ?? []), glance]);
  }
  const repeated = new Map<Statement, Glance>();
  for (const statement of statements) {
    const [glance, ...others] = (isFree(statement) && byHash.get(keyed(statement.source, statement.heard))) || [];
    if (glance && others.length === 0 && isUnchanged(world, glance, statement)) repeated.set(statement, glance);
  }
  return repeated;
}

export interface Resolved {
  statement: Statement;
  /** The item that the claim is on, or a new one until identity says whose it is. */
  id: ItemId;
  isNew: boolean;
  /** The claim, where it waits without an item. */
  waiting: ClaimId | undefined;
  /** The claim that says just this already; nothing but its time is written. */
  unchanged: ClaimId | undefined;
}

export async function resolve(world: World, statements: readonly Statement[]): Promise<Resolved[]> {
  const resolved: Resolved[] = [];
  const touched = new Set<string>();
  const newKeys = new Map<string, ItemId>();
  const made = new Set<ItemId>();
  for (const [count, statement] of statements.entries()) {
    const previous = statement.companion ? resolved.at(-1) : undefined;
    const glance = glanceOf(world, statement);
    refuseForeignKey(statement, glance);
    const known = statement.key === null ? undefined : newKeys.get(keyed(statement.source, statement.key));
    const id = previous?.id ?? known ?? statement.target ?? glance?.ci_id ?? undefined;
    const settled = id === undefined || glance?.ci_id === id ? glance : ownGlance(world, statement, id);
    const unchanged =
      id !== undefined && settled && !touched.has(id) && isUnchanged(world, settled, statement)
        ? settled.claim_id
        : undefined;
    const item = id ?? newItemId();
    if (id === undefined) made.add(item);
    if (!unchanged) touched.add(item);
    if (statement.key !== null) newKeys.set(keyed(statement.source, statement.key), item);
    else if (id === undefined && !statement.companion) announce(world, statement, item);
    const waiting = id === undefined && glance && glance.ci_id === null ? glance.claim_id : undefined;
    resolved.push({ statement, id: item, isNew: made.has(item), waiting, unchanged });
    if (count % 128 === 0) await turn();
  }
  return resolved;
}

/** A source's own key is of one item; a write to another one that bears it is a slip, or a question for a person. */
function refuseForeignKey(statement: Statement, glance: Glance | undefined): void {
  if (statement.target === null || !glance?.ci_id || glance.ci_id === statement.target) return;
  throw new DomainError(
    'conflict',
    `${statement.source} knows another item, ${glance.ci_id}, under the key ${statement.key}; write to that one, or leave external_id and terraform_resource_id out.`,
    {
      extra: { candidates: [{ ci_id: glance.ci_id }] },
    },
  );
}

function glanceOf(world: World, statement: Statement): Glance | undefined {
  if (statement.companion) return undefined;
  const exact =
    statement.key === null ? world.repeated.get(statement) : world.glances.get(keyed(statement.source, statement.key));
  return exact ?? (statement.target === null ? ownKeylessGlance(world, statement) : undefined);
}

/** What the source itself said of this thing before: the strongest mark that fits just one of its claims says which. */
function ownKeylessGlance(world: World, statement: Statement): Glance | undefined {
  const identifiers = world.identifiers.get(statement);
  if (!identifiers) return undefined;
  for (const wanted of tellingKinds) {
    let found: Glance | undefined;
    for (const { kind, value } of identifiers) {
      if (kind !== wanted) continue;
      for (const glance of world.keyless.get(keyed(statement.source, `${kind} ${value}`)) ?? []) {
        if (glance === found || !mayBeSame(glance, identifiers)) continue;
        if (found) return undefined;
        found = glance;
      }
    }
    if (found) return found;
  }
  return undefined;
}

/** Another number or UUID is another machine. */
function mayBeSame({ pve, uuid }: Glance, identifiers: readonly Identifier[]): boolean {
  return identifiers.every(
    ({ kind, value }) =>
      (kind !== 'pve' || !pve || pve === value) && (kind !== 'uuid' || !uuid || uuid.toLowerCase() === value),
  );
}

/** The claim of this very source on an item, where the statement brings no key of its own. */
function ownGlance(world: World, statement: Statement, id: ItemId): Glance | undefined {
  return statement.key === null ? world.byItem.get(keyed(statement.source, id))?.[0] : undefined;
}

/** What is said without a key can be found by what its source says after it. */
function announce(world: World, statement: Statement, id: ItemId): void {
  const identifiers = world.identifiers.get(statement) ?? [];
  const said = (wanted: string) => identifiers.find(({ kind }) => kind === wanted)?.value ?? null;
  const glance: Glance = {
    claim_id: id as string as ClaimId,
    source: statement.source,
    native_key: '',
    hash: '',
    ci_id: id,
    bound_ci_id: null,
    gone_since: null,
    seen_at: null,
    mayRise: 1,
    lifecycle: null,
    deleted_at: null,
    power: null,
    absence: null,
    stop_confirmed: null,
    power_since: null,
    pve: said('pve'),
    uuid: said('uuid'),
  };
  for (const { kind, value } of identifiers) enter(world, statement.source, `${kind} ${value}`, glance);
}

function isUnchanged({ at, heart }: World, glance: Glance, statement: Statement): boolean {
  return (
    glance.hash === statement.heard &&
    !statement.hold &&
    !statement.keepsPower &&
    !statement.isReadBack &&
    statement.seenAt === undefined &&
    (statement.served === undefined || glance.bound_ci_id === statement.served) &&
    glance.ci_id !== null &&
    glance.gone_since === null &&
    glance.deleted_at === null &&
    glance.mayRise === 0 &&
    glance.lifecycle !== 'retired' &&
    !isStopToConfirm(glance, at) &&
    // Whether it is still there is told by whoever measures it, and when.
    !(glance.absence !== null && heart.ranks.roleOf(statement.kind) === 'measures') &&
    !isStale(glance, statement, heart, at)
  );
}

/** It stopped so long ago that hearing it again says that it did for good. */
function isStopToConfirm({ power, stop_confirmed, power_since }: Glance, at: string): boolean {
  if (power !== 'stopped' || stop_confirmed !== 0) return false;
  return power_since === null || millisecondsOf(at) - millisecondsOf(power_since) >= stopsAfterMilliseconds;
}

/** Silent for longer than its word stands, it may have lost it: heard again, it is weighed again. */
function isStale({ seen_at }: Glance, { kind }: Statement, heart: Heart, at: string): boolean {
  const ttl = heart.ranks.ttlMilliseconds(kind);
  return ttl !== undefined && seen_at !== null && millisecondsOf(at) - millisecondsOf(seen_at) > ttl;
}

function newItemId(): ItemId {
  return randomUUIDv7() as string as ItemId;
}
