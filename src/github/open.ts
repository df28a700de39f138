/** A tracker from its settings: whose words it speaks, and how it is reached. Nothing is asked yet. */

import type { Outbound } from '../outbound/caller.ts';
import type { Secret } from '../secrets/secret.ts';
import type { Clock } from '../time.ts';
import { type ApiParts, openApi } from './api.ts';
import { giteaDialect } from './gitea.ts';
import { githubDialect } from './github.ts';
import { openIssues, type Verbs } from './issues.ts';
import { octokitExchange } from './octokit.ts';
import { plainExchange } from './plain.ts';
import { isPublic, type Place } from './settings.ts';
import { type Tracker, TrackerError } from './tracker.ts';
import { openWire } from './wire.ts';

export interface TrackerParts {
  place: Place;
  /** OWNER/REPO. */
  repository: string;
  outbound: Outbound;
  token: () => Promise<Secret>;
  clock: Clock;
  /** How long a second lasts of a pause that the tracker asks for. */
  secondMs?: number;
}

const userAgent = 'rollcall';

export function openTracker({ token, ...parts }: TrackerParts): Tracker {
  const holder = openHolder(orRefused(token));
  return { ...trackerOf({ ...parts, token: holder.token }), during: holder.during };
}

function trackerOf({ place, repository, outbound, token, clock, secondMs = 1000 }: TrackerParts): Verbs {
  const isGitea = place.kind === 'gitea';
  const words = { scheme: isGitea ? 'token' : 'Bearer', redirectsByName: isGitea } as const;
  const wire = openWire({ ...place, ...words, outbound, token });
  const parts = { repository, wire, clock } satisfies Partial<ApiParts>;
  if (isGitea) {
    const exchange = plainExchange(wire, userAgent);
    const api = openApi({ ...parts, called: 'Gitea', exchange, page: { limit: '50' }, tellsExpiry: false });
    return openIssues(api, giteaDialect(api), clock);
  }
  const exchange = octokitExchange(wire, { isSlow: isPublic(place), secondMs }, userAgent);
  const api = openApi({ ...parts, called: 'GitHub', exchange, page: { per_page: '100' }, tellsExpiry: true });
  return openIssues(api, githubDialect(api), clock);
}

/** Asks for the token at each use, and while something goes on for several uses at once. */
function openHolder(token: () => Promise<Secret>): { token: () => Promise<Secret> } & Pick<Tracker, 'during'> {
  let held: Promise<Secret> | undefined;
  let users = 0;
  return {
    token: () => {
      if (users === 0) return token();
      held ??= token();
      return held;
    },
    async during(work) {
      users += 1;
      try {
        return await work();
      } finally {
        users -= 1;
        if (users === 0) held = undefined;
      }
    },
  };
}

/** Where the token is not to be had, its keeper says why, and nothing was sent. */
function orRefused(token: () => Promise<Secret>): () => Promise<Secret> {
  return async () => {
    try {
      return await token();
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new TrackerError('refused', `The token of github.token is not to be had: ${words}`, { cause: error });
    }
  };
}
