import { expect, test } from 'vitest';
import { openMetrics } from '../../src/http/metrics.ts';
import { type PeerState, peersOnTheWire } from '../../src/http/peers.ts';
import { openedStore } from '../store/world.ts';

const until = '2026-03-02T10:00:30.000Z';
const home: PeerState = { name: 'proxmox:home', state: 'up', until: null, answeredAt: until };
const away: PeerState = { name: 'proxmox:away', state: 'down', until, answeredAt: null };

test('the metrics count calls to other systems by how they went, and say who is left alone', async () => {
  let peers = [home, away];
  const metrics = openMetrics(await openedStore(), () => peers);
  metrics.called('proxmox:home', 'ok', 0.1);
  metrics.called('proxmox:home', 'ok', 0.2);
  metrics.called('proxmox:home', 'timeout', 15);

  const text = await metrics.registry.metrics();
  peers = [home];
  const later = await metrics.registry.metrics();

  expect(text).toContain('rollcall_outbound_requests_total{peer="proxmox:home",outcome="ok"} 2');
  expect(text).toContain('rollcall_outbound_requests_total{peer="proxmox:home",outcome="timeout"} 1');
  expect(text).toContain('rollcall_outbound_request_duration_seconds_count{peer="proxmox:home"} 3');
  expect(text).toContain('rollcall_outbound_breaker_open{peer="proxmox:home"} 0');
  expect(text).toContain('rollcall_outbound_breaker_open{peer="proxmox:away"} 1');
  expect(later).not.toContain('proxmox:away');
});

test('the probe tells names and states, and no address', () => {
  expect(peersOnTheWire(() => [away, { ...home, address: 'https://pve1.lan' } as PeerState])).toEqual([
    { name: 'proxmox:away', state: 'down', until, last_answered_at: null },
    { name: 'proxmox:home', state: 'up', until: null, last_answered_at: until },
  ]);
});
