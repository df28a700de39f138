/** What of credentials needs a person, whether or not an issue asks for it. */

import type { ReadDb } from '../store/open.ts';
import { statesInUse } from './credential.ts';
import { type Need, needOf } from './issues/need.ts';
import { listIssues } from './issues/store.ts';
import { listCredentials, listRotations } from './store.ts';
import { listFindings } from './vault/store.ts';
import type { Today } from './wire.ts';

const kinds = ['credential_due', 'credential_issue_left', 'credential_without_date', 'vault_date'] as const;

/** By kind, and in it by the name of the credential, what to do. */
export async function standingAlertsOf(
  db: ReadDb,
  today: Today,
  hasTracker: boolean,
): Promise<Map<string, Map<string, string>>> {
  const standing = new Map<(typeof kinds)[number], Map<string, string>>(kinds.map((kind) => [kind, new Map()]));
  const say = (kind: (typeof kinds)[number], name: string, words: string) => standing.get(kind)?.set(name, words);
  const credentials = await listCredentials(db);
  const issues = await listIssues(db);
  const rotated = new Set((await listRotations(db)).map(({ credential_id }) => credential_id));
  const names = new Map(credentials.map((one) => [one.credential_id as string, one.credential_name]));

  for (const credential of credentials) {
    const { credential_id: id, credential_name: name, next_rotation_due, expires_at, lifecycle_state } = credential;
    const need = needOf(credential, today);
    const issue = issues.find(({ credential_id, state }) => credential_id === id && state === 'open');
    const left = issues.find(
      ({ credential_id, state, cycle }) => credential_id === id && state === 'left' && cycle === need?.cycle,
    );
    const ends = `End it with "rollcall credentials rotated ${id}".`;
    const isOver = lifecycle_state === 'compromised' || (need?.daysLeft ?? 0) <= 0;
    if (need && !need.isSnoozed && isOver) say('credential_due', name, `${name} ${stateInWords(need)}. ${ends}`);
    else if (need && !need.isSnoozed && !issue && !left)
      say(
        'credential_due',
        name,
        `${name} is due on ${need.due}, and no issue asks for it${hasTracker ? ' yet' : ': github.repository names where to open one'}. ${ends}`,
      );
    if (left)
      say(
        'credential_issue_left',
        name,
        `The issue ${left.issue_url ?? ''} for ${name} is left alone, for ${left.ended_why}. Rotate it, or snooze or waive it with a reason.`,
      );
    if (rotated.has(id) && statesInUse.includes(lifecycle_state) && next_rotation_due === null && expires_at === null)
      say(
        'credential_without_date',
        name,
        `${name} was rotated, and it is not known when it is due next: give its type a rotation_period_days, or set expires_at.`,
      );
  }
  for (const { kind, credential_id, item_name } of await listFindings(db)) {
    if (kind !== 'went_back' && kind !== 'from_the_future') continue;
    const name = names.get(credential_id ?? '') ?? 'a credential';
    const what =
      kind === 'went_back'
        ? 'went back, as by an import: whether it was rotated has to be said by a person'
        : 'lies ahead: the clock of who changed it is wrong';
    say('vault_date', name, `The date of ${item_name ?? 'its item'} in the vault, which ${name} is kept in, ${what}.`);
  }
  return standing;
}

function stateInWords({ credential, due, daysLeft }: Need): string {
  if (credential.lifecycle_state === 'compromised') return 'is compromised';
  return daysLeft === 0 ? `is due today, ${due}` : `was due on ${due}`;
}
