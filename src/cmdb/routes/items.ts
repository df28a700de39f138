/** The endpoints of items, and of what changed of them. */

import { type Static, Type } from 'typebox';
import { invalid } from '../../check.ts';
import { dryRunQuery, type Endpoint, endpoint } from '../../http/endpoint.ts';
import { limitOf, listOf, pageOf, pageQuery, readCursor } from '../../http/paging.ts';
import type { Store } from '../../store/open.ts';
import { readTime, stamp } from '../../time.ts';
import type { Cmdb, Written } from '../cmdb.ts';
import { itemAt } from '../history.ts';
import type { ItemBody } from '../speak.ts';
import { listChanges } from '../store/changes.ts';
import { loadSteps } from '../store/history.ts';
import { lineOf } from '../store/merged.ts';
import { getItem, getItemByName, type ItemFilter, listItems, pageKeysOf } from '../store/read-items.ts';
import { BulkResults, ChangeOnTheWire, ItemOnTheWire, itemOnTheWire } from '../wire.ts';

const mostBulkItems = 10_000;

const narrowQuery = Type.Object({
  ci_type: Type.Optional(Type.String({ description: 'where several bear the name' })),
  site_id: Type.Optional(Type.String({ description: 'where several bear the name' })),
});
const writingQuery = Type.Object({ ...narrowQuery.properties, ...dryRunQuery });

export function itemEndpoints(cmdb: Cmdb, store: Store): Endpoint[] {
  const answer = ({ item, outcome, shadowed }: Written, made = 200): [number, unknown] => [
    outcome === 'created' ? made : 200,
    { ...itemOnTheWire(item), ...(shadowed.length > 0 ? { shadowed } : {}) },
  ];
  const find = (params: Record<string, string>, query: Static<typeof narrowQuery>) =>
    getItem(store.read, params.ci_id as string, query);
  const merges = (method: 'PUT' | 'PATCH') =>
    endpoint({
      method,
      path: '/ci/{ci_id}',
      scope: 'ci:write',
      tag: 'items',
      summary: 'Say something of an item',
      description:
        'Merges as JSON Merge Patch does: a key that is left out stands, null takes the word back. `{ci_id}` also takes a name.',
      query: writingQuery,
      body: cmdb.schemas.body,
      bodyName: 'The item',
      answers: { 200: ItemOnTheWire },
      handle: async ({ params, query, body, caller }) =>
        answer(await cmdb.write(body as ItemBody, await find(params, query), false, caller)),
    });

  return [
    endpoint({
      method: 'GET',
      path: '/ci',
      scope: 'ci:read',
      tag: 'items',
      summary: 'Items that fit all of the given filters, live before retired, then oldest first',
      query: Type.Object({
        ci_name: Type.Optional(Type.String()),
        ci_type: Type.Optional(Type.String()),
        ci_status: Type.Optional(Type.String()),
        site_id: Type.Optional(Type.String()),
        tag: Type.Optional(Type.String()),
        managed_by: Type.Optional(Type.String()),
        vmid: Type.Optional(Type.Integer()),
        address: Type.Optional(Type.String({ description: 'one of its IP addresses' })),
        fqdn: Type.Optional(Type.String()),
        q: Type.Optional(Type.String({ description: 'text in the name, notes, role, tags or specs' })),
        updated_since: Type.Optional(Type.String({ description: 'a time; without a zone it is meant in `timezone`' })),
        ...pageQuery,
      }),
      answers: { 200: listOf(ItemOnTheWire) },
      async handle({ query }) {
        const { limit: _limit, cursor, ...given } = query;
        const filter: ItemFilter = { ...given };
        if (filter.updated_since !== undefined)
          filter.updated_since = timeOf(filter.updated_since, '/updated_since', cmdb.timeZone);
        const limit = limitOf(query);
        const { count, rows } = await listItems(
          store.read,
          filter,
          limit,
          readCursor(cursor, ['number', 'string', 'string', 'string']),
        );
        const page = pageOf(rows, limit, count, pageKeysOf);
        return [200, { ...page, items: page.items.map(itemOnTheWire) }];
      },
    }),
    endpoint({
      method: 'POST',
      path: '/ci',
      scope: 'ci:write',
      tag: 'items',
      summary: 'Register an item: 201 when it is new, 200 when it is known already',
      description: 'Merges like PUT, and is safe to repeat.',
      query: Type.Object(dryRunQuery),
      body: cmdb.schemas.registration,
      bodyName: 'The item',
      answers: { 200: ItemOnTheWire, 201: ItemOnTheWire },
      handle: async ({ body, caller }) => answer(await cmdb.write(body as ItemBody, null, true, caller), 201),
    }),
    endpoint({
      method: 'POST',
      path: '/ci/bulk',
      scope: 'ci:write',
      tag: 'items',
      summary: `Register up to ${mostBulkItems} items at once`,
      description: 'Each item is whole or absent, and a faulty one does not stop the others. 2xx once all are on disk.',
      body: Type.Object(
        { items: Type.Array(Type.Unknown({ description: 'as in POST /ci' }), { maxItems: mostBulkItems }) },
        { additionalProperties: false },
      ),
      answers: { 200: BulkResults },
      async handle({ body, caller, refused }) {
        const results = await cmdb.writeAll(body.items, caller);
        const faulty = results.filter((result) => result.errors);
        if (faulty.length > 0) {
          const errors = faulty.flatMap(({ index, errors = [] }) =>
            errors.map(({ pointer, detail }) => ({ pointer: `/items/${index}${pointer}`, detail })),
          );
          refused(
            `${faulty.length} of ${results.length} items were refused.`,
            errors,
            faulty.slice(0, 20).map(({ index }) => body.items[index]),
          );
        }
        return [200, { results }];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/ci/by-name/{ci_name}',
      scope: 'ci:read',
      tag: 'items',
      summary: 'The item of a name, among live ones first, then retired ones',
      query: narrowQuery,
      answers: { 200: ItemOnTheWire },
      handle: async ({ params, query }) => [
        200,
        itemOnTheWire(await getItemByName(store.read, params.ci_name as string, query)),
      ],
    }),
    endpoint({
      method: 'PUT',
      path: '/ci/by-name/{ci_name}',
      scope: 'ci:write',
      tag: 'items',
      summary: 'Say something of an item that is known by name',
      description: 'Never makes one. Already as asked: 200, and no change.',
      query: writingQuery,
      body: cmdb.schemas.body,
      bodyName: 'The item',
      answers: { 200: ItemOnTheWire },
      handle: async ({ params, query, body, caller }) =>
        answer(
          await cmdb.write(
            body as ItemBody,
            await getItemByName(store.read, params.ci_name as string, query),
            false,
            caller,
          ),
        ),
    }),
    endpoint({
      method: 'GET',
      path: '/ci/{ci_id}',
      scope: 'ci:read',
      tag: 'items',
      summary: 'One item, by its id or its name, as it is or as it was',
      description:
        'With `at`, a name is that of today, and `last_seen_at` and the like are null: of those only the latest is kept.',
      query: Type.Object({
        ...narrowQuery.properties,
        at: Type.Optional(
          Type.String({ description: 'as it was then: a time; without a zone it is meant in `timezone`' }),
        ),
      }),
      answers: { 200: ItemOnTheWire },
      async handle({ params, query: { at, ...query } }) {
        const item = await find(params, query);
        if (at === undefined) return [200, itemOnTheWire(item)];
        const until = timeOf(at, '/at', cmdb.timeZone);
        return [200, itemOnTheWire(itemAt(item, await loadSteps(store.read, item.ci_id, until), until))];
      },
    }),
    merges('PUT'),
    merges('PATCH'),
    endpoint({
      method: 'DELETE',
      path: '/ci/{ci_id}',
      scope: 'ci:write',
      tag: 'items',
      summary: 'Hide an item; a source that still sees it brings it back with its history',
      query: writingQuery,
      answers: { 200: ItemOnTheWire },
      handle: async ({ params, query, caller }) => [
        200,
        itemOnTheWire(await cmdb.hide(await find(params, query), caller)),
      ],
    }),
    endpoint({
      method: 'GET',
      path: '/ci/{ci_id}/changes',
      scope: 'changes:read',
      tag: 'changes',
      summary: "An item's history, newest first, with that of the items that were merged into it",
      query: Type.Object({ ...narrowQuery.properties, ...pageQuery }),
      answers: { 200: listOf(ChangeOnTheWire) },
      async handle({ params, query }) {
        const { ci_id } = await find(params, query);
        return [200, await pageOfChanges(store, { subjects: await lineOf(store.read, ci_id) }, query)];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/changes',
      scope: 'changes:read',
      tag: 'changes',
      summary: 'Everything that was changed, newest first',
      query: Type.Object({
        source: Type.Optional(Type.String()),
        actor: Type.Optional(Type.String({ description: 'the name of the token that wrote' })),
        change_ref: Type.Optional(Type.String({ description: 'owner/repo#123' })),
        since: Type.Optional(Type.String({ description: 'a time; without a zone it is meant in `timezone`' })),
        ...pageQuery,
      }),
      answers: { 200: listOf(ChangeOnTheWire) },
      async handle({ query }) {
        const { limit: _limit, cursor: _cursor, since, ...filter } = query;
        return [
          200,
          await pageOfChanges(
            store,
            { ...filter, ...(since === undefined ? {} : { since: timeOf(since, '/since', cmdb.timeZone) }) },
            query,
          ),
        ];
      },
    }),
  ];
}

/** A page of a history, newest first. */
export async function pageOfChanges(
  store: Store,
  filter: Parameters<typeof listChanges>[1],
  query: { limit?: number; cursor?: string },
) {
  const limit = limitOf(query);
  const { count, rows } = await listChanges(store.read, filter, limit, readCursor(query.cursor, ['number'])?.[0]);
  const page = pageOf(rows, limit, count, (row) => [row.change_no]);
  return page;
}

function timeOf(text: string, pointer: string, timeZone: string): string {
  const instant = readTime(text, timeZone);
  if (!instant) throw invalid('The query', [{ pointer, detail: 'must be a time such as 2026-03-02T10:00:00Z' }]);
  return stamp(instant);
}
