import { expect, test } from 'vitest';
import { limiter } from '../../src/http/limiter.ts';

test('so many pass within a minute of the first, and the rest are told how long to wait', () => {
  const two = limiter(2);

  const waits = [0, 1000, 30_500, 59_999, 60_000, 61_000, 62_000].map((at) => two.take('a', at));

  expect(waits).toEqual([undefined, undefined, 30, 1, undefined, undefined, 58]);
});

test('one does not count for another', () => {
  const one = limiter(1);

  expect(one.take('a', 0)).toBeUndefined();
  expect(one.take('b', 0)).toBeUndefined();
  expect(one.take('a', 0)).toBe(60);
});

test('however many come, only so many are remembered, and the oldest are forgotten first', () => {
  const one = limiter(1);
  for (let number = 0; number < 10_001; number += 1) one.take(`address-${number}`, number);

  const newest = one.take('address-10000', 10_001);
  const oldest = one.take('address-0', 10_001);

  expect(newest).toBe(60);
  expect(oldest).toBeUndefined();
});
