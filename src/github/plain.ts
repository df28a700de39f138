/** Calls as JSON without a client of their own: a Gitea, or a Forgejo, has no limits to keep to. */

import type { Exchange } from './answer.ts';
import type { Wire } from './wire.ts';

export function plainExchange(wire: Wire, userAgent: string): Exchange {
  return async ({ method = 'GET', path, body, signal }) => {
    const answer = await wire.send({
      method,
      path: wire.prefix + path,
      headers: {
        accept: 'application/json',
        'user-agent': userAgent,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
    return {
      status: answer.status,
      header: (name) => answer.headers.get(name) ?? undefined,
      data: jsonIn(answer.body),
    };
  };
}

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}
