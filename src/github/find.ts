/** Finding issues again: in the list, which is never behind as a search is, and by number. */

import { row, text } from './answer.ts';
import type { Api } from './api.ts';
import { readIssue } from './issue.ts';
import { type Found, type Issue, type Sought, TrackerError } from './tracker.ts';
import { shown, unreadable } from './trouble.ts';

/** `listed` is what else a list is asked for. Throws TrackerError where any part of it was not to be had. */
export async function findIssues(
  api: Api,
  listed: Readonly<Record<string, string>>,
  { isWanted, since, numbers = [] }: Sought,
  signal?: AbortSignal,
): Promise<Found> {
  await repositoryWithIssues(api, signal);
  const me = await whoseToken(api, signal);
  const path = await api.inRepository('/issues', signal);
  const sought = new Set(numbers);
  const found = new Map<number, Issue>();
  const queries = [{ state: 'open', ...listed }, ...(since === undefined ? [] : [{ state: 'all', since, ...listed }])];
  for (const query of queries)
    for await (const rows of api.pages(path, query, signal))
      for (const one of rows) {
        const issue = readIssue(one, me);
        if (issue === null) throw unreadable(api, { path }, { status: 200, header: () => undefined, data: one });
        if (issue && (sought.has(issue.number) || isWanted(issue))) found.set(issue.number, issue);
      }
  const gone: number[] = [];
  for (const number of sought) {
    if (found.has(number)) continue;
    const issue = await findIssue(api, number, me, signal);
    if (issue) found.set(number, issue);
    else gone.push(number);
  }
  const byAge = (a: Issue, b: Issue) => a.number - b.number;
  return { issues: [...found.values()].sort(byAge), gone: gone.sort((a, b) => a - b), knowsOwn: me !== undefined };
}

/** Undefined where it was deleted, moved to another repository, or is none. The repository has answered before. */
async function findIssue(api: Api, number: number, me: string | undefined, signal?: AbortSignal) {
  const path = await api.inRepository(`/issues/${number}`, signal);
  const answered = await api.ask({ path, allowed: goneStatuses, signal });
  if (goneStatuses.includes(answered.status)) return undefined;
  const issue = readIssue(answered.data, me);
  if (issue === null) throw unreadable(api, { path }, answered);
  return issue;
}

/** Not there, deleted, or moved to another repository: redirects to the same issue were followed. */
const goneStatuses = [301, 302, 307, 308, 404, 410];

/** A repository without issues says the same of each as it does of one that was deleted; in an archived one all stays. */
export async function repositoryWithIssues(api: Api, signal?: AbortSignal): Promise<void> {
  const { name, hasIssues, isArchived } = await api.readRepository(signal);
  if (isArchived)
    throw new TrackerError(
      'refused',
      `${name} is archived, and takes no issues. Take it out of the archive, or name another repository in github.repository.`,
    );
  if (!hasIssues)
    throw new TrackerError(
      'refused',
      `${name} keeps no issues. Switch them on in its settings, or name another repository in github.repository.`,
    );
}

/** The login; undefined where it is not told, as to a GitHub App, or to a token for issues alone. */
export async function whoseToken(api: Api, signal?: AbortSignal): Promise<string | undefined> {
  const call = { path: '/user', allowed: [403, 404], signal };
  const answered = await api.ask(call);
  if (answered.status >= 400) return undefined;
  const login = text(row(answered.data).login);
  if (login === undefined) throw unreadable(api, call, answered);
  return login;
}

/**
 * Does something with one issue. What is not there is only said to be gone once the repository itself has answered: a
 * token that lost its rights sees none either.
 */
export async function withIssue<T>(api: Api, number: number, work: (path: string) => Promise<T>, signal?: AbortSignal) {
  const path = await api.inRepository(`/issues/${number}`, signal);
  try {
    return await work(path);
  } catch (error) {
    if (!(error instanceof TrackerError) || error.trouble !== 'refused') throw error;
    const answered = await api.ask({ path, allowed: goneStatuses, signal });
    if (!goneStatuses.includes(answered.status)) throw error;
    await repositoryWithIssues(api, signal);
    throw new TrackerError(
      'gone',
      `Issue ${number} is not in ${api.repository} any more: it was deleted, or moved to another repository (${shown({ path })}).`,
      { cause: error },
    );
  }
}
