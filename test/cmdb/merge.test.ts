/** All claims of one item → the item. */

import { expect, test } from 'vitest';
import { blankClaim } from '../../src/cmdb/apply.ts';
import type { Claim, ClaimId, ItemId, Said, SourceRef } from '../../src/cmdb/item.ts';
import { kindOf, ranksOf, sourceKinds } from '../../src/cmdb/kinds.ts';
import { mergeClaims, type Pin, type Standing } from '../../src/cmdb/merge.ts';

const ranks = ranksOf(sourceKinds, {});
const day = (number: number) => `2026-03-0${number}T00:00:00.000Z`;

function claim(source: string, said: Said, more: Partial<Claim> = {}): Claim {
  return {
    ...blankClaim(source as ClaimId, source as SourceRef, kindOf(source), day(1)),
    native_key: source,
    ci_id: 'ci' as ItemId,
    said: { ci_name: 'web-1', ...said },
    heard_at: day(5),
    heard_pass_id: 'pass',
    ...more,
  };
}

const standing: Standing = {
  hold: null,
  ansible_name: 'web-1',
  generation: 1,
  merged_into: null,
  deleted_at: null,
  taken_off: {},
  handed_down: {},
  winners: {},
};

function merged(claims: Claim[], pins: Pin[] = [], more: Partial<Standing> = {}) {
  return mergeClaims(claims, pins, { ...standing, ...more }, ranks, 'site-home', day(5));
}

const hypervisor = claim('proxmox-api:home', {
  ci_type: 'virtual_machine',
  technical_specs: { cpu_cores: 2, os: 'linux' },
});
const facts = claim('ansible:facts', { technical_specs: { cpu_cores: 4, os: 'Debian' } });
const person = claim('manual:alice', { role: 'web', technical_specs: { cpu_cores: 8 } });
const state = claim('terraform:infra', { role: 'server', environment: 'prod', lifecycle: 'planned' });

test.each<[string, Claim[], object]>([
  [
    'what is measured comes from the hypervisor, the system from facts',
    [facts, hypervisor],
    { technical_specs: { cpu_cores: 2, os: 'Debian' } },
  ],
  [
    'what a thing is for comes from people before Terraform',
    [state, person],
    { role: 'web', environment: 'prod', lifecycle: 'planned' },
  ],
  [
    'a type that is known beats one that is not',
    [claim('proxmox-api:home', { ci_type: 'machine' }), claim('import:hosts', { ci_type: 'network_device' })],
    { ci_type: 'network_device' },
  ],
  ['nobody says a lifecycle: it is active', [hypervisor], { lifecycle: 'active', ci_status: 'active' }],
  ['what intends it manages it, before what measures it', [hypervisor, state], { managed_by: 'terraform' }],
  ['an import manages nothing', [claim('import:hosts', {})], { managed_by: null, discovered_by: 'manual' }],
  [
    'the first automatic source discovered it',
    [claim('terraform:infra', {}, { first_said_at: day(2) }), hypervisor],
    { discovered_by: 'proxmox-api:home' },
  ],
  [
    'a guest is where its cluster is, whatever a script says',
    [
      claim('proxmox-api:home', { pve: 'home/1', site_id: 'ranch' }),
      claim('proxmox-api:script', { site_id: 'x' }, { first_said_at: day(2) }),
    ],
    { site_id: 'ranch' },
  ],
  [
    'a person says where a guest is, before its cluster',
    [claim('proxmox-api:home', { pve: 'home/1', site_id: 'ranch' }), claim('manual:alice', { site_id: 'barn' })],
    { site_id: 'barn' },
  ],
  [
    'tags add up',
    [claim('proxmox-api:home', { tags: ['b', 'a'] }), claim('manual:alice', { tags: ['c', 'a'] })],
    { tags: ['a', 'b', 'c'] },
  ],
])('%s', (_what, claims, expected) => {
  expect(merged(claims).document).toMatchObject(expected);
  expect(merged(claims.toReversed()).document).toMatchObject(expected);
});

test('what is withdrawn has no word and takes nothing away, unless nobody else ever spoke of the item', () => {
  const guest = { ci_name: 'a', power: 'running', technical_specs: { node: 'pve1' } };
  const withdrawn = claim('proxmox-api:home', guest, { gone_since: day(4), gone_for_good: 'withdrawn' });
  const person = claim('manual:alice', { ci_name: 'b' });

  const beside = merged([withdrawn, person]).document;
  const alone = merged([withdrawn]).document;

  expect(beside).toMatchObject({ ci_name: 'b', ci_status: 'active', absence: null, power: null, technical_specs: {} });
  expect(alone).toMatchObject({ ci_name: 'a', ci_status: 'retired', technical_specs: { node: 'pve1' } });
});

test('among claims of one kind the value said last wins', () => {
  const former = claim('terraform:a', { role: 'web' }, { since: { role: day(3) } });
  const later = claim('terraform:b', { role: 'db' }, { since: { role: day(4) } });

  expect(merged([later, former]).document.role).toBe('db');
});

test('what is gone has a word only where it was measured, and nobody of its kind speaks any more', () => {
  const goneHypervisor = { ...hypervisor, gone_since: day(4) };
  const gonePerson = { ...person, gone_since: day(4) };

  const { document } = merged([goneHypervisor, gonePerson, facts]);

  expect(document).toMatchObject({ role: null, technical_specs: { cpu_cores: 2, os: 'Debian' } });
});

test('an item of which nobody speaks any more stands as it was, and is missing', () => {
  const { document } = merged([{ ...person, gone_since: day(5) }]);

  expect(document).toMatchObject({ ci_name: 'web-1', role: 'web', absence: 'missing', ci_status: 'missing' });
});

test('the number that a former guest had has no word while anybody else ever spoke of the item', () => {
  const former = { ...claim('proxmox-api:home', { ci_name: 'web-0' }), gone_since: day(4), ghost_of: 'a' as ClaimId };
  const goneState = { ...claim('terraform:a', { ci_name: 'web-1' }), gone_since: day(5) };

  expect(merged([former, goneState]).document.ci_name).toBe('web-1');
  expect(merged([former]).document.ci_name).toBe('web-0');
});

test('Terraform’s word does not keep a guest that no measuring source sees', () => {
  expect(merged([{ ...hypervisor, gone_since: day(4) }, state]).document.ci_status).toBe('missing');
});

test('a pin is above every source', () => {
  const { document, winners } = merged(
    [hypervisor],
    [{ attribute: 'technical_specs.cpu_cores', value: 16, since: day(2) }],
  );

  expect(document.technical_specs.cpu_cores).toBe(16);
  expect(winners['technical_specs.cpu_cores']).toEqual({ source: 'pin', since: day(2) });
});

test('what is pinned is known, though nobody says it', () => {
  const pins = Object.entries({ 'technical_specs.rack': 7, 'ansible.host': '10.0.0.5', 'ansible.vars.a.b': true });

  const { document } = merged(
    [hypervisor],
    pins.map(([attribute, value]) => ({ attribute, value, since: day(2) })),
  );

  expect(document.technical_specs).toEqual({ cpu_cores: 2, os: 'linux', rack: 7 });
  expect(document.ansible).toEqual({ host: '10.0.0.5', vars: { 'a.b': true } });
});

test('what a person took off stays off, whoever says it', () => {
  const { document } = merged([claim('proxmox-api:home', { tags: ['a', 'b'] })], [], { taken_off: { tags: ['a'] } });

  expect(document.tags).toEqual(['b']);
});

test('a winner is known since the value came into force', () => {
  const since = { role: day(3) };
  const winners = {
    role: { source: 'manual:alice', since: day(2) },
    environment: { source: 'manual:alice', since: day(2) },
  };

  const result = merged([claim('manual:alice', { role: 'web' }, { since }), state], [], { winners });

  expect(result.winners).toMatchObject({
    role: { source: 'manual:alice', since: day(3) },
    environment: { source: 'terraform:infra', since: day(5) },
  });
});
