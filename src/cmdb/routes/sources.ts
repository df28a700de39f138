/** The endpoints of sources: who says something, since when, and how much of it. */

import { Type } from 'typebox';
import { orNull } from '../../check.ts';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../../http/paging.ts';
import type { Store } from '../../store/open.ts';
import { type Clock, millisecondsOf } from '../../time.ts';
import type { Cmdb } from '../cmdb.ts';
import { listSources, type ReadSource } from '../store/sources.ts';
import { GroupChanges, groupChangesShown } from './passes.ts';

const text = Type.String();
const SourceOnTheWire = Type.Object(
  {
    source: Type.String({ description: 'its kind and its name, such as proxmox-api:home' }),
    kind: text,
    role: Type.Enum(['measures', 'intends', 'people']),
    first_seen_at: text,
    last_seen_at: text,
    last_complete_pass_at: orNull(text),
    age_s: orNull(Type.Integer({ description: 'seconds since its last complete pass' })),
    claims: Type.Object(
      { living: Type.Integer(), gone: Type.Integer() },
      { description: 'things that it speaks of, and such that it no longer does' },
    ),
    held_pass_id: orNull(Type.String({ description: 'a reading that waits for a person' })),
    origin: orNull(Type.Object({ host: text, path: text }, { description: 'where an import was read' })),
    withdrawn_at: orNull(Type.String({ description: 'a person took its word from it; null once it speaks again' })),
  },
  { title: 'Source' },
);

export function sourceEndpoints(cmdb: Cmdb, store: Store, clock: Clock): Endpoint[] {
  const shown = (source: ReadSource) => ({
    ...source,
    age_s: source.last_complete_pass_at === null ? null : secondsSince(source.last_complete_pass_at, clock),
  });
  return [
    endpoint({
      method: 'GET',
      path: '/sources',
      scope: 'ci:read',
      tag: 'sources',
      summary: 'All that ever said something, and how long ago each was read whole',
      query: Type.Object(pageQuery),
      answers: { 200: listOf(SourceOnTheWire) },
      handle: async ({ query }) => [
        200,
        pageOfAll((await listSources(store.read)).map(shown), query, ({ source }) => source),
      ],
    }),
    endpoint({
      method: 'DELETE',
      path: '/sources/{name}',
      scope: 'ci:write',
      tag: 'sources',
      summary: 'Withdraw all that a source says',
      description:
        'Its claims lose their word at once; what nobody else claims is retired. A source that speaks again is back. ' +
        '`dry_run` answers what would be changed, and writes nothing.',
      query: Type.Object({ dry_run: Type.Optional(Type.Boolean()) }),
      answers: {
        200: Type.Object({
          ...SourceOnTheWire.properties,
          dry_run: Type.Boolean(),
          withdrawn: Type.Integer({ description: 'how many of its claims were, or would be, withdrawn' }),
          changes: Type.Array(Type.Unknown(), { description: 'what was, or would be, changed' }),
          group_changes: GroupChanges,
        }),
      },
      async handle({ params, query, caller }) {
        const dryRun = query.dry_run ?? false;
        const { source, claims, changes, groupChanges } = await cmdb.withdraw(params.name as string, dryRun, caller);
        const told = changes.map(({ subject_id, subject: _subject, source: _source, ...change }) => ({
          ci_id: subject_id,
          ...change,
        }));
        return [
          200,
          {
            ...shown(source),
            dry_run: dryRun,
            withdrawn: claims,
            changes: told,
            group_changes: groupChangesShown(groupChanges),
          },
        ];
      },
    }),
  ];
}

function secondsSince(at: string, clock: Clock): number {
  return Math.max(0, Math.floor((clock().epochMilliseconds - millisecondsOf(at)) / 1000));
}
