/**
 * Under which name Ansible knows an item. The heart stores the name and gives it once; which names are allowed
 * is Ansible's matter, and is handed in.
 */

import { type Claim, hostTypes, type Item, type ItemId, refOf } from './item.ts';
import type { Ranks } from './kinds.ts';

/** An item that needs a name, or another one. */
export interface NameAsk {
  ci_id: ItemId;
  ci_name: string;
  site_id: string;
  vmid: number | null;
  /** The name that a person or an import gave it, as written. */
  wanted: string | null;
  /** The name that it has, and gives up for another one. */
  current: string | null;
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
  /** Who asked for a name last. */
  by: 'auto' | 'people';
  /** For which one. */
  from: string;
}

/**
 * What an item asks for at the end of a write, if anything: a name is asked for once, whether it was given then or not,
 * and what people had a say in follows no rename.
 */
export function askOf(item: Item, claims: readonly Claim[], ranks: Ranks, followRenames: boolean): NameAsk | undefined {
  if (!hostTypes.has(item.ci_type) || item.ci_name === '') return undefined;
  const wanted = wantedName(claims, ranks);
  const ask = {
    ci_id: item.ci_id,
    ci_name: item.ci_name,
    site_id: item.site_id,
    vmid: numberOf(
      item,
      claims.filter(({ gone_since }) => gone_since === null),
      ranks,
    ),
    wanted,
    current: item.ansible_name,
  };
  // Its name went to the item that goes on for it: what people call it was asked for, and it gets no other.
  const isHandedOn = item.handed_down.adopted_by !== undefined;
  if (item.ansible_name === null) return isHandedOn ? undefined : ask;
  const { ansible_name_by: by, ansible_name_from: from } = item;
  if (wanted !== null) return isHandedOn || (by === 'people' && from === wanted) ? undefined : ask;
  return followRenames && by === 'auto' && from !== item.ci_name ? ask : undefined;
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
      (a, b) =>
        rank.indexOf(a.claim.kind) - rank.indexOf(b.claim.kind) || natural.compare(refOf(a.claim), refOf(b.claim)),
    );
  return said[0]?.name ?? null;
}

const natural = new Intl.Collator('en', { numeric: true });

/** What is known of an item that bears, or asks for, a name which another asks for. */
export interface Holder {
  item: Item;
  vmid: number | null;
  claimedByPeople: boolean;
  /** How many living items are called as it is, in its site. */
  namesakes: number;
}

/**
 * Gives names, in the order of the asks: each the best that is free. An item that is missing or retired, and that
 * nobody but a machine claimed, gives its name up to a new one of the same name and site, if just one such lives. What
 * has a name already gets another that a person or its source gives it where that is free, or keeps its own.
 */
export function giveNames(
  asks: readonly NameAsk[],
  holders: readonly Holder[],
  groups: ReadonlySet<string>,
  names: HostNames,
): Naming[] {
  const taken = new Map<string, ItemId>();
  for (const { item } of holders) if (item.ansible_name !== null) taken.set(item.ansible_name, item.ci_id);
  const holderOf = new Map(holders.map((holder) => [holder.item.ci_id, holder]));
  const given: Naming[] = [];
  const give = (ask: NameAsk, name: string, by: Naming['by'], from: string) => {
    if (ask.current !== null && taken.get(ask.current) === ask.ci_id) taken.delete(ask.current);
    taken.set(name, ask.ci_id);
    given.push({ ci_id: ask.ci_id, name, by, from });
  };
  const isNobodys = (name: string, id: ItemId) => (taken.get(name) ?? id) === id;
  const isFree = (name: string, id: ItemId) => isNobodys(name, id) && !groups.has(name) && !names.isGroup(name);
  /** The dead one that bears a name takes the form with its number or id, where this one is who goes on under the name. */
  const takeOver = (ask: NameAsk, name: string) => {
    const holder = holderOf.get(taken.get(name) as ItemId);
    if (!holder || holder.item.ci_id === ask.ci_id || !givesUp(holder, ask)) return;
    const former: NameAsk = { ...ask, ci_name: name, ci_id: holder.item.ci_id, vmid: holder.vmid, current: name };
    const other = first(
      names.candidates(former),
      (one) => one !== name && one !== `${name}.${ask.site_id}` && isFree(one, former.ci_id),
    );
    if (other === undefined) return;
    // It may have asked for the name in this very write.
    const last = given.findLast(({ ci_id }) => ci_id === former.ci_id);
    const { ansible_name_by: by, ansible_name_from: from } = holder.item;
    give(former, other, last?.by ?? by ?? 'auto', last?.from ?? from ?? name);
  };
  for (const ask of asks) {
    const asked = ask.wanted ?? ask.ci_name;
    const isAllowed = ask.wanted === null ? bestOf(ask, names) === asked : names.mayBeChosen(asked);
    if (ask.current === null && isAllowed) takeOver(ask, asked);
    // What people choose may be what a group is called.
    const isGiven = isAllowed && (ask.wanted === null ? isFree(asked, ask.ci_id) : isNobodys(asked, ask.ci_id));
    const own = isGiven ? asked : ask.current;
    const name = own ?? first(candidatesOf(ask, names), (candidate) => isFree(candidate, ask.ci_id));
    if (name !== undefined) give(ask, name, ask.wanted === null ? 'auto' : 'people', asked);
  }
  return given;
}

/** The names that it may get, made of what people ask for where they do. */
export function candidatesOf(ask: NameAsk, names: HostNames): Iterable<string> {
  return names.candidates({ ...ask, ci_name: ask.wanted ?? ask.ci_name });
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

function givesUp({ item, claimedByPeople, namesakes }: Holder, ask: NameAsk): boolean {
  return (
    isDead(item) && !claimedByPeople && item.ci_name === ask.ci_name && item.site_id === ask.site_id && namesakes === 1
  );
}

export function isDead({ ci_status }: Pick<Item, 'ci_status'>): boolean {
  return ci_status === 'missing' || ci_status === 'retired';
}

/** The number that its hypervisor gives it, or else whoever spoke of it first. */
export function numberOf({ technical_specs: { vmid } }: Item, claims: readonly Claim[], ranks: Ranks): number | null {
  if (typeof vmid === 'number') return vmid;
  const [numbered] = claims
    .filter(({ said }) => said.pve !== undefined)
    .sort(
      (a, b) =>
        Number(ranks.isReported(b.kind)) - Number(ranks.isReported(a.kind)) ||
        natural.compare(a.first_said_at, b.first_said_at) ||
        natural.compare(refOf(a), refOf(b)),
    );
  const number = Number(numbered?.said.pve?.split('/').at(-1));
  return Number.isInteger(number) ? number : null;
}
