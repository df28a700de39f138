/** What of an item can be pinned, and how the value of a pin reads as a word on the item. Pure. */

import { escapePointer, type Fault } from '../errors.ts';
import { nearestName } from '../faults.ts';
import { ansibleKeys, plainAttributes } from './item.ts';
import { normalizeText } from './said.ts';

const pinnable: readonly string[] = [...plainAttributes, ...ansibleKeys.map((key) => `ansible.${key}`)];

const union = 'adds up over all sources, and has no one value to pin; write the list with PUT /ci/{ci_id}';
const ownName = 'is given once, and is not merged; ask for another one with ansible.name in PUT /ci/{ci_id}';
const keyByKey = (example: string) => `is pinned key by key, such as ${example}`;
const refusals: Readonly<Record<string, string>> = {
  ci_status: 'is worked out of lifecycle, power, hold and absence; pin lifecycle or power, or hold the item',
  hold: 'is set with PUT /ci/{ci_id}/hold',
  tags: union,
  'ansible.groups': union,
  'ansible.name': ownName,
  ansible_name: ownName,
  technical_specs: keyByKey('technical_specs.memory_mb'),
  ansible: keyByKey('ansible.host'),
  'ansible.vars': keyByKey('ansible.vars.http_port'),
  'technical_specs.uptime': 'is kept as technical_specs.booted_at; pin that',
  'technical_specs.uptime_s': 'is kept as technical_specs.booted_at; pin that',
};
const own: ReadonlySet<string> = new Set(
  'ci_id discovered_by generation absence first_seen_at last_seen_at last_discovered_at last_configured_at created_at updated_at deleted_at'.split(
    ' ',
  ),
);

/** Why an attribute (dotted path) cannot be pinned; undefined where it can. `specs` are known keys, to guess from. */
export function pinRefusal(attribute: string, specs: readonly string[]): string | undefined {
  if (Object.hasOwn(refusals, attribute)) return refusals[attribute];
  if (own.has(attribute)) return "is Rollcall's own, and no source's word";
  if (attribute !== normalizeText(attribute)) return 'has characters that cannot be kept';
  if (pinnable.includes(attribute) || isKeyed(attribute)) return undefined;
  const near = nearestAttribute(attribute, specs);
  return near === undefined
    ? `is not known; what can be pinned are ${pinnable.join(', ')}, technical_specs.KEY and ansible.vars.KEY`
    : `is not known; did you mean "${near}"?`;
}

function isKeyed(attribute: string): boolean {
  const [section, key] = partsOf(attribute);
  return key !== undefined && section !== 'ansible' && key !== '__proto__';
}

function nearestAttribute(attribute: string, specs: readonly string[]): string | undefined {
  const known = [...pinnable, ...specs.map((key) => `technical_specs.${key}`)];
  const near = nearestName(attribute, known);
  if (near !== undefined) return near;
  // By what it is called where it stands, such as cpu_cores.
  const last = (name: string) => name.split('.').at(-1) as string;
  const byLast = new Map(known.map((name) => [last(name), name]));
  const word = nearestName(last(attribute), [...byLast.keys()]);
  return word === undefined ? undefined : byLast.get(word);
}

/** The body that would say this of an item. */
export function pinAsBody(attribute: string, value: unknown): Record<string, unknown> {
  const [section, key] = partsOf(attribute);
  if (key === undefined) return { [attribute]: value };
  return section === 'ansible.vars' ? { ansible: { vars: { [key]: value } } } : { [section]: { [key]: value } };
}

/** Faults of that body, as faults of the pin's value, which is never null. */
export function faultsOfValue(attribute: string, faults: readonly Fault[]): Fault[] {
  const place = `/${pathOf(attribute).map(escapePointer).join('/')}`;
  return faults.map(({ pointer, detail }) => ({
    pointer: `/value${pointer.startsWith(`${place}/`) ? pointer.slice(place.length) : ''}`,
    detail: detail.replace(/ or null(?=,|$)/, ''),
  }));
}

/** The keys that lead to an attribute in a document; those of specs and variables may have dots themselves. */
export function pathOf(attribute: string): readonly string[] {
  const [section, key] = partsOf(attribute);
  return key === undefined ? [attribute] : [...section.split('.'), key];
}

function partsOf(attribute: string): [section: string, key: string | undefined] {
  const [, section, key] = /^(technical_specs|ansible\.vars|ansible)\.(.+)$/s.exec(attribute) ?? [];
  return [section ?? attribute, key];
}
