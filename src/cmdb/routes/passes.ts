/** The endpoints of whole readings of sources. */

import { Type } from 'typebox';
import { orNull } from '../../check.ts';
import { DomainError } from '../../errors.ts';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import { limitOf, listOf, pageOf, pageQuery, readCursor } from '../../http/paging.ts';
import { FaultOnTheWire } from '../../http/problem.ts';
import type { Store } from '../../store/open.ts';
import type { Cmdb, PassBody } from '../cmdb.ts';
import type { PassResult } from '../passes.ts';
import { findPass, listPasses, passOutcomes } from '../store/passes.ts';

const mostItems = 10_000;

const count = Type.Integer();
const PassOnTheWire = Type.Object(
  {
    pass_id: Type.String(),
    source: Type.String(),
    complete: Type.Boolean(),
    outcome: Type.Enum([...passOutcomes]),
    why: orNull(Type.String()),
    seen: count,
    created: count,
    updated: count,
    unchanged: count,
    missing: count,
    refused: count,
  },
  { title: 'Pass' },
);

/** A reading that was taken, or rehearsed: what it did, or would do. */
export const passAnswer = {
  ...PassOnTheWire.properties,
  dry_run: Type.Boolean(),
  changes: Type.Array(Type.Unknown(), { description: 'what was, or would be, changed' }),
};

export function passShown<P extends PassResult>({ outcomes: _, changes, ...pass }: P) {
  const shown = changes.map(({ subject_id, subject: _subject, source: _source, ...change }) => ({
    ci_id: subject_id,
    ...change,
  }));
  return { ...pass, changes: shown };
}

export function passEndpoints(cmdb: Cmdb, store: Store): Endpoint[] {
  return [
    endpoint({
      method: 'POST',
      path: '/passes',
      scope: 'ci:write',
      tag: 'passes',
      summary: 'A whole reading of a source in one call',
      description:
        'What a complete reading no longer holds loses its word, unless over max(3, 30 %) are gone at once: then nothing is taken away, and the pass is held. ' +
        '`dry_run` answers what it would do, and writes nothing.',
      body: Type.Object(
        {
          source: Type.String({
            minLength: 3,
            maxLength: 200,
            description: 'a kind and a name, such as import:hosts.yml',
          }),
          complete: Type.Boolean({ description: 'all of the source was seen' }),
          why: Type.Optional(Type.String({ maxLength: 1000, description: 'why it is not complete' })),
          dry_run: Type.Optional(Type.Boolean()),
          origin: Type.Optional(
            Type.Object(
              { host: Type.String(), path: Type.String() },
              {
                additionalProperties: false,
                description: 'where an import was read; one from elsewhere under that name is refused',
              },
            ),
          ),
          takes_over: Type.Optional(Type.Boolean({ description: 'this origin takes the place of the former one' })),
          items: Type.Array(Type.Unknown({ description: 'as in POST /ci' }), { maxItems: mostItems }),
        },
        { additionalProperties: false },
      ),
      bodyName: 'The pass',
      answers: {
        200: Type.Object({
          ...passAnswer,
          waiting: Type.Array(count, {
            description: 'items that fit several that cannot be one: a person has to say (GET /conflicts)',
          }),
          errors: Type.Array(Type.Object({ index: count, errors: Type.Array(FaultOnTheWire) })),
        }),
      },
      async handle({ body, caller, refused }) {
        const pass = await cmdb.pass(body as PassBody, caller);
        if (pass.errors.length > 0 && !body.dry_run) {
          const errors = pass.errors.flatMap(({ index, errors: faults }) =>
            faults.map(({ pointer, detail }) => ({ pointer: `/items/${index}${pointer}`, detail })),
          );
          refused(
            `${pass.errors.length} of ${body.items.length} items were refused.`,
            errors,
            pass.errors.slice(0, 20).map(({ index }) => body.items[index]),
          );
        }
        const waiting = pass.outcomes.filter(({ outcome }) => outcome === 'waiting').map(({ index }) => index);
        return [200, { ...passShown(pass), dry_run: body.dry_run ?? false, waiting }];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/passes',
      scope: 'ci:read',
      tag: 'passes',
      summary: 'Readings of sources, newest first',
      query: Type.Object({ source: Type.Optional(Type.String()), ...pageQuery }),
      answers: { 200: listOf(PassOnTheWire) },
      async handle({ query }) {
        const limit = limitOf(query);
        const { count: all, rows } = await listPasses(
          store.read,
          query.source,
          limit,
          readCursor(query.cursor, ['string'])?.[0],
        );
        return [200, pageOf(rows, limit, all, (row) => [row.pass_id])];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/passes/{pass_id}',
      scope: 'ci:read',
      tag: 'passes',
      summary: 'One reading of a source',
      answers: { 200: PassOnTheWire },
      handle: async ({ params }) => [200, await getPass(store, params.pass_id as string)],
    }),
    endpoint({
      method: 'POST',
      path: '/passes/{pass_id}/accept',
      scope: 'ci:write',
      tag: 'passes',
      summary: 'Accept a held reading: what it no longer saw loses its word',
      answers: { 200: PassOnTheWire },
      async handle({ params, caller }) {
        await cmdb.accept(params.pass_id as string, caller);
        return [200, await getPass(store, params.pass_id as string)];
      },
    }),
  ];
}

async function getPass(store: Store, id: string) {
  const pass = await findPass(store.read, id);
  if (!pass) throw new DomainError('not_found', `There is no pass ${id}.`);
  return pass;
}
