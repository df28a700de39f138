/**
 * Another machine answered: facts that are not of the machine to which they were bound. While that stands they have
 * no word. A hostile guest writes its own facts. Pure.
 */

import type { IdentifierKind } from '../item.ts';
import { isGuest } from './contradiction.ts';
import { isAnchor, isHypervisors, meets, type Witness } from './witness.ts';

export interface Hearing {
  isMuted: boolean;
  /** What tells that another machine answered; undefined where nothing does. */
  alarm: string | undefined;
}

/** A witness with the item that it stands for now. */
export interface Seated {
  witness: Witness;
  item: string | undefined;
}

/** `rebuiltAt`: when the machine of its item was rebuilt or replaced last. */
export function hearingOf(facts: Witness, thing: readonly Witness[], rebuiltAt: string | undefined): Hearing {
  const hypervisors = thing.filter((one) => isHypervisors(one) && one.marks.pve !== undefined);
  const living = hypervisors.filter(isAnchor);
  const uuid = uuidOf(facts, thing);
  const uuids = living.flatMap(({ marks }) => marks.uuid ?? []);
  const known = hypervisors.length > 0 ? rebuiltAt : undefined;
  const bodySince = [known, ...living.map((one) => one.bodySince)].reduce<string>(
    (latest, since) => (since !== undefined && since > latest ? since : latest),
    '',
  );
  if (uuid !== undefined && uuids.length > 0 && !uuids.includes(uuid))
    return {
      isMuted: true,
      alarm: facts.heardAt > bodySince ? `its UUID is ${uuid}, and the hypervisor says ${uuids.join(', ')}` : undefined,
    };
  const ofThisBody = living.length > 0 ? living : hypervisors.filter(({ goneSince }) => (goneSince ?? '') > bodySince);
  const isOfThisBody = ofThisBody.some(
    ({ marks }) => (uuid !== undefined && marks.uuid === uuid) || meets(facts.marks.macs, marks.macs),
  );
  return { isMuted: facts.heardAt < bodySince && !isOfThisBody, alarm: undefined };
}

/** A container's UUID is its host's. */
function uuidOf(facts: Witness, thing: readonly Witness[]): string | undefined {
  return isContainer(thing) ? undefined : facts.marks.uuid;
}

function isContainer(thing: readonly Witness[]): boolean {
  return thing.some((one) => one.type === 'lxc_container' && !one.isGone);
}

/**
 * An identifier in bound facts that belongs to another item: what a hypervisor or a person says beats facts; among
 * facts the first to say it holds it, and a guest's own never hold anything.
 */
export function foreignMark(
  facts: Witness,
  own: readonly Witness[],
  bearers: (kind: IdentifierKind, value: string) => readonly Seated[],
  item: string,
  thingOf: (item: string) => readonly Witness[],
): string | undefined {
  const hidden = isContainer(own) ? new Set<IdentifierKind>(['uuid', 'serial']) : new Set<IdentifierKind>();
  for (const kind of ['uuid', 'serial', 'mac'] as const) {
    if (hidden.has(kind)) continue;
    for (const value of facts.values.get(kind) ?? []) {
      const living = bearers(kind, value).filter(({ witness }) => witness !== facts && !witness.isGone);
      if (living.some((one) => one.item === item)) continue;
      const owner = living.find((one) => one.item !== undefined && holds(one, `${kind} ${value}`, facts, thingOf));
      if (owner) return `its ${kind} ${value} is of another machine, by ${owner.witness.ref}`;
    }
  }
  return undefined;
}

function holds(
  { witness, item }: Seated,
  mark: string,
  facts: Witness,
  thingOf: (item: string) => readonly Witness[],
): boolean {
  if (isAnchor(witness) || witness.role === 'people') return true;
  const since = witness.saidSince.get(mark) ?? '';
  if (since > (facts.saidSince.get(mark) ?? '')) return false;
  return !(witness.isInside && isGuest(thingOf(item as string)));
}
