/** The endpoints of sites. */

import { Type } from 'typebox';
import { invalid, orNull } from '../../check.ts';
import { DomainError } from '../../errors.ts';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../../http/paging.ts';
import type { Store } from '../../store/open.ts';
import { type Clock, stamp } from '../../time.ts';
import type { Cmdb } from '../cmdb.ts';
import { describeSite } from '../describe-site.ts';
import { sourceRef } from '../kinds.ts';
import { occasionOf } from '../occasion.ts';
import { siteSettings } from '../settings.ts';
import { effectiveSite, newSite } from '../sites.ts';
import { findSite, listSites, type Site } from '../store/sites.ts';

const SiteBody = Type.Object(siteSettings.properties, { additionalProperties: false, title: 'SitePatch' });
const SiteOnTheWire = Type.Object(
  {
    site_id: Type.String(),
    name: orNull(Type.String()),
    domains: Type.Array(Type.String()),
    new_hosts: Type.Enum(['serve', 'hold']),
    new_hosts_since: orNull(Type.String()),
    vars: Type.Record(Type.String(), Type.Unknown()),
    notes: orNull(Type.String()),
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
          const occasion = occasionOf(caller, clock);
          const source = sourceRef('manual', caller.tokenName);
          return [former ? 200 : 201, shown(await describeSite(trx, cmdb, former, site, source, occasion))];
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
      query: Type.Object(pageQuery),
      answers: { 200: listOf(SiteOnTheWire) },
      async handle({ query }) {
        const sites = (await listSites(store.read)).map(shown);
        return [200, pageOfAll(sites, query, (site) => site.site_id)];
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
