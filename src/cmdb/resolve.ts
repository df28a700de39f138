/** Which item each statement of a batch speaks of, and which of them say nothing new. */

import { randomUUIDv7 } from 'node:crypto';
import { DomainError } from '../errors.ts';
import type { Trx } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import { type Candidate, type Identified, type Identifier, identifiersOf, identify } from './identify.ts';
import type { ClaimId, IdentifierKind, ItemId } from './item.ts';
import type { Heart, Statement } from './statement.ts';
import { type Glance, glanceBy, glanceByItems, idsByIdentifiers, loadCandidates } from './store/glance.ts';

interface World {
  glances: Map<string, Glance>;
  /** Without a key, the claim whose last words are just these again. */
  repeated: Map<Statement, Glance>;
  byItem: Map<string, Glance[]>;
  candidates: Map<ItemId, Candidate>;
  found: Map<string, Candidate[]>;
  identifiers: Map<Statement, Identifier[]>;
}

const keyed = (source: string, key: string) => `${source}\n${key}`;

export async function loadWorld(trx: Trx, heart: Heart, statements: readonly Statement[]): Promise<World> {
  const keys = bySource(statements, (statement) => statement.key);
  const glances = new Map(
    (await glanceBy(trx, 'native_key', keys)).map((glance) => [keyed(glance.source, glance.native_key), glance]),
  );
  const repeated = await findRepeated(trx, statements);
  const world: World = {
    glances,
    repeated,
    byItem: new Map(),
    candidates: new Map(),
    found: new Map(),
    identifiers: new Map(),
  };
  const values: Record<'pve' | 'guest' | 'name', Set<string>> = { pve: new Set(), guest: new Set(), name: new Set() };
  for (const [count, statement] of statements.entries()) {
    if (
      statement.target ||
      statement.companion ||
      repeated.has(statement) ||
      (statement.key !== null && glances.has(keyed(statement.source, statement.key)))
    )
      continue;
    const identifiers = identifiersOf(statement.said, heart.defaultSite);
    world.identifiers.set(statement, identifiers);
    for (const { kind, value } of identifiers)
      if (kind === 'pve' || kind === 'guest' || kind === 'name') values[kind].add(value);
    if (count % 256 === 0) await turn();
  }
  const ids = new Set<ItemId>();
  const hits: { kind: IdentifierKind; value: string; ci_id: ItemId }[] = [];
  for (const kind of ['pve', 'guest', 'name'] as const) {
    for (const hit of await idsByIdentifiers(trx, kind, [...values[kind]])) {
      hits.push({ kind, ...hit });
      ids.add(hit.ci_id);
    }
  }
  world.candidates = await loadCandidates(trx, [...ids]);
  for (const { kind, value, ci_id } of hits) {
    const candidate = world.candidates.get(ci_id);
    if (candidate) enter(world.found, kind, value, candidate);
  }
  for (const statement of statements) if (statement.target) ids.add(statement.target);
  if (statements.some((statement) => statement.companion))
    for (const glance of [...glances.values(), ...repeated.values()]) if (glance.ci_id) ids.add(glance.ci_id);
  if (ids.size > 0) {
    const sources = [...new Set(statements.map((statement) => statement.source))];
    for (const glance of await glanceByItems(trx, sources, [...ids])) {
      const key = keyed(glance.source, glance.ci_id as string);
      world.byItem.set(key, [...(world.byItem.get(key) ?? []), glance]);
    }
  }
  return world;
}

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
async function findRepeated(trx: Trx, statements: readonly Statement[]): Promise<Map<Statement, Glance>> {
  const isFree = ({ key, target, companion }: Statement) => key === null && target === null && !companion;
  const hashes = bySource(statements, (statement) => (isFree(statement) ? statement.heard : null));
  const byHash = new Map<string, Glance[]>();
  for (const glance of await glanceBy(trx, 'hash', hashes)) {
    const key = keyed(glance.source, glance.hash);
    byHash.set(key, [...(byHash.get(key) ?? []), glance]);
  }
  const repeated = new Map<Statement, Glance>();
  for (const statement of statements) {
    const [glance, ...others] = (isFree(statement) && byHash.get(keyed(statement.source, statement.heard))) || [];
    if (glance && others.length === 0 && isUnchanged(glance, statement)) repeated.set(statement, glance);
  }
  return repeated;
}

function enter(found: Map<string, Candidate[]>, kind: string, value: string, candidate: Candidate): void {
  const key = `${kind} ${value}`;
  const list = found.get(key);
  if (!list) found.set(key, [candidate]);
  else if (!list.includes(candidate)) list.push(candidate);
}

interface Resolved {
  statement: Statement;
  id: ItemId;
  /** The claim that says just this already; nothing but its time is written. */
  unchanged: ClaimId | undefined;
}

export async function resolve(world: World, statements: readonly Statement[]): Promise<Resolved[]> {
  const resolved: Resolved[] = [];
  const touched = new Set<string>();
  const newKeys = new Map<string, ItemId>();
  const known = {
    byKey: (source: string, key: string) =>
      newKeys.get(keyed(source, key)) ?? world.glances.get(keyed(source, key))?.ci_id ?? undefined,
    byIdentifier: (kind: IdentifierKind, value: string) => world.found.get(`${kind} ${value}`) ?? [],
  };
  for (const [count, statement] of statements.entries()) {
    const previous = resolved.at(-1);
    const glance = glanceOf(world, statement, previous);
    refuseForeignKey(statement, glance);
    const id = statement.companion
      ? (previous as Resolved).id
      : (statement.target ?? glance?.ci_id ?? find(statement, world, known)?.ci_id);
    const settled = id === undefined ? undefined : glance?.ci_id === id ? glance : ownGlance(world, statement, id);
    const unchanged =
      id !== undefined && settled && !touched.has(id) && isUnchanged(settled, statement) ? settled.claim_id : undefined;
    const item = id ?? newItemId();
    if (!unchanged) touched.add(item);
    if (id === undefined) announce(world, statement, item);
    if (statement.key !== null) newKeys.set(keyed(statement.source, statement.key), item);
    resolved.push({ statement, id: item, unchanged });
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

function glanceOf(world: World, statement: Statement, previous: Resolved | undefined): Glance | undefined {
  if (statement.companion) return previous && ownGlance(world, statement, previous.id);
  return statement.key === null
    ? world.repeated.get(statement)
    : world.glances.get(keyed(statement.source, statement.key));
}

/** The claim of this very source on an item, where the statement brings no key of its own. */
function ownGlance(world: World, statement: Statement, id: ItemId): Glance | undefined {
  return statement.key === null || statement.companion ? world.byItem.get(keyed(statement.source, id))?.[0] : undefined;
}

export function find(
  statement: Statement,
  world: World,
  known: Parameters<typeof identify>[4],
): Identified | undefined {
  return identify(statement.source, statement.key, statement.said, world.identifiers.get(statement) ?? [], known);
}

/** A new item can be found by the statements after it. */
function announce(world: World, statement: Statement, id: ItemId): void {
  const { said } = statement;
  const candidate: Candidate = {
    ci_id: id,
    ci_type: said.ci_type ?? 'machine',
    site_id: said.site_id ?? '',
    retired: false,
    created_at: id,
    keys: new Map(statement.key === null ? [] : [[statement.source, new Set([statement.key])]]),
    numbers: new Set(said.pve ? [said.pve] : []),
  };
  world.candidates.set(id, candidate);
  for (const { kind, value } of world.identifiers.get(statement) ?? []) enter(world.found, kind, value, candidate);
}

function isUnchanged(glance: Glance, statement: Statement): boolean {
  return (
    glance.hash === statement.heard &&
    !statement.hold &&
    glance.ci_id !== null &&
    glance.gone_since === null &&
    glance.deleted_at === null &&
    glance.lifecycle !== 'retired' &&
    !(glance.power === 'stopped' && glance.stop_confirmed === 0)
  );
}

function newItemId(): ItemId {
  return randomUUIDv7() as string as ItemId;
}
