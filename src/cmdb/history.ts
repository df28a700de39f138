/** An item as it was: its changes up to a moment, put together again. Pure. */

import { DomainError } from '../errors.ts';
import type { AnsibleWords, Document, Json, Specs } from './item.ts';
import type { ReadItem } from './store/read-items.ts';
import type { ShownItem } from './wire.ts';

/** What one change left behind: the attributes that it changed, by dotted path; null where nothing is known since. */
export interface Step {
  changed_at: string;
  after: Readonly<Record<string, Json>>;
}

/**
 * The item as these changes left it, oldest first. What is no part of its document and was not kept, such as when it
 * was heard last, is not known. Throws `not_found` where there is none: the item was not made yet.
 */
export function itemAt(item: ReadItem, steps: readonly Step[], at: string): ShownItem {
  const last = steps.at(-1);
  if (!last)
    throw new DomainError(
      'not_found',
      `${item.ci_name} was not known yet at ${at}; it is known since ${item.created_at}.`,
    );
  const related = steps.findLast(({ after }) => 'relationships' in after)?.after.relationships;
  return {
    ...documentAt(steps),
    ...(related ? { relationships: related as Json[] } : {}),
    ci_id: item.ci_id,
    first_seen_at: item.first_seen_at,
    created_at: item.created_at,
    updated_at: last.changed_at,
    last_seen_at: null,
    last_discovered_at: null,
    last_configured_at: null,
  };
}

export function documentAt(steps: readonly Pick<Step, 'after'>[]): Document {
  const known = new Map<string, Json>();
  for (const { after } of steps) {
    for (const [attribute, value] of Object.entries(after)) {
      if (value === null) known.delete(attribute);
      else known.set(attribute, value);
    }
  }
  const under = (prefix: string): Specs => {
    const inner = [...known].filter(([attribute]) => attribute.startsWith(prefix));
    return Object.fromEntries(
      inner.map(([attribute, value]) => [attribute.slice(prefix.length), value] as const).sort(byName),
    );
  };
  // What stands beside the document, such as a pin, is told by its changes as well.
  const plain = [...known].filter(([attribute]) => Object.hasOwn(blank, attribute));
  return {
    ...blank,
    ...Object.fromEntries(plain),
    technical_specs: under('technical_specs.'),
    ansible: ansibleOf(under('ansible.')),
  };
}

function byName([a]: readonly [string, Json], [b]: readonly [string, Json]): number {
  return a < b ? -1 : 1;
}

function ansibleOf(words: Specs): AnsibleWords {
  const prefix = 'vars.';
  const entries = Object.entries(words);
  const vars = entries.filter(([name]) => name.startsWith(prefix));
  return {
    ...Object.fromEntries(entries.filter(([name]) => !name.startsWith(prefix))),
    ...(vars.length > 0
      ? { vars: Object.fromEntries(vars.map(([name, value]) => [name.slice(prefix.length), value])) }
      : {}),
  };
}

const blank: Document = {
  ci_type: 'machine',
  ci_name: '',
  ci_status: 'active',
  lifecycle: 'active',
  power: null,
  hold: null,
  absence: null,
  site_id: '',
  environment: null,
  role: null,
  criticality: null,
  technical_specs: {},
  tags: [],
  ansible: {},
  ansible_name: null,
  managed_by: null,
  discovered_by: null,
  terraform_resource_id: null,
  external_id: null,
  owner: null,
  notes: null,
  generation: 1,
  merged_into: null,
  deleted_at: null,
};
