/** An issue as trackers tell of it: only what is used, for they add fields in every release. */

import { readTime, stamp } from '../time.ts';
import { isRow, type Row, row, sameName, text } from './answer.ts';
import type { Issue } from './tracker.ts';

/**
 * Undefined where it is no issue, but a pull request; null where it is nothing that can be read. `me` is who has the
 * token, undefined where that is not told.
 */
export function readIssue(value: unknown, me: string | undefined): Issue | undefined | null {
  if (!isRow(value)) return null;
  if (isRow(value.pull_request)) return undefined;
  const { number, title, state } = value;
  const url = text(value.html_url);
  const created = timeIn(value.created_at);
  const updated = timeIn(value.updated_at);
  if (typeof number !== 'number' || typeof title !== 'string' || url === undefined) return null;
  if ((state !== 'open' && state !== 'closed') || created === undefined || updated === undefined) return null;
  // Of who has left, the tracker tells nothing.
  const author = text(row(value.user).login) ?? 'ghost';
  return {
    number,
    url,
    title,
    body: text(value.body) ?? '',
    state,
    labels: namesIn(value.labels, 'name'),
    author,
    isOurs: me === undefined ? undefined : sameName(author, me),
    created_at: created,
    updated_at: updated,
    closed_at: timeIn(value.closed_at) ?? null,
  };
}

export function assigneesIn({ assignees }: Row): string[] {
  return namesIn(assignees, 'login');
}

/** Of rows, what each is called; a label may be its name alone. */
export function namesIn(rows: unknown, key: 'name' | 'login'): string[] {
  const list = Array.isArray(rows) ? (rows as readonly unknown[]) : [];
  return list.flatMap((one) => text(isRow(one) ? one[key] : one) ?? []);
}

function timeIn(value: unknown): string | undefined {
  const instant = typeof value === 'string' ? readTime(value, 'UTC') : undefined;
  return instant ? stamp(instant) : undefined;
}
