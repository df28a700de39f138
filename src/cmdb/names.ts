/**
 * Under which name Ansible knows an item. The heart stores the name and gives it once; which names are allowed
 * is Ansible's matter, and is handed in.
 */

import { type Claim, hostTypes, type Item, type ItemId } from './item.ts';
import type { Ranks } from './kinds.ts';

/** An item that needs a name, or another one. */
export interface NameAsk {
  ci_id: ItemId;
  ci_name: string;
  site_id: string;
  vmid: number | null;
  /** The name that a person or an import gave it, as written. */
  wanted: string | null;
}

export interface HostNames {
  /** The names that an item may get, the best first; the last is always free. */
  candidates(ask: NameAsk): Iterable<string>;
  /** Whether a rename at the source is followed. */
  followRenames: boolean;
  /** Whether a group of that name is served, so that no host may bear it. */
  isGroup(name: string): boolean;
  /** Whether people may choose the name, so that it is written as they wrote it. */
  mayBeChosen(name: string): boolean;
}

export interface Naming {
  ci_id: ItemId;
  name: string;
  by: 'auto' | 'people';
  from: string;
}

/** What an item asks for at the end of a write, if anything. */
export function askOf(item: Item, claims: readonly Claim[], ranks: Ranks, followRenames: boolean): NameAsk | undefined {
  if (!hostTypes.has(item.ci_type) || item.ci_name === '') return undefined;
  // Its name went to the item that goes on for it.
  if (item.handed_down.adopted_by) return undefined;
  const wanted = wantedName(claims, ranks);
  const { vmid } = item.technical_specs;
  const ask = {
    ci_id: item.ci_id,
    ci_name: item.ci_name,
    site_id: item.site_id,
    vmid: typeof vmid === 'number' ? vmid : null,
    wanted,
  };
  if (item.ansible_name === null) return ask;
  if (wanted !== null) {
    const isGiven = item.ansible_name_by === 'people' && item.ansible_name === wanted;
    const wasRefused = item.ansible_name_from === wanted && item.ansible_name !== wanted;
    return isGiven || wasRefused ? undefined : ask;
  }
  return followRenames && item.ansible_name_by === 'auto' && item.ansible_name_from !== item.ci_name ? ask : undefined;
}

/** A person's word for the name, else the name that an import wrote; people before imports. */
export function wantedName(claims: readonly Claim[], ranks: Ranks): string | null {
  const people = claims.filter((claim) => !claim.gone_since && ranks.roleOf(claim.kind) === 'people');
  if (people.length === 0) return null;
  const rank = ranks.of('ansible.name');
  const said = people
    .map((claim) => ({
      claim,
      name: claim.said.ansible?.name ?? (claim.kind === 'import' ? claim.said.ci_name : undefined),
    }))
    .filter(({ name }) => name !== undefined)
    .sort(
      (a, b) => rank.indexOf(a.claim.kind) - rank.indexOf(b.claim.kind) || (a.claim.source < b.claim.source ? -1 : 1),
    );
  return said[0]?.name ?? null;
}

/** What is known of an item that bears a name which another asks for. */
export interface Holder {
  item: Item;
  claimedByPeople: boolean;
}

/**
 * Gives names, in the order of the asks: each the best that is free. An item that is missing or retired, and that
 * nobody but a machine claimed, gives its name up to a new one of the same name and site.
 */
export function giveNames(
  asks: readonly NameAsk[],
  holders: ReadonlyMap<string, Holder>,
  groups: ReadonlySet<string>,
  names: HostNames,
): Naming[] {
  const taken = new Map([...holders].map(([name, { item }]) => [name, item.ci_id]));
  const heirs = heirsOf(asks);
  const given: Naming[] = [];
  const give = (ask: NameAsk, name: string, by: Naming['by'], from: string) => {
    taken.set(name, ask.ci_id);
    given.push({ ci_id: ask.ci_id, name, by, from });
  };
  const isFree = (name: string, id: ItemId) =>
    (taken.get(name) ?? id) === id && !groups.has(name) && !names.isGroup(name);
  for (const ask of asks) {
    const { wanted } = ask;
    if (wanted !== null && names.mayBeChosen(wanted) && (taken.get(wanted) ?? ask.ci_id) === ask.ci_id) {
      give(ask, wanted, 'people', wanted);
      continue;
    }
    const best = bestOf(ask, names);
    const holder = best === ask.ci_name ? holders.get(best) : undefined;
    if (holder && holder.item.ci_id !== ask.ci_id && givesUp(holder, ask, heirs(ask))) {
      const former: NameAsk = { ...ask, ci_id: holder.item.ci_id, vmid: numberOf(holder.item) };
      const other = first(names.candidates(former), (name) => name !== best && isFree(name, former.ci_id));
      if (other !== undefined) {
        give(former, other, 'auto', ask.ci_name);
        taken.delete(best as string);
      }
    }
    const name = first(names.candidates(ask), (candidate) => isFree(candidate, ask.ci_id));
    // What was asked for and could not be given is not asked for again: a name is given once.
    if (name !== undefined) give(ask, name, 'auto', wanted ?? ask.ci_name);
  }
  return given;
}

/** The name that an item gets if nobody else has or wants it. */
export function bestOf(ask: NameAsk, names: HostNames): string {
  for (const name of names.candidates(ask)) return name;
  return '';
}

function first(candidates: Iterable<string>, fits: (name: string) => boolean): string | undefined {
  for (const name of candidates) if (fits(name)) return name;
  return undefined;
}

function givesUp({ item, claimedByPeople }: Holder, ask: NameAsk, heirs: number): boolean {
  const dead = item.ci_status === 'missing' || item.ci_status === 'retired';
  return dead && !claimedByPeople && item.ci_name === ask.ci_name && item.site_id === ask.site_id && heirs === 1;
}

/** How many ask under each name and site; counted once somebody wants to know. */
function heirsOf(asks: readonly NameAsk[]): (ask: NameAsk) => number {
  const keyOf = ({ ci_name, site_id }: NameAsk) => `${site_id}\n${ci_name}`;
  let counts: Map<string, number> | undefined;
  return (ask) => {
    if (!counts) {
      counts = new Map();
      for (const one of asks) counts.set(keyOf(one), (counts.get(keyOf(one)) ?? 0) + 1);
    }
    return counts.get(keyOf(ask)) ?? 0;
  };
}

function numberOf(item: Item): number | null {
  const { vmid } = item.technical_specs;
  return typeof vmid === 'number' ? vmid : null;
}
