/** What an issue tracker is asked for, whichever it is: five verbs, and whether it can be worked with. Types only. */

import type { Finding } from '../module.ts';

/** A label as it is made where it is not there yet; one that is there is left as it is. */
export interface Label {
  name: string;
  /** Six hexadecimal digits. */
  colour: string;
  description: string;
}

/** Pull requests are none. */
export interface Issue {
  number: number;
  url: string;
  title: string;
  /** Empty where it has none. */
  body: string;
  state: 'open' | 'closed';
  labels: readonly string[];
  /** The login of who made it. */
  author: string;
  /** Made by the user of our token; undefined where the tracker does not tell who that is. */
  isOurs: boolean | undefined;
  created_at: string;
  updated_at: string;
  closed_at: string | null;
}

export interface Draft {
  title: string;
  body: string;
  labels: readonly string[];
  assignees: readonly string[];
}

/** What became of a draft. */
export interface Opened {
  issue: Issue;
  /** Sentences about what was asked for and was not done, such as an assignee whom the repository does not know. */
  shortcomings: readonly string[];
  /** False where the token may not label: then nothing more is to be opened, for it would not be found by label. */
  isLabelled: boolean;
}

/** A comment that is made once: `marker` stands in its body, and where it may be there already it is looked for first. */
export interface Comment {
  marker: string;
  body: string;
  mayBeThere: boolean;
}

export interface IssueChange {
  title?: string;
  body?: string;
  addLabels?: readonly string[];
  removeLabels?: readonly string[];
  /** Added to those that people gave it. */
  assignees?: readonly string[];
  /** Opens it again. */
  reopen?: boolean;
  comment?: Comment;
}

export interface Closing {
  reason: 'completed' | 'not_planned' | 'duplicate';
  /** Made before it is closed. */
  comment?: Comment;
}

export interface Sought {
  /** Of open issues, those to keep; the whole list is read all the same. */
  isWanted: (issue: Issue) => boolean;
  /** Closed ones too, if they were touched from then on. */
  since?: string;
  /** These as well, whatever became of them. */
  numbers?: readonly number[];
}

export interface Found {
  /** Oldest first. */
  issues: readonly Issue[];
  /** Of the numbers: those that were deleted, or moved to another repository. */
  gone: readonly number[];
  /** Whether the tracker tells whose the token is, and so which issues are ours. */
  knowsOwn: boolean;
}

export interface Tracker {
  /** As `change_ref` and people write it: owner/repo. */
  repository: string;
  /** What it calls itself in a sentence: GitHub, Gitea or Forgejo. */
  called: string;
  /** Makes those that are missing. Answers sentences about what could not be done. */
  ensureLabels(labels: readonly Label[], signal?: AbortSignal): Promise<readonly string[]>;
  /** Reads the whole list, page by page, and never the search. Throws where any of it was not to be had. */
  findByMarker(sought: Sought, signal?: AbortSignal): Promise<Found>;
  /** One POST, which is never repeated. Throws TrackerError; with `mayBeDone`, it may be there all the same. */
  open(draft: Draft, signal?: AbortSignal): Promise<Opened>;
  /** Answers sentences about what could not be done. */
  update(number: number, change: IssueChange, signal?: AbortSignal): Promise<readonly string[]>;
  close(number: number, closing: Closing, signal?: AbortSignal): Promise<readonly string[]>;
  /** While the work goes on, the token is asked for once and kept in memory. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** When the token ends, as the last answer told: null for never, undefined where it was not told. */
  tokenExpiresAt(): string | null | undefined;
  check(): Promise<Finding[]>;
}

/**
 * How a call of a tracker goes wrong. `outage`: it does not answer, or not as it should; `limited`: it asks for a pause
 * that is too long to wait for; `refused`: a person has to give a right, or mend the settings; `gone`: this issue is not
 * there any more.
 */
export type TrackerTrouble = 'outage' | 'limited' | 'refused' | 'gone';

/** The message is for a person, and says what to do. */
export class TrackerError extends Error {
  override readonly name = 'TrackerError';
  readonly trouble: TrackerTrouble;
  /** Of a write: it is not known whether it was done. */
  readonly mayBeDone: boolean;
  /** When to ask again, where that was told. */
  readonly retryAt: string | undefined;

  constructor(
    trouble: TrackerTrouble,
    message: string,
    { mayBeDone = false, retryAt, cause }: { mayBeDone?: boolean; retryAt?: string; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.trouble = trouble;
    this.mayBeDone = mayBeDone;
    this.retryAt = retryAt;
  }
}
