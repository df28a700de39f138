/** What was seen of the vault: the dates of its items by credential, and where it and the records do not fit. */

import type { ReadDb, Trx } from '../../store/open.ts';
import { insertRows } from '../../store/rows.ts';
import type { CredentialVaultFindingsTable } from '../../store/tables.ts';
import type { CredentialId } from '../credential.ts';
import type { VaultSeen } from './evidence.ts';

export type VaultFinding = CredentialVaultFindingsTable;

export async function vaultSeen(db: ReadDb | Trx): Promise<Map<CredentialId, VaultSeen>> {
  const rows = await db
    .selectFrom('credentials')
    .select(['credential_id', 'vault_revised_at', 'vault_told_at'])
    .execute();
  return new Map(
    rows.map(({ credential_id, vault_revised_at, vault_told_at }) => [
      credential_id as CredentialId,
      { revised_at: vault_revised_at, told_at: vault_told_at },
    ]),
  );
}

export async function storeVaultSeen(trx: Trx, id: CredentialId, { revised_at, told_at }: VaultSeen): Promise<void> {
  await trx
    .updateTable('credentials')
    .set({ vault_revised_at: revised_at, vault_told_at: told_at })
    .where('credential_id', '=', id)
    .execute();
}

/** All that stand now: those that stood before keep their beginning. */
export async function setFindings(
  trx: Trx,
  standing: readonly Omit<VaultFinding, 'since'>[],
  at: string,
): Promise<void> {
  const former = await listFindings(trx);
  const since = new Map(former.map((row) => [`${row.kind} ${row.subject}`, row.since]));
  await trx.deleteFrom('credential_vault_findings').execute();
  await insertRows(
    trx,
    'credential_vault_findings',
    standing.map((row) => ({ ...row, since: since.get(`${row.kind} ${row.subject}`) ?? at })),
  );
}

export async function listFindings(db: ReadDb | Trx): Promise<VaultFinding[]> {
  return await db
    .selectFrom('credential_vault_findings')
    .select(['kind', 'subject', 'credential_id', 'item_id', 'item_name', 'since'])
    .orderBy('kind')
    .orderBy('subject')
    .execute();
}
