/** What a write changed, for people: one line for each item, and one for each attribute. */

import type { Json } from './client.ts';
import { relationshipInWords } from './item.ts';
import { print, shown, styled } from './output.ts';

export interface ShownChange {
  ci_name: string;
  action: string;
  before: Json;
  after: Json;
}

const marks: Readonly<Record<string, readonly [mark: string, colour: 'green' | 'yellow' | 'red', words: string]>> = {
  created: ['+', 'green', 'new'],
  updated: ['~', 'yellow', ''],
  restored: ['+', 'green', 'is back'],
  missing: ['-', 'red', 'withdrawn: no source speaks for it any more'],
  retired: ['-', 'red', 'retired'],
  deleted: ['-', 'red', 'hidden'],
};

/** What follows from the rest, or that nobody said. */
const consequences = new Set(['generation', 'discovered_by', 'lifecycle', 'absence']);

export function printChanges(changes: readonly ShownChange[]): void {
  for (const { ci_name, action, before, after } of changes) {
    const [mark, colour, words] = marks[action] ?? ['~', 'yellow', action];
    print(styled(colour, `${mark} ${shown(ci_name)}`) + (words === '' ? '' : `  ${words}`));
    if (action === 'missing' || action === 'deleted') continue;
    printDifference(before, after, action === 'created');
  }
}

export function printDifference(before: Json, after: Json, isNew: boolean): void {
  const names = Object.keys(after).filter((name) => !consequences.has(name) && !(isNew && isPlain(name, after)));
  const width = Math.max(0, ...names.map((name) => name.length));
  for (const name of names.sort()) {
    const told = ({ [name]: value }: Json) =>
      name === 'relationships' && Array.isArray(value) ? shown(value.map(relationshipInWords)) : shown(value);
    print(`    ${shown(name).padEnd(width)}  ${isNew ? '' : `${told(before)} → `}${told(after)}`);
  }
}

/** Of a new item: its name, which stands above, and what everything is. */
function isPlain(name: string, after: Json): boolean {
  if (name === 'ci_name' || name === 'tags') return name === 'ci_name' || String(after.tags) === '';
  return (
    (name === 'ansible_name' && after.ansible_name === after.ci_name) ||
    (name === 'ci_status' && after[name] === 'active')
  );
}
