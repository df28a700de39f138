/** What a write changed of an item, attribute by attribute. Pure. */

import type { Document, Json, Specs } from './item.ts';

/** The attributes that differ, by dotted path. */
export interface Difference {
  before: Record<string, Json>;
  after: Record<string, Json>;
}

/** Undefined where nothing differs. Of what is new there is no before: all of it that is known is after. */
export function differenceOf(before: Document | undefined, after: Document): Difference | undefined {
  const is = flat(after);
  if (!before) return { before: {}, after: is };
  const was = flat(before);
  const difference: Difference = { before: {}, after: {} };
  for (const attribute of new Set([...Object.keys(is), ...Object.keys(was)])) {
    const former = was[attribute] ?? null;
    const value = is[attribute] ?? null;
    if (same(former, value)) continue;
    difference.before[attribute] = former;
    difference.after[attribute] = value;
  }
  return Object.keys(difference.after).length > 0 ? difference : undefined;
}

function same(a: Json, b: Json): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

/** What is known of it, by dotted path. */
function flat(document: Document): Record<string, Json> {
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(document)) {
    if (value === null) continue;
    if (key === 'technical_specs')
      for (const [name, word] of Object.entries(value as Specs)) out[`${key}.${name}`] = word;
    else if (key === 'ansible') flatAnsible(out, value as Record<string, Json>);
    else out[key] = value as Json;
  }
  return out;
}

function flatAnsible(out: Record<string, Json>, ansible: Record<string, Json>): void {
  for (const [name, word] of Object.entries(ansible)) {
    if (name === 'vars')
      for (const [variable, content] of Object.entries(word as Specs)) out[`ansible.vars.${variable}`] = content;
    else out[`ansible.${name}`] = word;
  }
}
