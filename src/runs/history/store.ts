/** Looking back at runs: lists, one run whole, its results, and what many runs say together. */

import { sql } from 'kysely';
import type { ItemId } from '../../cmdb/item.ts';
import type { ReadDb } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import type { RunResultsTable, RunsTable } from '../../store/tables.ts';
import { countedTotals } from '../store.ts';
import { type Counts, countKeys, type Status, statuses } from '../wire.ts';

export interface RunFilter {
  /** The name of a host in the run. */
  host?: string | undefined;
  /** One of these items was among its hosts. */
  items?: readonly ItemId[] | undefined;
  playbook?: string | undefined;
  outcome?: string | undefined;
  change_ref?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
}

type Selected = Omit<RunsTable, 'run_no' | 'base_ms' | 'tags' | 'skip_tags'> & {
  run_no: number;
  tags: string;
  skip_tags: string;
};

export interface ReadRun extends Selected {
  totals: Counts;
  host_count: number;
  unknown_hosts: number;
}

const runColumns = [
  'run_no',
  'run_id',
  'outcome',
  'playbook',
  'path',
  'started_at',
  'finished_at',
  'ansible_version',
  'shim_version',
  'user_name',
  'controller',
  'origin_kind',
  'origin_url',
  'check_mode',
  'diff_mode',
  'limited_to',
  'tags',
  'skip_tags',
  'git_repo',
  'git_commit',
  'git_branch',
  'git_dirty',
  'change_ref',
  'inventory_version',
  'token_name',
  'announced_at',
  'called_at',
  'pruned_at',
] as const;

/** Newest first. */
export async function listRuns(
  db: ReadDb,
  filter: RunFilter,
  limit: number,
  before: readonly [startedAt: string, runId: string] | undefined,
): Promise<{ count: number; rows: ReadRun[] }> {
  let query = db.selectFrom('runs');
  for (const column of ['playbook', 'outcome', 'change_ref'] as const) {
    const value = filter[column];
    if (value !== undefined) query = query.where(column, '=', value as never);
  }
  if (filter.since !== undefined) query = query.where('started_at', '>=', filter.since);
  if (filter.until !== undefined) query = query.where('started_at', '<', filter.until);
  if (filter.host !== undefined)
    query = query.where(
      'run_no',
      'in',
      sql<number>`(SELECT h.run_no FROM run_hosts h JOIN run_words w ON w.word_no = h.host_no WHERE w.word = ${filter.host})`,
    );
  if (filter.items !== undefined)
    query = query.where(
      'run_no',
      'in',
      sql<number>`(SELECT run_no FROM run_hosts WHERE ci_id IN ${listed(filter.items)})`,
    );
  const { count } = await query.select(sql<number>`count(*)`.as('count')).executeTakeFirstOrThrow();
  if (before) query = query.where(sql<boolean>`(started_at, run_id) < (${before[0]}, ${before[1]})`);
  const rows = await query
    .select(runColumns)
    .orderBy('started_at', 'desc')
    .orderBy('run_id', 'desc')
    .limit(limit + 1)
    .execute();
  return { count, rows: await withTotals(db, rows as Selected[]) };
}

export async function findReadRun(db: ReadDb, runId: string): Promise<ReadRun | undefined> {
  const rows = await db.selectFrom('runs').select(runColumns).where('run_id', '=', runId).execute();
  return (await withTotals(db, rows as Selected[]))[0];
}

async function withTotals(db: ReadDb, runs: Selected[]): Promise<ReadRun[]> {
  const sums = sql.raw(countKeys.map((key) => `sum(coalesce(h.${key}, c.${key}, 0)) AS ${key}`).join(', '));
  const open = runs.filter(isOpen);
  const { rows } = await sql<Counts & { run_no: number; host_count: number; unknown_hosts: number }>`
    SELECT h.run_no, count(*) AS host_count, sum(h.ci_id IS NULL) AS unknown_hosts, ${sums}
    FROM run_hosts h LEFT JOIN (${countedTotals(...open.map(({ run_no }) => run_no))}) c
      ON c.run_no = h.run_no AND c.host_no = h.host_no
    WHERE h.run_no IN ${listed(runs.map(({ run_no }) => run_no))} GROUP BY h.run_no`.execute(db);
  const byRun = new Map(rows.map(({ run_no, ...row }) => [run_no, row]));
  return runs.map((run) => {
    const { host_count = 0, unknown_hosts = 0, ...totals } = byRun.get(run.run_no) ?? {};
    return { ...run, host_count, unknown_hosts, totals: { ...noCounts, ...totals } };
  });
}

/** It may not have said its totals. */
function isOpen({ outcome }: Pick<ReadRun, 'outcome'>): boolean {
  return outcome === 'running' || outcome === 'interrupted';
}

const noCounts = Object.fromEntries(countKeys.map((key) => [key, 0])) as Counts;

export interface ReadHost extends Counts {
  host: string;
  ci_id: ItemId | null;
}

/** In order of their names. What a run that has not ended did so far is counted. */
export async function hostsOfRun(db: ReadDb, run: Pick<ReadRun, 'run_no' | 'outcome'>): Promise<ReadHost[]> {
  const { run_no: runNo } = run;
  const keys = sql.raw(countKeys.map((key) => `coalesce(h.${key}, c.${key}, 0) AS ${key}`).join(', '));
  const { rows } = await sql<ReadHost>`
    SELECT w.word AS host, h.ci_id, ${keys}
    FROM run_hosts h JOIN run_words w ON w.word_no = h.host_no
    LEFT JOIN (${countedTotals(...(isOpen(run) ? [runNo] : []))}) c ON c.host_no = h.host_no
    WHERE h.run_no = ${runNo} ORDER BY w.word`.execute(db);
  return rows;
}

export interface ReadPlay {
  play_id: string;
  number: number;
  name: string;
  started_at: string;
  finished_at: string | null;
}

export async function playsOfRun(db: ReadDb, runNo: number): Promise<ReadPlay[]> {
  const { rows } = await sql<ReadPlay>`
    SELECT p.play_id, p.play_number AS number, w.word AS name, p.started_at, p.finished_at
    FROM run_plays p JOIN run_words w ON w.word_no = p.name_no
    WHERE p.run_no = ${runNo} ORDER BY p.play_number, p.play_id`.execute(db);
  return rows;
}

export interface ReadTask {
  task_no: number;
  task_id: string;
  play_id: string;
  name: string;
  action: string;
  path: string | null;
  line: number | null;
  tags: string;
  handler: number;
}

export async function tasksOfRun(db: ReadDb, runNo: number): Promise<ReadTask[]> {
  const { rows } = await sql<ReadTask>`
    SELECT t.task_no, t.task_id, t.play_id, n.word AS name, a.word AS action, p.word AS path, t.line, t.tags, t.handler
    FROM run_tasks t JOIN run_words n ON n.word_no = t.name_no JOIN run_words a ON a.word_no = t.action_no
    LEFT JOIN run_words p ON p.word_no = t.path_no
    WHERE t.run_no = ${runNo}`.execute(db);
  return rows;
}

export type Cell = Omit<RunResultsTable, 'run_no'>;

/** Every result of a run, in the order in which they came; numbers alone. */
export async function cellsOfRun(db: ReadDb, runNo: number): Promise<Cell[]> {
  return await db
    .selectFrom('run_results')
    .select(['n', 'task_no', 'host_no', 'status', 'at_ms', 'duration_ms'])
    .where('run_no', '=', runNo)
    .orderBy('n')
    .execute();
}

export async function hostNumbersOfRun(db: ReadDb, runNo: number): Promise<ReadonlyMap<number, string>> {
  const rows = await db
    .selectFrom('run_hosts')
    .innerJoin('run_words', 'run_words.word_no', 'run_hosts.host_no')
    .select(['host_no', 'word'])
    .where('run_no', '=', runNo)
    .execute();
  return new Map(rows.map(({ host_no, word }) => [host_no, word]));
}

export interface ResultFilter {
  host?: string | undefined;
  statuses?: readonly Status[] | undefined;
  task_id?: string | undefined;
}

export interface ReadResult {
  n: number;
  host: string;
  ci_id: ItemId | null;
  play_id: string;
  task_id: string;
  task_name: string;
  action: string;
  path: string | null;
  line: number | null;
  handler: number;
  status: number;
  /** Milliseconds since 1970. */
  begun_ms: number;
  duration_ms: number;
  texts: string | null;
}

/** In the order in which they came. */
export async function resultsOfRun(
  db: ReadDb,
  runNo: number,
  filter: ResultFilter,
  limit: number,
  after: number | undefined,
): Promise<{ count: number; rows: ReadResult[] }> {
  const conditions = [sql`r.run_no = ${runNo}`];
  if (filter.host !== undefined) conditions.push(sql`h.word = ${filter.host}`);
  if (filter.task_id !== undefined) conditions.push(sql`t.task_id = ${filter.task_id}`);
  if (filter.statuses !== undefined)
    conditions.push(sql`r.status IN ${listed(filter.statuses.map((status) => statuses.indexOf(status)))}`);
  const from = sql`run_results r JOIN run_words h ON h.word_no = r.host_no JOIN run_tasks t ON t.task_no = r.task_no`;
  const where = sql.join(conditions, sql` AND `);
  const { rows: counted } = await sql<{ count: number }>`SELECT count(*) AS count FROM ${from} WHERE ${where}`.execute(
    db,
  );
  const { rows } = await sql<ReadResult>`
    SELECT r.n, h.word AS host, rh.ci_id, t.play_id, t.task_id, tn.word AS task_name, a.word AS action, p.word AS path,
      t.line, t.handler, r.status, runs.base_ms + r.at_ms AS begun_ms, r.duration_ms, x.texts
    FROM ${from} JOIN runs ON runs.run_no = r.run_no
    JOIN run_words tn ON tn.word_no = t.name_no JOIN run_words a ON a.word_no = t.action_no
    LEFT JOIN run_words p ON p.word_no = t.path_no
    LEFT JOIN run_hosts rh ON rh.run_no = r.run_no AND rh.host_no = r.host_no
    LEFT JOIN run_texts x ON x.run_no = r.run_no AND x.n = r.n
    WHERE ${where} AND r.n > ${after ?? -1} ORDER BY r.n LIMIT ${limit + 1}`.execute(db);
  return { count: counted[0]?.count ?? 0, rows };
}

export interface SlowTask {
  task_name: string;
  action: string;
  path: string | null;
  line: number | null;
  runs: number;
  results: number;
  /** Seconds over all hosts and runs, of a result at most, and of a result in the middle of all. */
  total_s: number;
  longest_s: number;
  mean_s: number;
}

/** The tasks that took longest, over the runs since a moment. */
export async function slowestTasks(
  db: ReadDb,
  since: string,
  playbook: string | undefined,
  limit: number,
): Promise<SlowTask[]> {
  const only = playbook === undefined ? sql`` : sql`AND runs.playbook = ${playbook}`;
  const { rows } = await sql<SlowTask>`
    SELECT n.word AS task_name, a.word AS action, p.word AS path, t.line, count(DISTINCT r.run_no) AS runs, count(*) AS results,
      sum(r.duration_ms) / 1000.0 AS total_s, max(r.duration_ms) / 1000.0 AS longest_s, avg(r.duration_ms) / 1000.0 AS mean_s
    FROM runs JOIN run_results r ON r.run_no = runs.run_no JOIN run_tasks t ON t.task_no = r.task_no
    JOIN run_words n ON n.word_no = t.name_no JOIN run_words a ON a.word_no = t.action_no
    LEFT JOIN run_words p ON p.word_no = t.path_no
    WHERE runs.started_at >= ${since} AND r.status <> 4 ${only}
    GROUP BY t.name_no, t.action_no, t.path_no, t.line ORDER BY total_s DESC, task_name, action, path, line LIMIT ${limit}`.execute(
    db,
  );
  return rows;
}

export interface FlakyHost {
  host: string;
  ci_id: ItemId | null;
  runs: number;
  failed_runs: number;
  unreachable_runs: number;
  /** How often a run went otherwise than the one of the same playbook before it. */
  turns: number;
}

/** Hosts on which runs now go well and now do not, over the runs since a moment. */
export async function flakyHosts(db: ReadDb, since: string, limit: number): Promise<FlakyHost[]> {
  const { rows } = await sql<FlakyHost>`
    SELECT w.word AS host, max(ci_id) AS ci_id, count(*) AS runs, sum(failures > 0) AS failed_runs,
      sum(unreachable > 0) AS unreachable_runs, sum(is_bad <> coalesce(was_bad, is_bad)) AS turns
    FROM (
      SELECT h.host_no, h.ci_id, h.failures, h.unreachable, (h.failures > 0 OR h.unreachable > 0) AS is_bad,
        lag(h.failures > 0 OR h.unreachable > 0) OVER (PARTITION BY h.host_no, runs.playbook ORDER BY runs.started_at, runs.run_no)
          AS was_bad
      FROM runs JOIN run_hosts h ON h.run_no = runs.run_no
      WHERE runs.started_at >= ${since} AND h.ok IS NOT NULL AND coalesce(runs.check_mode, 0) = 0
    ) JOIN run_words w ON w.word_no = host_no
    GROUP BY host_no HAVING turns > 0 ORDER BY turns DESC, failed_runs + unreachable_runs DESC, host LIMIT ${limit}`.execute(
    db,
  );
  return rows;
}

/**
 * The last run before one, of the same playbook, that went well on hosts: on as many of these as any did, and of those
 * the newest. Undefined where it never went well.
 */
export async function lastGoodRun(db: ReadDb, run: ReadRun, hosts: readonly string[]): Promise<ReadRun | undefined> {
  const { rows } = await sql<{ run_id: string }>`
    SELECT runs.run_id FROM runs JOIN run_hosts h ON h.run_no = runs.run_no JOIN run_words w ON w.word_no = h.host_no
    WHERE runs.playbook = ${run.playbook} AND runs.started_at < ${run.started_at} AND coalesce(runs.check_mode, 0) = 0
      AND w.word IN ${listed(hosts)} AND h.ok > 0 AND h.failures = 0 AND h.unreachable = 0
    GROUP BY runs.run_no ORDER BY count(*) DESC, runs.started_at DESC LIMIT 1`.execute(db);
  const [found] = rows;
  return found && (await findReadRun(db, found.run_id));
}

/** The results of hosts that failed or did not answer, in the order in which they came. */
export async function failuresOfRun(db: ReadDb, runNo: number): Promise<ReadResult[]> {
  return (await resultsOfRun(db, runNo, { statuses: ['failed', 'unreachable'] }, mostFailures, undefined)).rows;
}

const mostFailures = 1000;

/** How tasks went on hosts, by host and by the name of the task; the last result of each. */
export async function statusesByTask(
  db: ReadDb,
  runNo: number,
  hosts: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, Status>>> {
  const { rows } = await sql<{ host: string; task: string; status: number }>`
    SELECT h.word AS host, n.word AS task, r.status
    FROM run_results r JOIN run_words h ON h.word_no = r.host_no JOIN run_tasks t ON t.task_no = r.task_no
    JOIN run_words n ON n.word_no = t.name_no
    WHERE r.run_no = ${runNo} AND h.word IN ${listed(hosts)} ORDER BY r.n`.execute(db);
  const found = new Map<string, Map<string, Status>>();
  for (const { host, task, status } of rows) {
    const own = found.get(host) ?? new Map<string, Status>();
    found.set(host, own.set(task, statuses[status] as Status));
  }
  return found;
}

export interface ItemChange {
  subject_id: string;
  before: Record<string, unknown>;
  after: Record<string, unknown>;
}

/** What became of items from one moment to another, oldest first. */
export async function changesBetween(
  db: ReadDb,
  items: readonly ItemId[],
  after: string,
  until: string,
): Promise<ItemChange[]> {
  const rows = await db
    .selectFrom('changes')
    .select(['subject_id', 'before', 'after'])
    .where('subject', '=', 'ci')
    .where('subject_id', 'in', sql<string>`${listed(items)}`)
    .where('changed_at', '>', after)
    .where('changed_at', '<=', until)
    .orderBy('change_no')
    .execute();
  return rows.map(({ subject_id, before, after: now }) => ({
    subject_id,
    before: JSON.parse(before) as Record<string, unknown>,
    after: JSON.parse(now) as Record<string, unknown>,
  }));
}
