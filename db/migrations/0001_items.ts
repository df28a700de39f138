/**
 * The heart's tables: who says what of which machine, what that comes to, and everything that changed.
 * Instants are checked to be 24 characters, so that text sorts as time does; JSON is checked to be JSON.
 */

import { type Kysely, sql } from 'kysely';

const instant = (column: string) => `${column} TEXT CHECK (length(${column}) = 24)`;
const json = (column: string) => `${column} TEXT CHECK (json_valid(${column}))`;

const statements = [
  `CREATE TABLE sites (
    site_id TEXT PRIMARY KEY,
    name TEXT,
    ${json('domains')} NOT NULL DEFAULT '[]',
    new_hosts TEXT NOT NULL DEFAULT 'serve' CHECK (new_hosts IN ('serve', 'hold')),
    ${instant('new_hosts_since')},
    ${json('vars')} NOT NULL DEFAULT '{}',
    notes TEXT,
    ${instant('created_at')} NOT NULL,
    ${instant('updated_at')} NOT NULL
  ) STRICT`,

  // One row a group and who describes it: 'api', or an import's source.
  `CREATE TABLE groups (
    group_name TEXT NOT NULL,
    source TEXT NOT NULL,
    ${json('vars')},
    ${json('children')},
    ${json('match')},
    ${instant('updated_at')} NOT NULL,
    PRIMARY KEY (group_name, source)
  ) STRICT, WITHOUT ROWID`,

  `CREATE TABLE sources (
    source TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('measures', 'intends', 'people')),
    origin_host TEXT,
    origin_path TEXT,
    ${instant('first_seen_at')} NOT NULL,
    ${instant('last_seen_at')} NOT NULL,
    last_complete_pass_id TEXT,
    ${instant('last_complete_pass_at')},
    held_pass_id TEXT,
    ${instant('withdrawn_at')}
  ) STRICT, WITHOUT ROWID`,

  // The merged document, and beside it what it is made of: winners, what people took off, ends of its life.
  `CREATE TABLE configuration_items (
    ci_id TEXT PRIMARY KEY,
    ci_type TEXT NOT NULL,
    ci_name TEXT NOT NULL,
    ci_status TEXT NOT NULL,
    lifecycle TEXT CHECK (lifecycle IN ('planned', 'active', 'retired')),
    power TEXT CHECK (power IN ('running', 'stopped', 'paused')),
    ${json('hold')},
    absence TEXT CHECK (absence IN ('missing', 'retired')),
    ${instant('absent_since')},
    stop_confirmed INTEGER NOT NULL DEFAULT 0 CHECK (stop_confirmed IN (0, 1)),
    site_id TEXT NOT NULL REFERENCES sites,
    environment TEXT,
    role TEXT,
    criticality TEXT,
    ${json('technical_specs')} NOT NULL,
    ${json('tags')} NOT NULL,
    ${json('ansible')} NOT NULL,
    ansible_name TEXT,
    ansible_name_by TEXT CHECK (ansible_name_by IN ('auto', 'people')),
    ansible_name_from TEXT,
    managed_by TEXT,
    discovered_by TEXT,
    terraform_resource_id TEXT,
    external_id TEXT,
    owner TEXT,
    notes TEXT,
    generation INTEGER NOT NULL DEFAULT 1,
    ${instant('body_since')},
    ${json('winners')} NOT NULL,
    ${json('taken_off')} NOT NULL DEFAULT '{}',
    ${json('handed_down')} NOT NULL DEFAULT '{}',
    first_anchor TEXT,
    merged_into TEXT REFERENCES configuration_items,
    ${instant('merged_at')},
    merged_by TEXT,
    revision INTEGER NOT NULL,
    ${instant('first_seen_at')} NOT NULL,
    ${instant('created_at')} NOT NULL,
    ${instant('updated_at')} NOT NULL,
    ${instant('deleted_at')}
  ) STRICT`,
  'CREATE UNIQUE INDEX configuration_items_ansible_name ON configuration_items (ansible_name) WHERE ansible_name IS NOT NULL',
  // All that has to be read to know which groups items are put into.
  "CREATE INDEX configuration_items_ansible ON configuration_items (ansible, deleted_at) WHERE ansible <> '{}'",
  'CREATE INDEX configuration_items_ci_name ON configuration_items (ci_name)',
  'CREATE INDEX configuration_items_revision ON configuration_items (revision)',
  'CREATE INDEX configuration_items_merged_into ON configuration_items (merged_into) WHERE merged_into IS NOT NULL',

  /*
   * The latest observation of a source under its own key. ci_id is null while it waits in a conflict;
   * bound_ci_id is the item that it was tied to by id; settled_ci_id was its item before settled_at.
   * since holds the attributes that were said later than first_said_at.
   */
  `CREATE TABLE claims (
    claim_id TEXT PRIMARY KEY,
    source TEXT NOT NULL REFERENCES sources,
    kind TEXT NOT NULL,
    native_key TEXT NOT NULL,
    ci_id TEXT REFERENCES configuration_items,
    bound_ci_id TEXT REFERENCES configuration_items,
    settled_ci_id TEXT REFERENCES configuration_items,
    ${instant('settled_at')},
    ${json('former_ci_ids')} NOT NULL DEFAULT '[]',
    ${json('said')} NOT NULL,
    hash TEXT NOT NULL,
    ${json('since')} NOT NULL DEFAULT '{}',
    ${instant('said_at')} NOT NULL,
    ${instant('first_said_at')} NOT NULL,
    ${instant('gone_since')},
    gone_passes INTEGER NOT NULL DEFAULT 0,
    gone_counted_pass_id TEXT,
    gone_for_good TEXT CHECK (gone_for_good IN ('retired', 'withdrawn')),
    ${instant('returned_at')},
    ${instant('body_since')},
    ${instant('rebuilt_at')},
    ${json('number_left_behind')},
    replaces_ci_id TEXT REFERENCES configuration_items,
    ghost_of TEXT REFERENCES claims,
    muted INTEGER NOT NULL DEFAULT 0 CHECK (muted IN (0, 1)),
    alarm TEXT,
    ${instant('alarm_since')},
    UNIQUE (source, native_key)
  ) STRICT`,
  'CREATE INDEX claims_ci_id ON claims (ci_id)',
  // By what was heard last: how a source without keys of its own is known to repeat itself.
  'CREATE INDEX claims_hash ON claims (source, hash)',
  'CREATE INDEX claims_bound_ci_id ON claims (bound_ci_id) WHERE bound_ci_id IS NOT NULL',
  'CREATE INDEX claims_settled_ci_id ON claims (settled_ci_id) WHERE settled_ci_id IS NOT NULL',

  // The narrow row: all that an unchanged observation writes.
  `CREATE TABLE claim_seen (
    claim_id TEXT PRIMARY KEY REFERENCES claims,
    ${instant('seen_at')} NOT NULL,
    pass_id TEXT
  ) STRICT, WITHOUT ROWID`,

  // Normalised values by which a claim is found; the kinds are in cmdb/item.ts.
  `CREATE TABLE identifiers (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    claim_id TEXT NOT NULL REFERENCES claims,
    ${instant('said_since')} NOT NULL,
    PRIMARY KEY (kind, value, claim_id)
  ) STRICT, WITHOUT ROWID`,
  'CREATE INDEX identifiers_claim_id ON identifiers (claim_id)',

  // What a person decided of two things, and copies that stood beside their originals.
  `CREATE TABLE verdicts (
    verdict_id TEXT PRIMARY KEY,
    decision TEXT NOT NULL CHECK (decision IN ('same', 'apart', 'beside')),
    claim_id TEXT REFERENCES claims,
    other_claim_id TEXT REFERENCES claims,
    ci_id TEXT REFERENCES configuration_items,
    other_ci_id TEXT REFERENCES configuration_items,
    decided_by TEXT NOT NULL,
    reason TEXT,
    ${instant('since')} NOT NULL,
    ${instant('until')}
  ) STRICT`,
  'CREATE INDEX verdicts_claim_id ON verdicts (claim_id)',
  'CREATE INDEX verdicts_other_claim_id ON verdicts (other_claim_id)',
  'CREATE INDEX verdicts_ci_id ON verdicts (ci_id)',
  'CREATE INDEX verdicts_other_ci_id ON verdicts (other_ci_id)',

  `CREATE TABLE conflicts (
    conflict_id TEXT PRIMARY KEY,
    claim_id TEXT NOT NULL REFERENCES claims,
    ${json('candidates')} NOT NULL,
    ${json('reasons')} NOT NULL DEFAULT '[]',
    ${instant('since')} NOT NULL,
    ${instant('until')},
    decision TEXT CHECK (decision IN ('same', 'apart')),
    ci_id TEXT REFERENCES configuration_items,
    decided_by TEXT
  ) STRICT`,
  'CREATE UNIQUE INDEX conflicts_open ON conflicts (claim_id) WHERE until IS NULL',

  `CREATE TABLE pins (
    ci_id TEXT NOT NULL REFERENCES configuration_items,
    attribute TEXT NOT NULL,
    ${json('value')} NOT NULL,
    reason TEXT NOT NULL,
    pinned_by TEXT NOT NULL,
    ${instant('since')} NOT NULL,
    ${instant('until')},
    PRIMARY KEY (ci_id, attribute)
  ) STRICT, WITHOUT ROWID`,

  // One row for each who asserts the relationship: it lives while one of them does.
  `CREATE TABLE edges (
    ci_id TEXT NOT NULL REFERENCES configuration_items,
    relationship_type TEXT NOT NULL,
    target_ci_id TEXT NOT NULL REFERENCES configuration_items,
    source TEXT NOT NULL REFERENCES sources,
    claim_id TEXT REFERENCES claims,
    relationship_strength TEXT NOT NULL CHECK (relationship_strength IN ('critical', 'strong', 'weak')),
    note TEXT,
    ${instant('since')} NOT NULL,
    PRIMARY KEY (ci_id, relationship_type, target_ci_id, source)
  ) STRICT, WITHOUT ROWID`,
  'CREATE INDEX edges_target ON edges (target_ci_id, relationship_type)',
  'CREATE INDEX edges_claim_id ON edges (claim_id)',

  // before and after hold the attributes that differ, by dotted path. What a group or a site changed stands here too.
  `CREATE TABLE changes (
    change_no INTEGER PRIMARY KEY AUTOINCREMENT,
    change_id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL CHECK (subject IN ('ci', 'site', 'group')),
    subject_id TEXT NOT NULL,
    action TEXT NOT NULL,
    source TEXT NOT NULL,
    actor TEXT,
    change_ref TEXT,
    reason TEXT,
    request_id TEXT,
    pass_id TEXT,
    reverts TEXT,
    ${json('before')} NOT NULL,
    ${json('after')} NOT NULL,
    ${json('undo')},
    revision INTEGER NOT NULL,
    ${instant('changed_at')} NOT NULL
  ) STRICT`,
  'CREATE INDEX changes_subject ON changes (subject, subject_id, change_no)',
  'CREATE INDEX changes_changed_at ON changes (changed_at)',
  "CREATE TRIGGER changes_are_not_updated BEFORE UPDATE ON changes BEGIN SELECT RAISE(ABORT, 'changes are append-only'); END",
  "CREATE TRIGGER changes_are_not_deleted BEFORE DELETE ON changes BEGIN SELECT RAISE(ABORT, 'changes are append-only'); END",

  // What happens to an item without changing it. Not audited, never in the inventory's content.
  `CREATE TABLE activity (
    ci_id TEXT PRIMARY KEY REFERENCES configuration_items,
    ${instant('last_configured_at')},
    ${instant('last_run_at')},
    last_run_id TEXT,
    last_run_outcome TEXT,
    ${instant('stale_since')}
  ) STRICT, WITHOUT ROWID`,

  `CREATE TABLE passes (
    pass_id TEXT PRIMARY KEY,
    source TEXT NOT NULL REFERENCES sources,
    actor TEXT,
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
    why TEXT,
    outcome TEXT NOT NULL CHECK (outcome IN ('good', 'partial', 'suspicious', 'accepted', 'failed')),
    seen INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    ${json('held')},
    error TEXT,
    ${instant('begun_at')} NOT NULL,
    ${instant('ended_at')} NOT NULL
  ) STRICT`,
  'CREATE INDEX passes_source ON passes (source, ended_at)',

  `CREATE TABLE tokens (
    token_id TEXT PRIMARY KEY,
    token_name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    ${json('scopes')} NOT NULL,
    ${instant('created_at')} NOT NULL,
    ${instant('expires_at')},
    ${instant('last_used_at')},
    ${instant('revoked_at')}
  ) STRICT`,

  `CREATE TABLE refusals (
    refusal_id TEXT PRIMARY KEY,
    ${instant('refused_at')} NOT NULL,
    token_name TEXT,
    address TEXT,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    detail TEXT NOT NULL,
    ${json('errors')} NOT NULL,
    body TEXT,
    request_id TEXT
  ) STRICT`,
  'CREATE INDEX refusals_refused_at ON refusals (refused_at)',

  `CREATE TABLE alerts (
    alert_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    what_to_do TEXT NOT NULL,
    ${instant('since')} NOT NULL,
    ${instant('until')}
  ) STRICT`,
  'CREATE UNIQUE INDEX alerts_standing ON alerts (kind, subject) WHERE until IS NULL',

  'CREATE TABLE revision (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), revision INTEGER NOT NULL) STRICT',
  'INSERT INTO revision VALUES (1, 0)',

  // Byte for byte what Ansible was told, packed with gzip; the question is '' for the whole inventory.
  `CREATE TABLE inventory_versions (
    version TEXT NOT NULL,
    question TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body BLOB NOT NULL,
    ${instant('first_served_at')} NOT NULL,
    ${instant('last_served_at')} NOT NULL,
    ${instant('keep_until')},
    PRIMARY KEY (version, question)
  ) STRICT`,
  'CREATE INDEX inventory_versions_last_served_at ON inventory_versions (last_served_at)',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
