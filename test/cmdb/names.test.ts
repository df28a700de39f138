/** Under which name Ansible knows an item. */

import { expect, test } from 'vitest';
import type { Claim, Item, ItemId } from '../../src/cmdb/item.ts';
import { ranksOf, sourceKinds } from '../../src/cmdb/kinds.ts';
import { askOf, giveNames, type Holder, type NameAsk } from '../../src/cmdb/names.ts';
import { hostNames } from '../../src/inventory/names.ts';

const names = hostNames(new Set(['webservers']), true);
const id = (number: number) => `01a21364-b862-759d-afbb-00000000000${number}` as ItemId;
const ask = (number: number, ci_name: string, more: Partial<NameAsk> = {}): NameAsk => ({
  ci_id: id(number),
  ci_name,
  site_id: 'site-home',
  vmid: null,
  wanted: null,
  current: null,
  ...more,
});
const holder = (
  number: number,
  ci_name: string,
  ci_status = 'active',
  { claimedByPeople = false, namesakes = 1 } = {},
): Holder => ({
  item: {
    ci_id: id(number),
    ci_name,
    ci_status,
    site_id: 'site-home',
    technical_specs: {},
    ansible_name: ci_name,
  } as unknown as Item,
  vmid: null,
  claimedByPeople,
  namesakes,
});

function given(asks: NameAsk[], holders: Holder[] = [], groups: string[] = []) {
  return giveNames(asks, holders, new Set(groups), names).map((naming) => [
    Number(naming.ci_id.slice(-1)),
    naming.name,
    naming.by,
  ]);
}

test.each<[string, Parameters<typeof given>, unknown[][]]>([
  ['its own where that is free', [[ask(1, 'web-1')]], [[1, 'web-1', 'auto']]],
  [
    'one with its number where the own is taken',
    [[ask(1, 'web-1', { vmid: 102 })], [holder(2, 'web-1')]],
    [[1, 'web-1-102', 'auto']],
  ],
  [
    'one with its site where it has no number',
    [[ask(1, 'web-1')], [holder(2, 'web-1')]],
    [[1, 'web-1.site-home', 'auto']],
  ],
  ['one of its id where nothing else can be addressed', [[ask(1, 'web 1')]], [[1, 'ci-00000001', 'auto']]],
  ['never localhost, which would be the controller', [[ask(1, 'localhost')]], [[1, 'localhost.site-home', 'auto']]],
  [
    'never that of a group',
    [[ask(1, 'webservers'), ask(2, 'dbs'), ask(3, 'tag_x')], [], ['dbs']],
    [
      [1, 'webservers.site-home', 'auto'],
      [2, 'dbs.site-home', 'auto'],
      [3, 'tag_x.site-home', 'auto'],
    ],
  ],
  [
    'the one that a person or an import chose, as written',
    [[ask(1, 'web-1', { wanted: 'Web_1' })]],
    [[1, 'Web_1', 'people']],
  ],
  ['localhost where an import says so', [[ask(1, 'localhost', { wanted: 'localhost' })]], [[1, 'localhost', 'people']]],
  [
    'not one that leads out of a folder, whoever wrote it',
    [[ask(1, '../evil', { wanted: '../evil' })]],
    [[1, 'ci-00000001', 'people']],
  ],
  [
    'one with its number where what an import wrote is taken',
    [[ask(1, 'web-1', { vmid: 102, wanted: 'shop' })], [holder(2, 'shop')]],
    [[1, 'shop-102', 'people']],
  ],
  [
    'its own still, where an import writes one that is taken',
    [[ask(1, 'web-1', { vmid: 102, wanted: 'shop', current: 'web-1' })], [holder(2, 'shop')]],
    [[1, 'web-1', 'people']],
  ],
  [
    'the name of a dead one, which takes another',
    [[ask(1, 'web-1')], [holder(2, 'web-1', 'retired')]],
    [
      [2, 'ci-00000002', 'auto'],
      [1, 'web-1', 'auto'],
    ],
  ],
  [
    'no name of a dead one that an import still claims',
    [[ask(1, 'web-1')], [holder(2, 'web-1', 'missing', { claimedByPeople: true })]],
    [[1, 'web-1.site-home', 'auto']],
  ],
  [
    'no name of a dead one that two new ones would have',
    [[ask(1, 'web-1', { vmid: 5 }), ask(3, 'web-1', { vmid: 6 })], [holder(2, 'web-1', 'missing', { namesakes: 2 })]],
    [
      [1, 'web-1-5', 'auto'],
      [3, 'web-1-6', 'auto'],
    ],
  ],
  [
    'the name that another one leaves for one that an import writes',
    [[ask(1, 'web-1', { wanted: 'shop', current: 'web-1' }), ask(2, 'web-1', { wanted: 'web-1', current: 'web-1-5' })]],
    [
      [1, 'shop', 'people'],
      [2, 'web-1', 'people'],
    ],
  ],
  [
    'its own still, where it is called another at its source and that is taken',
    [[ask(1, 'web-1', { vmid: 5, current: 'shop' })], [holder(2, 'web-1')]],
    [[1, 'shop', 'auto']],
  ],
  [
    'the name that it has at its source now, where that is free',
    [[ask(1, 'web-1', { current: 'shop' })]],
    [[1, 'web-1', 'auto']],
  ],
])('an item gets %s', (_what, [asks, holders, groups], expected) => {
  expect(given(asks, holders, groups)).toEqual(expected);
});

const item = (more: Partial<Item>) =>
  ({
    ci_id: id(1),
    ci_type: 'virtual_machine',
    ci_name: 'web-1',
    site_id: 'site-home',
    technical_specs: {},
    handed_down: {},
    ...more,
  }) as unknown as Item;
const given101 = (by: 'auto' | 'people', from: string) => ({
  ansible_name: 'web-1-101',
  ansible_name_by: by,
  ansible_name_from: from,
});
const written = (ci_name: string) => [{ kind: 'import', said: { ci_name }, gone_since: null } as unknown as Claim];

test.each<[string, Item, Claim[], boolean]>([
  ['where it has none', item({ ansible_name: null }), [], true],
  ['where it is called another at its source', item(given101('auto', 'shop')), [], true],
  ['only once, where that was taken', item(given101('auto', 'web-1')), [], false],
  ['where an import writes what its source asked for before', item(given101('auto', 'web-1')), written('web-1'), true],
  ['only once, where what the import wrote was taken', item(given101('people', 'web-1')), written('web-1'), false],
  ['where the import writes another', item(given101('people', 'web-1')), written('shop'), true],
  ['never for a rename, where people had a say', item(given101('people', 'shop')), [], false],
])('an item asks for a name %s', (_what, of, claims, expected) => {
  expect(askOf(of, claims, ranksOf(sourceKinds, {}), true) !== undefined).toBe(expected);
});
