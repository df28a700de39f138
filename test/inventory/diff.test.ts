import { expect, test } from 'vitest';
import { diffOf } from '../../src/inventory/diff.ts';

const unsafe = (text: string) => ({ __ansible_unsafe: text });

test('hosts, groups and variables that differ are told as a person reads them', () => {
  const before = {
    _meta: {
      hostvars: {
        a: { ansible_host: unsafe('10.0.0.1'), rollcall: { status: unsafe('running'), tags: [unsafe('x')] } },
        gone: {},
        same: { rollcall: { status: unsafe('running') } },
      },
    },
    all: { hosts: [], vars: { rollcall_inventory_version: '1-aaaaaaaaaaaa', note: 'old' } },
    web: { hosts: ['a', 'gone'], children: ['inner'] },
    left: { hosts: [] },
  };
  const after = {
    _meta: {
      hostvars: {
        a: { ansible_port: 22, rollcall: { status: unsafe('active'), tags: [unsafe('x')] } },
        same: { rollcall: { status: unsafe('running') } },
        come: {},
      },
    },
    all: { hosts: [], vars: { rollcall_inventory_version: '2-bbbbbbbbbbbb', note: 'new' } },
    web: { hosts: ['a', 'come'] },
    made: { hosts: [] },
  };

  expect(diffOf(before, after)).toEqual({
    hosts: {
      added: ['come'],
      removed: ['gone'],
      changed: [
        {
          name: 'a',
          variables: [
            { name: 'ansible_host', before: '10.0.0.1', after: null },
            { name: 'ansible_port', before: null, after: 22 },
            { name: 'rollcall.status', before: 'running', after: 'active' },
          ],
        },
      ],
    },
    groups: {
      added: ['made'],
      removed: ['left'],
      changed: [
        { name: 'all', joined: [], left: [], variables: [{ name: 'note', before: 'old', after: 'new' }] },
        { name: 'web', joined: ['come'], left: ['gone', 'group inner'], variables: [] },
      ],
    },
  });
  expect(diffOf(after, after)).toEqual({
    hosts: { added: [], removed: [], changed: [] },
    groups: { added: [], removed: [], changed: [] },
  });
});
