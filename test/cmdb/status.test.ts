/** One status word, out of its parts and back. */

import { expect, test } from 'vitest';
import { partOf, statusOf } from '../../src/cmdb/status.ts';

const hold = { reason: 'disk', by: 'manual:alice', until: null };

test.each([
  ['retired before all else', { lifecycle: 'retired', power: 'running', hold, absence: 'missing' }, 'retired'],
  ['retired by absence', { lifecycle: 'active', power: 'running', hold, absence: 'retired' }, 'retired'],
  ['held before missing', { lifecycle: 'active', power: 'running', hold, absence: 'missing' }, 'maintenance'],
  ['missing before power', { lifecycle: 'active', power: 'running', hold: null, absence: 'missing' }, 'missing'],
  ['power before lifecycle', { lifecycle: 'active', power: 'stopped', hold: null, absence: null }, 'stopped'],
  ['lifecycle where nothing is measured', { lifecycle: 'planned', power: null, hold: null, absence: null }, 'planned'],
] as const)('%s', (_what, parts, expected) => {
  expect(statusOf(parts)).toBe(expected);
});

test.each([
  ['retired', { lifecycle: 'retired' }],
  ['running', { power: 'running' }],
  ['suspended', { power: 'paused' }],
  ['io-error', { power: 'running' }],
  ['maintenance', { maintenance: true }],
  ['unknown', {}],
  ['missing', {}],
  ['on', undefined],
])('the word %s belongs to %j', (word, expected) => {
  expect(partOf(word)).toEqual(expected);
});
