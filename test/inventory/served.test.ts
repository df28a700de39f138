import { expect, test } from 'vitest';
import type { Item } from '../../src/cmdb/item.ts';
import { newSite } from '../../src/cmdb/sites.ts';
import { matcherOf } from '../../src/inventory/match.ts';
import { type ServingRules, servingOf } from '../../src/inventory/served.ts';
import { itemWith } from './item.ts';

const held = { reason: 'new disks', by: 'manual:alice', until: null };
const byProxmox = { ci_type: { source: 'proxmox-api:home', since: '2026-03-02T10:00:00.000Z' } };
const byAlice = { ci_name: { source: 'manual:alice', since: '2026-03-02T10:00:00.000Z' } };
const off: Partial<Item> = { ansible: { enabled: false } };
const on: Partial<Item> = { ansible: { enabled: true } };

const holding = { ...newSite('site-home', '2026-03-01T10:00:00.000Z'), new_hosts: 'hold' as const };
const rules: ServingRules = {
  notServed: [matcherOf({ ci_name: 'lab-*' })],
  sites: new Map([['site-hold', { ...holding, site_id: 'site-hold', new_hosts_since: '2026-03-02T00:00:00.000Z' }]]),
};

test.each<[string, Partial<Item>, 'served' | 'not' | 'held' | 'stopped']>([
  ['one that runs', {}, 'served'],
  ['one that is active', { ci_status: 'active', power: null }, 'served'],
  ...['lxc_container', 'physical_server', 'network_device', 'machine'].map(
    (ci_type) => [`a ${ci_type}`, { ci_type }, 'served'] as [string, Partial<Item>, 'served'],
  ),
  ...['cluster', 'storage', 'network', 'container', 'service', 'application'].map(
    (ci_type) => [`a ${ci_type}`, { ci_type }, 'not'] as [string, Partial<Item>, 'not'],
  ),
  ...['planned', 'retired', 'missing', 'paused'].map(
    (ci_status) => [`one that is ${ci_status}`, { ci_status }, 'not'] as [string, Partial<Item>, 'not'],
  ),
  ['one that was deleted', { deleted_at: '2026-03-02T10:00:00.000Z' }, 'not'],
  ['one without a name', { ansible_name: null }, 'not'],
  ['a template', { technical_specs: { template: true } }, 'not'],
  ['a template, as Proxmox says it', { technical_specs: { template: 1 } }, 'not'],
  ['a template that is enabled', { technical_specs: { template: 1 }, ...on }, 'not'],
  ['what is no template', { technical_specs: { template: 0 } }, 'served'],
  ['one that is switched off', off, 'not'],
  ['one with the tag no-ansible', { tags: ['no-ansible'] }, 'not'],
  ['one with the tag no-ansible that is enabled', { tags: ['no-ansible'], ...on }, 'served'],
  ['one that fits a rule', { ci_name: 'lab-1' }, 'not'],
  ['one that fits a rule and is enabled', { ci_name: 'lab-1', ...on }, 'served'],
  ['a hypervisor node', { ci_type: 'physical_server', winners: byProxmox }, 'not'],
  ['a hypervisor node that is enabled', { ci_type: 'physical_server', winners: byProxmox, ...on }, 'served'],
  ['one found at a site that holds new hosts', { site_id: 'site-hold' }, 'not'],
  ['one found there that is enabled', { site_id: 'site-hold', ...on }, 'served'],
  ['one found there that a person speaks of', { site_id: 'site-hold', winners: byAlice }, 'served'],
  ['one found there before', { site_id: 'site-hold', created_at: '2026-03-01T23:00:00.000Z' }, 'served'],
  ['one that is held', { ci_status: 'maintenance', hold: held }, 'held'],
  [
    'one that is held and stopped',
    { ci_status: 'maintenance', hold: held, power: 'stopped', stop_confirmed: true },
    'not',
  ],
  ['one that just stopped', { ci_status: 'stopped', power: 'stopped' }, 'served'],
  ['one that is stopped', { ci_status: 'stopped', power: 'stopped', stop_confirmed: true }, 'stopped'],
])('%s is served as it should be', (_, given, expected) => {
  const serving = servingOf(itemWith(given), rules);

  expect(serving.served ? 'served' : (serving.unless ?? 'not')).toBe(expected);
  expect(serving.why).toMatch(/^\S.*\S$/);
});
