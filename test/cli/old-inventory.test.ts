/** An inventory as `ansible-inventory` tells it, in Rollcall's words. */

import { describe, expect, test } from 'vitest';
import { groupSaid, itemOf, readOldInventory } from '../../src/cli/old-inventory.ts';
import { literalOf } from '../../src/json.ts';

const read = (listed: object, exported: object) => readOldInventory(JSON.stringify(listed), JSON.stringify(exported));

test('variables stay with their group, and one that comes out otherwise is kept at the host', () => {
  const structure = {
    all: { children: ['ungrouped', 'lab'] },
    lab: { children: ['web'] },
    web: { hosts: ['a', 'b'] },
    ungrouped: { hosts: ['c'] },
  };
  const exported = {
    _meta: { hostvars: { a: { own: 1 } } },
    ...structure,
    all: { ...structure.all, vars: { x: 'file', y: 'all' } },
    lab: { ...structure.lab, vars: { y: 'lab' } },
    web: { ...structure.web, vars: { x: 'inventory', y: 'web' } },
    ungrouped: { ...structure.ungrouped, vars: { z: 1 } },
  };
  const hostvars = {
    a: { own: 1, x: 'file', y: 'web' },
    b: { x: 'inventory', y: 'web' },
    c: { x: 'file', y: 'all', z: 1 },
  };

  const inventory = read({ _meta: { hostvars }, ...structure }, exported);

  expect(inventory).toEqual({
    hosts: [
      { name: 'a', groups: ['web'], vars: { own: 1, x: 'file' }, lifted: ['x'] },
      { name: 'b', groups: ['web'], vars: {}, lifted: [] },
      { name: 'c', groups: [], vars: { z: 1 }, lifted: ['z'] },
    ],
    groups: [
      { name: 'all', vars: { x: 'file', y: 'all' }, children: [] },
      { name: 'lab', vars: { y: 'lab' }, children: ['web'] },
      { name: 'web', vars: { x: 'inventory', y: 'web' }, children: [] },
    ],
    ungrouped: ['c'],
  });
});

test.each([
  ['a deeper one', { a: { children: ['b'], vars: { v: 'a' } }, b: { hosts: ['h'], vars: { v: 'b' } } }, 'b'],
  ['the later by name', { a: { hosts: ['h'], vars: { v: 'a' } }, b: { hosts: ['h'], vars: { v: 'b' } } }, 'b'],
  [
    'the one of higher priority',
    { a: { hosts: ['h'], vars: { v: 'a', ansible_group_priority: 5 } }, b: { hosts: ['h'], vars: { v: 'b' } } },
    'a',
  ],
])('of groups, %s has the last word, so that nothing has to be kept at the host', (_, groups, v) => {
  const { hosts } = read({ _meta: { hostvars: { h: { v } } } }, { _meta: { hostvars: {} }, ...groups });

  expect(hosts).toMatchObject([{ name: 'h', vars: {}, lifted: [] }]);
});

describe('the variables of a connection', () => {
  const words = (vars: Record<string, unknown>) => itemOf({ name: 'web-1', groups: [], vars }, undefined).ansible;

  test.each([
    [{ ansible_host: '10.0.0.1' }, { host: '10.0.0.1' }],
    [{ ansible_host: '2001:db8::1' }, { host: '2001:db8::1' }],
    [
      { ansible_host: 'nas.lan', ansible_port: 2222, ansible_user: 'root' },
      { host: 'nas.lan', port: 2222, user: 'root' },
    ],
    [
      { ansible_host: 'a', ansible_connection: 'community.docker.docker' },
      { host: 'a', connection: 'community.docker.docker' },
    ],
    [{}, { host: 'web-1' }],
  ])('%j have fields of their own', (vars, fields) => {
    expect(words(vars)).toEqual({ name: 'web-1', groups: [], vars: {}, ...fields });
  });

  test.each([
    { ansible_host: '{{ name }}.lan' },
    { ansible_host: 'web-1' },
    { ansible_ssh_host: '10.0.0.1' },
    { ansible_host: { __ansible_unsafe: '10.0.0.1' } },
    { ansible_host: 'a b', ansible_port: '2222', ansible_user: '{{ me }}', ansible_connection: '{{ how }}' },
  ])('%j stay as they are written', (vars) => {
    expect(words(vars)).toEqual({ name: 'web-1', groups: [], vars });
  });

  test('a null is told in a form that the API does not take for no word', () => {
    expect(words({ x: null }).vars).toEqual({ x: literalOf('null') });
  });
});

test('of a group nothing is said where it has nothing, so that another source may say it', () => {
  expect(groupSaid({ name: 'web', vars: {}, children: [] })).toEqual({ group_name: 'web' });
});

test('a number that JavaScript would write otherwise is read as it is written', () => {
  const text = '{"_meta": {"hostvars": {"a": {"php": 8.0, "big": 12345678901234567890}}}, "g": {"hosts": ["a"]}}';

  expect(readOldInventory(text, text).hosts[0]?.vars).toEqual({
    php: literalOf('8.0'),
    big: literalOf('12345678901234567890'),
  });
});

test('what is not JSON is told as that', () => {
  expect(() => readOldInventory('{"a": NaN}', '{}')).toThrow(/What ansible-inventory prints is not JSON/);
});
