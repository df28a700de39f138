/**
 * Results of playbooks: a narrow row for each host and task, joined by small integers within these tables; each word
 * once; text only where there is text. And of each item how it last went, playbook by playbook.
 */

import { type Kysely, sql } from 'kysely';

const instant = (column: string) => `${column} TEXT CHECK (length(${column}) = 24)`;
const json = (column: string) => `${column} TEXT CHECK (json_valid(${column}))`;
const flag = (column: string) => `${column} INTEGER CHECK (${column} IN (0, 1))`;
const counts =
  'ok INTEGER, changed INTEGER, failures INTEGER, unreachable INTEGER, skipped INTEGER, rescued INTEGER, ignored INTEGER';

const statements = [
  // A part may come before the run itself: what is not known yet is null.
  `CREATE TABLE runs (
    run_no INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    base_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('running', 'ok', 'failed', 'unreachable', 'interrupted')),
    playbook TEXT,
    path TEXT,
    ${instant('started_at')} NOT NULL,
    ${instant('finished_at')},
    ansible_version TEXT,
    shim_version TEXT,
    user_name TEXT,
    controller TEXT,
    origin_kind TEXT,
    origin_url TEXT,
    ${flag('check_mode')},
    ${flag('diff_mode')},
    limited_to TEXT,
    ${json('tags')} NOT NULL DEFAULT '[]',
    ${json('skip_tags')} NOT NULL DEFAULT '[]',
    git_repo TEXT,
    git_commit TEXT,
    git_branch TEXT,
    ${flag('git_dirty')},
    change_ref TEXT,
    inventory_version TEXT,
    token_name TEXT NOT NULL,
    ${instant('announced_at')},
    ${instant('called_at')} NOT NULL,
    ${instant('pruned_at')}
  ) STRICT`,
  'CREATE INDEX runs_started_at ON runs (started_at, run_id)',
  'CREATE INDEX runs_playbook ON runs (playbook, started_at)',
  'CREATE INDEX runs_change_ref ON runs (change_ref) WHERE change_ref IS NOT NULL',
  "CREATE INDEX runs_running ON runs (called_at) WHERE outcome = 'running'",

  // Names of hosts, plays, tasks and actions, and paths of files.
  `CREATE TABLE run_words (
    word_no INTEGER PRIMARY KEY,
    word TEXT NOT NULL UNIQUE
  ) STRICT`,

  `CREATE TABLE run_plays (
    run_no INTEGER NOT NULL REFERENCES runs,
    play_id TEXT NOT NULL,
    play_number INTEGER NOT NULL,
    name_no INTEGER NOT NULL REFERENCES run_words,
    ${instant('started_at')} NOT NULL,
    ${instant('finished_at')},
    PRIMARY KEY (run_no, play_id)
  ) STRICT, WITHOUT ROWID`,

  `CREATE TABLE run_tasks (
    task_no INTEGER PRIMARY KEY,
    run_no INTEGER NOT NULL REFERENCES runs,
    task_id TEXT NOT NULL,
    play_id TEXT NOT NULL,
    name_no INTEGER NOT NULL REFERENCES run_words,
    action_no INTEGER NOT NULL REFERENCES run_words,
    path_no INTEGER REFERENCES run_words,
    line INTEGER,
    ${json('tags')} NOT NULL DEFAULT '[]',
    handler INTEGER NOT NULL CHECK (handler IN (0, 1)),
    UNIQUE (run_no, task_id)
  ) STRICT`,

  // Totals are kept for ever; an item is known where the inventory gave out its id with the host.
  `CREATE TABLE run_hosts (
    run_no INTEGER NOT NULL REFERENCES runs,
    host_no INTEGER NOT NULL REFERENCES run_words,
    ci_id TEXT REFERENCES configuration_items,
    ${counts},
    PRIMARY KEY (run_no, host_no)
  ) STRICT, WITHOUT ROWID`,
  'CREATE INDEX run_hosts_ci_id ON run_hosts (ci_id, run_no) WHERE ci_id IS NOT NULL',
  'CREATE INDEX run_hosts_host_no ON run_hosts (host_no, run_no)',

  // status: 0 ok, 1 changed, 2 failed, 3 unreachable, 4 skipped, 5 ignored. at_ms: since base_ms of the run.
  `CREATE TABLE run_results (
    run_no INTEGER NOT NULL,
    n INTEGER NOT NULL,
    task_no INTEGER NOT NULL,
    host_no INTEGER NOT NULL,
    status INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (run_no, n)
  ) STRICT, WITHOUT ROWID`,

  `CREATE TABLE run_texts (
    run_no INTEGER NOT NULL,
    n INTEGER NOT NULL,
    ${json('texts')} NOT NULL,
    PRIMARY KEY (run_no, n)
  ) STRICT, WITHOUT ROWID`,

  'ALTER TABLE activity ADD COLUMN failing INTEGER NOT NULL DEFAULT 0',

  // How the last run of each playbook went on an item; check mode left out.
  `CREATE TABLE playbook_outcomes (
    ci_id TEXT NOT NULL REFERENCES configuration_items,
    playbook TEXT NOT NULL,
    run_id TEXT NOT NULL,
    ${instant('finished_at')} NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'changed', 'failed', 'unreachable')),
    PRIMARY KEY (ci_id, playbook)
  ) STRICT, WITHOUT ROWID`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
