/** The keys that people write of an item: the API's own, and short ones that stand for them. Pure. */

import { escapePointer, type Fault } from '../errors.ts';
import { nearestName } from '../faults.ts';

/** What is said in one place: the path of a key of the API, and where it was written. */
export interface Word {
  path: readonly string[];
  value: unknown;
  /** The place in what was written, as a JSON Pointer. */
  pointer: string;
}

export const shortKeys: Readonly<Record<string, readonly string[]>> = {
  name: ['ci_name'],
  type: ['ci_type'],
  status: ['ci_status'],
  site: ['site_id'],
  specs: ['technical_specs'],
  address: ['ansible', 'host'],
  user: ['ansible', 'user'],
  port: ['ansible', 'port'],
  connection: ['ansible', 'connection'],
  enabled: ['ansible', 'enabled'],
  groups: ['ansible', 'groups'],
  vars: ['ansible', 'vars'],
};

export const itemKeys = [
  'ci_name',
  'ci_type',
  'ci_status',
  'lifecycle',
  'power',
  'site_id',
  'environment',
  'role',
  'criticality',
  'tags',
  'technical_specs',
  'ansible',
  'relationships',
  'managed_by',
  'external_id',
  'terraform_resource_id',
  'owner',
  'notes',
] as const;

export const ansibleKeys = ['name', 'enabled', 'host', 'user', 'port', 'connection', 'groups', 'vars'] as const;

const known = [...Object.keys(shortKeys), ...itemKeys];
const lists = new Set(['tags', 'ansible.groups']);
const sections = new Set(['technical_specs', 'ansible', 'ansible.vars']);

/** Whether the values of a key add up, and are not replaced. */
export function isList(path: readonly string[]): boolean {
  return lists.has(path.join('.'));
}

/** The API's path of a key that was written with dots, such as `specs.memory_mb`; or what is wrong with it. */
export function readKey(written: string): readonly string[] | { fault: string } {
  const [first = '', ...rest] = written.split('.');
  const head = pathOf(first);
  if ('fault' in head) return head;
  // Names of variables and specs may have dots themselves.
  const [inner, ...deeper] = head.path.join() === 'ansible' ? rest : [];
  const path = inner === undefined ? [...head.path] : [...head.path, inner];
  const tail = (inner === undefined ? rest : deeper).join('.');
  if (inner !== undefined && !ansibleKeys.includes(inner as (typeof ansibleKeys)[number]))
    return { fault: unknownKey(inner, ansibleKeys) };
  if (sections.has(path.join('.')))
    return tail === '' ? { fault: `name a key in it, as ${written}.KEY` } : [...path, tail];
  return tail === '' ? path : { fault: `has no keys in it, such as ${tail}` };
}

/** The words of an item that was written as a mapping, and what is wrong in it. */
export function readWords(
  entry: Readonly<Record<string, unknown>>,
  pointer: string,
): { words: Word[]; faults: Fault[] } {
  const words: Word[] = [];
  const faults: Fault[] = [];
  for (const [key, value] of Object.entries(entry)) {
    const place = `${pointer}/${escapePointer(key)}`;
    const head = pathOf(key);
    if ('fault' in head) faults.push({ pointer: place, detail: head.fault });
    else spread(head.path, value, place);
  }
  return { words, faults };

  function spread(path: readonly string[], value: unknown, place: string): void {
    const name = path.join('.');
    if (!sections.has(name)) {
      add({ path, value: isList(path) && isScalar(value) ? [value] : value, pointer: place });
      return;
    }
    if (value === null) return;
    if (!isMapping(value)) {
      faults.push({ pointer: place, detail: 'must be keys with values, one a line below it' });
      return;
    }
    for (const [key, inner] of Object.entries(value)) {
      const innerPlace = `${place}/${escapePointer(key)}`;
      if (name === 'ansible' && !ansibleKeys.includes(key as (typeof ansibleKeys)[number]))
        faults.push({ pointer: innerPlace, detail: unknownKey(key, ansibleKeys) });
      else spread([...path, key], inner, innerPlace);
    }
  }

  function add(word: Word): void {
    const twin = words.find((one) => sameKey(one.path, word.path));
    if (twin) faults.push({ pointer: word.pointer, detail: `says ${word.path.join('.')} a second time` });
    else words.push(word);
  }
}

/** The body of the API for these words. */
export function bodyOf(words: readonly Word[]): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const { path, value } of words) {
    let section = body;
    for (const name of path.slice(0, -1)) {
      section[name] ??= {};
      section = section[name] as Record<string, unknown>;
    }
    section[path.at(-1) as string] = value;
  }
  return body;
}

/** An item's own words over those that hold for all: lists add up, and null takes a word of all away. */
export function wordsOver(common: readonly Word[], own: readonly Word[]): Word[] {
  const merged = new Map(common.map((word) => [JSON.stringify(word.path), word]));
  for (const word of own) {
    const key = JSON.stringify(word.path);
    const former = merged.get(key);
    const [all, its] = [former?.value, word.value];
    const adds = isList(word.path) && Array.isArray(all) && Array.isArray(its);
    merged.set(key, adds ? { ...word, value: [...new Set([...all, ...its])] } : word);
  }
  return [...merged.values()].filter((word) => word.value !== null);
}

/** The word that a fault of the API is about: its pointer begins with the word's path. */
export function wordAt(words: readonly Word[], pointer: string): Word | undefined {
  const parts = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return (
    words.find((word) => word.path.every((name, index) => parts[index] === name)) ??
    words.find((word) => parts.every((name, index) => word.path[index] === name))
  );
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): boolean {
  return value !== null && typeof value !== 'object';
}

function sameKey(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

function pathOf(key: string): { path: readonly string[] } | { fault: string } {
  const path = Object.hasOwn(shortKeys, key) ? shortKeys[key] : undefined;
  if (path) return { path };
  if ((itemKeys as readonly string[]).includes(key)) return { path: [key] };
  return { fault: unknownKey(key, known) };
}

export function unknownKey(key: string, among: readonly string[]): string {
  const near = nearestName(key, among);
  return `is not a known key here; ${near ? `did you mean ${near}?` : `known are ${among.join(', ')}`}`;
}
