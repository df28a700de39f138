/** What was done to a credential, in the trail of all changes. */

import type { Json } from '../cmdb/item.ts';
import { type Change, currentRevision, type Occasion, storeChanges } from '../cmdb/store/changes.ts';
import type { Caller } from '../http/endpoint.ts';
import type { Trx } from '../store/open.ts';
import type { Credential } from './credential.ts';
import { saidKeys } from './words.ts';

/** Who does something, and for what. */
export interface Doer {
  source: string;
  actor: string | null;
  changeRef: string | null;
  isStandingRef?: boolean | undefined;
  requestId: string | null;
  dryRun?: boolean | undefined;
}

export type Doing = Doer & { at: string; reason?: string | null };

export function doerOf(caller: Caller): Doer {
  const { tokenName, changeRef, isStandingRef, requestId, dryRun } = caller;
  return { source: `manual:${tokenName}`, actor: tokenName, changeRef, isStandingRef, requestId, dryRun };
}

/** Undefined where nothing differs. */
export function changeOf(
  former: Credential | undefined,
  wanted: Credential,
  action: string,
  source: string,
): Change | undefined {
  const before: Record<string, Json> = {};
  const after: Record<string, Json> = {};
  for (const key of [...saidKeys, 'snooze', 'waiver'] as const) {
    const [was, is] = [(former?.[key] ?? null) as Json, wanted[key] as Json];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    if (former) before[key] = was;
    after[key] = is;
  }
  if (Object.keys(after).length === 0 && former) return undefined;
  return { ...subjectOf(wanted), action, source, before, after };
}

export function subjectOf({ credential_id }: Credential) {
  return { subject: 'credential', subject_id: credential_id } as const;
}

export async function tell(trx: Trx, change: Change, { reason = null, ...doing }: Doing): Promise<void> {
  const { at, actor, changeRef, isStandingRef, requestId } = doing;
  const occasion: Occasion = { at, actor, changeRef, isStandingRef, requestId, reason };
  // What the inventory shows is not touched by it.
  await storeChanges(trx, [change], await currentRevision(trx), occasion);
}
