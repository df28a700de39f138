/** What an issue that stands is told anew: its text, its labels, and one comment for each level. Pure. */

import type { Comment, Issue, IssueChange } from '../../github/tracker.ts';
import { hashOf, isSameText, tickedSteps, withPeoplesWords, withTicks } from './body.ts';
import type { Need } from './need.ts';
import type { KeptIssue } from './store.ts';
import { bodyOf, escalation, putOffWords, type Told, titleOf } from './text.ts';
import { ownLabel } from './world.ts';

const priorities = ['priority:medium', 'priority:high', 'priority:critical'] as const;

export const fixedLabels = [ownLabel, 'domain:security'] as const;

export interface Renewal {
  /** Empty where it is as it should be. */
  change: IssueChange;
  /** What is kept of it then. */
  row: KeptIssue;
}

export function renewalOf(row: KeptIssue, issue: Issue, need: Need, told: Told): Renewal {
  const title = titleOf(need.credential);
  const written = bodyOf(told);
  const hash = hashOf(title, written);
  // Of one that was taken over it is not known what was written: what is not ours word by word is somebody's.
  const isTouched = (row.body_hash ?? hash) !== hashOf(issue.title, issue.body);
  const body = isTouched ? withPeoplesWords(issue.body, written) : withTicks(written, tickedSteps(issue.body));
  const { snooze } = need.credential;
  const snoozed = need.isSnoozed && snooze ? `snoozed:${snooze.until}` : undefined;
  const isMoved = need.level !== row.level_said || row.body_hash === null;
  const change: IssueChange = {
    ...(isTouched || issue.title === title ? {} : { title }),
    ...(isSameText(issue.body, body) ? {} : { body }),
    ...(isMoved && !need.isSnoozed ? labelsFor(issue, need) : {}),
  };
  if (need.level < row.level_said && !need.isSnoozed)
    change.comment = comment(`${need.cycle}:${need.level}`, escalation(told));
  else if (snooze && snoozed !== undefined && row.said !== snoozed)
    change.comment = comment(snoozed, putOffWords('Snoozed', snooze));
  return {
    change,
    row: {
      ...row,
      issue_number: issue.number,
      issue_url: issue.url,
      cycle: need.cycle,
      state: 'open',
      level_said: need.isSnoozed ? row.level_said : need.level,
      said: snoozed ?? row.said,
      // What people wrote stays theirs.
      body_hash: isTouched ? (row.body_hash ?? 'of others') : hash,
      ended_at: null,
      ended_why: null,
    },
  };
}

/** Made once, however often it is tried. */
export function comment(key: string, words: string): Comment {
  const marker = `<!-- rollcall:said=${key.replaceAll(/[^\w:.-]/g, '-')} -->`;
  return { marker, body: `${words}\n\n${marker}\n`, mayBeThere: true };
}

function labelsFor({ labels }: Issue, { priority }: Need): IssueChange {
  const has = (name: string) => labels.some((label) => label.toLowerCase() === name);
  const wanted = [...fixedLabels, `priority:${priority}`].filter((name) => !has(name));
  const unwanted = priorities.filter((name) => name !== `priority:${priority}` && has(name));
  return {
    ...(wanted.length > 0 ? { addLabels: wanted } : {}),
    ...(unwanted.length > 0 ? { removeLabels: unwanted } : {}),
  };
}
