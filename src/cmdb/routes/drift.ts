/** The endpoint of drift. */

import { Type } from 'typebox';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../../http/paging.ts';
import type { Store } from '../../store/open.ts';
import type { Cmdb } from '../cmdb.ts';
import { listDrift } from '../drift.ts';
import type { DriftFilter } from '../store/drift.ts';
import { getItem } from '../store/read-items.ts';

const WordOnTheWire = Type.Object(
  {
    source: Type.String({ description: 'or pin' }),
    value: Type.Unknown(),
    said_at: Type.String({ description: 'since when it says so' }),
  },
  { title: 'DriftWord' },
);

const DriftOnTheWire = Type.Object(
  {
    ci_id: Type.String(),
    ci_name: Type.String(),
    site_id: Type.String(),
    attribute: Type.String({ description: 'by dotted path' }),
    value: Type.Unknown({ description: 'what is in force' }),
    measured: WordOnTheWire,
    intended: WordOnTheWire,
    since: Type.String({ description: 'since when they differ as they do' }),
  },
  { title: 'Drift' },
);

export function driftEndpoint(cmdb: Cmdb, store: Store): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/drift',
    scope: 'ci:read',
    tag: 'sources',
    summary: 'Where what is measured is not what was intended, or what a person says',
    description:
      'A row for each attribute and each source of which the value that is measured is another. Sizes that differ by under 1 % are equal.',
    query: Type.Object({
      site_id: Type.Optional(Type.String()),
      ci_id: Type.Optional(Type.String({ description: 'of one item, by its id or its name' })),
      ...pageQuery,
    }),
    answers: { 200: listOf(DriftOnTheWire) },
    async handle({ query }) {
      const filter: DriftFilter = {};
      if (query.site_id !== undefined) filter.site_id = query.site_id;
      if (query.ci_id !== undefined) filter.ci_id = (await getItem(store.read, query.ci_id, filter)).ci_id;
      const rows = await listDrift(store.read, cmdb.heart.ranks, filter);
      const keyOf = ({ ci_name, ci_id, attribute, intended }: (typeof rows)[number]) =>
        [ci_name, ci_id, attribute, intended.source].join('\n');
      return [200, pageOfAll(rows, query, keyOf)];
    },
  });
}
