/**
 * Which items are meant by what somebody knows of some things: asked, and nothing written. It goes by the identifiers
 * that identity goes by, the strongest first, then by Terraform's id and address, then by the name.
 */

import type { ReadDb } from '../store/open.ts';
import { turn } from '../store/turn.ts';
import { Clusters } from './clusters.ts';
import { identifiersOf, uuidOf } from './identity/marks.ts';
import { hostTypes, type IdentifierKind, type ItemId, type Said, type Specs } from './item.ts';
import { folded } from './relationship.ts';
import type { Heart } from './statement.ts';
import { claimsByValues, clusterNodes } from './store/identity.ts';
import { itemsNamed, type KnownItem, knownItems, terraformKeys } from './store/match.ts';

/** What is known of a thing; whatever is not stays away. */
export interface Sought {
  ci_name?: string;
  ci_type?: string;
  site_id?: string;
  terraform_resource_id?: string;
  /** Where Terraform has it, now and before it was moved. */
  terraform_addresses?: readonly string[];
  technical_specs?: Specs;
}

/** `pve` is a number in its cluster, `guest` one on a node whose cluster is not known. */
const hardware = ['pve', 'guest', 'uuid', 'serial', 'mac'] as const satisfies readonly IdentifierKind[];
export const matchKinds = [...hardware, 'terraform', 'name'] as const;
export type MatchKind = (typeof matchKinds)[number];

export type Candidate = Pick<KnownItem, 'ci_id' | 'ci_name' | 'ci_type' | 'ci_status' | 'site_id'>;

export interface Match {
  /** Null: none, or one of the candidates. */
  ci: Candidate | null;
  /** By what it was found. */
  by: MatchKind | null;
  candidates: Candidate[];
}

export async function matchItems(db: ReadDb, heart: Heart, sought: readonly Sought[]): Promise<Match[]> {
  const clusters = new Clusters(await clusterNodes(db));
  const marks = sought.map((one) => marksOf(one, clusters, heart.defaultSite));
  const byMark = new Map<string, Set<ItemId>>();
  for (const { kind, value, ci_id } of await claimsByValues(db, valuesOf(marks.flat()))) {
    if (ci_id !== null) add(byMark, `${kind} ${value}`, ci_id);
  }
  const byKey = await itemsByKey(db, sought);
  const names = sought.map(({ ci_name = '' }) => folded(ci_name));
  const byName = new Map<string, Set<ItemId>>();
  for (const { ci_id, name } of await itemsNamed(db, [...new Set(names)])) add(byName, name, ci_id);

  const found = sought.map((one, index): Record<MatchKind, readonly ItemId[]> => {
    const byKind = (kind: IdentifierKind) =>
      (marks[index] ?? []).flatMap((mark) =>
        mark.kind === kind ? [...(byMark.get(`${kind} ${mark.value}`) ?? [])] : [],
      );
    return {
      pve: byKind('pve'),
      guest: byKind('guest'),
      uuid: byKind('uuid'),
      serial: byKind('serial'),
      mac: byKind('mac'),
      terraform: keysOf(one).flatMap((key) => [...(byKey.get(key) ?? [])]),
      name: [...(byName.get(folded(one.ci_name ?? '')) ?? [])],
    };
  });
  const ids = new Set(found.flatMap((one) => Object.values(one).flat()));
  const items = new Map((await knownItems(db, [...ids])).map((item) => [item.ci_id, item]));
  return sought.map((one, index) => matchOf(one, found[index] as Record<MatchKind, readonly ItemId[]>, items));
}

/** The first kind that finds just one item; of several, those that the weaker kinds find too. */
function matchOf(
  sought: Sought,
  found: Record<MatchKind, readonly ItemId[]>,
  items: ReadonlyMap<ItemId, KnownItem>,
): Match {
  let several: KnownItem[] = [];
  for (const kind of matchKinds) {
    const fitting = [...new Set(found[kind])]
      .flatMap((id) => items.get(id) ?? [])
      .filter((item) => fits(sought, item) && (several.length === 0 || several.includes(item)));
    const [only, ...others] = fitting;
    if (only && others.length === 0) return { ci: shown(only), by: kind, candidates: [] };
    if (only) several = fitting;
  }
  return { ci: null, by: null, candidates: several.map(shown) };
}

function shown({ ci_id, ci_name, ci_type, ci_status, site_id }: KnownItem): Candidate {
  return { ci_id, ci_name, ci_type, ci_status, site_id };
}

/** Another number or another UUID is another machine, whatever it is called. */
function fits({ ci_type, site_id, technical_specs: specs = {} }: Sought, item: KnownItem): boolean {
  if (site_id !== undefined && site_id !== item.site_id) return false;
  if (ci_type !== undefined && !agree(ci_type, item.ci_type)) return false;
  if (typeof specs.vmid === 'number' && item.vmid !== null && item.vmid !== specs.vmid) return false;
  const uuid = uuidOf(specs.uuid);
  const other = uuidOf(item.uuid);
  return uuid === undefined || other === undefined || uuid === other;
}

function agree(a: string, b: string): boolean {
  return a === b || (hostTypes.has(a) && hostTypes.has(b) && (a === 'machine' || b === 'machine'));
}

type Mark = { kind: IdentifierKind; value: string };

function marksOf({ terraform_addresses: _, ...sought }: Sought, clusters: Clusters, defaultSite: string): Mark[] {
  const said: Said = sought;
  const pve = clusters.numberOf(said, defaultSite);
  const all = identifiersOf(pve === undefined ? said : { ...said, pve }, defaultSite, () => []);
  return all.filter(({ kind }) => (hardware as readonly string[]).includes(kind));
}

function valuesOf(marks: readonly Mark[]): Map<IdentifierKind, string[]> {
  return new Map(
    hardware.map((kind) => [kind, [...new Set(marks.flatMap((mark) => (mark.kind === kind ? mark.value : [])))]]),
  );
}

function keysOf({ terraform_resource_id, terraform_addresses = [] }: Sought): string[] {
  return [...(terraform_resource_id === undefined ? [] : [terraform_resource_id]), ...terraform_addresses];
}

/** What sources call a thing may begin with the project: `infra/prod/proxmox_vm_qemu.web` is asked for by its end. */
async function itemsByKey(db: ReadDb, sought: readonly Sought[]): Promise<Map<string, Set<ItemId>>> {
  const wanted = new Set(sought.flatMap(keysOf));
  const found = new Map<string, Set<ItemId>>();
  if (wanted.size === 0) return found;
  for (const [count, { ci_id, key }] of (await terraformKeys(db)).entries()) {
    for (let from = 0; ; ) {
      const end = key.slice(from);
      if (wanted.has(end)) add(found, end, ci_id);
      const slash = key.indexOf('/', from);
      if (slash < 0) break;
      from = slash + 1;
    }
    if (count % 512 === 0) await turn();
  }
  return found;
}

function add(sets: Map<string, Set<ItemId>>, key: string, id: ItemId): void {
  const set = sets.get(key);
  if (set) set.add(id);
  else sets.set(key, new Set([id]));
}
