/** What is read first of a batch: enough of claims and items to say which item is meant, and whether anything is new. */

import { sql } from 'kysely';
import type { ReadDb, Trx } from '../../store/open.ts';
import { listed } from '../../store/rows.ts';
import { turn } from '../../store/turn.ts';
import type { ClaimId, ItemId } from '../item.ts';

type Db = ReadDb | Trx;

/** The little of a claim and its item that says whether hearing it again changes anything. */
export interface Glance {
  claim_id: ClaimId;
  source: string;
  native_key: string;
  hash: string;
  ci_id: ItemId | null;
  bound_ci_id: ItemId | null;
  gone_since: string | null;
  seen_at: string | null;
  /** It has no word now, and may have one once it is heard again; or what it was served as is not known yet. */
  mayRise: number;
  lifecycle: string | null;
  deleted_at: string | null;
  power: string | null;
  absence: string | null;
  stop_confirmed: number | null;
  /** Since when the claim says the power that it says. */
  power_since: string | null;
  pve: string | null;
  uuid: string | null;
}

const glanced = sql.raw(
  `c.claim_id, c.source, c.native_key, c.hash, c.ci_id, c.bound_ci_id, c.gone_since, s.seen_at, coalesce(c.since ->> '$.power', c.first_said_at) AS power_since, c.muted OR c.alarm IS NOT NULL AS mayRise,
   i.lifecycle, i.deleted_at, i.power, i.absence, i.stop_confirmed, NULL AS pve, NULL AS uuid`,
);

/** Claims by their sources' own keys, or by the hash of what they heard last; the values by source. */
export async function glanceBy(
  db: Db,
  column: 'native_key' | 'hash',
  values: ReadonlyMap<string, readonly string[]>,
): Promise<Glance[]> {
  const found: Glance[] = [];
  for (const [source, list] of values) {
    const { rows } = await sql<Glance>`
      SELECT ${glanced}
      FROM claims c LEFT JOIN configuration_items i ON i.ci_id = c.ci_id LEFT JOIN claim_seen s ON s.claim_id = c.claim_id
      WHERE c.source = ${source} AND ${sql.ref(`c.${column}`)} IN ${listed(list)}`.execute(db);
    found.push(...rows);
    await turn();
  }
  return found;
}

/** What one source says of given items, whatever its keys for them. */
export async function glanceByItems(db: Db, sources: readonly string[], ids: readonly ItemId[]): Promise<Glance[]> {
  const { rows } = await sql<Glance>`
    SELECT ${glanced}
    FROM claims c JOIN configuration_items i ON i.ci_id = c.ci_id LEFT JOIN claim_seen s ON s.claim_id = c.claim_id
    WHERE c.ci_id IN ${listed(ids)} AND c.source IN ${listed(sources)}
    ORDER BY c.first_said_at, c.claim_id`.execute(db);
  return rows;
}

/**
 * Those that said something of things for which they have no key of their own. Asked once in a transaction: what its
 * own writes add is no news to it.
 */
export async function sourcesWithKeyless(trx: Trx, sources: readonly string[]): Promise<Set<string>> {
  const known = askedKeyless.get(trx) ?? new Map<string, boolean>();
  askedKeyless.set(trx, known);
  const unknown = sources.filter((source) => !known.has(source));
  if (unknown.length > 0) {
    const { rows } = await sql<{ source: string }>`
      SELECT value AS source FROM json_each(${JSON.stringify(unknown)}) WHERE EXISTS
        (SELECT 1 FROM claims c WHERE c.source = value AND c.native_key >= 'ci:' AND c.native_key < 'ci;')`.execute(
      trx,
    );
    const found = new Set(rows.map(({ source }) => source));
    for (const source of unknown) known.set(source, found.has(source));
  }
  return new Set(sources.filter((source) => known.get(source)));
}

const askedKeyless = new WeakMap<Trx, Map<string, boolean>>();

/** What a source without keys of its own says of things that bear one of these values, with the value it was found by. */
export async function ownKeyless(
  db: Db,
  source: string,
  kind: string,
  values: readonly string[],
): Promise<(Glance & { mark: string })[]> {
  if (values.length === 0) return [];
  const { rows } = await sql<Glance & { mark: string }>`
    SELECT n.value AS mark, c.claim_id, c.source, c.native_key, c.hash, c.ci_id, c.bound_ci_id, c.gone_since, s.seen_at, 1 AS mayRise,
      NULL AS lifecycle, NULL AS deleted_at, NULL AS power, NULL AS absence, NULL AS stop_confirmed, NULL AS power_since,
      c.said ->> '$.pve' AS pve, c.said ->> '$.technical_specs.uuid' AS uuid
    FROM identifiers n JOIN claims c ON c.claim_id = n.claim_id LEFT JOIN claim_seen s ON s.claim_id = c.claim_id
    WHERE n.kind = ${kind} AND n.value IN ${listed(values)}
      -- The few that bear a value are looked up, and not all that the source ever said.
      AND c.source || '' = ${source} AND substr(c.native_key, 1, 3) = 'ci:'`.execute(db);
  return rows;
}
