/** Reads the vault's dates against the records: what was changed there is rotated here, and what does not fit is listed. */

import { type Store, type Trx, writeOrRehearse } from '../../store/open.ts';
import { type Clock, stamp } from '../../time.ts';
import type { Vault, VaultItem } from '../../vaultwarden/vault.ts';
import { type Credential, statesInUse } from '../credential.ts';
import { policyOf } from '../policy.ts';
import type { Records } from '../records.ts';
import type { CredentialsSettings } from '../settings.ts';
import { listCredentials } from '../store.ts';
import { type Judged, judge } from './evidence.ts';
import { matchItem } from './match.ts';
import { setFindings, storeVaultSeen, type VaultFinding, vaultSeen } from './store.ts';

export interface VaultParts {
  store: Store;
  records: Records;
  vault: Vault;
  /** Whether an item is one that a record is expected of. */
  isWatched: (item: VaultItem) => boolean;
  settings: CredentialsSettings;
  clock: Clock;
}

export interface VaultRead {
  rotated: number;
  /** Records and items that do not fit. */
  unfitting: number;
  /** Rehearsed: whose rotation would be recorded. */
  names: string[];
}

/** Throws VaultError, and has then changed nothing. */
export async function readVault(parts: VaultParts, isRehearsal: boolean, signal?: AbortSignal): Promise<VaultRead> {
  const { store, records, vault, isWatched, settings, clock } = parts;
  const items = await vault.listItems(signal);
  const now = clock();
  const at = stamp(now);
  const found: VaultRead = { rotated: 0, unfitting: 0, names: [] };
  const work = async (trx: Trx) => {
    const findings: Omit<VaultFinding, 'since'>[] = [];
    const seen = await vaultSeen(trx);
    const used = new Set<string>();
    for (const credential of await listCredentials(trx)) {
      if (credential.vaultwarden_item_id === null || credential.lifecycle_state === 'retired') continue;
      const { item, trouble } = matchItem(credential, items);
      if (trouble) findings.push(findingOf(trouble, credential, item));
      if (!item) continue;
      used.add(item.id);
      const judged = judge(credential, item, seen.get(credential.credential_id) ?? none, now);
      await storeVaultSeen(trx, credential.credential_id, judged.seen);
      if (judged.verdict === 'went_back' || judged.verdict === 'from_the_future')
        findings.push(findingOf(judged.verdict, credential, item));
      if (!isRotation(judged) || !counts(credential, settings)) continue;
      found.rotated += 1;
      found.names.push(credential.credential_name);
      const evidence = { kind: judged.kind, rotatedAt: judged.rotatedAt };
      await records.rotatedBy(trx, credential, evidence, doer);
    }
    for (const item of items)
      if (!used.has(item.id) && item.deleted_at === null && item.archived_at === null && isWatched(item))
        findings.push({
          kind: 'untracked',
          subject: item.id,
          credential_id: null,
          item_id: item.id,
          item_name: item.name,
        });
    found.unfitting = findings.length;
    await setFindings(trx, findings, at);
  };
  await writeOrRehearse(store.write, isRehearsal, work);
  return found;
}

const none = { revised_at: null, told_at: null };
const doer = { source: 'vaultwarden', actor: null, changeRef: null, requestId: null };

function isRotation(judged: Judged): judged is Judged & Required<Pick<Judged, 'kind' | 'rotatedAt'>> {
  return judged.verdict === 'rotated';
}

/** What is not in use yet, or wants a person's word, is not rotated by a date. */
function counts(credential: Credential, { policies }: CredentialsSettings): boolean {
  return statesInUse.includes(credential.lifecycle_state) && policyOf(credential, policies).evidence !== 'word';
}

function findingOf(
  kind: VaultFinding['kind'],
  { credential_id, vaultwarden_item_id }: Credential,
  item: VaultItem | undefined,
): Omit<VaultFinding, 'since'> {
  const subject = credential_id;
  return { kind, subject, credential_id, item_id: item?.id ?? null, item_name: item?.name ?? vaultwarden_item_id };
}
