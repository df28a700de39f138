/** Sites: what the API says of one, and what rollcall.yml says above it. */

import type { Static } from 'typebox';
import type { siteSettings } from './settings.ts';
import type { Site } from './store/sites.ts';

export type SiteSettings = Readonly<Record<string, Static<typeof siteSettings>>>;

/** Key by key, the configuration beats what was written through the API. */
export function effectiveSite(site: Site, settings: SiteSettings): Site {
  return { ...site, ...settings[site.site_id] } as Site;
}

/** A site of which nothing is known but its slug. */
export function newSite(site_id: string, at: string): Site {
  return {
    site_id,
    name: null,
    domains: [],
    new_hosts: 'serve',
    new_hosts_since: null,
    vars: {},
    notes: null,
    created_at: at,
    updated_at: at,
  };
}
