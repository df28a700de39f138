/** The endpoints of relationships: what an item is to others, and what a person says of it. */

import { Type } from 'typebox';
import { invalid, orNull } from '../../check.ts';
import { dryRunQuery, type Endpoint, endpoint } from '../../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../../http/paging.ts';
import type { Store } from '../../store/open.ts';
import type { Clock } from '../../time.ts';
import type { Cmdb } from '../cmdb.ts';
import { openLinks } from '../link.ts';
import { listRelationships, type ReadRelationship } from '../store/edges.ts';
import { getItem, type NameQuery } from '../store/read-items.ts';
import { relationshipStrength, relationshipTypeForm } from '../wire.ts';

const narrow = {
  ci_type: Type.Optional(Type.String({ description: 'where several bear the name in `{ci_id}`' })),
  site_id: Type.Optional(Type.String({ description: 'where several bear the name in `{ci_id}`' })),
};
const textOrNull = orNull(Type.String());

const RelationshipOnTheWire = Type.Object(
  {
    relationship_type: Type.String(),
    relationship_strength: relationshipStrength,
    direction: Type.Enum(['out', 'in'], { description: 'out: of this item; in: of the other one' }),
    ci_id: Type.String({ description: 'of the other item, as the name and the type are' }),
    ci_name: Type.String(),
    ci_type: Type.String(),
    source: Type.String({ description: 'who says so' }),
    note: textOrNull,
  },
  { title: 'Relationship' },
);

const Unlinked = Type.Object(
  {
    relationship_type: Type.String(),
    ci_id: textOrNull,
    ci_name: Type.String(),
    still_said_by: Type.Array(Type.String(), { description: 'other sources: while one says so, it stands' }),
  },
  { title: 'Unlinked' },
);

export function relationshipEndpoints(cmdb: Cmdb, store: Store, clock: Clock): Endpoint[] {
  const links = openLinks(cmdb, store, clock);
  const idOf = async (params: Record<string, string>, query: NameQuery) =>
    (await getItem(store.read, params.ci_id as string, query)).ci_id;
  const path = '/ci/{ci_id}/relationships/{relationship_type}/{target_ci_id}';
  return [
    endpoint({
      method: 'GET',
      path: '/ci/{ci_id}/relationships',
      scope: 'ci:read',
      tag: 'relationships',
      summary: 'What an item is to others, and others to it: a row for each source that says so',
      query: Type.Object({
        ...narrow,
        relationship_types: Type.Optional(Type.String({ description: 'of these types alone, with commas between' })),
        direction: Type.Optional(Type.Enum(['out', 'in', 'both'], { description: 'both unless told' })),
        ...pageQuery,
      }),
      answers: { 200: listOf(RelationshipOnTheWire) },
      async handle({ params, query }) {
        const { relationship_types, direction = 'both', limit: _limit, cursor: _cursor, ...narrowing } = query;
        const types = relationship_types?.split(',').map((type) => type.trim());
        const rows = (await listRelationships(store.read, await idOf(params, narrowing))).filter(
          (row) =>
            (direction === 'both' || row.direction === direction) &&
            (types === undefined || types.includes(row.relationship_type)),
        );
        return [200, pageOfAll(rows, query, orderOf)];
      },
    }),
    endpoint({
      method: 'PUT',
      path,
      scope: 'ci:write',
      tag: 'relationships',
      summary: 'Say as a person that an item is something to another one',
      description:
        'Kept in what that person says of the item, in place of what they said of it before. Both ends are an id or a name.',
      query: Type.Object({ ...narrow, ...dryRunQuery }),
      body: Type.Object(
        {
          relationship_strength: Type.Optional(relationshipStrength),
          note: Type.Optional(orNull(Type.String({ maxLength: 10_000 }))),
        },
        { additionalProperties: false, title: 'RelationshipBody' },
      ),
      bodyIsOptional: true,
      bodyName: 'The relationship',
      answers: { 200: RelationshipOnTheWire },
      async handle({ params, query, body, caller }) {
        const id = await idOf(params, query);
        const target = params.target_ci_id as string;
        return [200, await links.link(id, typeOf(params), target, body, caller)];
      },
    }),
    endpoint({
      method: 'DELETE',
      path,
      scope: 'ci:write',
      tag: 'relationships',
      summary: 'Take back as a person that an item is something to another one',
      description: 'What only others say is theirs to take back: 409 tells who they are.',
      query: Type.Object({ ...narrow, ...dryRunQuery }),
      answers: { 200: Unlinked },
      async handle({ params, query, caller }) {
        const id = await idOf(params, query);
        return [200, await links.unlink(id, typeOf(params), params.target_ci_id as string, caller)];
      },
    }),
  ];
}

const typePattern = new RegExp(relationshipTypeForm);

function typeOf({ relationship_type: type = '' }: Record<string, string>): string {
  if (typePattern.test(type) && type.length <= 100) return type;
  throw invalid('The relationship', [
    { pointer: '/relationship_type', detail: 'must be a word in lower case with underscores, such as depends_on' },
  ]);
}

/** What it is to others first. */
function orderOf({ direction, relationship_type, ci_name, ci_id, source }: ReadRelationship): string {
  return [direction === 'out' ? 0 : 1, relationship_type, ci_name, ci_id, source].join('\n');
}
