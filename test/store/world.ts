/** A store for a test, in a folder of its own. */

import { onTestFinished } from 'vitest';
import { openLog } from '../../src/log.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { type Stamp, stamp } from '../../src/time.ts';
import { temporaryFolder } from '../service.ts';

export const quiet = openLog('silent', 'json');

export const at: Stamp = stamp(Temporal.Instant.from('2026-03-02T10:00:00Z'));

/** Closed after the test, if it is not by then. */
export async function openedStore(folder = temporaryFolder()): Promise<Store> {
  const store = await openStore(folder, quiet);
  onTestFinished(() => store.close());
  return store;
}

export function siteRow(site_id: string, more: { name?: string } = {}) {
  return { site_id, name: null, created_at: at, updated_at: at, ...more };
}

export async function sitesIn({ read }: Store): Promise<string[]> {
  const rows = await read.selectFrom('sites').select('site_id').orderBy('site_id').execute();
  return rows.map((row) => row.site_id);
}
