/** Which guests are looked at: by tag, pool, node and number. Pure. */

import { globForm } from '../glob.ts';
import type { GuestRow } from './rows.ts';
import type { ClusterSettings, GuestRule } from './settings.ts';

export type Wanted = (guest: GuestRow) => boolean;

export function wantedBy({ include, exclude = [] }: Pick<ClusterSettings, 'include' | 'exclude'>): Wanted {
  const included = include?.map(matcherOf);
  const excluded = exclude.map(matcherOf);
  return (guest) => (included?.some((fits) => fits(guest)) ?? true) && !excluded.some((fits) => fits(guest));
}

/** Every key that is given fits, by one of its values. */
function matcherOf({ tag, pool, node, vmid }: GuestRule): Wanted {
  const tests: Wanted[] = [];
  const add = (globs: string | string[] | undefined, valuesOf: (guest: GuestRow) => readonly string[]) => {
    if (globs === undefined) return;
    const forms = [globs].flat().map(globForm);
    tests.push((guest) => valuesOf(guest).some((value) => forms.some((form) => form.test(value))));
  };
  add(tag, ({ tags }) => tags);
  add(pool, (guest) => (guest.pool === undefined ? [] : [guest.pool]));
  add(node, (guest) => [guest.node]);
  if (vmid !== undefined) {
    const numbers = new Set([vmid].flat());
    tests.push((guest) => numbers.has(guest.vmid));
  }
  return (guest) => tests.every((fits) => fits(guest));
}
