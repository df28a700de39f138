import { expect, test } from 'vitest';
import {
  circleIn,
  type GroupWord,
  groupRulesOf,
  groupsOf,
  membershipsOf,
  withoutCircles,
} from '../../src/inventory/groups.ts';
import { itemWith } from './item.ts';

function word(group_name: string, source: string, given: Partial<GroupWord>): GroupWord {
  return { group_name, source, vars: null, children: null, match: null, ...given };
}

test('per key rollcall.yml beats the API, which beats an import', () => {
  const words = [
    word('web', 'import:b', { vars: { a: 'b' }, children: ['of_b'], match: { ci_name: 'b*' } }),
    word('web', 'import:a', { children: ['of_a'] }),
    word('web', 'api', { vars: { a: 'api' }, children: ['of_api'] }),
    word('web', 'rollcall.yml', { vars: { a: 'file' } }),
    word('db', 'import:a', {}),
  ];

  expect(groupsOf(words)).toEqual([
    { group_name: 'db', vars: {}, children: [], match: null, said_by: { vars: null, children: null, match: null } },
    {
      group_name: 'web',
      vars: { a: 'file' },
      children: ['of_api'],
      match: { ci_name: 'b*' },
      said_by: { vars: 'rollcall.yml', children: 'api', match: 'import:b' },
    },
  ]);
});

const group = (group_name: string, ...children: string[]) =>
  groupsOf([word(group_name, 'api', { children })])[0] as ReturnType<typeof groupsOf>[number];

test.each([
  ['none', [group('a', 'b', 'c'), group('b', 'c'), group('c')], undefined],
  ['one of itself', [group('a', 'a')], ['a', 'a']],
  ['one of two', [group('a', 'b'), group('b', 'a')], ['a', 'b', 'a']],
  [
    'one of three behind another',
    [group('x', 'a'), group('a', 'b'), group('b', 'c'), group('c', 'a')],
    ['a', 'b', 'c', 'a'],
  ],
])('a circle is found: %s', (_, groups, circle) => {
  expect(circleIn([...groups].sort((a, b) => (a.group_name < b.group_name ? -1 : 1)))).toEqual(circle);
  expect(circleIn(withoutCircles(groups))).toBeUndefined();
});

test('what closes a circle is left out, and all else stays', () => {
  const kept = withoutCircles([group('a', 'b', 'c'), group('b', 'a', 'd'), group('e', 'all', 'e', 'a')]);

  expect(kept.map(({ group_name, children }) => [group_name, children])).toEqual([
    ['a', ['b', 'c']],
    ['b', ['d']],
    ['e', ['a']],
  ]);
});

test('a host is in the groups that operators name, and in those of what is observed, each with what put it there', () => {
  const item = itemWith({
    environment: 'Prod',
    role: 'web server',
    tags: ['a', 'B c'],
    managed_by: 'terraform',
    technical_specs: { node: 'pve1', os: 'Debian', pool: ['none'] },
    ansible: { groups: ['webservers', 'fleet'] },
  });
  const rules = groupRulesOf(
    groupsOf([
      word('fleet', 'api', { match: { ci_name: 'web*' } }),
      word('all_web', 'rollcall.yml', { match: { ci_name: 'web*' } }),
      word('databases', 'api', { match: { ci_name: 'db*' } }),
    ]),
  );

  expect(membershipsOf(item, rules)).toEqual([
    { group: 'webservers', rule: 'ansible.groups names it' },
    { group: 'fleet', rule: 'ansible.groups names it' },
    { group: 'all_web', rule: 'fits its match in rollcall.yml' },
    { group: 'site_site_home', rule: 'site_id is site-home' },
    { group: 'type_virtual_machine', rule: 'ci_type is virtual_machine' },
    { group: 'status_running', rule: 'ci_status is running' },
    { group: 'node_pve1', rule: 'technical_specs.node is pve1' },
    { group: 'os_debian', rule: 'technical_specs.os is Debian' },
    { group: 'env_prod', rule: 'environment is Prod' },
    { group: 'role_web_server', rule: 'role is web server' },
    { group: 'managed_by_terraform', rule: 'managed_by is terraform' },
    { group: 'tag_a', rule: 'a tag is a' },
    { group: 'tag_b_c', rule: 'a tag is B c' },
    { group: 'never_configured', rule: 'no run went well on it yet' },
  ]);
});
