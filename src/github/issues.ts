/** The five verbs of a tracker. What GitHub and Gitea do in different ways is handed over as a dialect. */

import type { Clock } from '../time.ts';
import { hasName, row, text } from './answer.ts';
import type { Api } from './api.ts';
import { checkTracker } from './checks.ts';
import { findIssues, whoseToken, withIssue } from './find.ts';
import { assigneesIn, namesIn, readIssue } from './issue.ts';
import {
  type Closing,
  type Comment,
  type Draft,
  type IssueChange,
  type Label,
  type Opened,
  type Tracker,
  TrackerError,
} from './tracker.ts';
import { unreadable } from './trouble.ts';

/** The paths that are handed over are those of an issue. */
export interface Dialect {
  /** What a list of issues is asked for besides. */
  listed: Readonly<Record<string, string>>;
  /** What says how a label looks. */
  drawn(label: Label): Record<string, string>;
  /** Labels as a new issue takes them; those that it cannot be given are left out. */
  labelled(names: readonly string[], signal?: AbortSignal): Promise<readonly (string | number)[]>;
  /** Of logins, those that an issue can be given to. */
  findAssignable(logins: readonly string[], signal?: AbortSignal): Promise<readonly string[]>;
  /** Leaves the labels that people gave it; answers those that it has then, undefined where that was not told. */
  relabel(
    path: string,
    add: readonly string[],
    remove: readonly string[],
    signal?: AbortSignal,
  ): Promise<string[] | undefined>;
  /** Leaves those whom people gave it to; answers to whom it is given then. */
  assign(path: string, logins: readonly string[], signal?: AbortSignal): Promise<string[]>;
  /** What closes it, for a reason; the first that is taken. */
  closed(reason: Closing['reason']): readonly Record<string, string>[];
}

/** As many as GitHub gives an issue to. */
const mostAssignees = 10;

export type Verbs = Omit<Tracker, 'during'>;

export function openIssues(api: Api, dialect: Dialect, clock: Clock): Verbs {
  return {
    repository: api.repository,
    called: api.called,
    ensureLabels: (labels, signal) => ensureLabels(api, dialect, labels, signal),
    findByMarker: (sought, signal) => findIssues(api, dialect.listed, sought, signal),
    open: (draft, signal) => open(api, dialect, draft, signal),
    update: (number, change, signal) =>
      withIssue(api, number, (path) => update(api, dialect, path, change, signal), signal),
    close: (number, closing, signal) =>
      withIssue(api, number, (path) => close(api, dialect, path, closing, signal), signal),
    tokenExpiresAt: api.tokenExpiresAt,
    check: () => checkTracker(api, dialect.listed, clock),
  };
}

async function ensureLabels(api: Api, dialect: Dialect, labels: readonly Label[], signal?: AbortSignal) {
  const path = await api.inRepository('/labels', signal);
  const there: string[] = [];
  for await (const rows of api.pages(path, {}, signal)) there.push(...namesIn(rows, 'name'));
  const shortcomings: string[] = [];
  for (const label of labels) {
    if (hasName(there, label.name)) continue;
    const { name, description } = label;
    const body = { name, description, ...dialect.drawn(label) };
    try {
      await api.askRow({ method: 'POST', path, body, signal });
    } catch (error) {
      const refusal = refusalIn(error);
      // Somebody else made it in this moment.
      if (!/already.exists/i.test(refusal)) shortcomings.push(`The label ${name} was not made. ${refusal}`);
    }
  }
  return shortcomings;
}

async function open(api: Api, dialect: Dialect, draft: Draft, signal?: AbortSignal): Promise<Opened> {
  const path = await api.inRepository('/issues', signal);
  const { known, shortcomings } = await assignable(api, dialect, draft.assignees, signal);
  const body = {
    title: draft.title,
    body: draft.body,
    labels: await dialect.labelled(draft.labels, signal),
    assignees: known,
  };
  const call = { method: 'POST', path, body, signal } as const;
  const answered = await api.ask(call);
  const made = row(answered.data);
  const issue = readIssue(made, text(row(made.user).login));
  if (!issue) throw unreadable(api, call, answered);
  const lackedLabels = draft.labels.filter((name) => !hasName(issue.labels, name));
  const lackedPeople = known.filter((login) => !hasName(assigneesIn(made), login));
  return {
    // Whoever has no name by which it could be told made it all the same.
    issue: { ...issue, isOurs: true },
    shortcomings: [...shortcomings, ...lacking(api, lackedLabels, lackedPeople)],
    isLabelled: lackedLabels.length === 0,
  };
}

/** Everything here can be done once more, and a comment is looked for first. */
async function update(api: Api, dialect: Dialect, path: string, change: IssueChange, signal?: AbortSignal) {
  const { title, body, reopen, addLabels = [], removeLabels = [], assignees = [], comment } = change;
  const text = {
    ...(title === undefined ? {} : { title }),
    ...(body === undefined ? {} : { body }),
    ...(reopen ? { state: 'open' } : {}),
  };
  if (Object.keys(text).length > 0) await api.askRow({ method: 'PATCH', path, body: text, signal });
  const told: string[] = [];
  if (addLabels.length + removeLabels.length > 0)
    try {
      const labels = await dialect.relabel(path, addLabels, removeLabels, signal);
      told.push(...lacking(api, labels ? addLabels.filter((name) => !hasName(labels, name)) : [], []));
    } catch (error) {
      told.push(`Its labels were not changed. ${await refusalOf(api, path, error, signal)}`);
    }
  if (assignees.length > 0)
    try {
      const { known, shortcomings } = await assignable(api, dialect, assignees, signal);
      told.push(...shortcomings);
      const logins = known.length === 0 ? [] : await dialect.assign(path, known, signal);
      const lacked = known.filter((login) => !hasName(logins, login));
      told.push(...lacking(api, [], lacked));
    } catch (error) {
      told.push(`It was given to nobody. ${await refusalOf(api, path, error, signal)}`);
    }
  if (comment) told.push(...(await commentOnce(api, path, comment, signal)));
  return told;
}

async function close(api: Api, dialect: Dialect, path: string, { reason, comment }: Closing, signal?: AbortSignal) {
  const shortcomings = comment ? await commentOnce(api, path, comment, signal) : [];
  const ways = dialect.closed(reason);
  for (const [index, body] of ways.entries()) {
    const allowed = index < ways.length - 1 ? [422] : [];
    const closed = await api.askRow({ method: 'PATCH', path, body, allowed, signal });
    if (closed.state === 'closed') return shortcomings;
  }
  return [...shortcomings, `${api.called} did not close it, and did not say why.`];
}

/** Anybody may paste a marker: it counts where we made the comment, or where it is not told who we are. */
async function isThere(api: Api, path: string, marker: string, signal?: AbortSignal): Promise<boolean> {
  const authors: (string | undefined)[] = [];
  for await (const rows of api.pages(`${path}/comments`, {}, signal))
    for (const one of rows) if (text(row(one).body)?.includes(marker)) authors.push(text(row(row(one).user).login));
  if (authors.length === 0) return false;
  const me = await whoseToken(api, signal);
  return me === undefined || authors.includes(me);
}

/** A conversation that is locked takes no comment, and that keeps nothing else from being done. */
async function commentOnce(api: Api, path: string, { marker, body, mayBeThere }: Comment, signal?: AbortSignal) {
  if (mayBeThere && (await isThere(api, path, marker, signal))) return [];
  try {
    await api.askRow({ method: 'POST', path: `${path}/comments`, body: { body }, signal });
    return [];
  } catch (error) {
    return [`It was not commented on. ${await refusalOf(api, path, error, signal)}`];
  }
}

async function assignable(api: Api, dialect: Dialect, logins: readonly string[], signal?: AbortSignal) {
  const wanted = [...new Set(logins)];
  const asked = wanted.slice(0, mostAssignees);
  const known = asked.length === 0 ? [] : await dialect.findAssignable(asked, signal);
  const shortcomings = asked
    .filter((login) => !known.includes(login))
    .map(
      (login) =>
        `It is not given to ${login}, for nobody of that name works on ${api.repository}: see to github.owners and github.default_assignees, or invite them.`,
    );
  const tooMany = wanted.slice(mostAssignees);
  if (tooMany.length > 0)
    shortcomings.push(
      `It is not given to ${tooMany.join(', ')}, for an issue is given to ${mostAssignees} people at most.`,
    );
  return { known, shortcomings };
}

function lacking(api: Api, labels: readonly string[], people: readonly string[]): string[] {
  return [
    ...(labels.length === 0
      ? []
      : [
          `${api.called} left out the labels ${labels.join(', ')}: the token may not label issues of ${api.repository}.`,
        ]),
    ...(people.length === 0
      ? []
      : [`${api.called} left out ${people.join(', ')}: the token may not give issues of ${api.repository} to people.`]),
  ];
}

/** The words of a refusal; what else goes wrong is thrown on. */
function refusalIn(error: unknown): string {
  if (error instanceof TrackerError && error.trouble === 'refused') return error.message;
  throw error;
}

/** The same of a part of an issue that is there; where the issue itself is not, that is thrown. */
async function refusalOf(api: Api, path: string, error: unknown, signal?: AbortSignal): Promise<string> {
  const refusal = refusalIn(error);
  await api.askRow({ path, signal });
  return refusal;
}
