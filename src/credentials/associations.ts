/** Which items use a credential: said, altered and taken back, each as a change of the credential. */

import { invalid } from '../check.ts';
import { getItem } from '../cmdb/store/read-items.ts';
import { DomainError } from '../errors.ts';
import type { Trx } from '../store/open.ts';
import { type Doing, subjectOf, tell } from './changes.ts';
import type { Credential } from './credential.ts';
import { type Association, deleteAssociation, listAssociations, storeAssociation } from './store.ts';
import type { CredentialWords } from './wire.ts';

/** Where no role is said, the one that is known stays. */
export async function associate(
  trx: Trx,
  credential: Credential,
  item: string,
  said: string | null | undefined,
  doing: Doing,
): Promise<Association> {
  const { ci_id, ci_name } = await getItem(trx, item);
  const former = (await listAssociations(trx, { credential: credential.credential_id, items: [ci_id] }))[0];
  const role = said === undefined ? (former?.role ?? null) : said;
  if (former && former.role === role) return former;
  await storeAssociation(trx, { credential_id: credential.credential_id, ci_id, role, since: doing.at });
  const before = former ? { [`associations.${ci_name}`]: former.role } : {};
  const told = { ...subjectOf(credential), action: 'associated', source: doing.source };
  await tell(trx, { ...told, before, after: { [`associations.${ci_name}`]: role ?? '' } }, doing);
  return (await listAssociations(trx, { credential: credential.credential_id, items: [ci_id] }))[0] as Association;
}

/** Each by the id or the name of its item; throws `invalid` with the place of one that names none. */
export async function associateAll(
  trx: Trx,
  credential: Credential,
  users: NonNullable<CredentialWords['associations']>,
  doing: Doing,
): Promise<void> {
  for (const [index, { ci_id, ci_name, role }] of users.entries()) {
    const named = ci_id ?? ci_name;
    if (named === undefined)
      throw invalid('The credential', [
        { pointer: `/associations/${index}`, detail: 'names no item: give its ci_id or ci_name' },
      ]);
    await associate(trx, credential, named, role, doing);
  }
}

/** Throws `not_found` where it does not use it. */
export async function dissociate(trx: Trx, credential: Credential, item: string, doing: Doing): Promise<Association> {
  const { ci_id, ci_name } = await getItem(trx, item);
  const former = (await listAssociations(trx, { credential: credential.credential_id, items: [ci_id] }))[0];
  if (!former) throw new DomainError('not_found', `${ci_name} is not associated with ${credential.credential_name}.`);
  await deleteAssociation(trx, credential.credential_id, ci_id);
  const before = { [`associations.${ci_name}`]: former.role ?? '' };
  const told = { ...subjectOf(credential), action: 'dissociated', source: doing.source };
  await tell(trx, { ...told, before, after: { [`associations.${ci_name}`]: null } }, doing);
  return former;
}
