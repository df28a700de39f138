/** Looking back at runs. */

import { Type } from 'typebox';
import { invalid, orNull } from '../../check.ts';
import { lineOf } from '../../cmdb/store/merged.ts';
import { getItem } from '../../cmdb/store/read-items.ts';
import { DomainError } from '../../errors.ts';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import { limitOf, listOf, pageOf, pageQuery, readCursor } from '../../http/paging.ts';
import type { Store } from '../../store/open.ts';
import { type Clock, millisecondsOf, readTime, stamp } from '../../time.ts';
import type { InventoryOfRuns } from '../inventory.ts';
import { readRunId } from '../params.ts';
import {
  BlameOnTheWire,
  outcomes,
  ResultOnTheWire,
  RunOnTheWire,
  type Status,
  statuses,
  WholeRunOnTheWire,
} from '../wire.ts';
import { blameOf } from './blame.ts';
import {
  cellsOfRun,
  changesBetween,
  failuresOfRun,
  findReadRun,
  flakyHosts,
  hostNumbersOfRun,
  hostsOfRun,
  lastGoodRun,
  listRuns,
  playsOfRun,
  type ReadResult,
  type ReadRun,
  type RunFilter,
  resultsOfRun,
  slowestTasks,
  statusesByTask,
  tasksOfRun,
} from './store.ts';
import { wholeOf } from './whole.ts';

export interface HistoryParts {
  store: Store;
  clock: Clock;
  /** In which times without a zone are read. */
  timeZone: string;
  inventory: InventoryOfRuns;
}

const time = Type.String({ description: 'a time; without a zone it is meant in `timezone`' });
const runsQuery = {
  playbook: Type.Optional(Type.String({ description: 'its path within its repository' })),
  outcome: Type.Optional(Type.Enum(['running', ...outcomes])),
  change_ref: Type.Optional(Type.String({ description: 'such as owner/repo#123' })),
  since: Type.Optional(time),
  until: Type.Optional(time),
  ...pageQuery,
};
const days = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 36_500, description: 'of the last so many, 30 unless told' }),
);
const usualDays = 30;

type RunsQuery = {
  playbook?: string;
  outcome?: string;
  change_ref?: string;
  since?: string;
  until?: string;
  limit?: number;
  cursor?: string;
};

export function historyEndpoints(parts: HistoryParts): Endpoint[] {
  const { store, clock, timeZone, inventory } = parts;
  const momentOf = (text: string | undefined, pointer: string) => {
    if (text === undefined) return undefined;
    const moment = readTime(text, timeZone);
    if (!moment) throw invalid('The query', [{ pointer, detail: 'must be a time, such as 2026-03-02 10:00' }]);
    return stamp(moment);
  };
  const page = async (query: RunsQuery, more: Pick<RunFilter, 'host' | 'items'>) => {
    const limit = limitOf(query);
    const { playbook, outcome, change_ref } = query;
    const [since, until] = [momentOf(query.since, '/since'), momentOf(query.until, '/until')];
    const before = readCursor(query.cursor, ['string', 'string']);
    const filter = { ...more, playbook, outcome, change_ref, since, until };
    const { count, rows } = await listRuns(store.read, filter, limit, before);
    const { items, next } = pageOf(rows, limit, count, (row) => [row.started_at, row.run_id]);
    return [200, { count, items: items.map(onTheWire), next }] as const;
  };
  const sinceDays = (count = usualDays) => stamp(clock().subtract({ hours: 24 * count }));

  return [
    endpoint({
      method: 'GET',
      path: '/runs',
      scope: 'runs:read',
      tag: 'runs',
      summary: 'Runs of playbooks, newest first',
      query: Type.Object({
        host: Type.Optional(Type.String({ description: 'the name of a host in the run' })),
        ...runsQuery,
      }),
      answers: { 200: listOf(RunOnTheWire) },
      handle: ({ query }) => page(query, { host: query.host }),
    }),
    endpoint({
      method: 'GET',
      path: '/ci/{ci_id}/runs',
      scope: 'runs:read',
      tag: 'runs',
      summary: 'Runs that reached an item, newest first',
      query: Type.Object({
        ci_type: Type.Optional(Type.String({ description: 'where several bear the name' })),
        site_id: Type.Optional(Type.String({ description: 'where several bear the name' })),
        ...runsQuery,
      }),
      answers: { 200: listOf(RunOnTheWire) },
      async handle({ params, query }) {
        const { ci_id } = await getItem(store.read, params.ci_id as string, query);
        return await page(query, { items: await lineOf(store.read, ci_id) });
      },
    }),
    endpoint({
      method: 'GET',
      path: '/runs/slowest-tasks',
      scope: 'runs:read',
      tag: 'runs',
      summary: 'The tasks that took the most time',
      query: Type.Object({ days, playbook: Type.Optional(Type.String()), limit: pageQuery.limit }),
      answers: {
        200: Type.Object({
          items: Type.Array(
            Type.Object({
              task_name: Type.String(),
              action: Type.String(),
              path: orNull(Type.String()),
              line: orNull(Type.Integer()),
              runs: Type.Integer(),
              results: Type.Integer(),
              total_s: Type.Number({ description: 'over all hosts and runs' }),
              longest_s: Type.Number(),
              mean_s: Type.Number(),
            }),
          ),
        }),
      },
      handle: async ({ query }) => [
        200,
        { items: await slowestTasks(store.read, sinceDays(query.days), query.playbook, limitOf(query)) },
      ],
    }),
    endpoint({
      method: 'GET',
      path: '/runs/flaky-hosts',
      scope: 'runs:read',
      tag: 'runs',
      summary: 'Hosts on which the same playbook now goes well and now does not',
      query: Type.Object({ days, limit: pageQuery.limit }),
      answers: {
        200: Type.Object({
          items: Type.Array(
            Type.Object({
              host: Type.String(),
              ci_id: orNull(Type.String()),
              runs: Type.Integer(),
              failed_runs: Type.Integer(),
              unreachable_runs: Type.Integer(),
              turns: Type.Integer({ description: 'how often a run went otherwise than the one before it' }),
            }),
          ),
        }),
      },
      handle: async ({ query }) => [
        200,
        { items: await flakyHosts(store.read, sinceDays(query.days), limitOf(query)) },
      ],
    }),
    endpoint({
      method: 'GET',
      path: '/runs/{run_id}',
      scope: 'runs:read',
      tag: 'runs',
      summary: 'One run: plays, tasks, hosts, and how each task went on each host',
      answers: { 200: WholeRunOnTheWire },
      async handle({ params }) {
        const run = await getRun(store, readRunId(params));
        const { run_no } = run;
        const whole = wholeOf(
          await playsOfRun(store.read, run_no),
          await tasksOfRun(store.read, run_no),
          await hostsOfRun(store.read, run),
          await cellsOfRun(store.read, run_no),
          await hostNumbersOfRun(store.read, run_no),
        );
        return [200, { ...onTheWire(run), ...whole }];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/runs/{run_id}/results',
      scope: 'runs:read',
      tag: 'runs',
      summary: 'What each task did on each host, in the order in which it came',
      query: Type.Object({
        host: Type.Optional(Type.String()),
        task_id: Type.Optional(Type.String()),
        status: Type.Optional(
          Type.String({
            pattern: `^(${statuses.join('|')})(,(${statuses.join('|')}))*$`,
            description: `${statuses.join(', ')}, or several with commas`,
          }),
        ),
        ...pageQuery,
      }),
      answers: { 200: listOf(ResultOnTheWire) },
      async handle({ params, query }) {
        const { run_no } = await getRun(store, readRunId(params));
        const limit = limitOf(query);
        const [after] = readCursor(query.cursor, ['number']) ?? [];
        const { count, rows } = await resultsOfRun(
          store.read,
          run_no,
          { host: query.host, task_id: query.task_id, statuses: query.status?.split(',') as Status[] | undefined },
          limit,
          after,
        );
        const { items, next } = pageOf(rows, limit, count, ({ n }) => [n]);
        return [200, { count, items: items.map(resultOnTheWire), next }];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/runs/{run_id}/blame',
      scope: 'runs:read',
      tag: 'runs',
      summary: 'A failed run beside the last one that went well on those hosts: what differs',
      answers: { 200: BlameOnTheWire },
      async handle({ params }) {
        const run = await getRun(store, readRunId(params));
        const blame = await blamed(parts, run);
        return [200, { ...blame, run_id: run.run_id }];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/runs/{run_id}/inventory',
      scope: 'inventory:read',
      tag: 'runs',
      summary: 'The inventory that the run read, byte for byte',
      answers: { 200: Type.Unknown({ description: "Ansible's inventory JSON" }) },
      async handle({ params }) {
        const { run_id, inventory_version } = await getRun(store, readRunId(params));
        if (inventory_version === null)
          throw new DomainError('not_found', `Run ${run_id} read no inventory of Rollcall's.`);
        const body = await inventory.told(inventory_version);
        return [200, body, { 'Content-Type': 'application/json', 'X-Rollcall-Version': inventory_version }];
      },
    }),
  ];
}

/** Throws `conflict` where it did not fail, or never went well before. */
async function blamed({ store, inventory }: HistoryParts, run: ReadRun) {
  const bad = (await hostsOfRun(store.read, run)).filter((host) => host.failures > 0 || host.unreachable > 0);
  if (bad.length === 0) throw new DomainError('conflict', `Run ${run.run_id} failed on no host.`);
  const names = bad.map(({ host }) => host);
  const good = await lastGoodRun(store.read, run, names);
  if (!good)
    throw new DomainError('conflict', `${run.playbook ?? 'It'} never went well on ${names.join(', ')} before that.`);
  const items = bad.flatMap(({ ci_id }) => ci_id ?? []);
  const until = run.called_at;
  const blame = blameOf({
    run,
    hosts: bad,
    failures: await failuresOfRun(store.read, run.run_no),
    tasks: await tasksOfRun(store.read, run.run_no),
    good: {
      run: good,
      tasks: await tasksOfRun(store.read, good.run_no),
      statuses: await statusesByTask(store.read, good.run_no, names),
    },
    told: await inventory.difference(good.inventory_version, run.inventory_version),
    changes: await changesBetween(store.read, items, good.called_at, until),
  });
  return { beside: onTheWire(good), ...blame };
}

/** Throws `not_found`. */
export async function getRun(store: Store, runId: string): Promise<ReadRun> {
  const run = await findReadRun(store.read, runId);
  if (!run) throw new DomainError('not_found', `There is no run ${runId}.`);
  return run;
}

export function onTheWire(run: ReadRun) {
  const { started_at, finished_at } = run;
  return {
    run_id: run.run_id,
    playbook: run.playbook,
    path: run.path,
    outcome: run.outcome,
    started_at,
    finished_at,
    duration_s: finished_at === null ? null : (millisecondsOf(finished_at) - millisecondsOf(started_at)) / 1000,
    check: flagOf(run.check_mode),
    diff: flagOf(run.diff_mode),
    limit: run.limited_to,
    tags: JSON.parse(run.tags) as string[],
    skip_tags: JSON.parse(run.skip_tags) as string[],
    git: { repo: run.git_repo, commit: run.git_commit, branch: run.git_branch, dirty: flagOf(run.git_dirty) },
    user: run.user_name,
    controller: run.controller,
    ansible_version: run.ansible_version,
    shim_version: run.shim_version,
    origin: { kind: run.origin_kind, url: run.origin_url },
    change_ref: run.change_ref,
    inventory_version: run.inventory_version,
    token_name: run.token_name,
    results_kept: run.pruned_at === null,
    totals: run.totals,
    host_count: run.host_count,
    unknown_hosts: run.unknown_hosts,
  };
}

function flagOf(value: number | null): boolean | null {
  return value === null ? null : value === 1;
}

function resultOnTheWire({ begun_ms, status, texts, handler, ...row }: ReadResult) {
  const { msg, attempts, items, diff, delegated_to } = JSON.parse(texts ?? '{}') as Record<string, unknown>;
  return {
    ...row,
    handler: handler === 1,
    status: statuses[status] as Status,
    started_at: new Date(begun_ms).toISOString(),
    msg: msg ?? null,
    attempts: attempts ?? [],
    items: items ?? [],
    diff: diff ?? null,
    delegated_to: delegated_to ?? null,
  };
}
