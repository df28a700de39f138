/** When two things cannot be one, whatever they share. Pure. */

import { hostTypes, type ItemId } from '../item.ts';
import { fqdnOf } from './marks.ts';
import { differs, isAnchor, isHypervisors, type KnownItem, type Witness, type World } from './witness.ts';

export const contradictions = {
  apart: 'a person said that they are apart',
  type: 'they are of different types',
  keys: 'one source reports both, under two keys',
  sources: 'two clusters report them, and neither has a number there',
  number: 'they have different numbers',
  uuid: 'they have different UUIDs',
  beside: 'one is a copy that stood beside the other',
  host: 'one is a container, the other its host: they share a board and no MAC',
  serial: 'they have different serial numbers',
  mac: 'they have no MAC in common',
  machine_id: 'they have different machine-ids',
  fqdn: 'they have different FQDNs',
} as const;
export type Contradiction = keyof typeof contradictions;

/** What is forgiven: another body after a rebuild, another type under a guest's own key, a machine that Terraform replaced. */
export interface Leeway {
  isRebuilt?: boolean;
  isRetyped?: boolean;
  isReplaced?: boolean;
}

/** What two things are held against each other by. */
export interface Traits {
  types: readonly string[];
  numbers: readonly string[];
  uuids: readonly string[];
  /** Without what the gone said. */
  livingUuids: readonly string[];
  serials: readonly string[];
  macs: readonly string[];
  machineIds: readonly string[];
  fqdns: readonly string[];
  /** Hypervisors that report it, and under which keys. */
  anchors: readonly Witness[];
}

export interface Rules {
  /** The number of a witness, while it says anything. */
  numberOf: (witness: Witness) => string | undefined;
  items: ReadonlyMap<ItemId, KnownItem>;
  apart: World['apart'];
  beside: World['beside'];
}

interface Side {
  witnesses: readonly Witness[];
  items: readonly ItemId[];
}

export function contradictionOf(
  a: Side,
  b: Side,
  of: Traits,
  or: Traits,
  level: string,
  leeway: Leeway,
  rules: Rules,
): Contradiction | undefined {
  if (rules.apart.size > 0 && areApart(a, b, rules.apart)) return 'apart';
  if (!leeway.isRetyped && differs(of.types, or.types)) return 'type';
  if (of.anchors.some((one) => or.anchors.some((other) => hasTwoKeys(one, other)))) return 'keys';
  if (of.anchors.some((one) => or.anchors.some((other) => isOfAnotherCluster(one, other)))) return 'sources';
  if (differs(of.numbers, or.numbers)) return 'number';
  const [uuids, others] = leeway.isReplaced ? [of.livingUuids, or.livingUuids] : [of.uuids, or.uuids];
  if (!leeway.isRebuilt && differs(uuids, others)) return 'uuid';
  if (rules.beside.size > 0 && stoodBeside(a, b, rules)) return 'beside';
  if ((level === 'uuid' || level === 'serial') && isContainerAndHost(a.witnesses, b.witnesses)) return 'host';
  return strongerDifference(of, or, level);
}

/** A source without a key for it (an empty one) may speak of anything. */
function hasTwoKeys(one: Witness, other: Witness): boolean {
  return one.source === other.source && one.key !== other.key && one.key !== '' && other.key !== '';
}

/** A node, a storage or a network that two clusters report is two, whatever they call it; guests have numbers. */
function isOfAnotherCluster(one: Witness, other: Witness): boolean {
  const isNumbered = one.marks.pve !== undefined || other.marks.pve !== undefined;
  return one.kind === other.kind && one.source !== other.source && !isNumbered;
}

function areApart(a: Side, b: Side, apart: World['apart']): boolean {
  return a.witnesses.some((one) => {
    const others = apart.get(one.ref);
    return others !== undefined && b.witnesses.some((other) => others.has(other.ref));
  });
}

/** By what things are found only where they do not differ in something stronger. */
function strongerDifference(of: Traits, or: Traits, level: string): Contradiction | undefined {
  switch (level) {
    case 'serial':
      return differs(of.uuids, or.uuids) ? 'uuid' : undefined;
    case 'mac':
      return differs(of.serials, or.serials) ? 'serial' : undefined;
    case 'machine_id':
    case 'fqdn':
    case 'name':
      if (differs(of.serials, or.serials)) return 'serial';
      if (differs(of.macs, or.macs)) return 'mac';
      if (level !== 'machine_id' && differs(of.machineIds, or.machineIds)) return 'machine_id';
      return level === 'name' && differs(of.fqdns, or.fqdns) ? 'fqdn' : undefined;
    default:
      return undefined;
  }
}

/**
 * A copy takes its original's place only when that is given up, and only under the same name. Of two of one age nobody
 * knows which is the copy: neither takes the other's.
 */
function stoodBeside(a: Side, b: Side, rules: Rules): boolean {
  return a.items.some((x) =>
    b.items.some((y) => {
      if (!rules.beside.get(x)?.has(y)) return false;
      const [since, others] = [rules.items.get(x)?.createdAt ?? '', rules.items.get(y)?.createdAt ?? ''];
      if (since === others) return true;
      const [original, copy] = since < others ? [a, b] : [b, a];
      const isFree = !original.witnesses.some(isAnchor) && original.witnesses.some((one) => one.isRetired);
      return !(isFree && copy.witnesses.some(isAnchor) && lastName(original.witnesses) === lastName(copy.witnesses));
    }),
  );
}

/** What its hypervisor called it last. */
export function lastName(witnesses: readonly Witness[]): string | undefined {
  let last: Witness | undefined;
  for (const witness of witnesses)
    if (isHypervisors(witness) && (!last || witness.heardAt > last.heardAt)) last = witness;
  return last?.name;
}

function isContainerAndHost(a: readonly Witness[], b: readonly Witness[]): boolean {
  const factsOf = (witnesses: readonly Witness[]) =>
    isGuest(witnesses) ? [] : witnesses.filter((one) => one.isInside && !one.isGone && one.marks.macs.length > 0);
  const others = factsOf(b);
  return (
    others.length > 0 && factsOf(a).some((one) => others.some((other) => differs(one.marks.macs, other.marks.macs)))
  );
}

/** A hypervisor knows it by a number, or did. */
export function isGuest(witnesses: readonly Witness[]): boolean {
  return witnesses.some((witness) => isHypervisors(witness) && witness.marks.pve !== undefined);
}

/**
 * What a hypervisor says of its guest counts alone while it reports it; what is gone counts where nobody says
 * anything of that kind. What runs inside a guest says nothing of which guest it is.
 */
export function traitsOf(witnesses: readonly Witness[], { numberOf }: Rules): Traits {
  const living = witnesses.filter((witness) => !witness.isGone);
  const hypervisors = living.filter((witness) => isAnchor(witness) && witness.marks.pve !== undefined);
  const dead = witnesses.filter((witness) => witness.isGone && isHypervisors(witness));
  const guest = hypervisors.length > 0 || isGuest(witnesses);
  const heard = hypervisors.length > 0 ? hypervisors : living.filter((witness) => !(witness.isInside && guest));
  const orDead = (read: (witness: Witness) => readonly (string | undefined)[]) => {
    const said = all(heard, read);
    return said.length > 0 || dead.length === 0 ? said : all(dead, read);
  };
  const types = knownTypes(living);
  return {
    types: types.length > 0 ? types : all(dead, (witness) => [witness.type]),
    numbers: all(hypervisors.length > 0 ? hypervisors : living, (witness) => [numberOf(witness)]),
    uuids: orDead((witness) => [witness.marks.uuid]),
    livingUuids: all(heard, (witness) => [witness.marks.uuid]),
    serials: orDead((witness) => [witness.marks.serial]),
    macs: orDead((witness) => witness.marks.macs),
    machineIds: all(living, (witness) => [witness.marks.machineId]),
    fqdns: all(living, (witness) => [
      witness.marks.fqdn,
      hostTypes.has(witness.type) ? fqdnOf(witness.name) : undefined,
    ]),
    anchors: living.filter(isAnchor),
  };
}

function knownTypes(witnesses: readonly Witness[]): string[] {
  return all(witnesses, ({ type }) => [type === 'machine' ? undefined : type]);
}

function all(witnesses: readonly Witness[], read: (witness: Witness) => readonly (string | undefined)[]): string[] {
  const values: string[] = [];
  for (const witness of witnesses)
    for (const value of read(witness)) if (value !== undefined && !values.includes(value)) values.push(value);
  return values;
}
