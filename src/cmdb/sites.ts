/** Sites: what the API says of one, and what rollcall.yml says above it. */

import type { Static } from 'typebox';
import type { ReadDb, Write } from '../store/open.ts';
import type { siteSettings } from './settings.ts';
import { listSites, type Site, storeNewSites, storeSite } from './store/sites.ts';

export type SiteSettings = Readonly<Record<string, Static<typeof siteSettings>>>;

/** Key by key, the configuration beats what was written through the API. */
export function effectiveSite(site: Site, settings: SiteSettings): Site {
  return { ...site, ...settings[site.site_id] } as Site;
}

/** In which domains a short name of a site stands for a longer one. Asked once in a transaction. */
export function domainsOf(transaction: ReadDb, settings: SiteSettings): Promise<(site: string) => readonly string[]> {
  let domains = askedDomains.get(transaction);
  if (!domains) {
    domains = listSites(transaction).then((sites) => {
      const known = new Map(sites.map((site) => [site.site_id, effectiveSite(site, settings).domains]));
      return (site) => known.get(site) ?? settings[site]?.domains ?? [];
    });
    askedDomains.set(transaction, domains);
  }
  return domains;
}

const askedDomains = new WeakMap<ReadDb, Promise<(site: string) => readonly string[]>>();

/** The sites that rollcall.yml names exist, and those that hold new hosts do so from the start that first said so. */
export async function registerSites(write: Write, settings: SiteSettings, at: string): Promise<void> {
  await write(async (trx) => {
    await storeNewSites(trx, Object.keys(settings), at);
    for (const site of await listSites(trx)) {
      const holds = effectiveSite(site, settings).new_hosts === 'hold';
      if (holds !== (site.new_hosts_since !== null))
        await storeSite(trx, { ...site, new_hosts_since: holds ? at : null });
    }
  });
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
