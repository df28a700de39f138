/** What a write changed of an item, attribute by attribute. Pure. */

import type { Document, Json, Specs } from './item.ts';

/** The attributes that differ, by dotted path. */
export interface Difference {
  before: Record<string, Json>;
  after: Record<string, Json>;
}

/** Undefined where nothing differs. Of what is new there is no before: all of it that is known is after. */
export function differenceOf(before: Document | undefined, after: Document): Difference | undefined {
  if (!before) return { before: {}, after: known(after) };
  const difference: Difference = { before: {}, after: {} };
  const was = flat(before);
  const is = flat(after);
  for (const [attribute, value] of is) {
    const former = was.get(attribute) ?? null;
    if (value === null && former === null) continue;
    if (same(former, value)) continue;
    difference.before[attribute] = former;
    difference.after[attribute] = value;
  }
  for (const [attribute, value] of was) {
    if (is.has(attribute) || value === null) continue;
    difference.before[attribute] = value;
    difference.after[attribute] = null;
  }
  return Object.keys(difference.after).length > 0 ? difference : undefined;
}

function known(document: Document): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const [attribute, value] of flat(document)) if (value !== null) out[attribute] = value;
  return out;
}

function same(a: Json, b: Json): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

function flat(document: Document): Map<string, Json> {
  const out = new Map<string, Json>();
  for (const [key, value] of Object.entries(document)) {
    if (key === 'technical_specs')
      for (const [name, word] of Object.entries(value as Specs)) out.set(`technical_specs.${name}`, word);
    else if (key === 'ansible') flatAnsible(out, value as Record<string, Json>);
    else out.set(key, value as Json);
  }
  return out;
}

function flatAnsible(out: Map<string, Json>, ansible: Record<string, Json>): void {
  for (const [name, word] of Object.entries(ansible)) {
    if (name === 'vars')
      for (const [variable, content] of Object.entries(word as Specs)) out.set(`ansible.vars.${variable}`, content);
    else out.set(`ansible.${name}`, word);
  }
}
