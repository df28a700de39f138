/** A configuration item as people see it. */

import type { Json } from './client.ts';
import { shown } from './output.ts';

/** Which one is meant, where several bear a name. */
export interface Narrow {
  type?: string;
  site?: string;
}

export function narrowQuery({ type, site }: Narrow) {
  return { ci_type: type, site_id: site };
}

/** What is known, each attribute under its dotted path. */
export function attributesOf(item: Json): Json {
  const { technical_specs: specs, ansible, relationships, ...plain } = item;
  const { vars, ...words } = ansible as Json;
  const all = [
    ...Object.entries(plain),
    ...under('technical_specs', specs),
    ...under('ansible', words),
    ...under('ansible.vars', vars),
    ...(Array.isArray(relationships) ? [['relationships', relationships.map(relationshipInWords)] as const] : []),
  ];
  return Object.fromEntries(all.filter(([, value]) => shown(value) !== '-'));
}

/** By which address Ansible or a person would reach it. */
export function addressOf(item: Json): unknown {
  const specs = item.technical_specs as Json;
  const [first] = Array.isArray(specs.addresses) ? specs.addresses : [];
  return (item.ansible as Json).host ?? specs.primary_address ?? first;
}

function under(prefix: string, part: unknown): [string, unknown][] {
  return Object.entries(part as Json).map(([key, value]) => [`${prefix}.${key}`, value]);
}

/** `depends_on db-1 (critical): its sessions` */
export function relationshipInWords({ relationship_type, relationship_strength, ci_name, ci_id, note }: Json): string {
  const why = note === null || note === undefined ? '' : `: ${shown(note)}`;
  return `${shown(relationship_type)} ${shown(ci_name ?? ci_id)} (${shown(relationship_strength)})${why}`;
}
