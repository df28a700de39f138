/** The token by which issues are kept is a credential itself: its record follows the end that the tracker tells of it. */

import type { Store, Trx } from '../store/open.ts';
import type { Doer } from './changes.ts';
import type { Credential } from './credential.ts';
import type { Records } from './records.ts';
import { listCredentials } from './store.ts';

const ownTokenName = 'Token for the issues of credentials';
const ownTokenType = 'api_token';

/** `item` is where it is kept, if that is the vault. A later end is that of a new token. */
export async function followOwnToken(
  store: Store,
  records: Records,
  { called, expiresAt, item }: { called: string; expiresAt: string | null | undefined; item: string | undefined },
  now: string,
): Promise<void> {
  if (expiresAt === undefined) return;
  const doer: Doer = { source: called.toLowerCase(), actor: null, changeRef: null, requestId: null };
  const former = findOwn(await listCredentials(store.read), item);
  if (!former) {
    if (expiresAt === null) return;
    const words = {
      credential_name: ownTokenName,
      credential_type: ownTokenType,
      expires_at: expiresAt,
      notes: `Kept by Rollcall itself: ${called} tells when the token ends.`,
      ...(item === undefined ? {} : { vaultwarden_item_id: item }),
    };
    await records.add(words, doer);
    return;
  }
  if (former.expires_at === expiresAt) return;
  const isNewer = former.expires_at !== null && (expiresAt === null || expiresAt > former.expires_at);
  if (!isNewer) {
    await records.alter(former.credential_id, { expires_at: expiresAt }, doer);
    return;
  }
  const evidence = { kind: 'token_expiry', rotatedAt: now, expiresAt };
  await store.write(async (trx: Trx) => void (await records.rotatedBy(trx, former, evidence, doer)));
}

function findOwn(credentials: readonly Credential[], item: string | undefined): Credential | undefined {
  const inUse = credentials.filter(({ lifecycle_state }) => lifecycle_state !== 'retired');
  return (
    inUse.find(({ vaultwarden_item_id }) => item !== undefined && vaultwarden_item_id === item) ??
    inUse.find(({ credential_name }) => credential_name === ownTokenName)
  );
}
