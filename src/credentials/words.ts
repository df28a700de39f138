/** What people and programs say of a credential, read into what is kept: times and dates, and nothing that is a secret. */

import { invalid } from '../check.ts';
import type { Fault } from '../errors.ts';
import { issuedLikeness, secretLikeness } from '../secret-likeness.ts';
import { readTime, stamp } from '../time.ts';
import { type Credential, dateOf } from './credential.ts';
import type { CredentialWords } from './wire.ts';

/** What of it a caller may say. */
export const saidKeys = [
  'credential_name',
  'credential_type',
  'owner_email',
  'vaultwarden_item_id',
  'lifecycle_state',
  'last_rotated_at',
  'rotation_period_days',
  'next_rotation_due',
  'expires_at',
  'notes',
  'runbook_url',
] as const;
export type SaidKey = (typeof saidKeys)[number];
export type Said = Partial<Pick<Credential, SaidKey>>;

/** Only the keys that were said. Throws `invalid`: what looks like a secret is refused, and is not told again. */
export function readWords(words: CredentialWords, timeZone: string): Said {
  refuseSecrets('The credential', words);
  const faults: Fault[] = [];
  const said: Record<string, unknown> = {};
  for (const key of saidKeys) {
    const value = words[key];
    if (value === undefined) continue;
    said[key] = typeof value === 'string' ? tidy(value) : value;
    if (typeof value !== 'string') continue;
    const isTime = key === 'last_rotated_at' || key === 'expires_at';
    if (!isTime && key !== 'next_rotation_due') continue;
    const instant = readTime(value, timeZone);
    if (!instant) faults.push({ pointer: `/${key}`, detail: 'must be a date such as 2026-03-02, or a time' });
    else said[key] = isTime ? stamp(instant) : dateOf(instant, timeZone).toString();
  }
  if (faults.length > 0) throw invalid('The credential', faults);
  return said;
}

/** Throws `invalid` with the place of every text that looks like a secret, and why, but not what it is. */
export function refuseSecrets(what: string, body: object): void {
  const faults = textsIn(body, '').flatMap(({ pointer, text }) => {
    const likeness = hasIds.has(pointer) ? issuedLikeness(text) : secretLikeness(text);
    return likeness === undefined
      ? []
      : [
          {
            pointer,
            detail: `looks like a secret (${likeness}), and Rollcall keeps none: put it into the vault, and name its item in vaultwarden_item_id`,
          },
        ];
  });
  if (faults.length > 0) throw invalid(what, faults);
}

/** Where ids of documents and items stand, which are drawn by lot as secrets are. */
const hasIds: ReadonlySet<string> = new Set(['/runbook_url', '/vaultwarden_item_id', '/credential_id']);

function textsIn(value: unknown, pointer: string): { pointer: string; text: string }[] {
  if (typeof value === 'string') return [{ pointer, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, `${pointer}/${key}`));
}

/** Blanks at the ends say nothing. */
function tidy(text: string): string {
  return text.trim();
}

/** A moment that was said, or now. Throws `invalid` for what is none, or lies ahead. */
export function momentSaid(text: string | undefined, pointer: string, timeZone: string, now: Temporal.Instant): string {
  if (text === undefined) return stamp(now);
  const instant = readTime(text, timeZone);
  const fault = (detail: string) => invalid('The rotation', [{ pointer, detail }]);
  if (!instant) throw fault('must be a date such as 2026-03-02, or a time');
  if (instant.epochMilliseconds > now.epochMilliseconds + clockSkewMilliseconds) throw fault('lies ahead');
  return stamp(instant);
}

/** Between the clocks of two machines. */
export const clockSkewMilliseconds = 5 * 60_000;

/** A date that was said, or so many days from today. Throws `invalid` for one that is over. */
export function dayAhead(text: string, pointer: string, timeZone: string, today: Temporal.PlainDate): string {
  const fault = (detail: string) => invalid('The end', [{ pointer, detail }]);
  const span = /^(\d{1,4})\s*([dw])$/i.exec(text.trim());
  if (span) return today.add({ days: Number(span[1]) * (span[2]?.toLowerCase() === 'w' ? 7 : 1) }).toString();
  const instant = readTime(text, timeZone);
  if (!instant) throw fault('must be a date such as 2026-03-02, or a span such as 14d');
  const day = dateOf(instant, timeZone);
  if (Temporal.PlainDate.compare(day, today) < 0) throw fault('is over already');
  return day.toString();
}
