/** What is read first of a batch: enough of claims and items to say which item is meant, and whether anything is new. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import { turn } from '../../store/turn.ts';
import type { Candidate } from '../identify.ts';
import type { ClaimId, ItemId } from '../item.ts';

type Db = ReadDb | Trx;

/** The little of a claim and its item that says whether hearing it again changes anything. */
export interface Glance {
  claim_id: ClaimId;
  source: string;
  native_key: string;
  hash: string;
  ci_id: ItemId | null;
  gone_since: string | null;
  lifecycle: string | null;
  deleted_at: string | null;
  power: string | null;
  stop_confirmed: number | null;
}

/** Claims by their sources' own keys, or by the hash of what they heard last; the values by source. */
export async function glanceBy(
  db: Db,
  column: 'native_key' | 'hash',
  values: ReadonlyMap<string, readonly string[]>,
): Promise<Glance[]> {
  const found: Glance[] = [];
  for (const [source, list] of values) {
    const { rows } = await sql<Glance>`
      SELECT c.claim_id, c.source, c.native_key, c.hash, c.ci_id, c.gone_since, i.lifecycle, i.deleted_at, i.power, i.stop_confirmed
      FROM claims c LEFT JOIN configuration_items i ON i.ci_id = c.ci_id
      WHERE c.source = ${source} AND ${sql.ref(`c.${column}`)} IN ${listed(list)}`.execute(db);
    found.push(...rows);
    await turn();
  }
  return found;
}

/** What one source says of given items, whatever its keys for them. */
export async function glanceByItems(db: Db, sources: readonly string[], ids: readonly ItemId[]): Promise<Glance[]> {
  const { rows } = await sql<Glance>`
    SELECT c.claim_id, c.source, c.native_key, c.hash, c.ci_id, c.gone_since, i.lifecycle, i.deleted_at, i.power, i.stop_confirmed
    FROM claims c JOIN configuration_items i ON i.ci_id = c.ci_id
    WHERE c.ci_id IN ${listed(ids)} AND c.source IN ${listed(sources)}
    ORDER BY c.first_said_at, c.claim_id`.execute(db);
  return rows;
}

/** The items whose claims carry one of these values; deleted ones too, since a source that sees one brings it back. */
export async function idsByIdentifiers(
  db: Db,
  kind: string,
  values: readonly string[],
): Promise<{ value: string; ci_id: ItemId }[]> {
  if (values.length === 0) return [];
  const { rows } = await sql<{ value: string; ci_id: ItemId }>`
    SELECT DISTINCT n.value, c.ci_id FROM identifiers n JOIN claims c ON c.claim_id = n.claim_id
    WHERE n.kind = ${kind} AND n.value IN ${listed(values)} AND c.ci_id IS NOT NULL`.execute(db);
  return rows;
}

export async function loadCandidates(db: Db, ids: readonly ItemId[]): Promise<Map<ItemId, Candidate>> {
  if (ids.length === 0) return new Map();
  const items = await sql<{ ci_id: ItemId; ci_type: string; site_id: string; ci_status: string; created_at: string }>`
    SELECT ci_id, ci_type, site_id, ci_status, created_at FROM configuration_items WHERE ci_id IN ${listed(ids)}`.execute(
    db,
  );
  await turn();
  const claims = await sql<{ ci_id: ItemId; source: string; native_key: string; pve: string | null }>`
    SELECT ci_id, source, native_key, iif(gone_since IS NULL, said ->> '$.pve', NULL) AS pve FROM claims WHERE ci_id IN ${listed(ids)}`.execute(
    db,
  );
  const found = new Map<
    ItemId,
    Omit<Candidate, 'keys' | 'numbers'> & { keys: Map<string, Set<string>>; numbers: Set<string> }
  >();
  for (const row of items.rows) {
    found.set(row.ci_id, {
      ci_id: row.ci_id,
      ci_type: row.ci_type,
      site_id: row.site_id,
      retired: row.ci_status === 'retired',
      created_at: row.created_at,
      keys: new Map(),
      numbers: new Set(),
    });
  }
  for (const row of claims.rows) {
    const candidate = found.get(row.ci_id);
    if (!candidate) continue;
    const keys = candidate.keys.get(row.source) ?? new Set<string>();
    candidate.keys.set(row.source, keys.add(row.native_key));
    if (row.pve) candidate.numbers.add(row.pve);
  }
  return found;
}
