/**
 * Who an API write is: which source speaks in a body, and what of it. A body may speak for two: for the kind that
 * its `managed_by` names, and for the person behind the token. Pure.
 */

import type { Fault } from '../errors.ts';
import { nearestName } from '../faults.ts';
import { type Hold, hostTypes, type ItemId, type Json, type SourceRef, type Strength, type Winners } from './item.ts';
import { kindOf, type Ranks, sourceRef } from './kinds.ts';
import { distinct as distinctRelationships, readRelationships, type WrittenRelationship } from './relationship.ts';
import {
  type AnsiblePatch,
  distinct,
  hashOf,
  isSame,
  normalizeSpecs,
  normalizeText,
  type Patch,
  saidOf,
  wordsOf,
} from './said.ts';
import { heldByStatus, type Statement } from './statement.ts';
import { acceptedStatusWords, isSilent, partOf } from './status.ts';
import type { ReadItem } from './store/read-items.ts';

/** A body that its schema has accepted. */
export type ItemBody = Readonly<Record<string, unknown>>;

export interface Speaker {
  tokenName: string;
  ranks: Ranks;
  atMilliseconds: number;
}

export interface Spoken {
  statements: Statement[];
  faults: Fault[];
}

const textKeys = [
  'ci_type',
  'ci_name',
  'lifecycle',
  'power',
  'site_id',
  'environment',
  'role',
  'criticality',
  'managed_by',
  'terraform_resource_id',
  'external_id',
  'owner',
  'notes',
] as const;

/** The statements of a write to the API. `target` is the item that its path names. */
export function spokenByToken(
  body: ItemBody,
  index: number,
  target: ItemId | null,
  registers: boolean,
  speaker: Speaker,
): Spoken {
  const { patch, hold, faults } = patchOf(body, speaker);
  const managedBy = typeof body.managed_by === 'string' ? body.managed_by : '';
  // An item that was read here, edited and written back is a person's.
  const isReadBack = body.created_at !== undefined && body.created_at !== null;
  const kind = !isReadBack && speaker.ranks.isAutomatic(managedBy) ? managedBy : 'manual';
  const { own, others } = kind === 'manual' ? { own: patch, others: {} } : divided(patch, kind, speaker.ranks);
  const key = nativeKeyOf(body);
  const base = { index, target, companion: false, whole: false, registers, hold: undefined };
  const source = sourceRef(kind, speaker.tokenName);
  if (kind === 'manual') {
    const said = statementOf(source, kind, key, own, { ...base, hold: holdOf(hold, speaker) });
    return { statements: [isReadBack ? Object.assign(said, { isReadBack }) : said], faults };
  }
  const statements = [statementOf(source, kind, key, own, base)];
  if (Object.keys(others).length > 0 || hold === true) {
    const person = { ...base, companion: true, hold: hold ? holdOf(hold, speaker) : undefined };
    statements.push(statementOf(sourceRef('manual', speaker.tokenName), 'manual', null, others, person));
  }
  return { statements, faults };
}

/** What one source says of one thing at one moment, in the words of a body, under its own key. */
export interface Observation {
  key: string;
  item: ItemBody;
  /** `cluster/vmid`, as the source knows it. */
  pve?: string | undefined;
  /** Taken inside a container: the UUID and the serial are its host's. */
  container?: boolean | undefined;
  /** What it is to other things of which this source speaks. */
  related?: readonly Related[] | undefined;
  /** What is absent was not read, and stands as it was. */
  partial?: boolean | undefined;
  /** The id that the inventory gave the host. */
  served?: ItemId | undefined;
  /** When it was seen, where that is not now. */
  at?: string | undefined;
}

/** `key` is the source's own for the other thing. */
export interface Related {
  relationship_type: string;
  relationship_strength: Strength;
  key: string;
  note?: string;
}

/** The statement of one item by a source of our own: all of it is that source's. */
export function observedBySource(observation: Observation, index: number, source: SourceRef, speaker: Speaker): Spoken {
  const { key, item, pve, container, related, partial, served, at } = observation;
  const spoken = spokenBySource(item, index, source, speaker, { pve, container, related });
  const statements = spoken.statements.map((statement) => ({
    ...statement,
    key,
    whole: partial !== true,
    served,
    seenAt: at,
  }));
  return { ...spoken, statements };
}

/** The statement of one item in a whole reading of a source: all of it is that source's. */
export function spokenBySource(
  body: ItemBody,
  index: number,
  source: SourceRef,
  speaker: Speaker,
  more: Pick<Observation, 'pve' | 'container' | 'related'> = {},
): Spoken {
  const { patch, hold, faults } = patchOf(body, speaker);
  const kind = kindOf(source);
  for (const [attribute] of wordsOf(patch)) {
    // Where it is tells which thing of that name is meant, whoever says it.
    if (isUnion(attribute) || attribute === 'site_id' || speaker.ranks.of(attribute).includes(kind)) continue;
    faults.push({
      pointer: `/${attribute.replaceAll('.', '/')}`,
      detail: `a source of kind ${kind} cannot say this; people say it`,
    });
  }
  const vmid = patch.technical_specs?.vmid;
  if (more.pve !== undefined) patch.pve = more.pve;
  else if (speaker.ranks.isReported(kind) && typeof vmid === 'number')
    patch.pve = `${source.slice(kind.length + 1)}/${vmid}`;
  if (more.container) patch.container = true;
  if (more.related) {
    const said = more.related.map(({ key, ...one }) => ({ ...one, claim: `${source} ${key}` }));
    patch.relationships = distinctRelationships([...(patch.relationships ?? []), ...said]);
  }
  const key = nativeKeyOf(body) ?? nameKeyOf(patch);
  const base = {
    index,
    target: null,
    companion: false,
    whole: true,
    registers: false,
    // What a machine says of its power ends no hold.
    hold: speaker.ranks.roleOf(kind) === 'people' ? holdOf(hold, speaker) : undefined,
  };
  const statement = statementOf(source, kind, key, patch, base);
  const keepsPower = typeof body.ci_status === 'string' && isSilent(body.ci_status);
  return { statements: [keepsPower ? Object.assign(statement, { keepsPower }) : statement], faults };
}

function statementOf(
  source: SourceRef,
  kind: string,
  key: string | null,
  patch: Patch,
  base: Pick<Statement, 'index' | 'target' | 'companion' | 'whole' | 'registers' | 'hold'>,
): Statement {
  return { ...base, source, kind, key, patch, heard: hashOf(patch), said: saidOf(patch) };
}

function nativeKeyOf(body: ItemBody): string | null {
  for (const key of [body.external_id, body.terraform_resource_id])
    if (typeof key === 'string' && key !== '') return normalizeText(key);
  return null;
}

/** In a reading of a whole source, what has no id of its own is told apart by what it is called there. */
function nameKeyOf(patch: Patch): string {
  const type = patch.ci_type ?? 'machine';
  const parent = patch.technical_specs?.parent;
  return hostTypes.has(type)
    ? `${patch.ci_name}`
    : `${type}/${typeof parent === 'string' ? parent : ''}/${patch.ci_name}`;
}

function patchOf(body: ItemBody, speaker: Speaker): { patch: Patch; hold: boolean | undefined; faults: Fault[] } {
  const patch: Patch = {};
  const faults: Fault[] = [];
  let hold: boolean | undefined;
  for (const key of textKeys) {
    const value = body[key];
    if (value === null) patch[key] = null;
    else if (typeof value === 'string') patch[key] = normalizeText(value);
  }
  const status = body.ci_status;
  if (typeof status === 'string') {
    const part = partOf(status);
    if (!part) {
      const near = nearestName(status, acceptedStatusWords);
      faults.push({
        pointer: '/ci_status',
        detail: `"${status.slice(0, 60)}" is no status; ${near ? `did you mean "${near}"?` : `known are ${acceptedStatusWords.join(', ')}`}`,
      });
    } else if ('maintenance' in part) hold = true;
    else {
      Object.assign(patch, part);
      if (!('lifecycle' in part) || part.lifecycle === 'active')
        hold = Object.keys(part).length > 0 ? false : undefined;
    }
  }
  const specs = body.technical_specs;
  if (specs === null) patch.technical_specs = null;
  else if (typeof specs === 'object')
    patch.technical_specs = normalizeSpecs(specs as Record<string, unknown>, speaker.atMilliseconds);
  if (typeof status === 'string' && 'power' in patch && body.power === undefined && status !== patch.power) {
    patch.technical_specs = { ...patch.technical_specs, power_state: status };
  }
  if (body.tags === null) patch.tags = null;
  else if (Array.isArray(body.tags)) patch.tags = distinct(body.tags.map((tag) => normalizeText(String(tag))));
  if (body.relationships !== undefined)
    patch.relationships = readRelationships(body.relationships as readonly WrittenRelationship[] | null, faults);
  if (body.ansible === null) patch.ansible = null;
  else if (typeof body.ansible === 'object') patch.ansible = ansiblePatch(body.ansible as Record<string, unknown>);
  return { patch, hold, faults };
}

/** As it is read back, what is not said is null, and lists and variables are empty: that says nothing. */
function ansiblePatch(body: Record<string, unknown>): AnsiblePatch {
  const patch: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) {
    if (key === 'vars' && value !== null) patch.vars = wellFormed(value);
    else if (key === 'groups' && Array.isArray(value)) patch.groups = distinct(value.map(String));
    else patch[key] = typeof value === 'string' ? normalizeText(value) : value;
  }
  return patch as AnsiblePatch;
}

/** An operator's own values stay as they are, but for what is no text. */
function wellFormed(value: unknown): Json {
  if (typeof value === 'string') return normalizeText(value);
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value as Json;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '__proto__')
      .map(([key, inner]) => [normalizeText(key), wellFormed(inner)]),
  );
}

function isUnion(attribute: string): boolean {
  return (
    attribute === 'tags' ||
    attribute === 'relationships' ||
    attribute === 'ansible.groups' ||
    attribute === 'ansible.name' ||
    attribute === 'technical_specs.power_state'
  );
}

/** What a kind of source may say, and what of a body is therefore the person's behind the token. */
function divided(patch: Patch, kind: string, ranks: Ranks): { own: Patch; others: Patch } {
  const own: Patch = {};
  const others: Patch = {};
  for (const key of Object.keys(patch) as (keyof Patch)[]) {
    const part: Record<string, unknown> = isOwnKey(key, kind, ranks) ? own : others;
    part[key] = patch[key];
  }
  return { own, others };
}

function isOwnKey(key: string, kind: string, ranks: Ranks): boolean {
  if (key === 'technical_specs' || key === 'tags' || key === 'relationships') return true;
  return key !== 'ansible' && key !== 'owner' && key !== 'notes' && ranks.of(key).includes(kind);
}

function holdOf(hold: boolean | undefined, speaker: Speaker): Hold | null | undefined {
  if (hold === undefined) return undefined;
  return hold ? { reason: heldByStatus, by: `manual:${speaker.tokenName}`, until: null } : null;
}

export interface Shadow {
  pointer: string;
  value: Json;
  by: string;
  rule: string;
}

/** What was written and is not in force, because another source outranks it. */
export function shadowsOf(statements: readonly Statement[], item: ReadItem, ranks: Ranks): Shadow[] {
  return statements.flatMap(({ source, patch }) =>
    wordsOf(patch).flatMap(([attribute, value]) => {
      if (value === null || isUnion(attribute)) return [];
      const winner = (item.winners as Winners)[attribute];
      const inForce = valueAt(item, attribute);
      const last = attribute.split('.').at(-1) as string;
      if (!winner || winner.source === source || isSame(last, inForce, value)) return [];
      const rule =
        winner.source === 'pin'
          ? 'pinned by a person'
          : kindOf(winner.source) === kindOf(source)
            ? 'of one kind, the value said last'
            : `ranks: ${ranks.of(attribute).join(', ')}`;
      return [{ pointer: `/${attribute.replaceAll('.', '/')}`, value: inForce, by: winner.source, rule }];
    }),
  );
}

function valueAt(item: ReadItem, attribute: string): Json {
  const [, part, key] = /^(technical_specs|ansible\.vars|ansible)\.(.+)$/s.exec(attribute) ?? [];
  if (part === 'technical_specs') return item.technical_specs[key as string] ?? null;
  if (part === 'ansible.vars') return item.ansible.vars?.[key as string] ?? null;
  if (part === 'ansible') return (item.ansible as Record<string, Json>)[key as string] ?? null;
  return (item as unknown as Record<string, Json>)[attribute] ?? null;
}
