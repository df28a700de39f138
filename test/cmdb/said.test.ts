/** What a source said, in one form. */

import { expect, test } from 'vitest';
import { isSame, normalizeSpecs, normalizeText, saidAnew, saidWith } from '../../src/cmdb/said.ts';

const at = Date.parse('2026-03-02T10:00:00Z');

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  ['uptime is a boot time', { uptime: 3600 }, { booted_at: '2026-03-02T09:00:00.000Z' }],
  ['an uptime of nothing is none', { uptime: 0, uptime_s: null }, {}],
  [
    'figures of the moment go',
    { cpu: 0.3, mem: 1, memory_used_mb: 512, netin: 7, loadavg: [1], memory_mb: 1024 },
    { memory_mb: 1024 },
  ],
  [
    'lists are sorted, as deep as they are',
    { macs: ['b', 'a'], disks: [{ z: 1, a: [2, 1] }] },
    { disks: [{ a: [1, 2], z: 1 }], macs: ['a', 'b'] },
  ],
  ['what is no text becomes text', { note: `a\0b${'\ud800'}` }, { note: 'a\ufffdb\ufffd' }],
  ['what is no number is not known', { ratio: Number.NaN }, { ratio: null }],
  ['a prototype is no key', JSON.parse('{"__proto__": {"x": 1}, "a": {"__proto__": 1, "b": 2}}'), { a: { b: 2 } }],
])('%s', (_what, specs, expected) => {
  expect(normalizeSpecs(specs, at)).toEqual(expected);
});

test('emoji are text as they are', () => {
  expect(normalizeText('web 🚀')).toBe('web 🚀');
});

test.each<[string, unknown, unknown, boolean]>([
  ['memory_mb', 4096, 4100, true],
  ['memory_mb', 4096, 4200, false],
  ['cpu_cores', 4, 4.01, false],
  ['booted_at', '2026-03-02T10:00:00.000Z', '2026-03-02T10:01:59.000Z', true],
  ['booted_at', '2026-03-02T10:00:00.000Z', '2026-03-02T10:02:01.000Z', false],
  ['macs', ['a'], ['a'], true],
  ['note', 'a', 'b', false],
])('%s %j is the same as %j: %s', (key, before, after, expected) => {
  expect(isSame(key, before as never, after as never)).toBe(expected);
});

test('a source that says more adds to what it said, and null takes its word back', () => {
  const former = { ci_name: 'web-1', role: 'web', technical_specs: { cpu_cores: 2, memory_mb: 4096 } };

  const next = saidWith(former, { role: null, technical_specs: { memory_mb: 4100, cpu_cores: null, os: 'Debian' } });

  expect(next).toEqual({ ci_name: 'web-1', technical_specs: { memory_mb: 4096, os: 'Debian' } });
});

test('a whole observation replaces the former one, but for what was only measured anew', () => {
  const former = { ci_name: 'web-1', role: 'web', technical_specs: { memory_mb: 4096, os: 'Debian' } };

  expect(saidAnew(former, { ci_name: 'web-1', technical_specs: { memory_mb: 4100 } })).toEqual({
    ci_name: 'web-1',
    technical_specs: { memory_mb: 4096 },
  });
});

test('an operator’s variables keep the order of their lists', () => {
  const next = saidWith({ ansible: { vars: { a: 1 } } }, { ansible: { vars: { list: ['b', 'a'], a: null } } });

  expect(next).toEqual({ ansible: { vars: { list: ['b', 'a'] } } });
});
