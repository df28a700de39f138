/**
 * Credentials without what they hold: when they are due, who uses them, how each was rotated, and the issue that asks for
 * it. Their changes stand among all others; and a change says whether the issue that it names was one standing for all
 * that its source does.
 */

import { type Kysely, sql } from 'kysely';

const instant = (column: string) => `${column} TEXT CHECK (length(${column}) = 24)`;
const date = (column: string) => `${column} TEXT CHECK (length(${column}) = 10)`;
const json = (column: string) => `${column} TEXT CHECK (json_valid(${column}))`;

const changeColumns = `change_no, change_id, subject, subject_id, action, source, actor, change_ref, reason, request_id,
  pass_id, reverts, before, after, undo, revision, changed_at`;

const statements = [
  // What a table checks cannot be altered: it is made anew.
  'ALTER TABLE changes RENAME TO former_changes',
  `CREATE TABLE changes (
    change_no INTEGER PRIMARY KEY AUTOINCREMENT,
    change_id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL CHECK (subject IN ('ci', 'site', 'group', 'credential')),
    subject_id TEXT NOT NULL,
    action TEXT NOT NULL,
    source TEXT NOT NULL,
    actor TEXT,
    change_ref TEXT,
    change_ref_standing INTEGER NOT NULL DEFAULT 0 CHECK (change_ref_standing IN (0, 1)),
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
  `INSERT INTO changes (${changeColumns}) SELECT ${changeColumns} FROM former_changes ORDER BY change_no`,
  'DROP TABLE former_changes',
  'CREATE INDEX changes_subject ON changes (subject, subject_id, change_no)',
  'CREATE INDEX changes_changed_at ON changes (changed_at)',
  "CREATE TRIGGER changes_are_not_updated BEFORE UPDATE ON changes BEGIN SELECT RAISE(ABORT, 'changes are append-only'); END",
  "CREATE TRIGGER changes_are_not_deleted BEFORE DELETE ON changes BEGIN SELECT RAISE(ABORT, 'changes are append-only'); END",

  // Whether a source has to name an issue, and the one that stands for all that it does: as the settings say.
  `CREATE TABLE change_references (
    source TEXT NOT NULL,
    requirement TEXT CHECK (requirement IN ('off', 'warn', 'enforce')),
    change_ref TEXT
  ) STRICT`,
  'ALTER TABLE tokens ADD COLUMN change_ref TEXT',

  /*
   * vault_revised_at is the latest date that the vault gave for its secret, whether or not that counted as a rotation;
   * vault_told_at the one that it gave last, which is null where it gave none.
   */
  `CREATE TABLE credentials (
    credential_id TEXT PRIMARY KEY,
    credential_name TEXT NOT NULL,
    credential_type TEXT NOT NULL,
    owner_email TEXT,
    vaultwarden_item_id TEXT,
    lifecycle_state TEXT NOT NULL CHECK (lifecycle_state IN ('planned', 'active', 'rotating', 'compromised', 'retired')),
    ${instant('last_rotated_at')},
    rotation_period_days INTEGER CHECK (rotation_period_days > 0),
    ${date('next_rotation_due')},
    ${instant('expires_at')},
    ${json('snooze')},
    ${json('waiver')},
    ${instant('vault_revised_at')},
    ${instant('vault_told_at')},
    notes TEXT,
    runbook_url TEXT,
    ${instant('created_at')} NOT NULL,
    ${instant('updated_at')} NOT NULL
  ) STRICT, WITHOUT ROWID`,
  // What is retired gives its name up.
  "CREATE UNIQUE INDEX credentials_name ON credentials (lower(credential_name)) WHERE lifecycle_state <> 'retired'",

  // As it was said: whoever took the place of an item, by a merge or an adoption, is found when it is read.
  `CREATE TABLE credential_associations (
    credential_id TEXT NOT NULL REFERENCES credentials,
    ci_id TEXT NOT NULL REFERENCES configuration_items,
    role TEXT,
    ${instant('since')} NOT NULL,
    PRIMARY KEY (credential_id, ci_id)
  ) STRICT, WITHOUT ROWID`,
  'CREATE INDEX credential_associations_ci ON credential_associations (ci_id)',

  `CREATE TABLE credential_rotations (
    rotation_id TEXT PRIMARY KEY,
    credential_id TEXT NOT NULL REFERENCES credentials,
    ${instant('rotated_at')} NOT NULL,
    ${instant('recorded_at')} NOT NULL,
    evidence TEXT NOT NULL,
    note TEXT,
    recorded_by TEXT NOT NULL,
    change_ref TEXT
  ) STRICT, WITHOUT ROWID`,
  'CREATE INDEX credential_rotations_of ON credential_rotations (credential_id, recorded_at)',

  /*
   * One row for a credential and a cycle, which its due date names, written before anything is asked of the tracker:
   * a row that is creating may have its issue already. said holds the comment that was begun last; level_said the last
   * level that was commented on.
   */
  `CREATE TABLE credential_issues (
    credential_id TEXT NOT NULL REFERENCES credentials,
    cycle TEXT NOT NULL,
    repository TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('creating', 'open', 'closed', 'left')),
    issue_number INTEGER,
    issue_url TEXT,
    level_said INTEGER NOT NULL,
    said TEXT,
    body_hash TEXT,
    reopened INTEGER NOT NULL DEFAULT 0 CHECK (reopened IN (0, 1)),
    replaced INTEGER NOT NULL DEFAULT 0 CHECK (replaced IN (0, 1)),
    ${instant('tried_at')} NOT NULL,
    ${instant('opened_at')},
    ${instant('ended_at')},
    ended_why TEXT,
    PRIMARY KEY (credential_id, cycle)
  ) STRICT, WITHOUT ROWID`,
  // Never two at a time.
  "CREATE UNIQUE INDEX credential_issues_standing ON credential_issues (credential_id) WHERE state IN ('creating', 'open')",

  // How the vault and the records did not fit, when it was read last.
  `CREATE TABLE credential_vault_findings (
    kind TEXT NOT NULL CHECK (kind IN ('untracked', 'missing', 'ambiguous', 'trashed', 'archived', 'went_back', 'from_the_future')),
    subject TEXT NOT NULL,
    credential_id TEXT REFERENCES credentials,
    item_id TEXT,
    item_name TEXT,
    ${instant('since')} NOT NULL,
    PRIMARY KEY (kind, subject)
  ) STRICT, WITHOUT ROWID`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
