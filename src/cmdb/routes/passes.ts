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
import type { Change } from '../store/changes.ts';
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

/** Changes of groups, each under the group's name. */
export function groupChangesShown(changes: readonly Change[]) {
  return changes.map(({ subject_id, action, before, after }) => ({ group_name: subject_id, action, before, after }));
}

export const GroupChanges = Type.Array(
  Type.Object({
    group_name: Type.String(),
    action: Type.String({ description: 'created, updated, deleted' }),
    before: Type.Record(Type.String(), Type.Unknown()),
    after: Type.Record(Type.String(), Type.Unknown()),
  }),
  { description: 'what was, or would be, changed in groups' },
);

const GroupSaid = Type.Object(
  {
    group_name: Type.String({ maxLength: 1000 }),
    vars: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'which may hold templates and vault values' }),
    ),
    children: Type.Optional(Type.Array(Type.String(), { description: 'names of groups' })),
  },
  { additionalProperties: false, title: 'GroupSaid' },
);

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
          groups: Type.Optional(
            Type.Array(GroupSaid, {
              maxItems: mostItems,
              description:
                'all that an import says of groups, in place of what it said before; rollcall.yml and PUT /groups beat it. Left out, what it said stands',
            }),
          ),
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
          outcomes: Type.Array(
            Type.Object({
              index: count,
              ci_id: orNull(Type.String()),
              outcome: Type.String({ description: 'created, updated, unchanged, waiting' }),
            }),
            { description: 'what became of each item that was not refused' },
          ),
          group_changes: GroupChanges,
          group_shadows: Type.Array(Type.Object({ group_name: Type.String(), key: Type.String(), by: Type.String() }), {
            description: 'what was said of groups and is outranked by another source',
          }),
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
        const { groups, outcomes, ...result } = pass;
        const told = outcomes.map(({ index, ci_id, outcome }) => ({ index, ci_id, outcome }));
        const answer = {
          ...passShown({ ...result, outcomes }),
          dry_run: body.dry_run ?? false,
          waiting,
          outcomes: told,
          group_changes: groupChangesShown(groups.changes),
          group_shadows: groups.shadowed,
        };
        return [200, answer];
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
