/** How the tracker that the settings name keeps the issues of credentials. */

import type { OpenedGithub } from '../github/module.ts';
import type { Issues } from './check.ts';

/** Undefined where they name none. An owner is found in whatever case it is written. */
export function issuesIn({ tracker, settings }: OpenedGithub): Issues | undefined {
  if (!tracker) return undefined;
  const { owners, default_assignees, max_creates_per_run, token } = settings;
  const logins = new Map(Object.entries(owners).map(([owner, login]) => [owner.toLowerCase(), login]));
  const login = (owner: string | null) => (owner === null ? undefined : logins.get(owner.toLowerCase()));
  return {
    tracker,
    assignees: (owner) => [login(owner) ?? default_assignees].flat(),
    maxCreates: max_creates_per_run,
    tokenItem: token?.startsWith('vaultwarden:') ? token.slice('vaultwarden:'.length) : undefined,
  };
}
