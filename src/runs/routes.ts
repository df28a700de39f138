/** The calls of the callback plugin. */

import { Type } from 'typebox';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import type { Store } from '../store/open.ts';
import { getRun, onTheWire } from './history/routes.ts';
import type { Ingest } from './ingest.ts';
import { readPartNumber, readRunId } from './params.ts';
import { PartBody, RunBody, RunOnTheWire, StatsBody } from './wire.ts';

const repeated =
  'Every call may be repeated, and calls may come in any order. Fields that are not known are ignored, so that an older or newer callback plugin works too.';

export function ingestEndpoints(ingest: Ingest, store: Store): Endpoint[] {
  const answer = async (runId: string) => [200, onTheWire(await getRun(store, runId))] as const;
  return [
    endpoint({
      method: 'PUT',
      path: '/runs/{run_id}',
      scope: 'runs:write',
      tag: 'runs',
      summary: 'A playbook began',
      description: repeated,
      body: RunBody,
      bodyName: 'The run',
      answers: { 200: RunOnTheWire },
      async handle({ params, body, caller }) {
        const runId = readRunId(params);
        await ingest.run(runId, body, caller);
        return await answer(runId);
      },
    }),
    endpoint({
      method: 'PUT',
      path: '/runs/{run_id}/plays/{play_id}/parts/{part}',
      scope: 'runs:write',
      tag: 'runs',
      summary: 'Results of a play, and the facts that were gathered in it',
      description: `Each part is whole: it lists every task of its own results. ${repeated}`,
      body: PartBody,
      bodyName: 'The part',
      answers: {
        200: Type.Object({
          run_id: Type.String(),
          play_id: Type.String(),
          part: Type.Integer(),
          results: Type.Integer(),
          unknown_hosts: Type.Array(Type.String(), { description: 'hosts that the inventory did not give out' }),
          facts_of: Type.Array(Type.String(), { description: 'hosts whose facts were taken' }),
        }),
      },
      async handle({ params, body, caller }) {
        const part = await ingest.part(
          readRunId(params),
          params.play_id as string,
          readPartNumber(params),
          body,
          caller,
        );
        return [200, part];
      },
    }),
    endpoint({
      method: 'PUT',
      path: '/runs/{run_id}/stats',
      scope: 'runs:write',
      tag: 'runs',
      summary: 'A playbook ended',
      description: repeated,
      body: StatsBody,
      bodyName: 'The stats',
      answers: { 200: RunOnTheWire },
      async handle({ params, body, caller }) {
        const runId = readRunId(params);
        await ingest.stats(runId, body, caller);
        return await answer(runId);
      },
    }),
  ];
}
