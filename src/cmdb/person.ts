/**
 * What of a person's write is theirs: people read an item, edit it and write it back whole, so a value that is in
 * force and that they have not claimed is not claimed. What they left out of a list, they took off. Pure.
 */

import type { Document, Json, Said } from './item.ts';
import { isSame, type Patch } from './said.ts';
import type { Heart, Statement } from './statement.ts';
import { documentOf, type Work } from './work.ts';

export function personsPatch(work: Work, former: Said, { patch, isReadBack = false }: Statement, heart: Heart): Patch {
  if (work.isNew && work.claims.length === 0) return patch;
  const force = documentOf(work, heart, '').document;
  const own: Patch = {};
  for (const [key, value] of Object.entries(patch) as [keyof Patch, unknown][]) {
    if (key === 'technical_specs' && value !== null) {
      own.technical_specs = unclaimed(value as Record<string, Json>, former.technical_specs, force.technical_specs);
    } else if (key === 'ansible' && value !== null) {
      own.ansible = personsAnsible(work, former, value as NonNullable<Patch['ansible']>, force, isReadBack);
    } else if (key === 'tags' && value !== null) {
      own.tags = personsList(work, 'tags', former.tags, value as string[], force.tags, isReadBack);
    } else if (value === null || former[key] !== undefined || !sameJson(force[key as keyof Document], value)) {
      Object.assign(own, { [key]: value });
    }
  }
  return own;
}

function unclaimed<T extends object>(said: T, former: object | undefined, force: object): T {
  const claimed = (former ?? {}) as Record<string, unknown>;
  const inForce = force as Record<string, Json>;
  return Object.fromEntries(
    Object.entries(said).filter(
      ([key, value]) => key in claimed || value === null || !isSame(key, inForce[key], value as Json),
    ),
  ) as T;
}

function personsAnsible(
  work: Work,
  former: Said,
  said: NonNullable<Patch['ansible']>,
  force: Document,
  isReadBack: boolean,
): Patch['ansible'] {
  const { vars, groups, name, ...plain } = said;
  const own: Record<string, unknown> = unclaimed(plain, former.ansible, force.ansible);
  if (name !== undefined && (name === null || former.ansible?.name !== undefined || name !== work.item?.ansible_name))
    own.name = name;
  if (vars === null) own.vars = null;
  else if (vars) own.vars = unclaimed(vars, former.ansible?.vars, force.ansible.vars ?? {});
  if (groups === null) own.groups = null;
  else if (groups) {
    const list = personsList(work, 'groups', former.ansible?.groups, groups, force.ansible.groups ?? [], isReadBack);
    if (list !== undefined) own.groups = list;
  }
  return own as Patch['ansible'];
}

/**
 * Lists that add up over all claims: a person adds what was not there. What is left out of an item that was read and is
 * written back was taken off; a list that comes alone takes back no more than the person's own words.
 */
function personsList(
  work: Work,
  list: 'tags' | 'groups',
  former: readonly string[] | undefined,
  said: readonly string[],
  force: readonly string[],
  isReadBack: boolean,
): string[] | undefined {
  const off = new Set(work.takenOff[list] ?? []);
  if (isReadBack) for (const value of force) if (!said.includes(value)) off.add(value);
  for (const value of said) off.delete(value);
  const takenOff = [...off].sort();
  if (JSON.stringify(takenOff) !== JSON.stringify(work.takenOff[list] ?? [])) {
    work.takenOff = { ...work.takenOff, [list]: takenOff };
    if (takenOff.length === 0) delete work.takenOff[list];
    work.dirty = true;
  }
  const own = [
    ...new Set([
      ...(former ?? []).filter((value) => said.includes(value)),
      ...said.filter((value) => !force.includes(value)),
    ]),
  ].sort();
  return own.length > 0 || former !== undefined ? own : undefined;
}

function sameJson(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
