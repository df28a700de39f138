/**
 * What travels to a tracker's server, and to no other: with the token, which is read for each call and taken out of
 * what comes back. Redirects are followed where a repository was renamed, and not where an issue went elsewhere.
 */

import type { Answer } from '../outbound/attempt.ts';
import type { Outbound, Call as Outgoing } from '../outbound/caller.ts';
import type { Secret } from '../secrets/secret.ts';

export interface WireParts {
  outbound: Outbound;
  token: () => Promise<Secret>;
  /** What stands before the token. */
  scheme: 'Bearer' | 'token';
  origin: string;
  /** Of each path, such as /api/v3. */
  prefix: string;
  /** Whether a redirect names a repository, and not its number: then an issue never goes to another one. */
  redirectsByName: boolean;
}

export interface Wire {
  origin: string;
  prefix: string;
  /** `path` is whole. Throws OutboundError where there is no answer. A write is sent once. */
  send(request: Pick<Outgoing, 'method' | 'path' | 'headers' | 'body' | 'signal'>): Promise<Answer>;
  /** The number of the repository, which stays when it is renamed. */
  belongsTo(repositoryId: number): void;
}

const mostRedirects = 3;

export function openWire({ outbound, token, scheme, origin, prefix, redirectsByName }: WireParts): Wire {
  let repositoryId: number | undefined;
  return {
    origin,
    prefix,
    belongsTo(id) {
      repositoryId = id;
    },
    async send(request) {
      const secret = await token();
      const headers = { ...request.headers, authorization: `${scheme} ${secret.reveal()}` };
      let { path } = request;
      for (let redirects = 0; ; redirects += 1) {
        const answer = await outbound.call({ ...request, path, headers });
        const next = redirects < mostRedirects ? renamedTo(answer, path) : undefined;
        if (next === undefined) return { ...answer, body: answer.body.replaceAll(secret.reveal(), '[secret]') };
        path = next;
      }
    },
  };

  /** The same thing in the same repository, on the same server. */
  function renamedTo({ status, headers }: Answer, path: string): string | undefined {
    const location = headers.get('location');
    if (![301, 302, 307, 308].includes(status) || location === null) return undefined;
    const target = URL.canParse(location, origin + path) ? new URL(location, origin + path) : undefined;
    if (target?.origin !== origin) return undefined;
    const from = inRepository(new URL(origin + path).pathname, prefix);
    const to = inRepository(target.pathname, prefix);
    if (!from || !to || from.rest !== to.rest) return undefined;
    const isSame = to.id === undefined ? redirectsByName : to.id === (repositoryId ?? to.id);
    return isSame ? target.pathname + target.search : undefined;
  }
}

/** What of a repository a path names; undefined where it names none. */
function inRepository(path: string, prefix: string): { id: number | undefined; rest: string } | undefined {
  const match = /^\/(?:repos\/[^/]+\/[^/]+|repositories\/(?<id>\d+))(?<rest>\/.*)?$/.exec(path.slice(prefix.length));
  if (!match?.groups || !path.startsWith(prefix)) return undefined;
  const { id, rest = '' } = match.groups;
  return { id: id === undefined ? undefined : Number(id), rest };
}
