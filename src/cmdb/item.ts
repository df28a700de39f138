/** A configuration item: the field's words for it, and what it is made of. */

export type ItemId = string & { readonly brand: 'ItemId' };
export type ClaimId = string & { readonly brand: 'ClaimId' };
/** Who says something: a kind and a name, such as `proxmox-api:home`. */
export type SourceRef = string & { readonly brand: 'SourceRef' };

export const itemTypes = [
  'virtual_machine',
  'lxc_container',
  'physical_server',
  'cluster',
  'storage',
  'network',
  'network_device',
  'container',
  'service',
  'application',
  'machine',
] as const;
/** Types that are one machine, told apart by what identifies machines; `machine` is one not known better yet. */
export const hostTypes: ReadonlySet<string> = new Set([
  'virtual_machine',
  'lxc_container',
  'physical_server',
  'network_device',
  'machine',
]);

export const lifecycles = ['planned', 'active', 'retired'] as const;
export type Lifecycle = (typeof lifecycles)[number];
export const powers = ['running', 'stopped', 'paused'] as const;
export type Power = (typeof powers)[number];
export const absences = ['missing', 'retired'] as const;
export type Absence = (typeof absences)[number];

/** Strongest first. `guest` is a node and a number, for those who do not know the cluster's name. */
export const identifierKinds = ['pve', 'guest', 'uuid', 'serial', 'mac', 'machine_id', 'fqdn', 'name'] as const;
export type IdentifierKind = (typeof identifierKinds)[number];

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Specs = Record<string, Json>;

export interface Hold {
  reason: string;
  by: string;
  until: string | null;
}

/** What people say of how Ansible reaches an item. */
export interface AnsibleWords {
  name?: string;
  enabled?: boolean;
  host?: string;
  user?: string;
  port?: number;
  connection?: string;
  groups?: string[];
  vars?: Specs;
}
export const ansibleKeys = ['enabled', 'host', 'user', 'port', 'connection'] as const;

/** Attributes with one value each, besides those that have a rule of their own. */
export const plainAttributes = [
  'ci_name',
  'ci_type',
  'site_id',
  'environment',
  'role',
  'criticality',
  'owner',
  'notes',
  'lifecycle',
  'power',
  'managed_by',
  'terraform_resource_id',
  'external_id',
] as const;
export type PlainAttribute = (typeof plainAttributes)[number];

/** What one source says of one item, in the heart's words. A key that is absent is not spoken of. */
export interface Said extends Partial<Record<PlainAttribute, string>> {
  technical_specs?: Specs;
  tags?: string[];
  ansible?: AnsibleWords;
  /** `cluster/vmid`: the number of a guest, as its hypervisor reports it. */
  pve?: string;
}

/** Who had the word on which attributes (dotted paths), and since when they are as they are. */
export type Winners = Record<string, { source: string; since: string }>;

/** Everything of an item that is the outcome of its claims: what a change compares. */
export interface Document {
  ci_type: string;
  ci_name: string;
  ci_status: string;
  lifecycle: Lifecycle;
  power: Power | null;
  hold: Hold | null;
  absence: Absence | null;
  site_id: string;
  environment: string | null;
  role: string | null;
  criticality: string | null;
  technical_specs: Specs;
  tags: string[];
  ansible: AnsibleWords;
  ansible_name: string | null;
  managed_by: string | null;
  discovered_by: string | null;
  terraform_resource_id: string | null;
  external_id: string | null;
  owner: string | null;
  notes: string | null;
  generation: number;
  deleted_at: string | null;
}

export interface Item extends Document {
  ci_id: ItemId;
  absent_since: string | null;
  /** A measuring source said twice, half an hour apart, that it is stopped. */
  stop_confirmed: boolean;
  ansible_name_by: 'auto' | 'people' | null;
  ansible_name_from: string | null;
  winners: Winners;
  /** What people took off: no source puts it back. */
  taken_off: { tags?: string[]; groups?: string[] };
  revision: number;
  first_seen_at: string;
  created_at: string;
  updated_at: string;
}

/** The latest observation of a source under its own key, and what became of it. */
export interface Claim {
  claim_id: ClaimId;
  source: SourceRef;
  kind: string;
  native_key: string;
  ci_id: ItemId | null;
  said: Said;
  /** Of what was heard last, so that hearing it again is known at once. */
  hash: string;
  /** When an attribute (dotted path) got its value, where that is later than first_said_at. */
  since: Record<string, string>;
  said_at: string;
  first_said_at: string;
  gone_since: string | null;
  /** What is withdrawn counts for nothing as long as anybody else ever spoke of the item. */
  gone_for_good: 'retired' | 'withdrawn' | null;
}
