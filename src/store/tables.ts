/** What SQLite really returns, beside db/migrations: JSON is text here, true is 1, instants are 24 characters. */

import type { Generated } from 'kysely';

export interface Database {
  sites: SitesTable;
  groups: GroupsTable;
  sources: SourcesTable;
  configuration_items: ItemsTable;
  claims: ClaimsTable;
  claim_seen: ClaimSeenTable;
  identifiers: IdentifiersTable;
  verdicts: VerdictsTable;
  conflicts: ConflictsTable;
  pins: PinsTable;
  edges: EdgesTable;
  relationship_targets: RelationshipTargetsTable;
  changes: ChangesTable;
  change_references: { source: string; requirement: 'off' | 'warn' | 'enforce' | null; change_ref: string | null };
  activity: ActivityTable;
  cluster_nodes: ClusterNodesTable;
  settings_seen: { name: string; value: string; seen_at: string };
  passes: PassesTable;
  tokens: TokensTable;
  refusals: RefusalsTable;
  alerts: AlertsTable;
  revision: { only_row: number; revision: number };
  inventory_versions: InventoryVersionsTable;
  runs: RunsTable;
  run_words: { word_no: Generated<number>; word: string };
  run_plays: RunPlaysTable;
  run_tasks: RunTasksTable;
  run_hosts: RunHostsTable;
  run_results: RunResultsTable;
  run_texts: { run_no: number; n: number; texts: string };
  run_gatherings: { run_no: number; host_no: number; n: number; at_ms: number; facts_no: number };
  playbook_outcomes: PlaybookOutcomesTable;
  job_runs: JobRunsTable;
  job_leases: { job: string; holder: string; until: string };
  credentials: CredentialsTable;
  credential_associations: { credential_id: string; ci_id: string; role: string | null; since: string };
  credential_rotations: CredentialRotationsTable;
  credential_issues: CredentialIssuesTable;
  credential_vault_findings: CredentialVaultFindingsTable;
  proxmox_clusters: ProxmoxClustersTable;
  proxmox_readings: { source: string; subject: string; kind: string; read_at: string; content: string };
}

export interface ProxmoxClustersTable {
  source: string;
  own_name: string | null;
  nodes: string;
  has_quorum: 0 | 1;
  read_at: string;
}

export interface SitesTable {
  site_id: string;
  name: string | null;
  domains: Generated<string>;
  new_hosts: Generated<'serve' | 'hold'>;
  new_hosts_since: string | null;
  vars: Generated<string>;
  notes: string | null;
  created_at: string;
  updated_at: string;
}

export interface GroupsTable {
  group_name: string;
  source: string;
  vars: string | null;
  children: string | null;
  match: string | null;
  updated_at: string;
}

export interface SourcesTable {
  source: string;
  kind: string;
  role: 'measures' | 'intends' | 'people';
  origin_host: string | null;
  origin_path: string | null;
  first_seen_at: string;
  last_seen_at: string;
  last_complete_pass_id: string | null;
  last_complete_pass_at: string | null;
  held_pass_id: string | null;
  withdrawn_at: string | null;
}

export interface ItemsTable {
  ci_id: string;
  ci_type: string;
  ci_name: string;
  ci_status: string;
  lifecycle: string | null;
  power: string | null;
  hold: string | null;
  absence: string | null;
  absent_since: string | null;
  stop_confirmed: number;
  site_id: string;
  environment: string | null;
  role: string | null;
  criticality: string | null;
  technical_specs: string;
  tags: string;
  ansible: string;
  ansible_name: string | null;
  ansible_name_by: string | null;
  ansible_name_from: string | null;
  managed_by: string | null;
  discovered_by: string | null;
  terraform_resource_id: string | null;
  external_id: string | null;
  owner: string | null;
  notes: string | null;
  generation: Generated<number>;
  body_since: string | null;
  winners: string;
  taken_off: string;
  handed_down: Generated<string>;
  first_anchor: string | null;
  merged_into: string | null;
  merged_at: string | null;
  merged_by: string | null;
  weighed_at: string | null;
  revision: number;
  first_seen_at: string;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

export interface ClaimsTable {
  claim_id: string;
  source: string;
  kind: string;
  native_key: string;
  ci_id: string | null;
  bound_ci_id: string | null;
  settled_ci_id: string | null;
  settled_at: string | null;
  former_ci_ids: Generated<string>;
  said: string;
  hash: string;
  since: string;
  said_at: string;
  first_said_at: string;
  gone_since: string | null;
  gone_passes: Generated<number>;
  gone_counted_pass_id: string | null;
  gone_for_good: 'retired' | 'withdrawn' | null;
  returned_at: string | null;
  body_since: string | null;
  rebuilt_at: string | null;
  number_left_behind: string | null;
  replaces_ci_id: string | null;
  ghost_of: string | null;
  muted: Generated<number>;
  alarm: string | null;
  alarm_since: string | null;
}

export interface ClaimSeenTable {
  claim_id: string;
  seen_at: string;
  pass_id: string | null;
}

export interface IdentifiersTable {
  kind: string;
  value: string;
  claim_id: string;
  said_since: string;
}

export interface VerdictsTable {
  verdict_id: string;
  decision: 'same' | 'apart' | 'beside';
  claim_id: string | null;
  other_claim_id: string | null;
  ci_id: string | null;
  other_ci_id: string | null;
  decided_by: string;
  reason: string | null;
  since: string;
  until: string | null;
}

export interface ConflictsTable {
  conflict_id: string;
  claim_id: string;
  candidates: string;
  reasons: Generated<string>;
  since: string;
  until: string | null;
  decision: 'same' | 'apart' | null;
  ci_id: string | null;
  decided_by: string | null;
}

export interface PinsTable {
  ci_id: string;
  attribute: string;
  value: string;
  reason: string;
  pinned_by: string;
  since: string;
  until: string | null;
}

export interface EdgesTable {
  ci_id: string;
  relationship_type: string;
  target_ci_id: string;
  source: string;
  claim_id: string | null;
  relationship_strength: 'critical' | 'strong' | 'weak';
  note: string | null;
  since: string;
}

export interface RelationshipTargetsTable {
  target: string;
  claim_id: string;
}

export interface ChangesTable {
  change_no: Generated<number>;
  change_id: string;
  subject: 'ci' | 'site' | 'group' | 'credential';
  subject_id: string;
  action: string;
  source: string;
  actor: string | null;
  change_ref: string | null;
  change_ref_standing: Generated<number>;
  reason: string | null;
  request_id: string | null;
  pass_id: string | null;
  reverts: string | null;
  before: string;
  after: string;
  undo: string | null;
  revision: number;
  changed_at: string;
}

export interface ActivityTable {
  ci_id: string;
  last_configured_at: string | null;
  last_run_at: string | null;
  last_run_id: string | null;
  last_run_outcome: 'ok' | 'changed' | 'failed' | 'unreachable' | null;
  /** Playbooks whose last run failed on it. */
  failing: Generated<number>;
  stale_since: string | null;
}

export interface ClusterNodesTable {
  cluster: string;
  node: string;
  source: string;
  site_id: string;
}

export interface PassesTable {
  pass_id: string;
  source: string;
  actor: string | null;
  complete: number;
  why: string | null;
  outcome: 'good' | 'partial' | 'suspicious' | 'accepted' | 'failed';
  seen: number;
  created: number;
  updated: number;
  unchanged: number;
  missing: number;
  refused: number;
  held: string | null;
  error: string | null;
  begun_at: string;
  ended_at: string;
}

export interface TokensTable {
  token_id: string;
  token_name: string;
  hash: string;
  scopes: string;
  change_ref: string | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface RefusalsTable {
  refusal_id: string;
  refused_at: string;
  token_name: string | null;
  address: string | null;
  method: string;
  path: string;
  status: number;
  detail: string;
  errors: string;
  body: string | null;
  request_id: string | null;
}

export interface AlertsTable {
  alert_id: string;
  kind: string;
  subject: string;
  what_to_do: string;
  since: string;
  until: string | null;
}

export interface InventoryVersionsTable {
  version: string;
  question: string;
  revision: number;
  body: Buffer;
  first_served_at: string;
  last_served_at: string;
  keep_until: string | null;
}

export interface RunsTable {
  run_no: Generated<number>;
  run_id: string;
  /** Milliseconds since 1970 from which its results count. */
  base_ms: number;
  outcome: 'running' | 'ok' | 'failed' | 'unreachable' | 'interrupted';
  playbook: string | null;
  path: string | null;
  started_at: string;
  finished_at: string | null;
  ansible_version: string | null;
  shim_version: string | null;
  user_name: string | null;
  controller: string | null;
  origin_kind: string | null;
  origin_url: string | null;
  check_mode: number | null;
  diff_mode: number | null;
  limited_to: string | null;
  tags: Generated<string>;
  skip_tags: Generated<string>;
  git_repo: string | null;
  git_commit: string | null;
  git_branch: string | null;
  git_dirty: number | null;
  change_ref: string | null;
  inventory_version: string | null;
  token_name: string;
  announced_at: string | null;
  called_at: string;
  pruned_at: string | null;
}

export interface RunPlaysTable {
  run_no: number;
  play_id: string;
  play_number: number;
  name_no: number;
  started_at: string;
  finished_at: string | null;
}

export interface RunTasksTable {
  task_no: Generated<number>;
  run_no: number;
  task_id: string;
  play_id: string;
  name_no: number;
  action_no: number;
  path_no: number | null;
  line: number | null;
  tags: Generated<string>;
  handler: number;
}

export interface RunHostsTable {
  run_no: number;
  host_no: number;
  ci_id: string | null;
  ok: number | null;
  changed: number | null;
  failures: number | null;
  unreachable: number | null;
  skipped: number | null;
  rescued: number | null;
  ignored: number | null;
}

export interface RunResultsTable {
  run_no: number;
  n: number;
  task_no: number;
  host_no: number;
  status: number;
  at_ms: number;
  duration_ms: number;
}

export interface PlaybookOutcomesTable {
  ci_id: string;
  playbook: string;
  run_id: string;
  finished_at: string;
  outcome: 'ok' | 'changed' | 'failed' | 'unreachable';
}

export interface JobRunsTable {
  run_no: Generated<number>;
  id: string;
  job: string;
  trigger: 'schedule' | 'start' | 'request';
  started_at: string;
  finished_at: string | null;
  outcome: 'running' | 'good' | 'partial' | 'held' | 'failed' | 'interrupted';
  error: string | null;
  counts: string;
}

export interface CredentialsTable {
  credential_id: string;
  credential_name: string;
  credential_type: string;
  owner_email: string | null;
  vaultwarden_item_id: string | null;
  lifecycle_state: 'planned' | 'active' | 'rotating' | 'compromised' | 'retired';
  last_rotated_at: string | null;
  rotation_period_days: number | null;
  next_rotation_due: string | null;
  expires_at: string | null;
  snooze: string | null;
  waiver: string | null;
  vault_revised_at: string | null;
  vault_told_at: string | null;
  notes: string | null;
  runbook_url: string | null;
  created_at: string;
  updated_at: string;
}

export interface CredentialRotationsTable {
  rotation_id: string;
  credential_id: string;
  rotated_at: string;
  recorded_at: string;
  evidence: string;
  note: string | null;
  recorded_by: string;
  change_ref: string | null;
}

export interface CredentialIssuesTable {
  credential_id: string;
  cycle: string;
  repository: string;
  state: 'creating' | 'open' | 'closed' | 'left';
  issue_number: number | null;
  issue_url: string | null;
  level_said: number;
  said: string | null;
  body_hash: string | null;
  reopened: Generated<number>;
  replaced: Generated<number>;
  tried_at: string;
  opened_at: string | null;
  ended_at: string | null;
  ended_why: string | null;
}

export interface CredentialVaultFindingsTable {
  kind: 'untracked' | 'missing' | 'ambiguous' | 'trashed' | 'archived' | 'went_back' | 'from_the_future';
  subject: string;
  credential_id: string | null;
  item_id: string | null;
  item_name: string | null;
  since: string;
}
