import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inTurns, turn } from '../../src/store/turn.ts';

function hold(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

test('long work gives the event loop turns', async () => {
  let turns = 0;
  let isDone = false;
  const others = (async () => {
    while (!isDone) {
      await nextTurn();
      turns += 1;
    }
  })();

  for (let part = 0; part < 20; part += 1) {
    hold(12);
    await turn();
  }
  isDone = true;
  await others;

  expect(turns).toBeGreaterThanOrEqual(19);
});

test('work in small steps gives few, and costs next to nothing', async () => {
  let turns = 0;
  let isDone = false;
  await turn();
  const others = (async () => {
    while (!isDone) {
      await nextTurn();
      turns += 1;
    }
  })();
  const began = performance.now();

  for (let part = 0; part < 10_000; part += 1) await turn();
  const held = performance.now() - began;
  isDone = true;
  await others;

  expect(turns).toBeLessThanOrEqual(held / 10 + 2);
});

test.each([
  [0, []],
  [1, [1]],
  [4, [2, 2]],
  [5, [2, 2, 1]],
])('a list of %i comes in its parts, whole and in order', async (length, sizes) => {
  const list = Array.from({ length }, (_, at) => at);

  const parts: (readonly number[])[] = [];
  for await (const part of inTurns(list, 2)) parts.push(part);

  expect(parts.map((part) => part.length)).toEqual(sizes);
  expect(parts.flat()).toEqual(list);
});
