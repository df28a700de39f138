import { expect, test } from 'vitest';
import type { ItemId } from '../../src/cmdb/item.ts';
import {
  hostNames,
  isHostName,
  isOperatorGroupName,
  isOperatorHostName,
  observedGroupName,
} from '../../src/inventory/names.ts';

test.each<[name: string, observed: boolean, host: boolean, group: boolean]>([
  ['web-1', true, true, true],
  ['web-1.example.org', true, true, true],
  ['10.0.0.1', true, true, true],
  ['a', true, true, true],
  ['a_b', true, true, true],
  ['x'.repeat(253), true, true, true],
  ['x'.repeat(254), false, false, false],
  ['', false, false, false],
  ['grüppe', false, true, true],
  ['-rf', false, false, true],
  ['web-', false, true, true],
  ['.hidden', false, true, true],
  ['all', false, false, true],
  ['All', false, true, true],
  ['ungrouped', false, false, true],
  ['_meta', false, false, false],
  ['localhost', false, true, true],
  ['LOCALHOST', false, true, true],
  ['127.0.0.1', false, true, true],
  ['::1', false, false, false],
  ['web:22', false, false, false],
  ['web 1', false, false, false],
  ['a..b', false, false, false],
  ['../a', false, false, false],
  ['a/b', false, false, false],
  ['a\\b', false, false, false],
  ['!n', false, false, false],
  ['a&b', false, false, false],
  ['~a', false, false, false],
  ['a*', false, false, false],
  ['a[1]', false, false, false],
  ['{{a}}', false, false, false],
  ['a,b', false, false, false],
  ['a@b', false, false, false],
  ['a\nb', false, false, false],
  ['a\u0000b', false, false, false],
  ['a\u0085b', false, false, false],
  ['a\ud800', false, false, false],
  ['web\n', false, false, false],
])('%j is a name of a host or a group where Ansible can take it', (name, observed, host, group) => {
  expect({ observed: isHostName(name), host: isOperatorHostName(name), group: isOperatorGroupName(name) }).toEqual({
    observed,
    host,
    group,
  });
});

test.each([
  ['Prod', 'tag_prod'],
  ['a-b', 'tag_a_b'],
  ['a b', 'tag_a_b'],
  ['  Zürich!  ', 'tag_zu_rich'],
  ['../evil', 'tag_evil'],
  ['{{ x }}', 'tag_x'],
  ['🐧', 'tag_x'],
  ['', 'tag_x'],
  ['\ud800', 'tag_x'],
  ['9', 'tag_9'],
  ['x'.repeat(300), `tag_${'x'.repeat(200)}`],
])('the group of what is tagged %j is %s', (value, group) => {
  expect(observedGroupName('tag', value)).toBe(group);
});

const id = '01900000-0000-7000-8000-0000deadbeef' as ItemId;

test.each([
  ['web', 102, ['web', 'web-102', 'web.site-b', 'ci-deadbeef', `ci-${id}`]],
  ['web', null, ['web', 'web.site-b', 'ci-deadbeef', `ci-${id}`]],
  ['all', 102, ['all-102', 'all.site-b', 'ci-deadbeef', `ci-${id}`]],
  ['a b', 102, ['ci-deadbeef', `ci-${id}`]],
])('the names that %j, with the number %j, may get are these, the best first', (ci_name, vmid, expected) => {
  const names = hostNames(new Set(['fleet']), true);

  expect([...names.candidates({ ci_id: id, ci_name, site_id: 'site-b', vmid, wanted: null, current: null })]).toEqual(
    expected,
  );
  expect(['fleet', 'tag_prod', 'no_address', 'web'].map((name) => names.isGroup(name))).toEqual([
    true,
    true,
    true,
    false,
  ]);
});
