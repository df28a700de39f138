/** The endpoint of conflicts. */

import { Type } from 'typebox';
import { orNull } from '../../check.ts';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import { limitOf, listOf, pageOf, pageQuery, readCursor } from '../../http/paging.ts';
import type { Store } from '../../store/open.ts';
import { listConflicts } from '../store/conflicts.ts';

const text = Type.String();
const textOrNull = orNull(text);

const ConflictOnTheWire = Type.Object(
  {
    conflict_id: text,
    claim: Type.Object({ claim_id: text, source: text, native_key: text, ci_name: textOrNull }),
    ci_id: orNull(Type.String({ description: 'the item that it is on meanwhile, if it has one' })),
    candidates: Type.Array(Type.Object({ ci_id: text, ci_name: text, ci_type: text, site_id: text }), {
      description: 'the items that it could speak of',
    }),
    reasons: Type.Array(text),
    since: text,
  },
  { title: 'Conflict' },
);

export function conflictEndpoint(store: Store): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/conflicts',
    scope: 'ci:read',
    tag: 'sources',
    summary: 'Claims of which a person has to say what item they speak of, oldest first',
    query: Type.Object(pageQuery),
    answers: { 200: listOf(ConflictOnTheWire) },
    async handle({ query }) {
      const limit = limitOf(query);
      const after = readCursor(query.cursor, ['string', 'string']);
      const { count, rows } = await listConflicts(store.read, limit, after);
      return [200, pageOf(rows, limit, count, ({ since, conflict_id }) => [since, conflict_id])];
    },
  });
}
