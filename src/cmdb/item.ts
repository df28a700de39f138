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

/** People have words of their own besides. */
export const relationshipTypes = ['depends_on', 'runs_on', 'connects_to', 'member_of'] as const;
/** Strongest first. */
export const strengths = ['critical', 'strong', 'weak'] as const;
export type Strength = (typeof strengths)[number];

/**
 * What a source says that an item is to another one, of which it knows the id, the name, or the claim that it makes of
 * it itself: its source and key.
 */
export type SaidRelationship = { relationship_type: string; relationship_strength: Strength; note?: string } & (
  | { ci_id: ItemId; ci_name?: never; claim?: never }
  | { ci_id?: never; ci_name: string; claim?: never }
  | { ci_id?: never; ci_name?: never; claim: string }
);

/** What one source says of one item, in the heart's words. A key that is absent is not spoken of. */
export interface Said extends Partial<Record<PlainAttribute, string>> {
  technical_specs?: Specs;
  tags?: string[];
  ansible?: AnsibleWords;
  relationships?: SaidRelationship[];
  /** `cluster/vmid`: the number of a guest, as its hypervisor reports it. */
  pve?: string;
  /** Taken inside a container: the UUID and the serial are its host's. */
  container?: boolean;
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
  /** The item that answers for this one since they were merged. */
  merged_into: ItemId | null;
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
  taken_off: TakenOff;
  /** What it has from another item: tags and groups of a dead one, and what is to be given back after a split. */
  handed_down: HandedDown;
  /** The hypervisor's claim with which it began, as `source key`. */
  first_anchor: string | null;
  /** When its machine was rebuilt last. */
  body_since: string | null;
  /** When its claims were weighed last: what time alone changes counts up to then. */
  weighed_at: string;
  merged_at: string | null;
  /** The person who merged it; null where identity did. */
  merged_by: string | null;
  revision: number;
  first_seen_at: string;
  created_at: string;
  updated_at: string;
}

export interface TakenOff {
  tags?: string[];
  groups?: string[];
}

export interface HandedDown {
  /** Of a dead item, which this one goes on for. */
  tags?: string[];
  groups?: string[];
  /** The living item that goes on for this dead one, and has its name. */
  adopted_by?: ItemId;
  /** Of one that a person split off: from which, what the name of that one was, and which one this got. */
  parted?: { from: ItemId; name: GivenName; given?: GivenName };
  /** Of one that was merged into another: what went to that one, and what its name was. */
  merged?: {
    pins: string[];
    hold: boolean;
    tags: string[];
    groups: string[];
    /** What was written to it by its id. */
    bound?: ClaimId[];
    /** Verdicts that ended with it. */
    ended?: string[];
    name: GivenName;
    survivorsName: GivenName;
    /** What the survivor was called, should nobody say so of what is left of it. */
    survivorsCiName?: string;
    /** What the survivor was named with the merge. */
    nameAfter?: GivenName;
  };
}

export interface GivenName {
  ansible_name: string | null;
  ansible_name_by: 'auto' | 'people' | null;
  ansible_name_from: string | null;
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
  /** When it was heard last, also where it said nothing new, and in which reading of its source. */
  heard_at: string;
  heard_pass_id: string | null;
  gone_since: string | null;
  /** In how many complete readings of its source it was not found. */
  gone_passes: number;
  /** What is withdrawn counts for nothing as long as anybody else ever spoke of the item. */
  gone_for_good: 'retired' | 'withdrawn' | null;
  /** The item that it was written to, or came back with, by id. */
  bound_ci_id: ItemId | null;
  /** Its item before the moment settled_at. */
  settled_ci_id: ItemId | null;
  settled_at: string | null;
  former_ci_ids: ItemId[];
  returned_at: string | null;
  body_since: string | null;
  rebuilt_at: string | null;
  number_left_behind: { pve: string; name: string | null } | null;
  replaces_ci_id: ItemId | null;
  ghost_of: ClaimId | null;
  /** It has no word: it is of a machine that the item no longer is, or never was. */
  muted: boolean;
  /** What tells that another machine answered. */
  alarm: string | null;
  alarm_since: string | null;
}

/** Whether a source knows the thing by our item alone, and has no key of its own for it. */
export function isOfItem({ native_key }: Pick<Claim, 'native_key'>): boolean {
  return native_key.startsWith('ci:');
}

/** Whether all that was ever said in it was taken back: it counts as never said. */
export function isTakenBack({ said, gone_for_good }: Pick<Claim, 'said' | 'gone_for_good'>): boolean {
  return gone_for_good === 'withdrawn' && Object.keys(said).length === 0;
}

/** A claim's source and its own key: what tells it from all others. */
export function refOf(claim: Pick<Claim, 'source' | 'native_key'>): string {
  return `${claim.source} ${claim.native_key}`;
}
