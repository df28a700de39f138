/**
 * Takes a value out that should never have come in: the only alteration of what was, and one that leaves a change that
 * says so. What a change is called by and who made it stay.
 */

import { DomainError } from '../errors.ts';
import { type Blanked, blank, blankTexts } from '../store/blank.ts';
import type { Trx } from '../store/open.ts';
import type { Json } from './item.ts';
import { unattended } from './occasion.ts';
import { raiseRevision, storeChanges } from './store/changes.ts';
import { forgetHeard } from './store/claims.ts';
import { findChange } from './store/undo.ts';

export interface Redaction {
  subject_id: string;
  blanked: Blanked[];
  /** Who said it last: what they still say comes back with the next reading. */
  said_by: string[];
}

export interface Redact {
  /** Number or id of a change that shows the value. */
  change: string;
  attribute: string;
  by: string;
  reason: string | null;
  at: string;
}

/** Shorter texts stand in other words as well. */
const shortest = 6;

/** `others` blanks what is not text. Throws `not_found` and `invalid`. */
export async function redact(
  trx: Trx,
  { change: id, attribute, by, reason, at }: Redact,
  others: (trx: Trx, texts: readonly string[]) => Promise<Blanked>,
): Promise<Redaction> {
  const change = await findChange(trx, id);
  if (!change)
    throw new DomainError('not_found', `There is no change ${id}; "rollcall history NAME" shows their numbers.`);
  const value = change.after[attribute] ?? change.before[attribute];
  if (value === undefined) {
    const known = [...new Set([...Object.keys(change.after), ...Object.keys(change.before)])];
    throw new DomainError(
      'invalid',
      `Change ${id} has no attribute ${attribute}; it has ${known.join(', ') || 'none'}.`,
    );
  }
  const texts = [...new Set(textsIn(value))].filter((text) => text !== blank);
  if (!texts.some((text) => text.length >= shortest))
    throw new DomainError(
      'invalid',
      `In change ${id}, ${attribute} has no text of ${shortest} characters or more: a shorter one would be found in other words too. Nothing was done.`,
    );
  const long = texts.filter((text) => text.length >= shortest);
  const said_by = await forgetHeard(trx, long);
  const blanked = [...(await blankTexts(trx, long)), await others(trx, long)].filter(({ rows }) => rows > 0);
  const shown: Record<string, Json> = { [attribute]: blank };
  const { subject, subject_id } = change;
  const source = `manual:${by}`;
  const revision = await raiseRevision(trx);
  const told = { subject, subject_id, action: 'redacted', source, before: shown, after: shown };
  await storeChanges(trx, [told], revision, { ...unattended(at), actor: by, reason, needsNoRef: true });
  return { subject_id, blanked, said_by };
}

function textsIn(value: Json): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
