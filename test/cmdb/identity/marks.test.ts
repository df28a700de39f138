/** By which values a claim is found, and what identifies nothing. */

import { expect, test } from 'vitest';
import { identifiersOf, machineIdOf, macOf, serialOf, uuidOf } from '../../../src/cmdb/identity/marks.ts';
import type { Said } from '../../../src/cmdb/item.ts';

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
  [
    'a machine with an FQDN in a domain of its site',
    { ci_type: 'machine', ci_name: 'nas.home.lab', technical_specs: { machine_id: 'ABC' } },
    [
      'machine_id abc nas',
      'fqdn site-home nas.home.lab',
      'name host site-home nas.home.lab',
      'name host site-home nas',
    ],
  ],
  [
    'facts that were taken inside a container',
    { ci_name: 'ct', container: true, technical_specs: { uuid, serial: '7CE719P3XK', macs: ['BC:24:11:9C:81:2E'] } },
    ['mac bc:24:11:9c:81:2e', 'name host site-home ct'],
  ],
])('%s is found by what identifies it', (_what, said, expected) => {
  expect(identifiersOf(said, 'site-home', () => ['home.lab']).map(({ kind, value }) => `${kind} ${value}`)).toEqual(
    expected,
  );
});
