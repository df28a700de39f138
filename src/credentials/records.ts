/** What is done to a credential's record: each act is one change, in the trail of all others. */

import { randomUUIDv7 } from 'node:crypto';
import { invalid } from '../check.ts';
import { DomainError } from '../errors.ts';
import { type ReadDb, type Store, type Trx, writeOrRehearse } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import { associate, associateAll, dissociate } from './associations.ts';
import { changeOf, type Doer, type Doing, tell } from './changes.ts';
import { type Credential, type CredentialId, dateOf, nextDue, type Putoff } from './credential.ts';
import { referenceTo } from './issues/store.ts';
import { policyOf } from './policy.ts';
import type { CredentialsSettings } from './settings.ts';
import { type Association, findCredential, storeCredential, storeRotation } from './store.ts';
import type { CredentialWords } from './wire.ts';
import { clockSkewMilliseconds, dayAhead, momentSaid, readWords, refuseSecrets, type Said } from './words.ts';

export interface RotatedWords {
  rotated_at?: string;
  expires_at?: string | null;
  next_rotation_due?: string | null;
  vaultwarden_item_id?: string | null;
  note?: string | null;
}

export interface PutoffWords {
  until: string;
  reason: string;
  by?: string;
}

export interface Records {
  /** A name of that type that is known is that one. Throws `conflict` where it is one of another type. */
  add(words: CredentialWords, doer: Doer): Promise<{ credential: Credential; isNew: boolean }>;
  alter(id: string, words: CredentialWords, doer: Doer): Promise<Credential>;
  /** On someone's word; throws `conflict` where only the vault's counts. */
  rotated(id: string, words: RotatedWords, doer: Doer): Promise<Credential>;
  /** On what was read elsewhere, inside of a write that goes on. */
  rotatedBy(trx: Trx, credential: Credential, evidence: Evidence, doer: Doer): Promise<Credential>;
  putOff(id: string, what: 'snooze' | 'waiver', words: PutoffWords | null, doer: Doer): Promise<Credential>;
  associate(id: string, item: string, role: string | null, doer: Doer): Promise<Association>;
  dissociate(id: string, item: string, doer: Doer): Promise<Association>;
}

export interface Evidence {
  kind: string;
  rotatedAt: string;
  /** Null where it has no end; undefined where that is not known. */
  expiresAt?: string | null;
  note?: string | null;
}

export async function getCredential(db: ReadDb | Trx, idOrName: string): Promise<Credential> {
  const found = await findCredential(db, idOrName);
  if (!found) throw new DomainError('not_found', `There is no credential ${idOrName}.`);
  return found;
}

interface Parts {
  store: Store;
  clock: Clock;
  timeZone: string;
  settings: CredentialsSettings;
}

export function openRecords({ store, clock, timeZone, settings }: Parts): Records {
  const today = () => dateOf(clock(), timeZone);
  const periodOf = (credential: Credential) => policyOf(credential, settings.policies).rotation_period_days;

  async function write<T>(doer: Doer, work: (trx: Trx, at: string) => Promise<T>): Promise<T> {
    return await writeOrRehearse(store.write, doer.dryRun, (trx) => work(trx, stamp(clock())));
  }

  /** Keeps it if anything differs, with the change that says so. */
  async function keep(
    trx: Trx,
    former: Credential | undefined,
    wanted: Credential,
    action: string,
    { reason, ...occasion }: Doing,
  ): Promise<Credential> {
    const change = changeOf(former, wanted, action, occasion.source);
    if (!change) return former as Credential;
    const kept = { ...wanted, updated_at: occasion.at };
    await refuseTwin(trx, kept);
    await storeCredential(trx, kept);
    await tell(trx, change, { ...occasion, reason: reason ?? null });
    return kept;
  }

  async function rotate(
    trx: Trx,
    former: Credential,
    { said, rotatedAt, evidence, note }: { said: Said; rotatedAt: string; evidence: string; note: string | null },
    by: Doing,
  ): Promise<Credential> {
    const doing = { ...by, ...(await referenceFor(trx, former, by)) };
    const wanted: Credential = {
      ...former,
      // The former end was that of the former secret.
      expires_at: null,
      ...said,
      last_rotated_at: rotatedAt,
      lifecycle_state: 'active',
      snooze: null,
      waiver: null,
    };
    if (said.next_rotation_due === undefined) wanted.next_rotation_due = nextDue(rotatedAt, periodOf(wanted), timeZone);
    const kept = await keep(trx, former, wanted, 'rotated', { ...doing, reason: note });
    const { credential_id } = former;
    await storeRotation(trx, {
      credential_id,
      rotated_at: rotatedAt,
      recorded_at: doing.at,
      evidence,
      note,
      recorded_by: doing.actor ?? doing.source,
      change_ref: doing.changeRef,
    });
    return kept;
  }

  return {
    add: (words, doer) =>
      write(doer, async (trx, at) => {
        const said = readWords(words, timeZone);
        const doing = { ...doer, at };
        const former = await findCredential(trx, said.credential_name as string);
        const known = former && former.lifecycle_state !== 'retired' ? former : undefined;
        if (known && known.credential_type !== said.credential_type) throw takenName(known);
        const wanted = known ? merged(known, said) : fresh(said, at);
        const credential = await keep(trx, known, dated(wanted, said, known), known ? 'updated' : 'created', doing);
        await associateAll(trx, credential, words.associations ?? [], doing);
        return { credential, isNew: known === undefined };
      }),
    alter: (id, words, doer) =>
      write(doer, async (trx, at) => {
        const former = await getCredential(trx, id);
        const said = readWords(words, timeZone);
        const doing = { ...doer, at };
        const credential = await keep(trx, former, dated(merged(former, said), said, former), 'updated', doing);
        await associateAll(trx, credential, words.associations ?? [], doing);
        return credential;
      }),
    rotated: (id, words, doer) =>
      write(doer, async (trx, at) => {
        const former = await getCredential(trx, id);
        refuseSecrets('The rotation', words);
        const { note = null, rotated_at, ...more } = words;
        const said = readWords(more, timeZone);
        const rotatedAt = momentSaid(rotated_at, '/rotated_at', timeZone, clock());
        refuseRotation(former, said, rotatedAt);
        // Said a second time.
        if (rotated_at !== undefined && former.last_rotated_at === rotatedAt) return former;
        return await rotate(trx, former, { said, rotatedAt, evidence: 'word', note }, { ...doer, at });
      }),
    rotatedBy: (trx, credential, { kind, rotatedAt, expiresAt, note = null }, doer) => {
      const said = expiresAt === undefined ? {} : { expires_at: expiresAt };
      return rotate(trx, credential, { said, rotatedAt, evidence: kind, note }, { ...doer, at: stamp(clock()) });
    },
    putOff: (id, what, words, doer) =>
      write(doer, async (trx, at) => {
        const former = await getCredential(trx, id);
        if (words) refuseSecrets('The reason', words);
        const putoff = words && putoffOf(words, doer);
        const action = words ? verbs[what] : `un${verbs[what]}`;
        const doing = { ...doer, at, reason: words?.reason ?? null };
        return await keep(trx, former, { ...former, [what]: putoff }, action, doing);
      }),
    associate: (id, item, role, doer) =>
      write(doer, async (trx, at) => {
        refuseSecrets('The association', { role });
        return await associate(trx, await getCredential(trx, id), item, role, { ...doer, at });
      }),
    dissociate: (id, item, doer) =>
      write(doer, async (trx, at) => await dissociate(trx, await getCredential(trx, id), item, { ...doer, at })),
  };

  function putoffOf({ until, reason, by }: PutoffWords, { actor, source }: Doer): Putoff {
    return {
      reason: reason.trim(),
      by: by?.trim() ?? actor ?? source,
      until: dayAhead(until, '/until', timeZone, today()),
    };
  }

  /** With what follows from what was said, where nothing was said of it. */
  function dated(wanted: Credential, said: Said, former: Credential | undefined): Credential {
    const isMoved = said.last_rotated_at !== undefined || said.rotation_period_days !== undefined || !former;
    if (said.next_rotation_due !== undefined || !isMoved) return wanted;
    const period = periodOf(wanted);
    if (period === null) return wanted;
    return { ...wanted, next_rotation_due: nextDue(wanted.last_rotated_at ?? wanted.created_at, period, timeZone) };
  }

  function refuseRotation(former: Credential, said: Said, rotatedAt: string): void {
    const { credential_name, lifecycle_state, last_rotated_at, expires_at } = former;
    if (lifecycle_state === 'retired')
      throw new DomainError(
        'conflict',
        `${credential_name} is retired. Make it active again with PATCH, or add a new one.`,
      );
    if (last_rotated_at !== null && Date.parse(rotatedAt) < Date.parse(last_rotated_at) - clockSkewMilliseconds)
      throw invalid('The rotation', [
        { pointer: '/rotated_at', detail: `lies before the last one, which was at ${last_rotated_at}` },
      ]);
    const { evidence } = policyOf(former, settings.policies);
    if (evidence === 'vault')
      throw new DomainError(
        'conflict',
        `By the policy of ${former.credential_type}, only a change in the vault marks ${credential_name} rotated: update its item, and the next check, or "rollcall credentials check", sees it.`,
      );
    const hasDate = said.expires_at !== undefined || said.next_rotation_due !== undefined;
    if (expires_at !== null && !hasDate && periodOf(former) === null)
      throw invalid('The rotation', [
        {
          pointer: '/expires_at',
          detail: 'is wanted: the former one ended at a date, so say when the new one does, or null if it never does',
        },
      ]);
  }
}

/** A rotation is done for the issue that asks for it, unless another one was named. */
async function referenceFor(trx: Trx, { credential_id }: Credential, { changeRef, isStandingRef }: Doing) {
  const asking = changeRef === null || isStandingRef ? await referenceTo(trx, credential_id) : undefined;
  return asking === undefined ? {} : { changeRef: asking, isStandingRef: false };
}

const verbs = { snooze: 'snoozed', waiver: 'waived' } as const;

function merged(former: Credential, said: Said): Credential {
  return { ...former, ...said };
}

function fresh(said: Said, at: string): Credential {
  return {
    owner_email: null,
    vaultwarden_item_id: null,
    lifecycle_state: 'active',
    last_rotated_at: null,
    rotation_period_days: null,
    next_rotation_due: null,
    expires_at: null,
    snooze: null,
    waiver: null,
    notes: null,
    runbook_url: null,
    ...said,
    credential_id: randomUUIDv7() as CredentialId,
    created_at: at,
    updated_at: at,
  } as Credential;
}

async function refuseTwin(trx: Trx, wanted: Credential): Promise<void> {
  if (wanted.lifecycle_state === 'retired') return;
  const twin = await findCredential(trx, wanted.credential_name);
  if (twin && twin.credential_id !== wanted.credential_id && twin.lifecycle_state !== 'retired') throw takenName(twin);
}

function takenName({ credential_name, credential_type, credential_id }: Credential): DomainError {
  return new DomainError(
    'conflict',
    `There is a ${credential_type} called ${credential_name}, ${credential_id}: a name is one credential's. Name the other one more exactly.`,
    { extra: { credential_id } },
  );
}
