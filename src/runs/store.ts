/** What comes in of runs, as rows: words once, tasks and hosts by small numbers, a narrow row for each result. */

import { sql } from 'kysely';
import type { ItemId } from '../cmdb/item.ts';
import type { ReadDb, Trx } from '../store/open.ts';
import { insertRows, listed } from '../store/rows.ts';
import type { Counts } from './wire.ts';

export interface KnownRun {
  run_no: number;
  base_ms: number;
  outcome: 'running' | 'ok' | 'failed' | 'unreachable' | 'interrupted';
  playbook: string | null;
  started_at: string;
  finished_at: string | null;
  check_mode: number | null;
  change_ref: string | null;
  inventory_version: string | null;
  announced_at: string | null;
  pruned_at: string | null;
}

const knownColumns = [
  'run_no',
  'base_ms',
  'outcome',
  'playbook',
  'started_at',
  'finished_at',
  'check_mode',
  'change_ref',
  'inventory_version',
  'announced_at',
  'pruned_at',
] as const;

/** The run of a call, made by whichever call comes first. `startedAt` is the earliest time that the call knows of. */
export async function runOfCall(
  trx: Trx,
  runId: string,
  startedAt: string,
  tokenName: string,
  at: string,
): Promise<KnownRun> {
  await trx
    .insertInto('runs')
    .values({
      run_id: runId,
      base_ms: Date.parse(startedAt),
      outcome: 'running',
      started_at: startedAt,
      token_name: tokenName,
      called_at: at,
    })
    .onConflict((conflict) =>
      conflict.column('run_id').doUpdateSet({
        called_at: at,
        // Until the run itself is heard of, it began with the first of what is known.
        started_at: sql`CASE WHEN announced_at IS NULL THEN min(started_at, excluded.started_at) ELSE started_at END`,
      }),
    )
    .execute();
  return (await findRun(trx, runId)) as KnownRun;
}

export async function findRun(db: ReadDb, runId: string): Promise<KnownRun | undefined> {
  return await db.selectFrom('runs').select(knownColumns).where('run_id', '=', runId).executeTakeFirst();
}

export async function updateRun(trx: Trx, runNo: number, values: object): Promise<void> {
  await trx.updateTable('runs').set(values).where('run_no', '=', runNo).execute();
}

/** The numbers of words; those that are new get one. */
export async function wordNumbers(trx: Trx, words: Iterable<string>): Promise<ReadonlyMap<string, number>> {
  const wanted = [...new Set(words)];
  const known = await selectWords(trx, wanted);
  const fresh = wanted.filter((word) => !known.has(word));
  if (fresh.length === 0) return known;
  await insertRows(
    trx,
    'run_words',
    fresh.map((word) => ({ word })),
  );
  return new Map([...known, ...(await selectWords(trx, fresh))]);
}

async function selectWords(db: ReadDb, words: readonly string[]): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('run_words')
    .select(['word', 'word_no'])
    .where('word', 'in', sql<string>`${listed(words)}`)
    .execute();
  return new Map(rows.map(({ word, word_no }) => [word, word_no]));
}

export interface PlayRow {
  run_no: number;
  play_id: string;
  play_number: number;
  name_no: number;
  started_at: string;
  finished_at: string | null;
}

/** Its parts may come in any order: it began with the earliest, and ended with the latest that says so. */
export async function storePlay(trx: Trx, row: PlayRow): Promise<void> {
  await trx
    .insertInto('run_plays')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['run_no', 'play_id']).doUpdateSet({
        started_at: sql`min(started_at, excluded.started_at)`,
        finished_at: sql`max(coalesce(finished_at, excluded.finished_at), coalesce(excluded.finished_at, finished_at))`,
      }),
    )
    .execute();
}

export interface TaskRow {
  run_no: number;
  task_id: string;
  play_id: string;
  name_no: number;
  action_no: number;
  path_no: number | null;
  line: number | null;
  tags: string;
  handler: 0 | 1;
}

/** Stores the tasks that are new, and answers the numbers of all. */
export async function taskNumbers(
  trx: Trx,
  runNo: number,
  rows: readonly TaskRow[],
): Promise<ReadonlyMap<string, number>> {
  const select = async () => {
    const found = await trx
      .selectFrom('run_tasks')
      .select(['task_id', 'task_no'])
      .where('run_no', '=', runNo)
      .where('task_id', 'in', sql<string>`${listed(rows.map(({ task_id }) => task_id))}`)
      .execute();
    return new Map(found.map(({ task_id, task_no }) => [task_id, task_no]));
  };
  const known = await select();
  const fresh = rows.filter(({ task_id }) => !known.has(task_id));
  if (fresh.length === 0) return known;
  await insertRows(trx, 'run_tasks', fresh);
  return await select();
}

/** Hosts of a run, with the items that they are; what is known of them already stands. */
export async function storeHosts(
  trx: Trx,
  runNo: number,
  hosts: readonly { host_no: number; ci_id: ItemId | null }[],
): Promise<void> {
  if (hosts.length === 0) return;
  const list = JSON.stringify(hosts);
  await sql`
    INSERT INTO run_hosts (run_no, host_no, ci_id)
    SELECT ${runNo}, value ->> '$.host_no', value ->> '$.ci_id' FROM json_each(${list}) WHERE true
    ON CONFLICT (run_no, host_no) DO UPDATE SET ci_id = coalesce(run_hosts.ci_id, excluded.ci_id)`.execute(trx);
}

export interface GatheringRow {
  run_no: number;
  host_no: number;
  n: number;
  at_ms: number;
  facts_no: number;
}

export async function storeGatherings(trx: Trx, rows: readonly GatheringRow[]): Promise<void> {
  await insertRows(trx, 'run_gatherings', rows, ['run_no', 'host_no', 'n']);
}

/** What the run has gathered of these hosts, by the number of the host. */
export async function gatheringsOfHosts(
  db: ReadDb,
  runNo: number,
  hosts: readonly number[],
): Promise<ReadonlyMap<number, { n: number; at_ms: number; facts: string }[]>> {
  const rows = await db
    .selectFrom('run_gatherings')
    .innerJoin('run_words', 'run_words.word_no', 'run_gatherings.facts_no')
    .select(['host_no', 'n', 'at_ms', 'word as facts'])
    .where('run_no', '=', runNo)
    .where('host_no', 'in', sql<number>`${listed(hosts)}`)
    .execute();
  const byHost = new Map<number, typeof rows>();
  for (const row of rows) {
    const list = byHost.get(row.host_no);
    if (list) list.push(row);
    else byHost.set(row.host_no, [row]);
  }
  return byHost;
}

export async function storeCounts(
  trx: Trx,
  runNo: number,
  counts: readonly (Counts & { host_no: number })[],
): Promise<void> {
  await insertRows(
    trx,
    'run_hosts',
    counts.map(({ host_no, ok, changed, failures, unreachable, skipped, rescued, ignored }) => ({
      run_no: runNo,
      host_no,
      ok,
      changed,
      failures,
      unreachable,
      skipped,
      rescued,
      ignored,
    })),
    ['run_no', 'host_no'],
  );
}

export interface ResultRow {
  run_no: number;
  n: number;
  task_no: number;
  host_no: number;
  status: number;
  at_ms: number;
  duration_ms: number;
}

export async function storeResults(
  trx: Trx,
  results: readonly ResultRow[],
  texts: readonly { run_no: number; n: number; texts: string }[],
): Promise<void> {
  await insertRows(trx, 'run_results', results, ['run_no', 'n']);
  await insertRows(trx, 'run_texts', texts, ['run_no', 'n']);
}

/** Which of these ids are items, and as what they answer since they were merged. */
export async function answeringItems(db: ReadDb, ids: readonly string[]): Promise<ReadonlyMap<string, ItemId>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ asked: string; ci_id: ItemId }>`
    WITH RECURSIVE line (asked, ci_id, merged_into) AS (
      SELECT ci_id, ci_id, merged_into FROM configuration_items WHERE ci_id IN ${listed(ids)}
      UNION ALL SELECT line.asked, i.ci_id, i.merged_into FROM line JOIN configuration_items i ON i.ci_id = line.merged_into
    ) SELECT asked, ci_id FROM line WHERE merged_into IS NULL`.execute(db);
  return new Map(rows.map(({ asked, ci_id }) => [asked, ci_id]));
}

export interface HostOutcome {
  ci_id: ItemId;
  ok: number;
  changed: number;
  failures: number;
  unreachable: number;
}

/** The items of a run and how it went on them; of these hosts, or of all. */
export async function outcomesOfHosts(
  db: ReadDb,
  runNo: number,
  hosts: readonly number[] | undefined,
): Promise<HostOutcome[]> {
  let query = db
    .selectFrom('run_hosts')
    .select(['ci_id', 'ok', 'changed', 'failures', 'unreachable'])
    .where('run_no', '=', runNo)
    .where('ci_id', 'is not', null)
    .where('ok', 'is not', null);
  if (hosts) query = query.where('host_no', 'in', sql<number>`${listed(hosts)}`);
  return (await query.execute()) as HostOutcome[];
}

export interface PlaybookOutcome {
  ci_id: ItemId;
  playbook: string;
  run_id: string;
  finished_at: string;
  outcome: 'ok' | 'changed' | 'failed' | 'unreachable';
}

/** Those that are later than what is known. */
export async function storeOutcomes(trx: Trx, rows: readonly PlaybookOutcome[]): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    INSERT INTO playbook_outcomes (ci_id, playbook, run_id, finished_at, outcome)
    SELECT value ->> '$.ci_id', value ->> '$.playbook', value ->> '$.run_id', value ->> '$.finished_at', value ->> '$.outcome'
      FROM json_each(${JSON.stringify(rows)}) WHERE true
    ON CONFLICT (ci_id, playbook) DO UPDATE
      SET run_id = excluded.run_id, finished_at = excluded.finished_at, outcome = excluded.outcome
      WHERE excluded.finished_at > playbook_outcomes.finished_at`.execute(trx);
}

/** Of each item, how many playbooks' last run failed on it. */
export async function failingPlaybooks(db: ReadDb, ids: readonly ItemId[]): Promise<ReadonlyMap<ItemId, number>> {
  const { rows } = await sql<{ ci_id: ItemId; failing: number }>`
    SELECT ci_id, count(*) AS failing FROM playbook_outcomes
    WHERE ci_id IN ${listed(ids)} AND outcome = 'failed' GROUP BY ci_id`.execute(db);
  return new Map(rows.map(({ ci_id, failing }) => [ci_id, failing]));
}

/** Outcomes of playbooks that nobody ran for so long count no more; answers whose they were. */
export async function deleteOutcomesBefore(trx: Trx, before: string): Promise<ItemId[]> {
  const rows = await trx.deleteFrom('playbook_outcomes').where('finished_at', '<', before).returning('ci_id').execute();
  return [...new Set(rows.map(({ ci_id }) => ci_id as ItemId))];
}

/** Runs that nobody spoke of since a moment, and that never said how they ended. */
export async function interruptRuns(trx: Trx, before: string): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('runs')
    .set({ outcome: 'interrupted' })
    .where('outcome', '=', 'running')
    .where('called_at', '<', before)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Runs that began before a moment, of which more than the totals is kept. */
export async function runsToPrune(db: ReadDb, before: string, limit: number): Promise<number[]> {
  const rows = await db
    .selectFrom('runs')
    .select('run_no')
    .where('started_at', '<', before)
    .where('pruned_at', 'is', null)
    .orderBy('started_at')
    .limit(limit)
    .execute();
  return rows.map(({ run_no }) => run_no);
}

/** Totals of hosts of which the run never said them, counted from its results. */
export async function countMissingTotals(trx: Trx, runNo: number): Promise<void> {
  await sql`
    UPDATE run_hosts SET
      ok = c.ok, changed = c.changed, failures = c.failures, unreachable = c.unreachable, skipped = c.skipped, rescued = 0,
      ignored = c.ignored
    FROM (${countedTotals(runNo)}) c
    WHERE run_hosts.run_no = ${runNo} AND run_hosts.host_no = c.host_no AND run_hosts.ok IS NULL`.execute(trx);
}

/** By host, as Ansible counts: what changed is ok too, and so is what failed and was ignored. */
export function countedTotals(...runNos: readonly number[]) {
  return sql<{ run_no: number; host_no: number } & Counts>`
    SELECT run_no, host_no, sum(status IN (0, 1, 5)) AS ok, sum(status = 1) AS changed, sum(status = 2) AS failures,
      sum(status = 3) AS unreachable, sum(status = 4) AS skipped, 0 AS rescued, sum(status = 5) AS ignored
    FROM run_results WHERE run_no IN ${listed(runNos)} GROUP BY run_no, host_no`;
}

/** Deletes some of a run's results, with their texts; answers how many there were. */
export async function deleteResults(trx: Trx, runNo: number, most: number): Promise<number> {
  const last = await trx
    .selectFrom('run_results')
    .select('n')
    .where('run_no', '=', runNo)
    .orderBy('n')
    .limit(most)
    .execute();
  const upTo = last.at(-1)?.n;
  if (upTo === undefined) return 0;
  await trx.deleteFrom('run_texts').where('run_no', '=', runNo).where('n', '<=', upTo).execute();
  await trx.deleteFrom('run_results').where('run_no', '=', runNo).where('n', '<=', upTo).execute();
  return last.length;
}

/** Once a run has no results any more. */
export async function deletePlays(trx: Trx, runNo: number, at: string): Promise<void> {
  await trx.deleteFrom('run_gatherings').where('run_no', '=', runNo).execute();
  await trx.deleteFrom('run_tasks').where('run_no', '=', runNo).execute();
  await trx.deleteFrom('run_plays').where('run_no', '=', runNo).execute();
  await updateRun(trx, runNo, { pruned_at: at });
}
