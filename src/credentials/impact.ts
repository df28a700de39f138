/** Which other items use a credential of an item: what the heart tells in an impact. */

import type { AffectedCredential, CredentialsAffected } from '../cmdb/impact.ts';
import type { ReadDb } from '../store/open.ts';
import { listAssociations } from './store.ts';

export function credentialsAffected(db: ReadDb): CredentialsAffected {
  return async (id) => {
    const own = new Set((await listAssociations(db, { items: [id] })).map(({ credential_id }) => credential_id));
    if (own.size === 0) return [];
    const others = (await listAssociations(db)).filter(
      ({ credential_id, ci_id, ci_status, lifecycle_state }) =>
        own.has(credential_id) && ci_id !== id && ci_status !== 'retired' && lifecycle_state !== 'retired',
    );
    return others.map(
      ({ credential_id, credential_name, ci_id, ci_name, role }): AffectedCredential => ({
        credential_id,
        credential_name,
        ci_id,
        ci_name,
        role,
        path: [{ ci_id, ci_name, relationship_type: 'shares_credential' }],
      }),
    );
  };
}
