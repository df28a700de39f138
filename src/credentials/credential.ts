/** What is known of a credential, and what follows from its dates. Pure; the secret itself is never here. */

export type CredentialId = string & { readonly brand: 'CredentialId' };

export const lifecycleStates = ['planned', 'active', 'rotating', 'compromised', 'retired'] as const;
export type LifecycleState = (typeof lifecycleStates)[number];

/** Those whose dates are kept to. */
export const statesInUse: readonly LifecycleState[] = ['active', 'rotating', 'compromised'];

export const urgencies = ['none', 'medium', 'high', 'critical'] as const;
export type Urgency = (typeof urgencies)[number];

/** Until then, and that day included, nobody is reminded; or nothing is due. */
export interface Putoff {
  reason: string;
  by: string;
  /** A date. */
  until: string;
}

export interface Credential {
  credential_id: CredentialId;
  credential_name: string;
  credential_type: string;
  owner_email: string | null;
  vaultwarden_item_id: string | null;
  lifecycle_state: LifecycleState;
  last_rotated_at: string | null;
  rotation_period_days: number | null;
  /** A date, `YYYY-MM-DD`. */
  next_rotation_due: string | null;
  expires_at: string | null;
  snooze: Putoff | null;
  waiver: Putoff | null;
  notes: string | null;
  runbook_url: string | null;
  created_at: string;
  updated_at: string;
}

/** The calendar date of a moment, in the zone that dates are counted in. */
export function dateOf(instant: string | Temporal.Instant, timeZone: string): Temporal.PlainDate {
  const moment = typeof instant === 'string' ? Temporal.Instant.from(instant) : instant;
  return moment.toZonedDateTimeISO(timeZone).toPlainDate();
}

/** The day on which it has to be another one: the earlier of its rotation and its end. Undefined where it has neither. */
export function dueOf(
  { next_rotation_due, expires_at }: Pick<Credential, 'next_rotation_due' | 'expires_at'>,
  timeZone: string,
): Temporal.PlainDate | undefined {
  const dates = [
    ...(next_rotation_due === null ? [] : [Temporal.PlainDate.from(next_rotation_due)]),
    ...(expires_at === null ? [] : [dateOf(expires_at, timeZone)]),
  ];
  return dates.sort((a, b) => Temporal.PlainDate.compare(a, b))[0];
}

/** Calendar days from today: negative when it is over. */
export function daysUntil(due: Temporal.PlainDate, today: Temporal.PlainDate): number {
  return today.until(due, { largestUnit: 'days' }).days;
}

export const criticalDaysOver = 14;

/** `medium` within the lead time, `high` from the due date, `critical` from 14 days over. */
export function urgencyOf(daysLeft: number | null, leadDays: number): Urgency {
  if (daysLeft === null || daysLeft > Math.max(leadDays, 0)) return 'none';
  if (daysLeft > 0) return 'medium';
  return daysLeft > -criticalDaysOver ? 'high' : 'critical';
}

/** Whether it is told among those that are overdue, or due within so many days. A compromised one is due in any case. */
export function isExpiring(state: LifecycleState, daysLeft: number | null, days: number): boolean {
  return (state === 'active' || state === 'rotating') && daysLeft !== null && daysLeft <= days;
}

/** When it is due after a rotation: counted from that, and not from when it was due. */
export function nextDue(rotatedAt: string, periodDays: number | null, timeZone: string): string | null {
  if (periodDays === null) return null;
  return dateOf(rotatedAt, timeZone).add({ days: periodDays }).toString();
}

/** Whether it stands today. */
export function isPutOff(putoff: Putoff | null, today: Temporal.PlainDate): boolean {
  return putoff !== null && Temporal.PlainDate.compare(Temporal.PlainDate.from(putoff.until), today) >= 0;
}

/** The more urgent one. */
export function moreUrgent(a: Urgency, b: Urgency): Urgency {
  return urgencies.indexOf(a) > urgencies.indexOf(b) ? a : b;
}
