/** What a job is: its words, and its settings. Nothing runs here. */

import { Type } from 'typebox';

export type Counts = Record<string, number>;

/** Scheduled work that can be called by hand as well: running it twice does what running it once does. */
export interface Job {
  name: string;
  /** When it runs unless told otherwise: cron's five fields. */
  schedule: string;
  /** What it works on, where that is not its own alone: of all jobs with the same lease only one runs at once. */
  lease?: string;
  /**
   * It runs often, in one short transaction, and mostly finds nothing to do. It takes no lease, and of its runs, unless
   * a person asked for one, only those are kept that failed or counted something.
   */
  quiet?: boolean;
  /** Whether it has to run soon after a start, where its last success does not tell. */
  isDueAtStart?(): Promise<boolean>;
  /** Throws where it failed; a DomainError's or StartError's message is what people are told. */
  run(context: JobContext): Promise<JobAnswer>;
}

export interface JobContext {
  /** Tells those who wait how far it is, such as 3 of 12 guests. Costs nothing. */
  progress: (done: number, total: number, what: string) => void;
  /** What the one who asked for this run wants of it; empty where nobody did. */
  params: Readonly<Record<string, unknown>>;
  /** The process stops, or the lease is lost: end soon, by an error or with what was done. */
  signal: AbortSignal;
}

/** What a job did. Plain counts say that all went well. */
export type JobAnswer = JobOutcome | Counts;

export interface JobOutcome {
  /** `partial`: something was left out, and `why` says what. `held`: what it found waits for a person. */
  outcome: 'good' | 'partial' | 'held';
  why?: string | undefined;
  counts: Counts;
}

export const runOutcomes = ['running', 'good', 'partial', 'held', 'failed', 'interrupted'] as const;
export type RunOutcome = (typeof runOutcomes)[number];

/** By the clock; because it was missed before the process started; because somebody asked for it. */
export const runTriggers = ['schedule', 'start', 'request'] as const;
export type RunTrigger = (typeof runTriggers)[number];

/** One run of a job, as it is kept. */
export interface JobRun {
  id: string;
  job: string;
  trigger: RunTrigger;
  started_at: string;
  finished_at: string | null;
  outcome: RunOutcome;
  /** Why it failed, was interrupted, is partial or held. */
  error: string | null;
  counts: Counts;
}

export interface Progress {
  done: number;
  total: number;
  what: string;
}

export const jobsSettings = Type.Record(
  Type.String(),
  Type.Object(
    { schedule: Type.String({ description: "cron's five fields, or off" }) },
    { additionalProperties: false },
  ),
  { default: {}, description: 'by name of the job' },
);

/** What a job answered, in full. */
export function outcomeOf(answer: JobAnswer): JobOutcome {
  return isOutcome(answer) ? answer : { outcome: 'good', counts: answer };
}

function isOutcome(answer: JobAnswer): answer is JobOutcome {
  return typeof answer.counts === 'object';
}
