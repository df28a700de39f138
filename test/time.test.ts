import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { millisecondsOf, readSpan, readTime, stamp, systemClock, systemTimeZone } from '../src/time.ts';

describe('a stamp', () => {
  test.each([
    ['2026-03-02T10:00:00Z', '2026-03-02T10:00:00.000Z'],
    ['2026-03-02T10:00:00.123456789Z', '2026-03-02T10:00:00.123Z'],
    ['2026-03-02T11:00:00+01:00', '2026-03-02T10:00:00.000Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
  ])('of %s is %s', (instant, text) => {
    expect(stamp(Temporal.Instant.from(instant))).toBe(text);
  });

  test('sorts as time does, and is read back', () => {
    const moment = fc.integer({ min: 0, max: 253_402_300_799_999 });
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        const [first, second] = [a, b].map((at) => stamp(Temporal.Instant.fromEpochMilliseconds(at)));
        if (first === undefined || second === undefined) return;
        expect([first.length, first < second]).toEqual([24, a < b]);
        expect([millisecondsOf(first), millisecondsOf(second)]).toEqual([a, b]);
      }),
    );
  });
});

describe('a time is read', () => {
  test.each([
    ['with Z', '2026-03-02T10:00:00Z', '2026-03-02T10:00:00Z'],
    ['in lower case', '2026-03-02t10:00:00z', '2026-03-02T10:00:00Z'],
    ['with an offset', '2026-03-02T10:00:00+02:00', '2026-03-02T08:00:00Z'],
    ['with an offset that has no colon', '2026-03-02T10:00:00-0500', '2026-03-02T15:00:00Z'],
    ['with an offset apart', '2026-03-02 10:00:00 +0200', '2026-03-02T08:00:00Z'],
    ['with the word UTC', '2026-03-02 10:00:00 UTC', '2026-03-02T10:00:00Z'],
    ['with the name of its zone', '2026-03-02T10:00[Asia/Tokyo]', '2026-03-02T01:00:00Z'],
    ['with microseconds', '2026-03-02T10:00:00.123456Z', '2026-03-02T10:00:00.123456Z'],
    ['in our zone where it has none', '2026-03-02T10:00:00', '2026-03-02T09:00:00Z'],
    ['in our zone, with microseconds', '2026-03-02T10:00:00.123456', '2026-03-02T09:00:00.123456Z'],
    ['in our zone, in summer', '2026-07-02 10:00', '2026-07-02T08:00:00Z'],
    ['in the hour that is left out', '2026-03-29T02:30:00', '2026-03-29T01:30:00Z'],
    ['in the hour that comes twice', '2026-10-25T02:30:00', '2026-10-25T00:30:00Z'],
    ['as a date alone', '2026-03-02', '2026-03-01T23:00:00Z'],
    ['with space around it', '  2026-03-02T10:00:00Z\n', '2026-03-02T10:00:00Z'],
  ])('%s: %j', (_, text, instant) => {
    expect(String(readTime(text, 'Europe/Berlin'))).toBe(instant);
  });

  test.each([
    '',
    'soon',
    'Z',
    'UTC',
    '12:30',
    '2026',
    '2026-03',
    '1772445600',
    '2026-02-30',
    '2026-03-02T25:00:00Z',
    '2026-03-02 ten',
    '02.03.2026',
    '+012026-03-02T10:00:00Z',
    '-000001-03-02T10:00:00Z',
    '9999-12-31T23:59:59-01:00',
    '2026-03-02T10:00[Mars/Olympus]',
    `2026-03-02T10:00:00.${'1'.repeat(10_000)}Z`,
  ])('from %j not at all', (text) => {
    expect(readTime(text, 'Europe/Berlin')).toBeUndefined();
  });

  test('from any text without a fault, and so that a stamp holds it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
        ),
        (text) => {
          const instant = readTime(text, 'Europe/Berlin');
          if (instant) expect(stamp(instant)).toHaveLength(24);
        },
      ),
    );
  });
});

describe('a span', () => {
  test.each([
    ['0', 0],
    ['90', 90_000],
    ['90s', 90_000],
    ['5m', 300_000],
    ['12h', 43_200_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
    ['1.1d', 95_040_000],
    [' 10 m ', 600_000],
  ])('%j is %d milliseconds', (text, milliseconds) => {
    expect(readSpan(text)).toBe(milliseconds);
  });

  test.each(['', 's', '-1s', '1w', '1 h 5 m', '1e3', '.5h', '5M', 'Infinity', '9'.repeat(400)])(
    '%j is none',
    (text) => {
      expect(readSpan(text)).toBeUndefined();
    },
  );
});

test('the system has a clock and a zone', () => {
  expect(Math.abs(systemClock().epochMilliseconds - Date.now())).toBeLessThan(60_000);
  expect(readTime('2026-03-02', systemTimeZone())).toBeDefined();
});
