/** What Gitea and Forgejo do in their own way: labels by number, and lists that are replaced as a whole. */

import { hasName, isRow, row, text } from './answer.ts';
import type { Api } from './api.ts';
import { assigneesIn, namesIn } from './issue.ts';
import type { Dialect } from './issues.ts';

export function giteaDialect(api: Api): Dialect {
  /** By name in lower case. */
  async function labelNumbers(signal?: AbortSignal): Promise<Map<string, number>> {
    const numbers = new Map<string, number>();
    for await (const rows of api.pages(await api.inRepository('/labels', signal), {}, signal))
      for (const { id, name } of rows.map(row))
        if (typeof id === 'number' && typeof name === 'string') numbers.set(name.toLowerCase(), id);
    return numbers;
  }

  async function numbersOf(names: readonly string[], signal?: AbortSignal): Promise<number[]> {
    if (names.length === 0) return [];
    const numbers = await labelNumbers(signal);
    return names.flatMap((name) => numbers.get(name.toLowerCase()) ?? []);
  }

  return {
    listed: { type: 'issues' },
    drawn: ({ colour }) => ({ color: `#${colour}` }),
    labelled: numbersOf,
    async findAssignable(logins, signal) {
      const there: string[] = [];
      for await (const rows of api.pages(await api.inRepository('/assignees', signal), {}, signal))
        there.push(...namesIn(rows, 'login'));
      return logins.filter((login) => hasName(there, login));
    },
    /** Read a moment before, for the whole list is replaced. */
    async relabel(path, add, remove, signal) {
      const { labels } = await api.askRow({ path, signal });
      const there = Array.isArray(labels) ? labels.filter(isRow) : [];
      const kept = there.filter(({ name }) => !hasName(remove, text(name) ?? ''));
      const numbers = [...kept.map(({ id }) => id), ...(await numbersOf(add, signal))];
      const body = { labels: [...new Set(numbers)] };
      return namesIn(await api.askRows({ method: 'PUT', path: `${path}/labels`, body, signal }), 'name');
    },
    async assign(path, logins, signal) {
      const there = assigneesIn(await api.askRow({ path, signal }));
      const body = { assignees: [...there, ...logins.filter((login) => !hasName(there, login))] };
      return assigneesIn(await api.askRow({ method: 'PATCH', path, body, signal }));
    },
    closed: () => [{ state: 'closed' }],
  };
}
