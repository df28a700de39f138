/** The words of Ansible's host patterns, `web*:&prod:!old`, and what each of them finds. Pure. */
// https://docs.ansible.com/ansible/latest/inventory_guide/intro_patterns.html

import { globForm } from '../glob.ts';

/** What is served: the names that a pattern may find. */
export interface ServedNames {
  hosts: ReadonlySet<string>;
  groups: ReadonlySet<string>;
}

/** The words of a pattern, each without what excludes or intersects; those with a template are left out. */
export function wordsOfPattern(pattern: string): string[] {
  return splitPattern(pattern)
    .map((word) => word.trim())
    .filter((word) => word !== '' && !/\{\{|\{%/.test(word))
    .map((word) => (/^[!&]/.test(word) ? word.slice(1) : word))
    .filter((word) => word !== '');
}

/** Whether a word of a pattern finds any host or group. */
export function findsAny(word: string, { hosts, groups }: ServedNames): boolean {
  if (alwaysThere.has(word)) return true;
  const names = [...hosts, ...groups];
  if (word.startsWith('~')) {
    const form = regularForm(word.slice(1));
    return form === undefined || names.some((name) => form.test(name));
  }
  if (hosts.has(word) || groups.has(word)) return true;
  // `web[0]`, `web[1:]`, `web[0-2]` are hosts of what stands before.
  const [, sliced] = /^(.+)\[-?\d*(?:[:-]-?\d*)?\]$/.exec(word) ?? [];
  if (sliced !== undefined && findsAny(sliced, { hosts, groups })) return true;
  if (!/[*?[]/.test(word)) return false;
  const form = globOf(word);
  return names.some((name) => form.test(name));
}

/** What of a word a person may have mistyped: nothing of a glob or a regular expression. */
export function nameIn(word: string): string | undefined {
  const name = word.replace(/\[-?\d*(?:[:-]-?\d*)?\]$/, '');
  return /[*?[~]/.test(name) ? undefined : name;
}

/** The machine on which Ansible runs needs no inventory. */
const alwaysThere = new Set(['all', '*', 'localhost', '127.0.0.1', '::1']);

/** At commas; else at colons that stand in no brackets and in no address. */
function splitPattern(pattern: string): string[] {
  const bare = pattern.replaceAll(/\{\{.*?\}\}/gs, (template) => template.replaceAll(/[,:]/g, ' '));
  if (bare.includes(',')) return bare.split(/,(?![^[]*\])/).flatMap(splitPattern);
  if (/^[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*$/.test(bare)) return [bare];
  const words = [''];
  let depth = 0;
  for (const letter of bare) {
    if (letter === '[') depth += 1;
    else if (letter === ']') depth = Math.max(0, depth - 1);
    if (letter === ':' && depth === 0) words.push('');
    else words[words.length - 1] += letter;
  }
  return words;
}

function regularForm(text: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${text})`);
  } catch {
    // Python's expressions are not all JavaScript's: what cannot be judged is not found fault with.
    return undefined;
  }
}

/** With `[abc]` besides, and in the case that it is written in. */
function globOf(glob: string): RegExp {
  const parts = glob.split(/(\[[^\]]+\])/);
  const source = parts
    .map((part, index) => (index % 2 === 1 ? part.replace(/^\[!/, '[^') : globForm(part).source.slice(1, -1)))
    .join('');
  return new RegExp(`^${source}$`, 's');
}
