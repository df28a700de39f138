/**
 * Random walks: after each step every value is as it is explained and what must always hold does; what was is told as
 * it was; reading writes nothing; what people do can be undone.
 */

import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { type State, Walk, type Walked } from './walk.ts';

const isLong = process.env.ROLLCALL_LONG === '1';
const steps = isLong ? 500 : 60;
const seeds = Array.from({ length: isLong ? 50 : 3 }, (_, index) => index + 1);
const timeout = 600_000;

test.each(seeds)('walk %i holds at each step', { timeout }, async (seed) => {
  const { failure } = await Walk.run(seed, steps);

  // It is asked after each step, so what fails after one fails in no shorter walk.
  expect(failure && { seed, steps: failure.step + 1, ...failure }).toBeUndefined();
});

/** What people may say while sources speak, and leave no trace of once it is undone. */
const people = ['word', 'pin', 'unpin', 'hold', 'release'];

test.each(seeds)('walk %i leaves no trace of people, once all that they did is undone', { timeout }, async (seed) => {
  const [undone, without] = await walks(seed, steps);
  if (isDeepStrictEqual(undone, without)) return;

  for (let length = 1; length <= steps; length += 1) {
    const [shorter, plain] = await walks(seed, length);
    expect({ seed, steps: length, ...shorter }).toEqual({ seed, steps: length, ...plain });
  }
  expect({ seed, steps, ...undone }).toEqual({ seed, steps, ...without });
});

async function walks(seed: number, length: number) {
  const undone = await Walk.run(seed, length, { people, revertsAll: true });
  const without = await Walk.run(seed, length, { withoutPeople: true });
  const names = namesPassedOn(undone, without);
  const states = [undone.state, without.state];
  const refs = new Set(states.flatMap((state) => refsOfNames(state, names)));
  return [undone, without].map(({ failure, state }) => ({ failure, state: withoutNames(state, refs) }));
}

/** The dead give their names up for good, and a person's word makes an item live or die: whose names these may be. */
function namesPassedOn(undone: Walked, without: Walked): Set<string> {
  const names = new Set<string>();
  for (const [step, dead] of undone.dead.entries()) {
    const others = without.dead[step] ?? new Map<string, string>();
    for (const [ref, name] of [...dead, ...others]) if (dead.has(ref) !== others.has(ref)) names.add(name);
  }
  return names;
}

/** The items that are called so, or bear the name. */
function refsOfNames({ documents }: State, names: ReadonlySet<string>): string[] {
  return Object.entries(documents).flatMap(([ref, { ci_name, ansible_name }]) =>
    [...names].some((name) => `${String(ci_name)} ${String(ansible_name)}`.includes(name)) ? [ref] : [],
  );
}

/** Of these it counts whether they have a name at all. */
function withoutNames(state: State, refs: ReadonlySet<string>): State {
  const documents = Object.entries(state.documents).map(([ref, document]) => [
    ref,
    refs.has(ref) ? { ...document, ansible_name: typeof document.ansible_name } : document,
  ]);
  return { ...state, documents: Object.fromEntries(documents) as State['documents'] };
}
