/** Items, as they are loaded whole and stored again. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows, listed } from '../../store/rows.ts';
import type { Database } from '../../store/tables.ts';
import { turn } from '../../store/turn.ts';
import type { AnsibleWords, Hold, Item, ItemId, Specs, Winners } from '../item.ts';

type Db = ReadDb | Trx;

export const itemColumns = [
  'ci_id',
  'ci_type',
  'ci_name',
  'ci_status',
  'lifecycle',
  'power',
  'hold',
  'absence',
  'absent_since',
  'stop_confirmed',
  'site_id',
  'environment',
  'role',
  'criticality',
  'technical_specs',
  'tags',
  'ansible',
  'ansible_name',
  'ansible_name_by',
  'ansible_name_from',
  'managed_by',
  'discovered_by',
  'terraform_resource_id',
  'external_id',
  'owner',
  'notes',
  'generation',
  'body_since',
  'winners',
  'taken_off',
  'handed_down',
  'first_anchor',
  'merged_into',
  'merged_at',
  'merged_by',
  'weighed_at',
  'revision',
  'first_seen_at',
  'created_at',
  'updated_at',
  'deleted_at',
] as const;

export type ItemRow = Pick<
  Database['configuration_items'],
  Exclude<(typeof itemColumns)[number], 'generation' | 'handed_down'>
> & {
  generation: number;
  handed_down: string;
};

export function itemOf(row: ItemRow): Item {
  return {
    ...row,
    ci_id: row.ci_id as ItemId,
    lifecycle: (row.lifecycle ?? 'active') as Item['lifecycle'],
    power: row.power as Item['power'],
    absence: row.absence as Item['absence'],
    hold: row.hold === null ? null : (JSON.parse(row.hold) as Hold),
    stop_confirmed: row.stop_confirmed === 1,
    technical_specs: JSON.parse(row.technical_specs) as Specs,
    tags: JSON.parse(row.tags) as string[],
    ansible: JSON.parse(row.ansible) as AnsibleWords,
    ansible_name_by: row.ansible_name_by as Item['ansible_name_by'],
    winners: winnersOf(row.winners),
    taken_off: JSON.parse(row.taken_off) as Item['taken_off'],
    handed_down: row.handed_down === '{}' ? {} : (JSON.parse(row.handed_down) as Item['handed_down']),
    merged_into: row.merged_into as ItemId | null,
    weighed_at: row.weighed_at ?? row.updated_at,
  };
}

/** Winners are kept by source and moment: most attributes of an item share both. */
type PackedWinners = [source: string, since: string, attributes: string[]][];

function winnersOf(packed: string): Winners {
  const winners: Winners = {};
  for (const [source, since, attributes] of JSON.parse(packed) as PackedWinners) {
    for (const attribute of attributes) winners[attribute] = { source, since };
  }
  return winners;
}

function packedWinners(winners: Winners): string {
  const groups: PackedWinners = [];
  for (const attribute of Object.keys(winners)) {
    const { source, since } = winners[attribute] as Winners[string];
    const group = groups.find((one) => one[0] === source && one[1] === since);
    if (group) group[2].push(attribute);
    else groups.push([source, since, [attribute]]);
  }
  return JSON.stringify(groups);
}

export async function loadItems(db: Db, ids: readonly ItemId[]): Promise<Map<ItemId, Item>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('configuration_items')
    .select(itemColumns)
    .where('ci_id', 'in', sql<string>`${listed(ids)}`)
    .execute();
  await turn();
  const items = new Map<ItemId, Item>();
  for (const row of rows) {
    items.set(row.ci_id as ItemId, itemOf(row));
    if (items.size % 256 === 0) await turn();
  }
  return items;
}

export async function storeItems(trx: Trx, items: readonly Item[]): Promise<void> {
  for (let from = 0; from < items.length; from += 512) {
    const rows = items.slice(from, from + 512).map((item) => ({
      ...item,
      hold: item.hold && JSON.stringify(item.hold),
      stop_confirmed: item.stop_confirmed ? 1 : 0,
      technical_specs: JSON.stringify(item.technical_specs),
      tags: JSON.stringify(item.tags),
      ansible: JSON.stringify(item.ansible),
      winners: packedWinners(item.winners),
      taken_off: JSON.stringify(item.taken_off),
      handed_down: JSON.stringify(item.handed_down),
    }));
    await insertRows(trx, 'configuration_items', rows, ['ci_id']);
  }
}

/** A name passes from one item to another: first nobody has it, so that no moment has it twice. */
export async function clearAnsibleNames(trx: Trx, ids: readonly ItemId[]): Promise<void> {
  if (ids.length === 0) return;
  await trx
    .updateTable('configuration_items')
    .set({ ansible_name: null })
    .where('ci_id', 'in', sql<string>`${listed(ids)}`)
    .execute();
}

/** Items that are called so and are there. */
export async function livingNamesakes(
  db: Db,
  names: readonly string[],
): Promise<{ ci_id: ItemId; ci_name: string; site_id: string }[]> {
  if (names.length === 0) return [];
  const rows = await db
    .selectFrom('configuration_items')
    .select(['ci_id', 'ci_name', 'site_id'])
    .where('ci_name', 'in', sql<string>`${listed(names)}`)
    .where('ci_status', 'not in', ['missing', 'retired'])
    .where('merged_into', 'is', null)
    .where('deleted_at', 'is', null)
    .execute();
  return rows.map((row) => ({ ...row, ci_id: row.ci_id as ItemId }));
}

/** The items that bear these names in Ansible, by name. */
export async function holdersOfNames(db: Db, names: readonly string[]): Promise<Map<string, ItemId>> {
  if (names.length === 0) return new Map();
  const rows = await db
    .selectFrom('configuration_items')
    .select(['ci_id', 'ansible_name'])
    .where('ansible_name', 'in', sql<string>`${listed(names)}`)
    .execute();
  return new Map(rows.map((row) => [row.ansible_name as string, row.ci_id as ItemId]));
}

/**
 * The groups that operators described, put a host into, or made a child. Asked once in a transaction: what is added
 * to the answer counts for the rest of it.
 */
export function groupNames(trx: Trx): Promise<Set<string>> {
  let names = askedGroupNames.get(trx);
  if (!names) {
    names = selectGroupNames(trx);
    askedGroupNames.set(trx, names);
  }
  return names;
}

const askedGroupNames = new WeakMap<Trx, Promise<Set<string>>>();

async function selectGroupNames(trx: Trx): Promise<Set<string>> {
  const { rows } = await sql<{ name: string }>`
    SELECT group_name AS name FROM groups
    UNION SELECT child.value FROM groups, json_each(groups.children) child
    UNION SELECT named.value FROM configuration_items i, json_each(i.ansible, '$.groups') named
      WHERE i.ansible <> '{}' AND i.deleted_at IS NULL`.execute(trx);
  return new Set(rows.map((row) => row.name));
}

/** Hides an item; a source that still sees it brings it back. Its name in Ansible is free again. */
export async function hideItem(trx: Trx, id: ItemId, at: string, revision: number): Promise<void> {
  await trx
    .updateTable('configuration_items')
    .set({ deleted_at: at, updated_at: at, ansible_name: null, revision })
    .where('ci_id', '=', id)
    .execute();
}
