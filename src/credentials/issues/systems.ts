/** Which systems a rotation touches: those that use the credential, and those that depend on them. */

import type { RelationshipRules } from '../../cmdb/carrying.ts';
import { type Affected, impactOf } from '../../cmdb/impact.ts';
import type { ReadDb } from '../../store/open.ts';
import type { CredentialId } from '../credential.ts';
import { listAssociations } from '../store.ts';
import type { System, Systems } from './text.ts';

/** Of so many that use it, what depends on them is looked for. */
const mostAsked = 100;

export async function systemsOf(db: ReadDb, rules: RelationshipRules, credential: CredentialId): Promise<Systems> {
  const users = (await listAssociations(db, { credential })).filter(({ ci_status }) => ci_status !== 'retired');
  const direct: System[] = users.map(({ ci_name, ci_type, site_id, role }) => ({
    ci_name,
    ci_type,
    site_id,
    by: role,
  }));
  const known = new Set<string>(users.map(({ ci_id }) => ci_id));
  const dependent: System[] = [];
  let isCut = users.length > mostAsked;
  for (const user of users.slice(0, mostAsked)) {
    const question = { changeType: 'rotate_credential', minStrength: 'strong' } as const;
    const impact = await impactOf(db, rules, user, question);
    isCut ||= impact.truncated;
    for (const row of [...impact.directly_affected, ...impact.indirectly_affected]) {
      if (known.has(row.ci_id)) continue;
      known.add(row.ci_id);
      dependent.push({ ci_name: row.ci_name, ci_type: row.ci_type, site_id: null, by: wayOf(row, user.ci_name) });
    }
  }
  return { direct, dependent, isCut };
}

/** `depends_on web-1`, or by the last of several steps. */
function wayOf({ path }: Affected, start: string): string {
  const last = path.at(-1);
  const before = path.at(-2)?.ci_name ?? start;
  return `${last?.relationship_type ?? 'depends_on'} ${before}`;
}
