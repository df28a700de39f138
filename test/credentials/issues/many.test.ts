/** Much at once: credentials that are due together, and a repository full of what is not ours. */

import { expect, test } from 'vitest';
import { startWorld } from './world.ts';

const isLong = process.env.ROLLCALL_LONG !== undefined;
const day = (days: number) => Temporal.PlainDate.from('2026-03-02').add({ days }).toString();

test('of 300 that are due at once each run opens as many as it may, the most urgent first', async () => {
  const { service, run, open, issue, posts } = await startWorld();
  // Spread, so that the order is not that of their making.
  for (let index = 0; index < 300; index += 1)
    await service.call('POST', '/credentials', {
      credential_name: `token ${index}`,
      credential_type: 'api_token',
      next_rotation_due: day(((index * 7) % 30) - 15),
    });

  const first = await run();
  const dues = open().map((number) => issue(number).body?.match(/Due:\*\* (\S+)/)?.[1]);
  const runs = [first];
  while (runs.length < (isLong ? 15 : 4)) runs.push(await run());
  const last = await run();

  expect(dues).toEqual([...Array(10).fill(day(-15)), ...Array(10).fill(day(-14))]);
  expect(first).toMatchObject({
    outcome: 'partial',
    opened: 20,
    waiting: 280,
    error: '280 more are due and wait for the next run, for one run opens 20 at most (github.max_creates_per_run).',
  });
  expect(runs.map(({ opened }) => opened)).toEqual(runs.map(() => 20));
  expect(last).toMatchObject(isLong ? { outcome: 'good', opened: 0, waiting: 0 } : { opened: 20, waiting: 200 });
  const count = isLong ? 300 : 100;
  expect([open().length, posts(), new Set(open().map((number) => issue(number).title)).size]).toEqual([
    count,
    count,
    count,
  ]);
});

test('what leaked goes before all, and what the policy calls critical before what is due sooner', async () => {
  const { add, run, open, issue } = await startWorld({
    github: { max_creates_per_run: 1 },
    settings: { credentials: { policies: { root: { priority: 'critical' } } } },
  });
  await add({ credential_name: 'sooner', next_rotation_due: day(-5) });
  await add({ credential_name: 'later', credential_type: 'root', next_rotation_due: day(5) });
  await add({ credential_name: 'leaked', lifecycle_state: 'compromised' });

  await run();
  await run();

  expect(open().map((number) => issue(number).title)).toEqual([
    'Rotate credential: leaked',
    'Rotate credential: later',
    'Rotate credential: sooner',
  ]);
});

test('among 120 issues and pull requests of others with the same label ours is found, and they are left alone', async () => {
  const { add, act, run, later, open, posts, sim } = await startWorld();
  const foreign = (pull: boolean) =>
    Array.from({ length: 60 }, (_, index) => ({
      title: `Rotate credential: ${pull ? 'pve token' : `theirs ${index}`}`,
      labels: ['credential-rotation'],
      user: 'alice',
      pull,
    }));
  await act('POST', '/issues', foreign(true));
  await add({ next_rotation_due: day(8) });
  await run();
  await act('POST', '/issues', foreign(false));
  const before = JSON.stringify(sim.issues().filter(({ number }) => number !== 61));

  await run();
  await later(2);

  expect(posts()).toBe(1);
  expect(open()).toContain(61);
  expect(JSON.stringify(sim.issues().filter(({ number }) => number !== 61))).toBe(before);
  expect(sim.log.some(({ query }) => query.page === '2')).toBe(true);
});
