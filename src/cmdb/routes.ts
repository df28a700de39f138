/** The heart's endpoints: items, passes, changes, sites. */

import { type Static, Type } from 'typebox';
import { invalid } from '../check.ts';
import { DomainError } from '../errors.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { limitOf, listOf, pageOf, pageQuery, readCursor } from '../http/paging.ts';
import { FaultOnTheWire } from '../http/problem.ts';
import type { Store } from '../store/open.ts';
import { type Clock, readTime, stamp } from '../time.ts';
import { differenceOf } from './changes.ts';
import type { Cmdb, PassBody, Written } from './cmdb.ts';
import { passOutcomes } from './passes.ts';
import { siteSettings } from './settings.ts';
import { effectiveSite, newSite } from './sites.ts';
import type { ItemBody } from './speak.ts';
import {
  findPass,
  findSite,
  getItem,
  getItemByName,
  type ItemFilter,
  listChanges,
  listItems,
  listPasses,
  listSites,
  pageKeysOf,
  type ReadChange,
  type ReadItem,
  raiseRevision,
  type Site,
  storeChanges,
  storeSite,
} from './store.ts';
import { BulkResults, ChangeOnTheWire, ItemOnTheWire, itemOnTheWire } from './wire.ts';

const mostBulkItems = 10_000;

const narrowQuery = Type.Object({
  ci_type: Type.Optional(Type.String({ description: 'where several bear the name' })),
  site_id: Type.Optional(Type.String({ description: 'where several bear the name' })),
});

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
      query: narrowQuery,
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
        const { count, rows } = await listItems(store.read, filter, limit, readCursor(cursor));
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
      query: narrowQuery,
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
      summary: 'One item, by its id or its name',
      query: narrowQuery,
      answers: { 200: ItemOnTheWire },
      handle: async ({ params, query }) => [200, itemOnTheWire(await find(params, query))],
    }),
    merges('PUT'),
    merges('PATCH'),
    endpoint({
      method: 'DELETE',
      path: '/ci/{ci_id}',
      scope: 'ci:write',
      tag: 'items',
      summary: 'Hide an item; a source that still sees it brings it back with its history',
      query: narrowQuery,
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
      summary: "An item's history, newest first",
      query: Type.Object({ ...narrowQuery.properties, ...pageQuery }),
      answers: { 200: listOf(ChangeOnTheWire) },
      async handle({ params, query }) {
        const item: ReadItem = await find(params, query);
        return [200, await pageOfChanges(store, { subject_id: item.ci_id }, query)];
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

async function pageOfChanges(
  store: Store,
  filter: Parameters<typeof listChanges>[1],
  query: { limit?: number; cursor?: string },
) {
  const limit = limitOf(query);
  const { count, rows } = await listChanges(
    store.read,
    filter,
    limit,
    readCursor(query.cursor)?.[0] as number | undefined,
  );
  const page = pageOf(rows, limit, count, (row) => [row.change_no]);
  return { ...page, items: page.items.map(({ change_no: _, ...change }: ReadChange) => change) };
}

function timeOf(text: string, pointer: string, timeZone: string): string {
  const instant = readTime(text, timeZone);
  if (!instant) throw invalid('The query', [{ pointer, detail: 'must be a time such as 2026-03-02T10:00:00Z' }]);
  return stamp(instant);
}

// ---------- passes

const count = Type.Integer();
const PassOnTheWire = Type.Object(
  {
    pass_id: Type.String(),
    source: Type.String(),
    complete: Type.Boolean(),
    outcome: Type.Enum([...passOutcomes]),
    why: Type.Union([Type.String(), Type.Null()]),
    seen: count,
    created: count,
    updated: count,
    unchanged: count,
    missing: count,
    refused: count,
  },
  { title: 'Pass' },
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
          items: Type.Array(Type.Unknown({ description: 'as in POST /ci' }), { maxItems: mostBulkItems }),
        },
        { additionalProperties: false },
      ),
      bodyName: 'The pass',
      answers: {
        200: Type.Object({
          ...PassOnTheWire.properties,
          dry_run: Type.Boolean(),
          changes: Type.Array(Type.Unknown(), { description: 'what was, or would be, changed' }),
          errors: Type.Array(Type.Object({ index: count, errors: Type.Array(FaultOnTheWire) })),
        }),
      },
      async handle({ body, caller, refused }) {
        const { outcomes: _outcomes, changes, ...pass } = await cmdb.pass(body as PassBody, caller);
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
        const shown = changes.map(({ subject_id, subject: _subject, source: _source, ...change }) => ({
          ci_id: subject_id,
          ...change,
        }));
        return [200, { ...pass, dry_run: body.dry_run ?? false, changes: shown }];
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
          readCursor(query.cursor)?.[0] as string | undefined,
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

// ---------- sites

const SiteBody = Type.Object(siteSettings.properties, { additionalProperties: false, title: 'SitePatch' });
const SiteOnTheWire = Type.Object(
  {
    site_id: Type.String(),
    name: Type.Union([Type.String(), Type.Null()]),
    domains: Type.Array(Type.String()),
    new_hosts: Type.Enum(['serve', 'hold']),
    new_hosts_since: Type.Union([Type.String(), Type.Null()]),
    vars: Type.Record(Type.String(), Type.Unknown()),
    notes: Type.Union([Type.String(), Type.Null()]),
    created_at: Type.String(),
    updated_at: Type.String(),
  },
  { title: 'Site' },
);

export function siteEndpoints(cmdb: Cmdb, store: Store, clock: Clock): Endpoint[] {
  const settings = cmdb.settings.sites as Parameters<typeof effectiveSite>[1];
  const shown = (site: Site) => effectiveSite(site, settings);
  const merges = (method: 'PUT' | 'PATCH') =>
    endpoint({
      method,
      path: '/sites/{site_id}',
      scope: 'ci:write',
      tag: 'sites',
      summary: 'Describe a site; an unknown one is made',
      description: 'A key that is left out stands. A key that stands in rollcall.yml beats what is written here.',
      body: SiteBody,
      bodyName: 'The site',
      answers: { 200: SiteOnTheWire, 201: SiteOnTheWire },
      async handle({ params, body, caller }) {
        const id = params.site_id as string;
        if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(id))
          throw invalid('The site', [{ pointer: '', detail: 'a slug has letters, digits, "-", "_" and "."' }]);
        const at = stamp(clock());
        return await store.write(async (trx) => {
          const former = await findSite(trx, id);
          const site = { ...(former ?? newSite(id, at)), ...body } as Site;
          const difference = siteDifference(former, site);
          if (!difference && former) return [200, shown(former)];
          const holds = site.new_hosts === 'hold';
          const written = { ...site, new_hosts_since: holds ? (former?.new_hosts_since ?? at) : null, updated_at: at };
          await storeSite(trx, written);
          const occasion = { at, actor: caller.tokenName, changeRef: caller.changeRef, requestId: caller.requestId };
          const change = {
            subject: 'site' as const,
            subject_id: id,
            action: former ? 'updated' : 'created',
            source: `manual:${caller.tokenName}`,
            before: {},
            after: {},
            ...difference,
          };
          await storeChanges(trx, [change], await raiseRevision(trx), occasion);
          return [former ? 200 : 201, shown(written)];
        });
      },
    });
  return [
    endpoint({
      method: 'GET',
      path: '/sites',
      scope: 'ci:read',
      tag: 'sites',
      summary: 'All sites',
      answers: { 200: listOf(SiteOnTheWire) },
      async handle() {
        const sites = (await listSites(store.read)).map(shown);
        return [200, { count: sites.length, items: sites, next: null }];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/sites/{site_id}',
      scope: 'ci:read',
      tag: 'sites',
      summary: 'One site',
      answers: { 200: SiteOnTheWire },
      async handle({ params }) {
        const site = await findSite(store.read, params.site_id as string);
        if (!site) throw new DomainError('not_found', `There is no site ${params.site_id}.`);
        return [200, shown(site)];
      },
    }),
    merges('PUT'),
    merges('PATCH'),
  ];
}

function siteDifference(former: Site | undefined, site: Site) {
  const { created_at: _c, updated_at: _u, new_hosts_since: _s, ...words } = site;
  const { created_at: _fc, updated_at: _fu, new_hosts_since: _fs, ...before } = former ?? newSite(site.site_id, '');
  return differenceOf(before as never, words as never);
}
