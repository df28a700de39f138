/**
 * What a source said, in one form: units and times made equal, lists sorted, passing figures left out, so that
 * the same words are the same text. Nothing here knows who said it.
 */

import { hash } from 'node:crypto';
import type { AnsibleWords, Json, Said, Specs } from './item.ts';
import { eachAttribute } from './paths.ts';

/** Figures of the moment: they say nothing of what the thing is. */
const passing =
  /^(cpu|cpu_usage|cpu_percent|load|loadavg|load_average|mem|mem_used(_\w+)?|memory_used(_\w+)?|used_memory(_\w+)?|memory_usage(_\w+)?|memory_free(_\w+)?|disk_used(_\w+)?|netin|netout|diskread|diskwrite)$/;

/** `uptime` becomes `booted_at`, figures of the moment go, lists are sorted, keys are in order. */
export function normalizeSpecs(specs: Readonly<Record<string, unknown>>, atMilliseconds: number): Specs {
  const uptime = specs.uptime ?? specs.uptime_s;
  const out: Specs = {};
  for (const key of inOrder(Object.keys(specs))) {
    if (key === 'uptime' || key === 'uptime_s' || key === '__proto__' || passing.test(key)) continue;
    out[key] = normalizeValue(specs[key]);
  }
  if (typeof uptime === 'number' && uptime > 0 && out.booted_at === undefined) {
    out.booted_at = new Date(Math.round(atMilliseconds - uptime * 1000)).toISOString();
  }
  return out;
}

/** JSON as it can be kept: text well formed and without NUL, lists sorted, keys in order. */
function normalizeValue(value: unknown): Json {
  if (typeof value === 'string') return normalizeText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'boolean' || value === null || value === undefined) return value ?? null;
  if (Array.isArray(value)) {
    const list = value.map(normalizeValue);
    if (list.every((entry) => typeof entry === 'string')) return inOrder(list);
    return list
      .map((entry) => [typeof entry === 'string' ? entry : JSON.stringify(entry), entry] as const)
      .sort(byFirst)
      .map(([, entry]) => entry);
  }
  const out: Record<string, Json> = {};
  for (const key of inOrder(Object.keys(value as object))) {
    if (key !== '__proto__') out[normalizeText(key)] = normalizeValue((value as Record<string, unknown>)[key]);
  }
  return out;
}

const badText = /[\0\ud800-\udfff]/;

/** SQLite's text ends at NUL for many readers, and a lone surrogate is no text: both become U+FFFD. */
export function normalizeText(text: string): string {
  return badText.test(text) ? text.toWellFormed().replaceAll('\0', '\ufffd') : text;
}

/** Sorts a list of texts where it is. Most are in order already, and to see that costs far less. */
export function inOrder(list: string[]): string[] {
  return isInOrder(list) ? list : list.sort();
}

/** Each text once, in order. */
export function distinct(list: string[]): string[] {
  return list.length < 2 ? list : inOrder([...new Set(list)]);
}

function isInOrder(list: readonly string[]): boolean {
  for (let index = 1; index < list.length; index += 1)
    if ((list[index - 1] as string) > (list[index] as string)) return false;
  return true;
}

function byFirst(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

/**
 * The claim after a source said something more: a key that it does not speak of stands, and null takes the
 * source's word back. Values that are equal but for measuring stay as they were said first.
 */
export function saidWith(former: Said, patch: Patch): Said {
  const next: Said = { ...former };
  for (const [key, value] of Object.entries(patch) as [keyof Patch, unknown][]) {
    if (value === undefined) continue;
    if (value === null) delete next[key];
    else if (key === 'technical_specs') next.technical_specs = patchKeys(former.technical_specs, value as Specs);
    else if (key === 'ansible') next.ansible = patchAnsible(former.ansible, value as AnsiblePatch);
    else Object.assign(next, { [key]: value });
  }
  if (next.technical_specs && Object.keys(next.technical_specs).length === 0) delete next.technical_specs;
  if (next.ansible && Object.keys(next.ansible).length === 0) delete next.ansible;
  return next;
}

/** A whole new observation in the place of the former one, with values kept that are equal but for measuring. */
export function saidAnew(former: Said, whole: Said): Said {
  if (!whole.technical_specs) return whole;
  return { ...whole, technical_specs: patchKeys({}, whole.technical_specs, former.technical_specs) };
}

/** A patch as what is said of a thing that is not known yet, which is what `saidWith` makes of nothing: nulls say nothing. */
export function saidOf(patch: Patch): Said {
  // Nearly always it is just that, as it stands.
  return isWhole(patch) ? patch : saidWith({}, patch);
}

function isWhole(patch: Patch): patch is Said {
  const { technical_specs: specs, ansible } = patch;
  return (
    isFilled(patch) &&
    (specs === undefined || isFilled(specs)) &&
    isInOrder(Object.keys(specs ?? {})) &&
    (ansible === undefined || isFilled(ansible)) &&
    (ansible?.vars === undefined || isFilled(ansible.vars)) &&
    isInOrder(Object.keys(ansible?.vars ?? {}))
  );
}

/** Not empty, and a value under each key. */
function isFilled(part: object | null): boolean {
  const values = Object.values(part ?? {});
  return values.length > 0 && !values.includes(null) && !values.includes(undefined);
}

/** Null takes a word back. */
export type Patch = { [K in keyof Said]?: (K extends 'ansible' ? AnsiblePatch : Said[K]) | null | undefined };
export type AnsiblePatch = { [K in keyof AnsibleWords]?: AnsibleWords[K] | null };

function patchKeys(former: Specs = {}, patch: Specs, measured: Specs = former): Specs {
  const next: Specs = { ...former };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete next[key];
    else next[key] = isSame(key, measured[key], value) ? (measured[key] as Json) : value;
  }
  return sortedKeys(next);
}

function patchAnsible(former: AnsibleWords = {}, patch: AnsiblePatch): AnsibleWords {
  const next: Record<string, unknown> = { ...former };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete next[key];
    else if (key === 'vars') {
      const vars = patchKeys(former.vars, value as Specs, {});
      if (Object.keys(vars).length > 0) next.vars = vars;
      else delete next.vars;
    } else next[key] = value;
  }
  return next as AnsibleWords;
}

function sortedKeys(specs: Specs): Specs {
  const keys = Object.keys(specs);
  if (isInOrder(keys)) return specs;
  return Object.fromEntries(keys.sort().map((key) => [key, specs[key] as Json]));
}

const sizeKey = /_(bytes|kb|mb|gb|tb)$/;
const bootDriftMilliseconds = 120_000;

/** Equal, or equal but for measuring: a size by under 1 %, a boot time by at most two minutes. */
export function isSame(key: string, before: Json | undefined, after: Json | undefined): boolean {
  if (before === after) return true;
  if (typeof before === 'number' && typeof after === 'number') {
    return sizeKey.test(key) && Math.abs(before - after) < 0.01 * Math.max(Math.abs(before), Math.abs(after));
  }
  if (key === 'booted_at' && typeof before === 'string' && typeof after === 'string') {
    return Math.abs(Date.parse(before) - Date.parse(after)) <= bootDriftMilliseconds;
  }
  if (typeof before !== 'object' || typeof after !== 'object') return false;
  return JSON.stringify(before) === JSON.stringify(after);
}

export function hashOf(heard: unknown): string {
  return hash('sha1', JSON.stringify(heard), 'base64url');
}

/** The attributes of what was said, each under its dotted path: what a rank is about. */
export function wordsOf(said: Said | Patch): (readonly [attribute: string, value: Json])[] {
  const words: (readonly [string, Json])[] = [];
  eachWord(said, (attribute, value) => words.push([attribute, value]));
  return words;
}

/** The same, one after the other. */
export function eachWord(said: Said | Patch, visit: (attribute: string, value: Json) => void): void {
  eachAttribute(said, (attribute, value) => {
    if (attribute !== 'pve') visit(attribute, value);
  });
}
