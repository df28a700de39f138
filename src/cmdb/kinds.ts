/** The kinds of sources, their roles, and whose word on an attribute counts before whose. */

import type { SourceRef } from './item.ts';

export type SourceRole = 'measures' | 'intends' | 'people';

export interface SourceKind {
  kind: string;
  role: SourceRole;
  /** It runs inside the machine of which it speaks, and may say of itself what it likes. */
  isInside?: boolean;
  /** How long its word stands against what was seen after it. */
  ttlHours?: number;
}

/** The kinds that the heart itself has rules for; modules may bring more. */
export const sourceKinds: readonly SourceKind[] = [
  { kind: 'proxmox-api', role: 'measures', ttlHours: 24 },
  { kind: 'ansible', role: 'measures', isInside: true, ttlHours: 7 * 24 },
  { kind: 'terraform', role: 'intends' },
  { kind: 'import', role: 'people' },
  { kind: 'manual', role: 'people' },
];

/** What runs inside a machine, of whatever it says of itself: named here alone, for rules and queries. */
export const insideKinds = sourceKinds.filter(({ isInside }) => isInside).map(({ kind }) => kind);

/** Groups of attributes that share a rank; a key of `ranks` in rollcall.yml is one of these or a dotted path. */
export const defaultRanks = {
  measured: ['proxmox-api', 'ansible', 'terraform', 'import', 'manual'],
  system: ['ansible', 'proxmox-api', 'terraform', 'import', 'manual'],
  purpose: ['manual', 'import', 'terraform', 'proxmox-api'],
  ci_name: ['manual', 'proxmox-api', 'terraform', 'import', 'ansible'],
  ci_type: ['proxmox-api', 'terraform', 'manual', 'import', 'ansible'],
  managed_by: ['manual', 'terraform', 'proxmox-api', 'ansible'],
  lifecycle: ['manual', 'import', 'terraform'],
  people: ['manual', 'import'],
} as const satisfies Record<string, readonly string[]>;

const systemKeys = new Set(['os', 'os_version', 'kernel', 'fqdn', 'addresses']);
const groupOf: Record<string, keyof typeof defaultRanks> = {
  ci_name: 'ci_name',
  ci_type: 'ci_type',
  managed_by: 'managed_by',
  lifecycle: 'lifecycle',
  power: 'measured',
  terraform_resource_id: 'measured',
  external_id: 'measured',
  site_id: 'purpose',
  environment: 'purpose',
  role: 'purpose',
  criticality: 'purpose',
  owner: 'people',
  notes: 'people',
};

export interface Ranks {
  /** The kinds that may claim an attribute (dotted path), the first with a word wins. */
  of(attribute: string): readonly string[];
  roleOf(kind: string): SourceRole;
  isInside(kind: string): boolean;
  /** Whether it measures from outside, as a hypervisor does: what all others are held against. */
  isReported(kind: string): boolean;
  /** The kinds whose word stands for a time alone. */
  kindsWithTtl: readonly string[];
  /** How long its word stands against what was seen after it; undefined: for ever. */
  ttlMilliseconds(kind: string): number | undefined;
  /** Whether `managed_by` names a kind of source that writes may speak for. */
  isAutomatic(kind: string): boolean;
}

export function ranksOf(kinds: readonly SourceKind[], settings: Readonly<Record<string, readonly string[]>>): Ranks {
  const roles = new Map(kinds.map(({ kind, role }) => [kind, role]));
  const inside = new Set(kinds.filter((one) => one.isInside).map(({ kind }) => kind));
  const ttls = new Map(
    kinds.map(({ kind, ttlHours }) => [kind, ttlHours === undefined ? undefined : ttlHours * 3_600_000]),
  );
  const brought = kinds.filter(({ kind }) => !sourceKinds.some((own) => own.kind === kind));
  const known = new Map<string, readonly string[]>();
  const rankOf = (attribute: string): readonly string[] => {
    const group = groupNameOf(attribute);
    // Whom the configuration leaves out comes after those it names: nobody loses their word by it.
    const rank = [...new Set([...(settings[attribute] ?? settings[group] ?? []), ...defaultRanks[group]])];
    // A kind that a module brings stands with the last of its role; people's keys stay people's.
    const others = group === 'people' ? [] : brought.filter(({ kind }) => !rank.includes(kind)).map(({ kind }) => kind);
    return [...rank, ...others];
  };
  return {
    of(attribute) {
      let rank = known.get(attribute);
      if (!rank) {
        rank = rankOf(attribute);
        known.set(attribute, rank);
      }
      return rank;
    },
    roleOf: (kind) => roles.get(kind) ?? 'people',
    isInside: (kind) => inside.has(kind),
    isReported: (kind) => roles.get(kind) === 'measures' && !inside.has(kind),
    kindsWithTtl: [...ttls].flatMap(([kind, ttl]) => (ttl === undefined ? [] : [kind])),
    ttlMilliseconds: (kind) => ttls.get(kind),
    isAutomatic: (kind) => kind !== 'manual' && roles.has(kind),
  };
}

export function groupNameOf(attribute: string): keyof typeof defaultRanks {
  if (attribute.startsWith('technical_specs.'))
    return systemKeys.has(attribute.slice('technical_specs.'.length)) ? 'system' : 'measured';
  if (attribute.startsWith('ansible.')) return 'people';
  return groupOf[attribute] ?? 'measured';
}

export function kindOf(source: string): string {
  return source.slice(0, source.indexOf(':'));
}

export function sourceRef(kind: string, name: string): SourceRef {
  return `${kind}:${name}` as SourceRef;
}
