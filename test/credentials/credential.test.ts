/** When a credential is due, how many days are left, and how urgent that is. */

import { describe, expect, test } from 'vitest';
import { dateOf, daysUntil, dueOf, isPutOff, nextDue, urgencyOf } from '../../src/credentials/credential.ts';
import { leadOf, levelOf } from '../../src/credentials/issues/need.ts';
import { explainPolicy, policyOf, usualProcedure } from '../../src/credentials/policy.ts';

const today = Temporal.PlainDate.from('2026-03-02');
const berlin = 'Europe/Berlin';

describe('days', () => {
  test.each([
    ['2026-03-01', -1, 'high'],
    ['2026-03-02', 0, 'high'],
    ['2026-03-03', 1, 'medium'],
    ['2026-03-16', 14, 'medium'],
    ['2026-03-17', 15, 'none'],
    ['2026-02-17', -13, 'high'],
    ['2026-02-16', -14, 'critical'],
  ])('one that is due on %s has %i days left, and its urgency is %s', (next_rotation_due, daysLeft, urgency) => {
    const due = dueOf({ next_rotation_due, expires_at: null }, 'UTC') as Temporal.PlainDate;

    const left = daysUntil(due, today);

    expect([left, urgencyOf(left, 14)]).toEqual([daysLeft, urgency]);
  });

  test('one without a date is due never', () => {
    expect(dueOf({ next_rotation_due: null, expires_at: null }, 'UTC')).toBeUndefined();
    expect(urgencyOf(null, 14)).toBe('none');
  });

  test('a certificate that has an end alone is due on that day, in the zone of the settings', () => {
    const expires_at = '2026-03-15T23:30:00.000Z';

    expect(dueOf({ next_rotation_due: null, expires_at }, 'UTC')?.toString()).toBe('2026-03-15');
    expect(dueOf({ next_rotation_due: null, expires_at }, berlin)?.toString()).toBe('2026-03-16');
  });

  test('of a rotation and an end the earlier counts', () => {
    const expires_at = '2026-03-15T12:00:00.000Z';

    expect(dueOf({ next_rotation_due: '2026-03-20', expires_at }, 'UTC')?.toString()).toBe('2026-03-15');
    expect(dueOf({ next_rotation_due: '2026-03-10', expires_at }, 'UTC')?.toString()).toBe('2026-03-10');
  });

  test.each([
    ['the day with 23 hours', '2026-03-28T22:59:00Z', '2026-03-28', '2026-03-29', 1],
    ['the day with 25 hours', '2026-10-24T22:30:00Z', '2026-10-25', '2026-10-26', 1],
    ['the last minute before the clock is set on', '2026-03-29T00:59:00Z', '2026-03-29', '2026-04-12', 14],
    ['the second hour of its name', '2026-10-25T01:30:00Z', '2026-10-25', '2026-11-08', 14],
  ])('%s is one day', (_, moment, day, due, days) => {
    const now = dateOf(Temporal.Instant.from(moment), berlin);

    expect(now.toString()).toBe(day);
    expect(daysUntil(Temporal.PlainDate.from(due), now)).toBe(days);
  });

  test('the next one counts from the rotation, by the calendar', () => {
    expect(nextDue('2026-03-28T23:30:00.000Z', 30, berlin)).toBe('2026-04-28');
    expect(nextDue('2026-03-28T23:30:00.000Z', null, berlin)).toBeNull();
  });

  test('what is put off until a day is so on that day, and not on the next', () => {
    const putoff = { reason: 'moving', by: 'ann', until: '2026-03-02' };

    expect(isPutOff(putoff, today)).toBe(true);
    expect(isPutOff(putoff, today.add({ days: 1 }))).toBe(false);
    expect(isPutOff(null, today)).toBe(false);
  });

  test.each([
    [20, 999],
    [14, 14],
    [8, 14],
    [7, 7],
    [1, 7],
    [0, 0],
    [-2, 0],
    [-3, -3],
    [-13, -3],
    [-14, -14],
    [-400, -14],
  ])('with %i days left the level is %i', (days, level) => {
    expect(levelOf(days)).toBe(level);
  });
});

describe('policies', () => {
  const credential = { credential_type: 'ssh_key', rotation_period_days: null, owner_email: null };
  const policies = {
    '*': { rotation_period_days: 365, lead_days: 30 },
    'ssh_*': { lead_days: 21, owner: 'ops@example.org' },
    ssh_key: { rotation_period_days: 180, priority: 'high' as const },
  };

  test('each word comes from the most exact policy that has one', () => {
    expect(explainPolicy(credential, policies)).toEqual([
      { setting: 'rotation_period_days', value: 180, from: 'ssh_key' },
      { setting: 'lead_days', value: 21, from: 'ssh_*' },
      { setting: 'priority', value: 'high', from: 'ssh_key' },
      { setting: 'procedure', value: usualProcedure, from: 'default' },
      { setting: 'owner', value: 'ops@example.org', from: 'ssh_*' },
      { setting: 'evidence', value: 'any', from: 'default' },
    ]);
  });

  test('what the credential says itself comes before all', () => {
    const own = { ...credential, rotation_period_days: 90, owner_email: 'ann@example.org' };

    expect(policyOf(own, policies)).toMatchObject({
      rotation_period_days: 90,
      owner: 'ann@example.org',
      lead_days: 21,
    });
  });

  test('one that is used for less than its lead time is asked for in the last third of it', () => {
    const policy = policyOf(credential, {});

    expect(leadOf({ ...policy, rotation_period_days: 6 })).toBe(2);
    expect(leadOf({ ...policy, rotation_period_days: 14 })).toBe(4);
    expect(leadOf({ ...policy, rotation_period_days: 15 })).toBe(14);
  });
});
