import { expect, test } from 'vitest';
import { isAddress, observed, written } from '../../src/inventory/safe.ts';

const unsafe = (text: string) => ({ __ansible_unsafe: text });
const deep = (depth: number): unknown => (depth === 0 ? 'end' : [deep(depth - 1)]);

test.each([
  ['text', unsafe('text')],
  ['', unsafe('')],
  ['{{ x }}', unsafe('{{ x }}')],
  ['a\ud800', unsafe('a\ufffd')],
  [5, 5],
  [Number.NaN, null],
  [Number.POSITIVE_INFINITY, null],
  [true, true],
  [null, null],
  [undefined, null],
  [
    ['a', 1],
    [unsafe('a'), 1],
  ],
  [{ a: { b: 'c' } }, { a: { b: unsafe('c') } }],
  [{ __ansible_unsafe: 'x', __ansible_vault: 'y', __ansible_type: 'z', a: 1 }, { a: 1 }],
  [{ 'k\ud800': 1 }, { 'k\ufffd': 1 }],
  [() => 1, null],
])('what was observed leaves as data: %j', (value, expected) => {
  expect(observed(value)).toEqual(expected);
});

test('what is nested without an end is cut off', () => {
  expect(JSON.stringify(observed(deep(8)))).toContain('end');
  expect(JSON.stringify(observed(deep(1000)))).not.toContain('end');
});

test.each([
  ['{{ x }}', '{{ x }}'],
  ['a\ud800', 'a\ufffd'],
  [{ __ansible_vault: '$ANSIBLE_VAULT;1.1;AES256\n00' }, { __ansible_vault: '$ANSIBLE_VAULT;1.1;AES256\n00' }],
  [{ __ansible_unsafe: 'x', other: 1 }, { __ansible_unsafe: 'x' }],
  [{ __ansible_vault: 5, a: 'x' }, { a: 'x' }],
  [{ __ansible_type: 'x', a: ['{{ y }}', null] }, { a: ['{{ y }}', null] }],
  [Number.NaN, null],
])('what an operator wrote leaves as written: %j', (value, expected) => {
  expect(written(value)).toEqual(expected);
});

test.each([
  ['10.0.0.1', true],
  ['fe80::1%eth0', true],
  ['2001:db8::1', true],
  ['web-1.example.org', true],
  ['', false],
  ['-oProxyCommand=x', false],
  ['a b', false],
  ['a;b', false],
  ['$(x)', false],
  ['{{ x }}', false],
  ['10.0.0.1\n', false],
  ['x'.repeat(254), false],
])('%j is an address: %j', (text, expected) => {
  expect(isAddress(text)).toBe(expected);
});
