/** Finds the few things that are not simply there, without a look at all the others. */

import { type Kysely, sql } from 'kysely';

const indexes = [
  `CREATE INDEX claims_unlike ON claims (claim_id)
    WHERE muted = 1 OR alarm IS NOT NULL OR gone_since IS NOT NULL OR ci_id IS NULL`,
  'CREATE INDEX claims_gone ON claims (source, gone_since) WHERE gone_since IS NOT NULL',
  // With all that is asked of them, so that no item is read for it.
  `CREATE INDEX configuration_items_unlike
    ON configuration_items (ci_id, deleted_at, lifecycle, absence, power, stop_confirmed)
    WHERE deleted_at IS NOT NULL OR lifecycle = 'retired' OR absence IS NOT NULL OR (power = 'stopped' AND stop_confirmed = 0)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const index of indexes) await sql.raw(index).execute(db);
}
