/** What GitHub does in its own way: labels by name, and one call for each of what people may change meanwhile. */

import { part } from './answer.ts';
import type { Api } from './api.ts';
import { assigneesIn, namesIn } from './issue.ts';
import type { Dialect } from './issues.ts';
import { wordsOf } from './trouble.ts';

export function githubDialect(api: Api): Dialect {
  return {
    listed: {},
    drawn: ({ colour }) => ({ color: colour }),
    labelled: (names) => Promise.resolve(names),
    async findAssignable(logins, signal) {
      const known: string[] = [];
      for (const login of logins) {
        const path = await api.inRepository(`/assignees/${part(login)}`, signal);
        // One who is unknown would be the end of the whole issue.
        if ((await api.ask({ path, allowed: [404], signal })).status < 300) known.push(login);
      }
      return known;
    },
    async relabel(path, add, remove, signal) {
      let labels: string[] | undefined;
      for (const name of remove) {
        const call = { method: 'DELETE', path: `${path}/labels/${part(name)}`, signal } as const;
        const answered = await api.ask({ ...call, allowed: [404] });
        // Without that word it is the issue that is not there.
        if (answered.status === 404 && !/\blabel\b/i.test(wordsOf(answered))) await api.ask(call);
      }
      if (add.length > 0) {
        const call = { method: 'POST', path: `${path}/labels`, body: { labels: add }, signal } as const;
        labels = namesIn(await api.askRows(call), 'name');
      }
      return labels;
    },
    async assign(path, logins, signal) {
      const call = { method: 'POST', path: `${path}/assignees`, body: { assignees: logins }, signal } as const;
      return assigneesIn(await api.askRow(call));
    },
    // Older Enterprise Servers know no duplicates.
    closed: (reason) =>
      [reason, ...(reason === 'duplicate' ? ['not_planned'] : [])].map((state_reason) => ({
        state: 'closed',
        state_reason,
      })),
  };
}
