/** The dotted path of a key within a section of an item, as ranks, winners and changes name it. */

export type Section = 'technical_specs.' | 'ansible.vars.';

/** Few keys are on many items: a text that is put together once is hashed once, and compared by where it is. */
const known: Record<Section, Map<string, string>> = { 'technical_specs.': new Map(), 'ansible.vars.': new Map() };
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
