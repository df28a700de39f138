/** The queries of credentials, of the items that use them, and of how they were rotated. */

import { randomUUIDv7 } from 'node:crypto';
import { sql } from 'kysely';
import type { ItemId } from '../cmdb/item.ts';
import type { ReadDb, Trx } from '../store/open.ts';
import { insertRows } from '../store/rows.ts';
import type { CredentialsTable } from '../store/tables.ts';
import type { Credential, CredentialId, LifecycleState, Putoff } from './credential.ts';

type Db = ReadDb | Trx;

const columns = [
  'credential_id',
  'credential_name',
  'credential_type',
  'owner_email',
  'vaultwarden_item_id',
  'lifecycle_state',
  'last_rotated_at',
  'rotation_period_days',
  'next_rotation_due',
  'expires_at',
  'snooze',
  'waiver',
  'notes',
  'runbook_url',
  'created_at',
  'updated_at',
] as const;

type Row = Pick<CredentialsTable, (typeof columns)[number]>;

/** All of them, by name. */
export async function listCredentials(db: Db): Promise<Credential[]> {
  const rows = await db
    .selectFrom('credentials')
    .select(columns)
    .orderBy(sql`lower(credential_name)`)
    .orderBy('credential_id')
    .execute();
  return rows.map(credentialOf);
}

/** By its id, or by its name among those that are not retired, then among retired ones the latest. */
export async function findCredential(db: Db, idOrName: string): Promise<Credential | undefined> {
  const row = await db
    .selectFrom('credentials')
    .select(columns)
    .where((where) =>
      where.or([where('credential_id', '=', idOrName), sql<boolean>`lower(credential_name) = lower(${idOrName})`]),
    )
    .orderBy(sql`credential_id = ${idOrName}`, 'desc')
    .orderBy(sql`lifecycle_state = 'retired'`)
    .orderBy('created_at', 'desc')
    .executeTakeFirst();
  return row && credentialOf(row);
}

export async function storeCredential(trx: Trx, credential: Credential): Promise<void> {
  const { snooze, waiver, ...rest } = credential;
  const row = { ...rest, snooze: jsonOrNull(snooze), waiver: jsonOrNull(waiver) };
  await insertRows(trx, 'credentials', [row], ['credential_id']);
}

function credentialOf({ snooze, waiver, ...row }: Row): Credential {
  return {
    ...row,
    credential_id: row.credential_id as CredentialId,
    snooze: snooze === null ? null : (JSON.parse(snooze) as Putoff),
    waiver: waiver === null ? null : (JSON.parse(waiver) as Putoff),
  };
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

/** An item that uses a credential, and as what. */
export interface Association {
  credential_id: CredentialId;
  credential_name: string;
  lifecycle_state: LifecycleState;
  ci_id: ItemId;
  ci_name: string;
  ci_type: string;
  ci_status: string;
  site_id: string;
  role: string | null;
}

/** An item that was merged into another, or whose place another took, is that one. */
export async function listAssociations(
  db: Db,
  { credential, items }: { credential?: CredentialId; items?: readonly string[] } = {},
): Promise<Association[]> {
  const heir = sql`coalesce(i.merged_into, i.handed_down ->> '$.adopted_by')`;
  const { rows } = await sql<Association>`
    WITH RECURSIVE line (said, ci_id) AS (
      SELECT DISTINCT ci_id, ci_id FROM credential_associations
      UNION SELECT line.said, ${heir} FROM line JOIN configuration_items i ON i.ci_id = line.ci_id
        WHERE ${heir} IS NOT NULL
    )
    SELECT a.credential_id, c.credential_name, c.lifecycle_state, i.ci_id, i.ci_name, i.ci_type, i.ci_status, i.site_id, min(a.role) AS role
    FROM credential_associations a
    JOIN credentials c ON c.credential_id = a.credential_id
    JOIN line ON line.said = a.ci_id
    JOIN configuration_items i ON i.ci_id = line.ci_id
    WHERE ${heir} IS NULL AND i.deleted_at IS NULL
      ${credential === undefined ? sql`` : sql`AND a.credential_id = ${credential}`}
      ${items === undefined ? sql`` : sql`AND i.ci_id IN (SELECT value FROM json_each(${JSON.stringify(items)}))`}
    GROUP BY a.credential_id, i.ci_id
    ORDER BY i.ci_name, i.ci_id, c.credential_name`.execute(db);
  return rows;
}

/** The ids that an association of this item may be kept under: its own, and of those whose place it took. */
export async function storeAssociation(
  trx: Trx,
  row: { credential_id: CredentialId; ci_id: ItemId; role: string | null; since: string },
): Promise<void> {
  await deleteAssociation(trx, row.credential_id, row.ci_id);
  await insertRows(trx, 'credential_associations', [{ ...row }], ['credential_id', 'ci_id']);
}

/** Under whichever of its ids it was said. */
export async function deleteAssociation(trx: Trx, credential: CredentialId, item: ItemId): Promise<void> {
  await sql`
    WITH RECURSIVE line (ci_id) AS (
      SELECT ${item} UNION SELECT i.ci_id FROM configuration_items i JOIN line
        ON i.merged_into = line.ci_id OR i.handed_down ->> '$.adopted_by' = line.ci_id
    )
    DELETE FROM credential_associations
    WHERE credential_id = ${credential} AND ci_id IN (SELECT ci_id FROM line)`.execute(trx);
}

export interface Rotation {
  rotation_id: string;
  credential_id: CredentialId;
  rotated_at: string;
  recorded_at: string;
  /** `word`, or where it was read: `password_revision`, `password_history`, `token_expiry`. */
  evidence: string;
  note: string | null;
  recorded_by: string;
  change_ref: string | null;
}

export async function storeRotation(trx: Trx, rotation: Omit<Rotation, 'rotation_id'>): Promise<void> {
  await insertRows(trx, 'credential_rotations', [{ rotation_id: randomUUIDv7(), ...rotation }]);
}

/** Newest first; of all, or of one. */
export async function listRotations(db: Db, credential?: CredentialId): Promise<Rotation[]> {
  const rows = await db
    .selectFrom('credential_rotations')
    .select([
      'rotation_id',
      'credential_id',
      'rotated_at',
      'recorded_at',
      'evidence',
      'note',
      'recorded_by',
      'change_ref',
    ])
    .$if(credential !== undefined, (query) => query.where('credential_id', '=', credential as string))
    .orderBy('recorded_at', 'desc')
    .orderBy('rotation_id', 'desc')
    .execute();
  return rows.map((row) => ({ ...row, credential_id: row.credential_id as CredentialId }));
}
