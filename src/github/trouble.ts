/**
 * What a tracker means when it refuses, and what it means when no answer comes: each with a sentence that says what to do.
 * https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
 */

import { OutboundError } from '../outbound/error.ts';
import { type Stamp, stamp } from '../time.ts';
import { type Answered, type Call, isRow, isWrite, row, text } from './answer.ts';
import { TrackerError } from './tracker.ts';

/** Whom a sentence is about. */
export interface Named {
  /** GitHub or Gitea. */
  called: string;
  /** As it stands in the settings. */
  repository: string;
}

const mostWords = 300;
/** Where a pause is asked for and no time is told. */
const usualPauseSeconds = 60;

/** Of an answer that is no success. */
export function troubleOf(named: Named, call: Call, answered: Answered, now: Temporal.Instant): TrackerError {
  const { called, repository } = named;
  const { status } = answered;
  const words = wordsOf(answered);
  const what = `${called} answered ${shown(call)} with ${status}${words === '' ? '' : `: ${words}`}`;
  const refused = (toDo: string) => new TrackerError('refused', `${what}. ${toDo}`);
  const retryAt = pauseOf(answered, words, now);
  if (retryAt !== undefined)
    return new TrackerError(
      'limited',
      `${called} asks for a pause until ${retryAt}, for too much was asked of it; the next run goes on.`,
      { retryAt },
    );
  if (status >= 500)
    return new TrackerError('outage', `${what}. It will be tried again.`, { mayBeDone: isWrite(call) });
  if (status === 401)
    return refused(
      'The token has expired, was revoked, or is another one: make a new one, and put it where github.token says.',
    );
  if (status === 423 || /\barchived\b/i.test(words))
    return refused(`Take ${repository} out of the archive, or name another repository in github.repository.`);
  if (status === 403) return refused(rightsToGive(answered, repository));
  if (status === 404 || status === 410 || (status >= 300 && status < 400))
    return refused(
      status === 410
        ? `Switch issues on in the settings of ${repository}, or name another repository in github.repository.`
        : `${repository}, or this part of it, is not there, or the token may not see it: see to github.repository, and to the repositories that the token is for.`,
    );
  return refused('It will not take it the next time either: what is written there has to change.');
}

function rightsToGive({ header }: Answered, repository: string): string {
  const wanted = header('x-accepted-github-permissions');
  const named = wanted === undefined ? 'to read and write issues' : `(${wanted})`;
  return `The token lacks the right ${named} in ${repository}: give it that right, or make another token.`;
}

/** When to ask again; undefined where no pause is asked for. */
function pauseOf({ status, header }: Answered, words: string, now: Temporal.Instant): Stamp | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const after = Number(header('retry-after') ?? Number.NaN);
  const reset = Number(header('x-ratelimit-reset') ?? Number.NaN);
  if (/\bsecondary rate\b|\babuse detection\b/i.test(words) || header('retry-after') !== undefined)
    return stamp(now.add({ seconds: after > 0 ? Math.ceil(after) : usualPauseSeconds }));
  const isUsedUp = header('x-ratelimit-remaining') === '0';
  if (isUsedUp && reset > 0) return stamp(Temporal.Instant.fromEpochMilliseconds(Math.ceil(reset) * 1000));
  return isUsedUp || status === 429 ? stamp(now.add({ seconds: usualPauseSeconds })) : undefined;
}

/** Of a call that got no answer; undefined where that is nobody's but our own fault. */
export function outageOf(error: unknown, call: Call): TrackerError | undefined {
  if (error instanceof TrackerError) return error;
  if (!(error instanceof OutboundError)) return undefined;
  const needsPerson = error.kind === 'tls' || error.kind === 'invalid';
  return new TrackerError(needsPerson ? 'refused' : 'outage', error.message, {
    mayBeDone: isWrite(call) && !wasNeverSent(error),
  });
}

const beforeSending = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT'];

/** What is not known is taken for sent. */
function wasNeverSent({ kind, code }: OutboundError): boolean {
  return kind === 'tls' || kind === 'invalid' || beforeSending.includes(code ?? '');
}

/** A page of HTML, or JSON that is cut off, that comes as a success is none. */
export function unreadable({ called }: Named, call: Call, { status, data }: Answered): TrackerError {
  const what = typeof data === 'string' ? 'what is no JSON' : 'something else than was asked for';
  return new TrackerError(
    'outage',
    `${called} answered ${shown(call)} with ${status} and ${what}. Is github.base_url the address of its API, and does something stand before it that answers in its place?`,
    { mayBeDone: isWrite(call) },
  );
}

export function shown({ method = 'GET', path }: Call): string {
  return `${method} ${path.split('?')[0]}`;
}

/** What it says itself, with each fault that it names, on one line. */
export function wordsOf({ data }: Answered): string {
  const { message, errors } = row(data);
  const faults = Array.isArray(errors) ? errors.map(faultOf) : [];
  const words = [text(message), ...faults].filter((part) => part !== undefined);
  return words.join('; ').replaceAll(/\s+/g, ' ').trim().slice(0, mostWords).replace(/\.$/, '');
}

function faultOf(fault: unknown): string | undefined {
  if (!isRow(fault)) return text(fault);
  return text(fault.message) ?? [fault.resource, fault.field, fault.code].filter((part) => text(part)).join(' ');
}
