/** Which credentials need an issue today, how urgent each is, and at which level of its escalation. Pure. */

import {
  type Credential,
  dateOf,
  daysUntil,
  dueOf,
  isPutOff,
  moreUrgent,
  statesInUse,
  type Urgency,
  urgencies,
  urgencyOf,
} from '../credential.ts';
import { type Policy, policyOf } from '../policy.ts';
import type { Today } from '../wire.ts';

/** Days left at which an issue that is open is told anew; the first that it falls to or under. */
export const levels = [14, 7, 0, -3, -14] as const;
/** Before the first level. */
export const early = 999;
const lastLevel = levels.at(-1) as number;

export interface Need {
  credential: Credential;
  policy: Policy;
  due: string | undefined;
  daysLeft: number | null;
  level: number;
  /** What the issue is for: its due date, or that it leaked. */
  cycle: string;
  priority: Exclude<Urgency, 'none'>;
  isSnoozed: boolean;
}

/** Undefined where nothing is due in its lead time, it is not in use, or was waived. */
export function needOf(credential: Credential, { today, timeZone, policies }: Today): Need | undefined {
  if (!statesInUse.includes(credential.lifecycle_state) || isPutOff(credential.waiver, today)) return undefined;
  const policy = policyOf(credential, policies);
  const due = dueOf(credential, timeZone);
  const daysLeft = due ? daysUntil(due, today) : null;
  const told = { credential, policy, due: due?.toString(), daysLeft, isSnoozed: isPutOff(credential.snooze, today) };
  if (credential.lifecycle_state === 'compromised') {
    return {
      ...told,
      level: lastLevel,
      // Each time that one leaks is a cycle of its own, also where an issue for its date was left alone.
      cycle: `compromised-${dateOf(credential.last_rotated_at ?? credential.created_at, timeZone).toString()}`,
      priority: 'critical',
      isSnoozed: false,
    };
  }
  const urgency = urgencyOf(daysLeft, leadOf(policy));
  if (due === undefined || daysLeft === null || urgency === 'none') return undefined;
  const priority = moreUrgent(urgency, policy.priority) as Need['priority'];
  return { ...told, level: levelOf(daysLeft), cycle: due.toString(), priority };
}

/** Where one is used for less than its lead time, an issue would never end: it is then the last third of that. */
export function leadOf({ lead_days, rotation_period_days: period }: Policy): number {
  return period !== null && period <= lead_days ? Math.max(1, Math.floor(period / 3)) : lead_days;
}

export function levelOf(daysLeft: number): number {
  return levels.findLast((level) => daysLeft <= level) ?? early;
}

/** Most urgent first: what leaked, then by priority, then by date. */
export function byUrgency(a: Need, b: Need): number {
  for (const key of [leaked, rank, daysLeft]) if (key(a) !== key(b)) return key(a) < key(b) ? -1 : 1;
  return a.credential.credential_name < b.credential.credential_name ? -1 : 1;
}

const leaked = ({ credential }: Need) => (credential.lifecycle_state === 'compromised' ? 0 : 1);
const rank = ({ priority }: Need) => -urgencies.indexOf(priority);
const daysLeft = (need: Need) => need.daysLeft ?? Number.POSITIVE_INFINITY;
