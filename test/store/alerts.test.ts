import { expect, test } from 'vitest';
import { listAlerts, listStanding, setAlerts } from '../../src/store/alerts.ts';
import type { Store } from '../../src/store/open.ts';
import { type Stamp, stamp } from '../../src/time.ts';
import { openedStore } from './world.ts';

const hour = (number: number): Stamp => stamp(Temporal.Instant.from('2026-03-02T10:00:00Z').add({ hours: number }));

function set(store: Store, kind: string, subjects: readonly string[], at: Stamp): Promise<void> {
  const standing = new Map(subjects.map((subject) => [subject, `Look after ${subject}.`]));
  return store.write((trx) => setAlerts(trx, kind, standing, at));
}

async function alertsIn(store: Store) {
  const { rows } = await listAlerts(store.read, 100);
  return rows.map(({ kind, subject, since, until }) => [kind, subject, since, until]);
}

test('an alert begins when it is first said, goes on while it is, and ends when it no longer is', async () => {
  const store = await openedStore();

  await set(store, 'job_failed', ['backup'], hour(0));
  await set(store, 'job_failed', ['backup', 'sweep'], hour(1));
  await set(store, 'job_failed', ['sweep'], hour(2));

  expect(await alertsIn(store)).toEqual([
    ['job_failed', 'sweep', hour(1), null],
    ['job_failed', 'backup', hour(0), hour(2)],
  ]);
  expect(await listStanding(store.read, 'job_failed')).toEqual(['sweep']);
});

test('what ended and comes again is another alert', async () => {
  const store = await openedStore();
  await set(store, 'job_failed', ['backup'], hour(0));
  await set(store, 'job_failed', [], hour(1));

  await set(store, 'job_failed', ['backup'], hour(2));

  expect(await alertsIn(store)).toEqual([
    ['job_failed', 'backup', hour(2), null],
    ['job_failed', 'backup', hour(0), hour(1)],
  ]);
});

test('alerts of one kind do not end those of another', async () => {
  const store = await openedStore();
  await set(store, 'job_failed', ['backup'], hour(0));

  await set(store, 'held_pass', [], hour(1));

  expect(await listStanding(store.read, 'job_failed')).toEqual(['backup']);
});

test('alerts are listed in pages, standing ones first, then the newest', async () => {
  const store = await openedStore();
  for (let number = 0; number < 6; number += 1) await set(store, 'job_failed', [`job-${number % 3}`], hour(number));

  const first = await listAlerts(store.read, 4);
  const last = first.rows[3];
  const second = await listAlerts(store.read, 4, [1, last?.since as string, last?.alert_id as string]);

  expect(first).toMatchObject({ count: 6 });
  expect([...first.rows.slice(0, 4), ...second.rows].map(({ since }) => since)).toEqual(
    [5, 4, 3, 2, 1, 0].map((number) => hour(number)),
  );
});

test('what is to be done about an alert that stands is told anew', async () => {
  const store = await openedStore();
  const say = async (what: string, at: Stamp) =>
    await store.write((trx) => setAlerts(trx, 'suspicious_pass', new Map([['proxmox-api:home', what]]), at));
  await say('Accept the first.', hour(0));

  await say('Accept the second.', hour(1));

  expect((await listAlerts(store.read, 100)).rows).toMatchObject([
    { what_to_do: 'Accept the second.', since: hour(0), until: null },
  ]);
});
