/** The endpoints of jobs: what there is, asking for a run, and how runs went. */

import { type Static, Type } from 'typebox';
import { orNull } from '../check.ts';
import { DomainError } from '../errors.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type * as Paging from '../http/paging.ts';
import type { Store } from '../store/open.ts';
import { type JobRun, type RunOutcome, runOutcomes, runTriggers } from './jobs.ts';
import type { Jobs } from './open.ts';
import { findRun, listRuns } from './store.ts';

export interface JobParts {
  jobs: Jobs;
  store: Store;
  /** How lists are answered: of the HTTP floor this one knows the types alone. */
  paging: typeof Paging;
}

const run = {
  id: Type.String(),
  job: Type.String(),
  trigger: Type.Enum([...runTriggers], { description: 'start: it was missed before the service started' }),
  started_at: Type.String(),
  finished_at: orNull(Type.String()),
  outcome: Type.Enum([...runOutcomes], {
    description: 'partial: something was left out; held: it waits for a person; interrupted: the service ended before',
  }),
  error: orNull(Type.String({ description: 'why it failed, was interrupted, is partial or held' })),
};
/** Beside these stands what the job counted, such as seen or deleted. */
const counts = { additionalProperties: Type.Number() };
const RunOnTheWire = Type.Object(run, { title: 'JobRun', ...counts });
const RequestedRun = Type.Object({ ...run, already_running: Type.Boolean() }, counts);

const JobOnTheWire = Type.Object(
  {
    name: Type.String(),
    schedule: Type.String({ description: "cron's five fields in `timezone`, or off" }),
    next_run_at: orNull(Type.String()),
    running: orNull(Type.String({ description: 'the run that is under way' })),
    last_run: orNull(RunOnTheWire),
    last_success_at: orNull(Type.String()),
  },
  { title: 'Job' },
);

const RunRequest = Type.Object(
  {
    wait: Type.Optional(Type.Boolean({ description: 'answer once it is over' })),
    params: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'what the job knows of' })),
  },
  { additionalProperties: false },
);

const outcomes = runOutcomes.join('|');

export function jobEndpoints({ jobs, store, paging }: JobParts): Endpoint[] {
  const { limitOf, listOf, pageOf, pageOfAll, pageQuery, readCursor } = paging;
  const JobsQuery = Type.Object(pageQuery);
  const RunsQuery = Type.Object({
    job: Type.Optional(Type.String()),
    outcome: Type.Optional(
      Type.String({
        pattern: `^(${outcomes})(,(${outcomes}))*$`,
        description: `${runOutcomes.join(', ')}, or several with commas`,
      }),
    ),
    ...pageQuery,
  });
  return [
    {
      method: 'GET',
      path: '/jobs',
      scope: 'jobs:run',
      tag: 'jobs',
      summary: 'All jobs, when they run and how they last went',
      query: JobsQuery,
      answers: { 200: listOf(JobOnTheWire) },
      async handle({ query }) {
        const states = (await jobs.list()).map((state) => ({
          ...state,
          last_run: state.last_run && onTheWire(state.last_run),
        }));
        return [200, pageOfAll(states, query as Static<typeof JobsQuery>, ({ name }) => name)];
      },
    },
    {
      method: 'POST',
      path: '/jobs/{name}/run',
      scope: 'jobs:run',
      tag: 'jobs',
      summary: 'Run a job now',
      description:
        'Nothing runs twice at once: while it runs, the answer is that run, with `already_running`. ' +
        'One that shares its lease, such as another reading of the same source, is waited for.',
      body: RunRequest,
      bodyIsOptional: true,
      bodyName: 'The run',
      answers: { 200: RequestedRun, 202: RequestedRun },
      async handle({ params, body }) {
        const { wait = false, params: wanted = {} } = body as Static<typeof RunRequest>;
        const requested = await jobs.request(params.name as string, wanted);
        const shown = wait ? (await requested.ended).run : requested.run;
        return [wait ? 200 : 202, { ...onTheWire(shown), already_running: requested.isAlreadyRunning }];
      },
    },
    {
      method: 'GET',
      path: '/jobs/runs',
      scope: 'jobs:run',
      tag: 'jobs',
      summary: 'Runs of jobs, newest first',
      description:
        'Kept are 200 of each job, for 30 days. Of a job that runs every few minutes and mostly finds nothing to do, such as `sweep`, those that failed, changed something or were asked for.',
      query: RunsQuery,
      answers: { 200: listOf(RunOnTheWire) },
      async handle({ query }) {
        const { job, outcome, ...page } = query as Static<typeof RunsQuery>;
        const limit = limitOf(page);
        const asked = { job, outcomes: outcome?.split(',') as RunOutcome[] | undefined };
        const { count, rows } = await listRuns(store.read, asked, limit, readCursor(page.cursor, ['number'])?.[0]);
        const { items, ...rest } = pageOf(rows, limit, count, (row) => [row.run_no]);
        return [200, { ...rest, items: items.map(onTheWire) }];
      },
    },
    {
      method: 'GET',
      path: '/jobs/runs/{id}',
      scope: 'jobs:run',
      tag: 'jobs',
      summary: 'One run of a job, and how far it is',
      answers: {
        200: Type.Object(
          {
            ...run,
            progress: orNull(Type.Object({ done: Type.Number(), total: Type.Number(), what: Type.String() })),
          },
          counts,
        ),
      },
      async handle({ params }) {
        const id = params.id as string;
        const found = await findRun(store.read, id);
        if (!found) throw new DomainError('not_found', `There is no run ${id} of a job.`);
        return [200, { ...onTheWire(found), progress: jobs.findRunning(id)?.progress ?? null }];
      },
    },
  ];
}

/** What was counted stands among the rest, and takes the place of none of it. */
function onTheWire({ id, job, trigger, started_at, finished_at, outcome, error, counts: counted }: JobRun) {
  const own = { id, job, trigger, started_at, finished_at, outcome, error };
  return { ...own, ...counted, ...own };
}
