/** The dotted path of each attribute of an item, as ranks, winners and changes name it. */

import type { Json } from './item.ts';

export type Section = 'technical_specs.' | 'ansible.' | 'ansible.vars.';

/** Few keys are on many items: a text that is put together once is hashed once, and compared by where it is. */
const known: Record<Section, Map<string, string>> = {
  'technical_specs.': new Map(),
  'ansible.': new Map(),
  'ansible.vars.': new Map(),
};
const mostKnown = 5000;

export function pathOf(section: Section, key: string): string {
  const paths = known[section];
  let path = paths.get(key);
  if (path === undefined) {
    if (paths.size >= mostKnown) paths.clear();
    path = section + key;
    paths.set(key, path);
  }
  return path;
}

type Visit = (path: string, value: Json) => void;

/** Visits each attribute of a document, or of what was said, in its order. Plain loops: each write comes through here. */
export function eachAttribute(of: object, visit: Visit): void {
  const attributes = of as Record<string, Json>;
  for (const name of Object.keys(attributes)) {
    const value = attributes[name] as Json;
    if (name === 'technical_specs') eachOf('technical_specs.', value, visit);
    else if (name === 'ansible') eachOf('ansible.', value, visit);
    else visit(name, value);
  }
}

function eachOf(section: Section, value: Json, visit: Visit): void {
  const values = (value ?? {}) as Record<string, Json>;
  for (const key of Object.keys(values)) {
    if (section === 'ansible.' && key === 'vars') eachOf('ansible.vars.', values[key] as Json, visit);
    else visit(pathOf(section, key), values[key] as Json);
  }
}
