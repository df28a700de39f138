/** Which item of the vault is a credential's: by its id, else by its exact name. Pure. */

import type { VaultItem } from '../../vaultwarden/vault.ts';
import type { Credential } from '../credential.ts';

export interface Matched {
  credential: Credential;
  /** Undefined where it is not there, or several are. */
  item: VaultItem | undefined;
  trouble: 'missing' | 'ambiguous' | 'trashed' | 'archived' | undefined;
}

export function matchItem(credential: Credential, items: readonly VaultItem[]): Matched {
  const wanted = credential.vaultwarden_item_id?.trim() ?? '';
  const byId = items.find(({ id }) => id.toLowerCase() === wanted.toLowerCase());
  const named = items.filter(({ name }) => name === wanted);
  const living = named.filter(({ deleted_at }) => deleted_at === null);
  const [item] = byId ? [byId] : living.length > 0 ? living : named;
  if (!item) return { credential, item: undefined, trouble: 'missing' };
  if (item.deleted_at !== null) return { credential, item: undefined, trouble: 'trashed' };
  if (!byId && living.length > 1) return { credential, item: undefined, trouble: 'ambiguous' };
  return { credential, item, trouble: item.archived_at === null ? undefined : 'archived' };
}
