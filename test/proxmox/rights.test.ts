import { describe, expect, test } from 'vitest';
import {
  agentRight,
  grantingCommands,
  holdsBelow,
  majorOf,
  mayEver,
  missingRights,
  readRights,
  seesGuests,
} from '../../src/proxmox/rights.ts';

const auditor9 = {
  'VM.Audit': 1,
  'VM.GuestAgent.Audit': 1,
  'Sys.Audit': 1,
  'Datastore.Audit': 1,
  'SDN.Audit': 1,
  'Pool.Audit': 1,
};
const auditor8 = { 'VM.Audit': 1, 'Sys.Audit': 1, 'Datastore.Audit': 1, 'SDN.Audit': 1, 'Pool.Audit': 1 };

test.each([
  ['at the root', { '/': { 'VM.Audit': 1 } }, true],
  ['at the path', { '/vms': { 'VM.Audit': 1 } }, true],
  ['not where it is not passed on', { '/': { 'VM.Audit': 0 } }, false],
  ['not for one guest', { '/vms/100': { 'VM.Audit': 1 } }, false],
  ['not where there is none', {}, false],
])('a right holds for all guests %s', (_, data, holds) => {
  expect(holdsBelow(readRights(data), '/vms', 'VM.Audit')).toBe(holds);
});

test.each([
  ['of all', { '/': { 'VM.Audit': 1 } }, true],
  ['of one', { '/vms/100': { 'VM.Audit': 1 } }, true],
  ['of a pool', { '/pool/lab': { 'VM.Audit': 1, 'Pool.Audit': 1 } }, true],
  ['of none, where it may see nodes alone', { '/nodes': { 'Sys.Audit': 1 } }, false],
  ['of none, where it may see storages alone', { '/storage': { 'VM.Audit': 1 } }, false],
  ['of none, without any right', {}, false],
])('a token sees guests %s', (_, data, sees) => {
  expect(seesGuests(readRights(data))).toBe(sees);
});

test.each([[null], ['text'], [[]], [{ '/': null }]])('what are no rights are none: %j', (data) => {
  expect(mayEver(readRights(data), 'VM.Audit')).toBe(false);
});

test.each([
  ['7.4-18', 7, 'VM.Monitor'],
  ['8.4.1', 8, 'VM.Monitor'],
  ['9.1.4', 9, 'VM.GuestAgent.Audit'],
  ['10.0', 10, 'VM.GuestAgent.Audit'],
  [null, 9, 'VM.GuestAgent.Audit'],
])('of the release %s the agent is asked by its own right', (version, major, right) => {
  expect(majorOf(version)).toBe(major);
  expect(agentRight(majorOf(version))).toBe(right);
});

describe('missing', () => {
  const missingOf = (data: object, major: number) =>
    missingRights(readRights(data), major).map(({ right, path }) => `${right} ${path}`);

  test.each([
    ['nothing of PVEAuditor from 9 on', { '/': auditor9 }, 9, []],
    ['the agent of PVEAuditor up to 8', { '/': auditor8 }, 8, ['VM.Monitor /vms']],
    ['nothing more than that of 7', { '/': { ...auditor8, 'SDN.Audit': undefined as never } }, 7, ['VM.Monitor /vms']],
    ['nothing where the agent was granted as well', { '/': auditor8, '/vms': { 'VM.Monitor': 1 } }, 8, []],
    [
      'all of a token that has none',
      {},
      9,
      [
        'VM.Audit /vms',
        'Datastore.Audit /storage',
        'Pool.Audit /pool',
        'SDN.Audit /sdn',
        'VM.GuestAgent.Audit /vms',
        'Sys.Audit /',
      ],
    ],
    [
      'the root of a token that holds all below',
      { '/vms': auditor9, '/nodes': auditor9, '/storage': auditor9, '/pool': auditor9, '/sdn': auditor9 },
      9,
      ['Sys.Audit /'],
    ],
  ])('is %s', (_, data, major, missing) => {
    expect(missingOf(data, major)).toEqual(missing);
  });
});

test('what is missing is granted to the user and to the token', () => {
  const token = 'cmdb@pve!discovery';
  const all = (major: number) => grantingCommands(token, missingRights(readRights({}), major), major);

  expect(all(9)).toEqual([
    'pveum acl modify / --users cmdb@pve --roles PVEAuditor',
    "pveum acl modify / --tokens 'cmdb@pve!discovery' --roles PVEAuditor",
  ]);
  expect(all(8)).toEqual([
    ...all(9),
    'pveum role add RollcallAgent --privs VM.Monitor',
    'pveum acl modify /vms --users cmdb@pve --roles PVEAuditor,RollcallAgent',
    "pveum acl modify /vms --tokens 'cmdb@pve!discovery' --roles PVEAuditor,RollcallAgent",
  ]);
  expect(grantingCommands(token, [], 9)).toEqual([]);
});
