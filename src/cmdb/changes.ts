/** What a write changed of an item, attribute by attribute. Pure. */

import type { Document, Json } from './item.ts';
import { eachAttribute } from './paths.ts';

/** The attributes that differ, by dotted path. */
export interface Difference {
  before: Record<string, Json>;
  after: Record<string, Json>;
}

/**
 * Undefined where nothing differs. Of what is new there is no before: all of it that is known is after. What is
 * kept beside a document is no change, and is left out by its name.
 */
export function differenceOf(
  before: Document | undefined,
  after: Document,
  leftOut: ReadonlySet<string> = new Set(),
): Difference | undefined {
  const is = flat(after, leftOut);
  if (!before) return { before: {}, after: is };
  const was = flat(before, leftOut);
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
function flat(document: Document, leftOut: ReadonlySet<string>): Record<string, Json> {
  const out: Record<string, Json> = {};
  eachAttribute(document, (path, value) => {
    // A variable may be null, and is one all the same.
    if ((value !== null || !(path in document)) && !leftOut.has(path)) out[path] = value;
  });
  return out;
}
