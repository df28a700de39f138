/** The tracker as a module: what it needs, and what it brings. Without a repository there is none. */

import { readFileSync } from 'node:fs';
import { StartError } from '../errors.ts';
import type { House, Module, Opened } from '../module.ts';
import { type GithubSettings, githubSettings, placeOf } from './settings.ts';
import type { Tracker } from './tracker.ts';

export interface OpenedGithub extends Opened {
  tracker: Tracker | undefined;
  settings: GithubSettings;
}

export const githubModule: Module<typeof githubSettings, OpenedGithub> = {
  name: 'github',
  settings: githubSettings,
  async open(house: House, settings: GithubSettings): Promise<OpenedGithub> {
    const { repository, token, ca, fingerprint } = settings;
    if (repository === undefined) return { tracker: undefined, settings };
    if (token === undefined)
      throw new StartError('github.token is missing: say where the token is, such as file:/etc/rollcall/github.token.');
    const place = placeOf(settings);
    const peer = {
      name: 'github',
      addresses: [place.origin],
      ...(ca === undefined ? {} : { ca: readAuthority(ca) }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
    };
    // Of no use to those who keep no issues.
    const { openTracker } = await import('./open.ts');
    const tracker = openTracker({
      place,
      repository,
      outbound: house.outbound(peer),
      token: () => house.secret(token),
      clock: house.clock,
    });
    return { tracker, settings, checks: [() => tracker.check()] };
  },
};

function readAuthority(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(`github.ca: ${file} cannot be read. It is the certificate of the CA of your server, in PEM.`, {
      cause: error,
    });
  }
}
