/** Globs over what a host is: `*` any text, `?` one character, without regard to case. */

import type { Static } from 'typebox';
import type { Item } from '../cmdb/item.ts';
import { globForm } from '../glob.ts';
import type { matchSchema } from './settings.ts';

export type Match = Static<typeof matchSchema>;

export type Matcher = (item: Item) => boolean;

export function matcherOf(match: Match): Matcher {
  const tests = Object.entries(match).map(([key, globs]) => {
    const forms = [globs as string | string[]].flat().map(globForm);
    return (item: Item) => valuesOf(item, key).some((value) => forms.some((form) => form.test(value)));
  });
  return (item) => tests.every((test) => test(item));
}

function valuesOf(item: Item, key: string): string[] {
  if (key === 'tag') return item.tags;
  const value =
    key === 'node' || key === 'pool' || key === 'os'
      ? item.technical_specs[key]
      : (item as unknown as Record<string, unknown>)[key];
  return typeof value === 'string' ? [value] : [];
}
