/** What the days bring: levels, labels and comments, what is put off, and what moves. */

import { describe, expect, test } from 'vitest';
import { startWorld, type World } from './world.ts';

const early = { credentials: { policies: { api_token: { lead_days: 20 } } } };
const priorityOf = ({ labels }: World, number = 1) => labels(number).find((name) => name.startsWith('priority:'));
const firstLine = (said: string) => said.split('\n')[0];

test('from 20 days before to 20 after there is one comment a level, however often it runs', async () => {
  const world = await startWorld({ settings: early });
  await world.add({ next_rotation_due: '2026-03-22' });
  const told: unknown[] = [];
  let before = '';
  for (let left = 20; left >= -20; left -= 1) {
    for (let run = 0; run < 2; run += 1) await world.run();
    const now = `${priorityOf(world)} ${world.comments(1).length}`;
    if (now !== before) told.push([left, priorityOf(world), world.comments(1).map(firstLine).at(-1)]);
    before = now;
    world.service.pass({ hours: 24 });
  }

  expect(told).toEqual([
    [20, 'priority:medium', undefined],
    [14, 'priority:medium', '**Medium**: it is due in 14 days, on 2026-03-22.'],
    [7, 'priority:medium', '**Medium**: it is due in 7 days, on 2026-03-22.'],
    [0, 'priority:high', '**High**: it is due today, 2026-03-22.'],
    [-3, 'priority:high', '**High**: it has been overdue for 3 days, since 2026-03-22.'],
    [-14, 'priority:critical', '**Critical**: it has been overdue for 14 days, since 2026-03-22.'],
  ]);
  expect(world.posts()).toBe(1);
  expect(world.issue(1).body).toContain('**Critical**: it has been overdue for 20 days, since 2026-03-22.');
});

test.each([
  ['15 days ahead', '2026-03-17', 0],
  ['14 days ahead', '2026-03-16', 1],
  ['tomorrow', '2026-03-03', 1],
  ['today', '2026-03-02', 1],
  ['yesterday', '2026-03-01', 1],
  ['on no day', null, 0],
])('what is due %s', async (_, next_rotation_due, count) => {
  const { add, run, open } = await startWorld();
  await add({ next_rotation_due });

  await run();

  expect(open()).toHaveLength(count);
});

test.each([
  ['the clock goes forward', '2026-03-14T22:30:00Z', '2026-03-29'],
  ['the clock goes back', '2026-10-10T21:30:00Z', '2026-10-25'],
])('a day is a day of the calendar where %s', async (_, startsAt, next_rotation_due) => {
  const world = await startWorld({ startsAt, settings: { timezone: 'Europe/Berlin' } });
  await world.add({ next_rotation_due });

  await world.run();
  const before = world.open();
  world.service.pass({ minutes: 60 });
  await world.run();
  world.service.pass({ hours: 14 * 24 - 1 });
  await world.run();
  world.service.pass({ hours: 2 });
  await world.run();

  expect([before, world.open()]).toEqual([[], [1]]);
  expect(world.issue(1).body).toContain(`**High**: it is due today, ${next_rotation_due}.`);
});

test('after days without a run only the level of today is told', async () => {
  const { add, run, later, comments } = await startWorld();
  await add({ next_rotation_due: '2026-03-10' });
  await run();

  await later(12);
  await run();

  expect(comments(1).map(firstLine)).toEqual(['**High**: it has been overdue for 4 days, since 2026-03-10.']);
});

describe('snoozed', () => {
  test('nothing is opened until it is over', async () => {
    const { add, say, run, later, open } = await startWorld();
    const id = await add({ next_rotation_due: '2026-03-10' });
    await say('POST', `/credentials/${id}/snooze`, { until: '3d', reason: 'moving' });

    const opened: number[] = [];
    opened.push((await run()).opened ?? 0);
    for (let day = 0; day < 4; day += 1) opened.push((await later(1)).opened ?? 0);

    expect(opened).toEqual([0, 0, 0, 0, 1]);
    expect(open()).toEqual([1]);
  });

  test('an issue says so once, is not escalated, and goes on afterwards with the level of that day', async () => {
    const { add, say, run, later, comments, open, labels } = await startWorld();
    const id = await add({ next_rotation_due: '2026-03-10' });
    await run();
    await say('POST', `/credentials/${id}/snooze`, { until: '2026-03-11', reason: 'moving', by: 'ann' });

    await run();
    await later(9);
    const during = [comments(1).map(firstLine), labels(1)];
    await later(1);
    await run();

    expect(during).toEqual([
      ['Snoozed until 2026-03-11 by `ann`: `moving`'],
      ['credential-rotation', 'domain:security', 'priority:medium'],
    ]);
    expect(comments(1).map(firstLine).slice(1)).toEqual([
      '**High**: it has been overdue for 2 days, since 2026-03-10.',
    ]);
    expect(open()).toEqual([1]);
  });
});

test('waived it is closed with the reason, and opened again when the waiver is over', async () => {
  const { add, say, run, later, comments, open, issue, posts } = await startWorld();
  const id = await add({ next_rotation_due: '2026-03-10' });
  await run();

  await say('POST', `/credentials/${id}/waive`, { until: '2026-03-12', reason: 'switched off', by: 'ann' });
  const closed = issue(1);
  await later(10);
  const still = open();
  await later(1);
  await run();

  expect(closed).toMatchObject({ state: 'closed', state_reason: 'not_planned' });
  expect(still).toEqual([]);
  expect(open()).toEqual([1]);
  expect(posts()).toBe(1);
  expect(comments(1).map(firstLine)).toEqual([
    'Waived until 2026-03-12 by `ann`: `switched off`',
    'It is due again, on 2026-03-10.',
    '**High**: it has been overdue for 3 days, since 2026-03-10.',
  ]);
});

describe('rotated', () => {
  test('the issue is closed with the evidence at once, and the next time another one is opened', async () => {
    const { add, say, run, later, comments, issue, open } = await startWorld();
    const id = await add({ next_rotation_due: '2026-03-10', rotation_period_days: 30 });
    await run();

    await say('POST', `/credentials/${id}/rotated`, { note: 'by hand' });
    const closed = issue(1);
    await run();
    await later(16);
    await run();

    expect(closed).toMatchObject({ state: 'closed', state_reason: 'completed' });
    expect(comments(1).map((said) => said.replace(/<!--.*/s, '').trim())).toEqual([
      'Rotated at 2026-03-02T10:00:03.000Z. It was said to be rotated by `admin`.\n\nNote: `by hand`\n\nIt is due next on 2026-04-01.',
    ]);
    expect(open()).toEqual([2]);
    expect(issue(2).body).toContain(`cycle=2026-04-01 -->`);
  });

  test('and closed by hand before that was seen, the evidence is told all the same', async () => {
    const { service, add, run, later, comments, act, open } = await startWorld();
    const id = await add({ next_rotation_due: '2026-03-10', rotation_period_days: 300 });
    await run();

    await act('PATCH', '/issues/1', { state: 'closed' });
    service.pass({ seconds: 1 });
    await service.call('POST', `/credentials/${id}/rotated`, {});
    await run();
    await later(1);

    expect(comments(1)).toHaveLength(1);
    expect(open()).toEqual([]);
  });

  test('but due on the same day, it is asked for again, once', async () => {
    const { add, say, run, open, posts, comments } = await startWorld();
    const id = await add({ next_rotation_due: '2026-03-10' });
    await run();

    await say('POST', `/credentials/${id}/rotated`, { next_rotation_due: '2026-03-10' });
    for (let run_ = 0; run_ < 3; run_ += 1) await run();

    expect([open(), posts(), comments(1).length]).toEqual([[1], 1, 2]);
  });
});

describe('a due date', () => {
  test('that is moved within the lead time moves in the issue', async () => {
    const { add, say, run, issue, open, comments, act } = await startWorld();
    const id = await add({ next_rotation_due: '2026-03-08' });
    await run();
    const ticked = issue(1).body?.replace('- [ ] Generate', '- [x] Generate').replaceAll('\n', '\r\n');
    await act('PATCH', '/issues/1', { body: ticked });

    await say('PATCH', `/credentials/${id}`, { next_rotation_due: '2026-03-12' });
    await run();

    expect(open()).toEqual([1]);
    expect(issue(1).body).toContain('**Current Rotation Due:** 2026-03-12');
    expect(issue(1).body).toContain('- [x] Generate the new secret');
    expect(issue(1).body?.match(/cycle=.*/g)).toEqual(['cycle=2026-03-12 -->']);
    expect(comments(1)).toEqual([]);
  });

  test('that is moved out of it closes the issue, as often as that is done', async () => {
    const { add, say, run, open, comments, posts } = await startWorld();
    const id = await add({ next_rotation_due: '2026-03-10' });
    await run();
    for (let time = 0; time < 2; time += 1) {
      await say('PATCH', `/credentials/${id}`, { next_rotation_due: '2026-06-01' });
      expect(open()).toEqual([]);
      await say('PATCH', `/credentials/${id}`, { next_rotation_due: '2026-03-10' });
      await run();
      expect(open()).toEqual([1]);
    }

    expect(posts()).toBe(1);
    expect(comments(1).map(firstLine)).toEqual([
      'It is due on 2026-06-01 now.',
      'It is due again, on 2026-03-10.',
      'It is due on 2026-06-01 now.',
      'It is due again, on 2026-03-10.',
    ]);
  });
});

test.each(['retired', 'planned'])('one that is %s has no issue', async (lifecycle_state) => {
  const { add, say, run, open, comments } = await startWorld();
  const id = await add({ next_rotation_due: '2026-03-10' });
  await run();

  await say('PATCH', `/credentials/${id}`, { lifecycle_state });
  await run();

  expect(open()).toEqual([]);
  expect(comments(1).map(firstLine)).toEqual([`It is ${lifecycle_state} now, and needs no rotation.`]);
});

test('what leaked has a critical issue at once, whatever its dates say', async () => {
  const { add, say, open, labels, issue, comments } = await startWorld();
  const ids = [];
  for (const next_rotation_due of ['2027-01-01', '2026-03-10', null])
    ids.push(await add({ credential_name: `due ${next_rotation_due}`, next_rotation_due }));

  for (const id of ids) await say('PATCH', `/credentials/${id}`, { lifecycle_state: 'compromised' });
  const opened = open();
  const labelled = opened.map(labels);
  const words = opened.map((number) => issue(number).body?.match(/^\*\*Critical.*/m)?.[0]);
  for (const id of ids) await say('POST', `/credentials/${id}/rotated`, { next_rotation_due: '2027-01-01' });

  expect(opened).toEqual([1, 2, 3]);
  expect(labelled.flat().filter((name) => name === 'priority:critical')).toHaveLength(3);
  expect(new Set(words)).toEqual(new Set(['**Critical**: it is compromised. Rotate it now, whatever its dates say.']));
  expect(open()).toEqual([]);
  expect(comments(3)).toHaveLength(1);
});

test('what leaks while its issue stands is told in it at once', async () => {
  const { add, say, run, comments, labels, open } = await startWorld();
  const id = await add({ next_rotation_due: '2026-03-10' });
  await run();

  await say('PATCH', `/credentials/${id}`, { lifecycle_state: 'compromised' });
  await run();

  expect(open()).toEqual([1]);
  expect(labels(1)).toContain('priority:critical');
  expect(comments(1)).toHaveLength(1);
});
