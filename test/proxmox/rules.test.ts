import { expect, test } from 'vitest';
import { type GuestRow, readResources } from '../../src/proxmox/rows.ts';
import { wantedBy } from '../../src/proxmox/rules.ts';

const row = readResources([
  { type: 'qemu', vmid: 100, node: 'pve1', name: 'web', status: 'running', tags: 'prod;web', pool: 'customers/acme' },
]).guests[0] as GuestRow;

test.each([
  ['nothing said', {}, true],
  ['included by a tag', { include: [{ tag: 'web' }] }, true],
  ['included by another tag', { include: [{ tag: 'db' }] }, false],
  ['included by one of several', { include: [{ tag: 'db' }, { vmid: 100 }] }, true],
  ['included by one of the values', { include: [{ tag: ['db', 'prod'] }] }, true],
  ['included where all keys must fit', { include: [{ tag: 'web', node: 'pve2' }] }, false],
  ['included by nothing', { include: [] }, false],
  ['excluded by a glob', { exclude: [{ tag: 'pr*' }] }, false],
  ['excluded by a glob of one letter', { exclude: [{ node: 'pve?' }] }, false],
  ['excluded by a pool in another', { exclude: [{ pool: 'customers/*' }] }, false],
  ['excluded by a number', { exclude: [{ vmid: [99, 100] }] }, false],
  ['excluded without regard to case', { exclude: [{ tag: 'PROD' }] }, false],
  ['not excluded by a part of a word', { exclude: [{ tag: 'pro' }] }, true],
  ['not excluded by a letter that is none', { exclude: [{ node: 'pve.' }] }, true],
  ['excluded although it is included', { include: [{ tag: 'web' }], exclude: [{ vmid: 100 }] }, false],
])('%s', (_, rules, wanted) => {
  expect(wantedBy(rules)(row)).toBe(wanted);
});

test('a guest in no pool fits no rule by pool', () => {
  expect(wantedBy({ exclude: [{ pool: '*' }] })({ ...row, pool: undefined })).toBe(true);
});
