/** The queries of the jobs: their runs, and who may run what. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../store/open.ts';
import { insertRows } from '../store/rows.ts';
import type { Stamp } from '../time.ts';
import type { Counts, JobRun, RunOutcome } from './jobs.ts';

type Db = ReadDb | Trx;

const columns = ['id', 'job', 'trigger', 'started_at', 'finished_at', 'outcome', 'error', 'counts'] as const;

/** Keeps a run, or how it goes on. */
export async function storeRun(trx: Trx, run: JobRun): Promise<void> {
  await insertRows(trx, 'job_runs', [{ ...run, counts: JSON.stringify(run.counts) }], ['id']);
}

export async function findRun(db: Db, id: string): Promise<JobRun | undefined> {
  const row = await db.selectFrom('job_runs').select(columns).where('id', '=', id).executeTakeFirst();
  return row && runOf(row);
}

export interface RunQuery {
  job?: string | undefined;
  outcomes?: readonly RunOutcome[] | undefined;
}

/** Newest first; `before` is the number of the last one of the page before. */
export async function listRuns(db: Db, { job, outcomes }: RunQuery, limit: number, before?: number) {
  const asked = db
    .selectFrom('job_runs')
    .$if(job !== undefined, (query) => query.where('job', '=', job as string))
    .$if(outcomes !== undefined, (query) => query.where('outcome', 'in', outcomes as RunOutcome[]));
  const { count } = await asked.select(sql<number>`count(*)`.as('count')).executeTakeFirstOrThrow();
  const rows = await asked
    .select(['run_no', ...columns])
    .$if(before !== undefined, (query) => query.where('run_no', '<', before as number))
    .orderBy('run_no', 'desc')
    .limit(limit + 1)
    .execute();
  return { count, rows: rows.map((row) => ({ ...runOf(row), run_no: row.run_no })) };
}

/** The newest run of each job, by its name: of those that run, of those that ended, or of those that went well. */
export async function newestRuns(db: Db, which: 'running' | 'ended' | 'good'): Promise<Map<string, JobRun>> {
  const rows = await db
    .selectFrom('job_runs')
    .select(columns)
    .where('run_no', 'in', (inner) => {
      const newest = inner.selectFrom('job_runs').select(({ fn }) => fn.max('run_no').as('run_no'));
      return newest
        .where('outcome', which === 'ended' ? '!=' : '=', which === 'ended' ? 'running' : which)
        .groupBy('job');
    })
    .execute();
  return new Map(rows.map((row) => [row.job, runOf(row)]));
}

/** How often a job failed since it last did not. Runs that were interrupted say nothing of it. */
export async function failuresInARow(db: Db, job: string): Promise<number> {
  const { count } = await db
    .selectFrom('job_runs')
    .select(sql<number>`count(*)`.as('count'))
    .where('job', '=', job)
    .where('outcome', '=', 'failed')
    .where(
      'run_no',
      '>',
      sql<number>`coalesce((SELECT max(run_no) FROM job_runs WHERE job = ${job} AND outcome IN ('good', 'partial', 'held')), 0)`,
    )
    .executeTakeFirstOrThrow();
  return count;
}

/** Deletes what began before, and of one job all but its newest ones and its last success. */
export async function pruneRuns(trx: Trx, job: string, before: Stamp, kept: number): Promise<void> {
  await sql`DELETE FROM job_runs WHERE outcome <> 'running' AND started_at < ${before}`.execute(trx);
  await sql`DELETE FROM job_runs WHERE job = ${job} AND outcome <> 'running'
    AND run_no <= (SELECT run_no FROM job_runs WHERE job = ${job} ORDER BY run_no DESC LIMIT 1 OFFSET ${kept})
    AND run_no <> coalesce((SELECT max(run_no) FROM job_runs WHERE job = ${job} AND outcome = 'good'), 0)`.execute(trx);
}

export async function interruptRun(trx: Trx, id: string, why: string, at: Stamp): Promise<void> {
  await trx
    .updateTable('job_runs')
    .set({ outcome: 'interrupted', error: why, finished_at: at })
    .where('id', '=', id)
    .where('outcome', '=', 'running')
    .execute();
}

/** Answers how many runs were under way. */
export async function interruptAllRuns(trx: Trx, why: string, at: Stamp): Promise<number> {
  await trx.deleteFrom('job_leases').execute();
  const { numUpdatedRows } = await trx
    .updateTable('job_runs')
    .set({ outcome: 'interrupted', error: why, finished_at: at })
    .where('outcome', '=', 'running')
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

export interface Lease {
  /** The run that has it. */
  holder: string;
  until: string;
}

export async function findLease(db: Db, name: string): Promise<Lease | undefined> {
  return await db.selectFrom('job_leases').select(['holder', 'until']).where('job', '=', name).executeTakeFirst();
}

export async function storeLease(trx: Trx, name: string, lease: Lease): Promise<void> {
  await insertRows(trx, 'job_leases', [{ job: name, ...lease }], ['job']);
}

/** Answers false where another run has it by now. */
export async function prolongLease(trx: Trx, name: string, { holder, until }: Lease): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('job_leases')
    .set({ until })
    .where('job', '=', name)
    .where('holder', '=', holder)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function deleteLease(trx: Trx, name: string, holder: string): Promise<void> {
  await trx.deleteFrom('job_leases').where('job', '=', name).where('holder', '=', holder).execute();
}

function runOf({ id, job, trigger, started_at, finished_at, outcome, error, counts }: RunRow): JobRun {
  return { id, job, trigger, started_at, finished_at, outcome, error, counts: JSON.parse(counts) as Counts };
}

type RunRow = Omit<JobRun, 'counts'> & { counts: string };
