import { expect, test } from 'vitest';
import { openLog } from '../src/log.ts';
import { openPeerAlerts } from '../src/peer-alerts.ts';
import { listAlerts } from '../src/store/alerts.ts';
import type { Store } from '../src/store/open.ts';
import { openedStore } from './store/world.ts';

const clock = () => Temporal.Instant.from('2026-03-02T10:00:00Z');

function alertsOf(store: Store) {
  return openPeerAlerts(store, clock, openLog('silent', 'json'));
}

async function standing(store: Store) {
  const { rows } = await listAlerts(store.read, 100);
  return rows.filter(({ until }) => until === null).map(({ kind, subject, what_to_do }) => [kind, subject, what_to_do]);
}

test('a peer that is down is an alert, until it answers', async () => {
  const store = await openedStore();
  const alerts = alertsOf(store);

  alerts.turned('proxmox:home', 'It is off.');
  alerts.turned('proxmox:away', 'Its certificate expired.');
  alerts.turned('proxmox:home', undefined);
  await alerts.close();

  expect(await standing(store)).toEqual([['peer_down', 'proxmox:away', 'Its certificate expired.']]);
  expect((await listAlerts(store.read, 100)).count).toBe(2);
});

test('an alert of a peer that is none any more ends; another goes on until the peer answers', async () => {
  const store = await openedStore();
  const before = alertsOf(store);
  for (const peer of ['proxmox:home', 'proxmox:gone']) before.turned(peer, 'It is off.');
  await before.close();

  await alertsOf(store).keepOnly(['proxmox:home']);

  expect(await standing(store)).toEqual([['peer_down', 'proxmox:home', 'It is off.']]);
});
