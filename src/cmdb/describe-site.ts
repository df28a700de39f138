/** Writes what a person says of a site, as a change; and undoes one. */

import type { Trx } from '../store/open.ts';
import { differenceOf } from './changes.ts';
import type { Cmdb } from './cmdb.ts';
import { nameAnew } from './follow-settings.ts';
import { effectiveSite, newSite, type SiteSettings } from './sites.ts';
import { type Occasion, raiseRevision, storeChanges } from './store/changes.ts';
import { findSite, type Site, storeSite } from './store/sites.ts';
import type { UndoableChange } from './store/undo.ts';
import { mayUndo, type Undone } from './undo.ts';

/** The site as it is then; as it was where nothing differs. */
export async function describeSite(
  trx: Trx,
  cmdb: Cmdb,
  former: Site | undefined,
  site: Site,
  source: string,
  occasion: Occasion,
): Promise<Site> {
  const difference = siteDifference(former, site);
  if (!difference && former) return former;
  const { at } = occasion;
  const holds = site.new_hosts === 'hold';
  const written = { ...site, new_hosts_since: holds ? (former?.new_hosts_since ?? at) : null, updated_at: at };
  await storeSite(trx, written);
  const change = {
    subject: 'site' as const,
    subject_id: site.site_id,
    action: former ? 'updated' : 'created',
    source,
    before: {},
    after: {},
    ...difference,
  };
  await storeChanges(trx, [change], await raiseRevision(trx), occasion);
  const domainsOf = (one: Site) => JSON.stringify(effectiveSite(one, cmdb.settings.sites as SiteSettings).domains);
  if (domainsOf(written) !== (former ? domainsOf(former) : '[]'))
    await nameAnew(trx, cmdb.heart, site.site_id, source, occasion);
  return written;
}

/** Puts back what the change found there, where nothing later stands. */
export async function restoreSite(
  trx: Trx,
  cmdb: Cmdb,
  { subject_id, before, after }: UndoableChange,
  source: string,
  occasion: Occasion,
  undone: Undone,
): Promise<void> {
  const site = (await findSite(trx, subject_id)) as Site;
  const words = Object.entries(before).filter(([key, was]) => {
    const now = site[key as keyof Site] ?? null;
    return mayUndo(undone, key, { was, is: after[key] ?? null }, now);
  });
  if (words.length > 0)
    await describeSite(trx, cmdb, site, { ...site, ...Object.fromEntries(words) }, source, occasion);
}

function siteDifference(former: Site | undefined, site: Site) {
  const { created_at: _c, updated_at: _u, new_hosts_since: _s, ...words } = site;
  const { created_at: _fc, updated_at: _fu, new_hosts_since: _fs, ...before } = former ?? newSite(site.site_id, '');
  return differenceOf(before as never, words as never);
}
