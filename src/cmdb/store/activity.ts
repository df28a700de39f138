/** What playbooks did with items: when each was configured last, and how its last run went. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import type { ItemId } from '../item.ts';
import { raiseRevision } from './changes.ts';

export type RunOutcome = 'ok' | 'changed' | 'failed' | 'unreachable';

export interface Activity {
  last_configured_at: string | null;
  last_run_at: string | null;
  last_run_id: string | null;
  last_run_outcome: RunOutcome | null;
  stale_since: string | null;
  /** Playbooks whose last run failed on it. */
  failing: number;
}

const none: Activity = {
  last_configured_at: null,
  last_run_at: null,
  last_run_id: null,
  last_run_outcome: null,
  stale_since: null,
  failing: 0,
};

export async function loadActivity(db: ReadDb, ids: readonly ItemId[]): Promise<Map<ItemId, Activity>> {
  const rows = await db
    .selectFrom('activity')
    .selectAll()
    .where('ci_id', 'in', sql<string>`${listed(ids)}`)
    .execute();
  return new Map(rows.map(({ ci_id, ...activity }) => [ci_id as ItemId, activity]));
}

/** Stores what is known now; the inventory shows some of it, and learns of those for whom that is new. */
export async function storeActivity(trx: Trx, news: ReadonlyMap<ItemId, Partial<Activity>>): Promise<void> {
  const ids = [...news.keys()];
  if (ids.length === 0) return;
  const former = await loadActivity(trx, ids);
  const rows = ids.map((ci_id) => ({ ci_id, ...none, ...former.get(ci_id), ...news.get(ci_id) }));
  await sql`
    INSERT INTO activity (ci_id, last_configured_at, last_run_at, last_run_id, last_run_outcome, stale_since, failing)
    SELECT value ->> '$.ci_id', value ->> '$.last_configured_at', value ->> '$.last_run_at', value ->> '$.last_run_id',
      value ->> '$.last_run_outcome', value ->> '$.stale_since', value ->> '$.failing'
    FROM json_each(${JSON.stringify(rows)}) WHERE true
    ON CONFLICT (ci_id) DO UPDATE SET last_configured_at = excluded.last_configured_at,
      last_run_at = excluded.last_run_at, last_run_id = excluded.last_run_id,
      last_run_outcome = excluded.last_run_outcome, stale_since = excluded.stale_since,
      failing = excluded.failing`.execute(trx);
  const shown = rows.filter(({ ci_id, ...now }) => shownOf(now) !== shownOf(former.get(ci_id) ?? none));
  if (shown.length === 0) return;
  const revision = await raiseRevision(trx);
  await trx
    .updateTable('configuration_items')
    .set({ revision })
    .where('ci_id', 'in', sql<string>`${listed(shown.map(({ ci_id }) => ci_id))}`)
    .execute();
}

/** What of it the inventory may show. */
function shownOf({ last_configured_at, last_run_outcome, stale_since, failing }: Activity): string {
  return `${last_configured_at !== null} ${last_run_outcome} ${stale_since !== null} ${failing > 0}`;
}

/** Items that were configured before a moment, and not since, of which that is not noted yet. */
export async function notConfiguredSince(db: ReadDb, before: string): Promise<ItemId[]> {
  const rows = await db
    .selectFrom('activity')
    .select('ci_id')
    .where('last_configured_at', '<', before)
    .where('stale_since', 'is', null)
    .execute();
  return rows.map(({ ci_id }) => ci_id as ItemId);
}
