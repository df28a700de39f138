import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { isOverdue, openTimetable, periodMilliseconds } from '../../src/jobs/schedule.ts';
import { holdTime, noon } from './world.ts';

const hour = 3_600_000;

describe('the period of a schedule is the distance between its next two runs:', () => {
  test.each([
    ['*/5 * * * *', hour / 12],
    ['25 * * * *', hour],
    ['20 3 * * *', 24 * hour],
    ['0 3 * * 0', 7 * 24 * hour],
    ['0 3 1 * *', 30 * 24 * hour],
  ])('%s', (when, period) => {
    holdTime('2026-03-02T12:00:00Z');

    expect(periodMilliseconds(when, 'UTC')).toBe(period);
  });

  test('a day of 23 hours, when clocks are put forward', () => {
    holdTime('2026-03-27T12:00:00Z');

    expect(periodMilliseconds('20 4 * * *', 'Europe/Berlin')).toBe(23 * hour);
  });
});

test.each([
  ['never', undefined, true],
  ['within the period', '2026-03-02T11:00:00.001Z', false],
  ['just a period ago', '2026-03-02T11:00:00.000Z', false],
  ['longer ago', '2026-03-02T10:59:59.999Z', true],
  ['after now, before the clock was set back', '2026-03-02T12:00:00.001Z', true],
])('what last went well %s is overdue or not', (_, lastSuccess, overdue) => {
  expect(isOverdue(lastSuccess, hour, noon)).toBe(overdue);
});

test('a clock that is set back holds no job up', async () => {
  const advance = holdTime('2026-03-02T11:59:00Z', 'setInterval', 'clearInterval');
  const runs: string[] = [];
  const timetable = openTimetable(new Map([['count', '0 * * * *']]), 'UTC', (name) => void runs.push(name));
  onTestFinished(() => timetable.stop());

  const before = timetable.nextRunOf('count')?.toISOString();
  vi.setSystemTime('2025-03-02T11:55:00Z');
  await advance(60_000);
  const after = timetable.nextRunOf('count')?.toISOString();
  await advance(5 * 60_000);

  expect([before, after]).toEqual(['2026-03-02T12:00:00.000Z', '2025-03-02T12:00:00.000Z']);
  expect(runs).toEqual(['count']);
});
