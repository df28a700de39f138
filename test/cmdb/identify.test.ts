/** Which item a claim speaks of, and by which values it is found. */

import { expect, test } from 'vitest';
import {
  type Candidate,
  identifiersOf,
  identify,
  machineIdOf,
  macOf,
  serialOf,
  uuidOf,
} from '../../src/cmdb/identify.ts';
import type { ItemId, Said } from '../../src/cmdb/item.ts';

const uuid = '926c2366-ccf8-46fb-ab3f-95c5358f7101';

test.each([
  ['as it is', uuid, uuid],
  ['in upper case and braces', `{${uuid.toUpperCase()}}`, uuid],
  ['of zeros', '00000000-0000-0000-0000-000000000000', undefined],
  ['that a board maker left', '03000200-0400-0500-0006-000700080009', undefined],
  ['that is none', 'NA', undefined],
])('a UUID %s', (_how, value, expected) => {
  expect(uuidOf(value)).toBe(expected);
});

test.each([
  ['in upper case', 'BC:24:11:9C:81:2E', 'bc:24:11:9c:81:2e'],
  ['with hyphens', 'bc-24-11-9c-81-2e', 'bc:24:11:9c:81:2e'],
  ['that is locally administered', '4e:47:10:50:72:69', '4e:47:10:50:72:69'],
  ['of docker', '02:42:ac:11:00:01', undefined],
  ['of a tap', 'fe:54:00:11:22:33', undefined],
  ['of VRRP', '00:00:5e:00:01:0a', undefined],
  ['of a group', '01:00:5e:00:00:01', undefined],
  ['of nothing', '00:00:00:00:00:00', undefined],
  ['that is none', 'eth0', undefined],
])('a hardware address %s', (_how, value, expected) => {
  expect(macOf(value)).toBe(expected);
});

test.each([
  ['7CE719P3XK', '7ce719p3xk'],
  ['To Be Filled By O.E.M.', undefined],
  ['NA', undefined],
  ['00000000', undefined],
  ['', undefined],
])('the serial %j', (value, expected) => {
  expect(serialOf(value)).toBe(expected);
});

test('a machine-id that was not made yet identifies nothing', () => {
  expect([machineIdOf('uninitialized'), machineIdOf('0'.repeat(32)), machineIdOf(' ABC ')]).toEqual([
    undefined,
    undefined,
    'abc',
  ]);
});

test.each<[string, Said, string[]]>([
  [
    'a guest as its hypervisor reports it',
    {
      ci_type: 'virtual_machine',
      ci_name: 'Web-1',
      pve: 'home/102',
      technical_specs: { vmid: 102, node: 'PVE1', uuid },
    },
    ['pve home/102', 'guest pve1/102', `uuid ${uuid}`, 'name host site-home web-1'],
  ],
  [
    'a Terraform resource that is named by node and number',
    { ci_type: 'virtual_machine', ci_name: 'web-1', terraform_resource_id: 'pve1/qemu/102' },
    ['guest pve1/102', 'name host site-home web-1'],
  ],
  [
    'a container, whose UUID and serial are its host’s',
    { ci_type: 'lxc_container', ci_name: 'ct', technical_specs: { uuid, serial: '7CE719P3XK' } },
    ['name host site-home ct'],
  ],
  [
    'what has a parent',
    { ci_type: 'storage', ci_name: 'local', technical_specs: { parent: 'pve1', uuid } },
    ['name storage site-home pve1 local'],
  ],
  [
    'a machine that calls itself localhost',
    { ci_type: 'machine', ci_name: 'localhost', technical_specs: { fqdn: 'localhost.localdomain' } },
    [],
  ],
  [
    'a machine with an FQDN',
    { ci_type: 'machine', ci_name: 'web-1', site_id: 'site-ranch', technical_specs: { fqdn: 'Web-1.ranch.lab.' } },
    ['fqdn site-ranch web-1.ranch.lab', 'name host site-ranch web-1'],
  ],
])('%s is found by what identifies it', (_what, said, expected) => {
  expect(identifiersOf(said, 'site-home').map(({ kind, value }) => `${kind} ${value}`)).toEqual(expected);
});

const candidate = (id: string, more: Partial<Candidate> = {}): Candidate => ({
  ci_id: id as ItemId,
  ci_type: 'virtual_machine',
  site_id: 'site-home',
  retired: false,
  created_at: id,
  keys: new Map(),
  numbers: new Set(),
  ...more,
});

const among = (...found: [string, Candidate][]) => ({
  byKey: () => undefined,
  byIdentifier: (kind: string, value: string) =>
    found.filter(([key]) => key === `${kind} ${value}`).map(([, one]) => one),
});

function whom(said: Said, known: ReturnType<typeof among>, source = 'terraform:infra', key: string | null = 'k') {
  return identify(source, key, said, identifiersOf(said, 'site-home'), known);
}

const web = { ci_type: 'virtual_machine', ci_name: 'web-1' };
const numbered = { ...web, technical_specs: { vmid: 102, node: 'pve' } };

test.each<[string, Said, ReturnType<typeof among>, string | undefined]>([
  ['the one of that name', web, among(['name host site-home web-1', candidate('1')]), '1'],
  [
    'the older of two',
    web,
    among(['name host site-home web-1', candidate('2')], ['name host site-home web-1', candidate('1')]),
    '1',
  ],
  [
    'the living before the retired',
    web,
    among(
      ['name host site-home web-1', candidate('1', { retired: true })],
      ['name host site-home web-1', candidate('2')],
    ),
    '2',
  ],
  [
    'none of another type',
    web,
    among(['name host site-home web-1', candidate('1', { ci_type: 'lxc_container' })]),
    undefined,
  ],
  [
    'one whose type is not known better',
    web,
    among(['name host site-home web-1', candidate('1', { ci_type: 'machine' })]),
    '1',
  ],
  [
    'none that has another key of the source',
    web,
    among(['name host site-home web-1', candidate('1', { keys: new Map([['terraform:infra', new Set(['other'])]]) })]),
    undefined,
  ],
  [
    'the guest of the number, whatever its name',
    numbered,
    among(['guest pve/102', candidate('1', { numbers: new Set(['home/102']) })]),
    '1',
  ],
  [
    'of two clusters the one at the site',
    { ...numbered, site_id: 'site-b' },
    among(
      ['guest pve/102', candidate('1', { numbers: new Set(['a/102']) })],
      ['guest pve/102', candidate('2', { numbers: new Set(['b/102']), site_id: 'site-b' })],
    ),
    '2',
  ],
  [
    'of two clusters none where no site tells',
    numbered,
    among(
      ['guest pve/102', candidate('1', { numbers: new Set(['a/102']) })],
      ['guest pve/102', candidate('2', { numbers: new Set(['b/102']) })],
    ),
    undefined,
  ],
  ['none by a number that no hypervisor reports', numbered, among(['guest pve/102', candidate('1')]), undefined],
])('a claim finds %s', (_whom, said, known, expected) => {
  expect(whom(said, known)?.ci_id).toBe(expected);
});
