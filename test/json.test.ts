import { expect, test } from 'vitest';
import { literalIn, literalOf, parseExactly } from '../src/json.ts';

test.each([
  ['8.0', { v: literalOf('8.0') }],
  ['12345678901234567890', { v: literalOf('12345678901234567890') }],
  ['1e+16', { v: literalOf('1e+16') }],
  ['8', { v: 8 }],
  ['-1.5', { v: -1.5 }],
  ['"8.0"', { v: '8.0' }],
  ['null', { v: null }],
])('%s is read so that nothing of it is lost', (text, value) => {
  expect(parseExactly(`{"v":${text}}`, literalOf)).toEqual(value);
});

test.each([['8.0'], ['null'], ['-1e5'], ['12345678901234567890']])('%s is the text of a literal', (text) => {
  expect(literalIn(literalOf(text))).toBe(text);
});

test.each(['', 'true', '"x"', '08', '1,"a":2', '{}', 'NaN'])('%j is none', (text) => {
  expect(literalIn(literalOf(text))).toBeUndefined();
});
