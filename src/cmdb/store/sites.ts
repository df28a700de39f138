/** Sites as they are stored. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows, listed } from '../../store/rows.ts';
import type { Specs } from '../item.ts';

type Db = ReadDb | Trx;

export interface Site {
  site_id: string;
  name: string | null;
  domains: string[];
  new_hosts: 'serve' | 'hold';
  /** Since when hosts that are found are held. */
  new_hosts_since: string | null;
  vars: Specs;
  notes: string | null;
  created_at: string;
  updated_at: string;
}

const siteColumns = [
  'site_id',
  'name',
  'domains',
  'new_hosts',
  'new_hosts_since',
  'vars',
  'notes',
  'created_at',
  'updated_at',
] as const;

/** Answers the sites that were made. */
export async function storeNewSites(trx: Trx, sites: readonly string[], at: string): Promise<string[]> {
  const { rows } = await sql<{ site_id: string }>`SELECT site_id FROM sites WHERE site_id IN ${listed(sites)}`.execute(
    trx,
  );
  const known = new Set(rows.map((row) => row.site_id));
  const made = sites.filter((site) => !known.has(site));
  await insertRows(
    trx,
    'sites',
    made.map((site_id) => ({ site_id, created_at: at, updated_at: at })),
  );
  return made;
}

export async function listSites(db: Db): Promise<Site[]> {
  const rows = await db.selectFrom('sites').select(siteColumns).orderBy('site_id').execute();
  return rows.map((row) => ({
    ...row,
    domains: JSON.parse(row.domains) as string[],
    vars: JSON.parse(row.vars) as Specs,
  }));
}

export async function findSite(db: Db, id: string): Promise<Site | undefined> {
  return (await listSites(db)).find((site) => site.site_id === id);
}

export async function storeSite(trx: Trx, site: Site): Promise<void> {
  const row = { ...site, domains: JSON.stringify(site.domains), vars: JSON.stringify(site.vars) };
  await insertRows(trx, 'sites', [row], ['site_id']);
}
