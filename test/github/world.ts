/** A tracker for a test: the simulated server, and our side of it, which waits for nothing longer than a moment. */

import { onTestFinished } from 'vitest';
import { openTracker } from '../../src/github/open.ts';
import { placeOf } from '../../src/github/settings.ts';
import type { Draft, Issue, Tracker } from '../../src/github/tracker.ts';
import { openLog } from '../../src/log.ts';
import type { Limits } from '../../src/outbound/limits.ts';
import { openOutbound } from '../../src/outbound/outbound.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { type GithubSim, type SimCall, type SimOptions, startGithubSim } from '../sims/github-sim.mjs';

export const token = 'github_pat_CANARY0123456789';
export const beginning = Temporal.Instant.from('2026-03-02T10:00:00Z');
export const marker = '<!-- rollcall:credential=7 cycle=2026-03-01 -->';

export const draft: Draft = {
  title: 'Rotate proxmox-token',
  body: `It is due.\n\n${marker}`,
  labels: ['credential'],
  assignees: [],
};

export interface World {
  sim: GithubSim;
  tracker: Tracker;
  /** As `METHOD path`, what was sent since it was asked last; the repository and the user are left out. */
  calls: () => string[];
  sent: () => SimCall[];
  /** What somebody else does, by the simulator's own calls. */
  act: (method: string, path: string, body?: unknown) => Promise<unknown>;
  issue: (number: number) => ReturnType<GithubSim['issues']>[number];
  comments: () => string[];
  labels: () => string[];
}

export interface WorldOptions {
  sim?: SimOptions;
  prefix?: string;
  repository?: string;
  limits?: Partial<Limits>;
  secondMs?: number;
  clock?: () => Temporal.Instant;
  tokenOf?: () => Promise<Secret>;
}

export function trackerAt(url: string, options: WorldOptions & { kind?: 'gitea' } = {}): Tracker {
  const { repository = 'octo/infra', limits = {}, secondMs = 1, prefix = '', clock = () => beginning, kind } = options;
  const place = placeOf({ base_url: url + prefix, ...(kind ? { kind } : {}) });
  const peers = openOutbound({ log: openLog('silent', 'json') });
  onTestFinished(() => peers.close());
  const outbound = peers.outbound({ name: 'github', addresses: [place.origin] }, { attempts: 1, ...limits });
  const tokenOf = options.tokenOf ?? (() => Promise.resolve(new Secret(token)));
  return openTracker({ place, repository, outbound, token: tokenOf, clock, secondMs });
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const sim = await startGithubSim({ token, ...options.sim });
  onTestFinished(() => sim.close());
  const repository = () => [...sim.state.repos.values()].at(-1) ?? { labels: new Map(), comments: new Map() };
  const sent = () => sim.log.splice(0);
  return {
    sim,
    tracker: trackerAt(sim.url, options),
    sent,
    calls: () =>
      sent()
        .filter(({ path }) => !/^(\/api\/v3)?\/(user|repos\/[^/]+\/[^/]+)$/.test(path))
        .map(({ method, path }) => `${method} ${path.replace(/^(\/api\/v3)?\/repos\/[^/]+\/[^/]+/, '')}`),
    async act(method, path, body) {
      const response = await fetch(`${sim.url}/__sim${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const answer = (await response.json()) as unknown;
      if (!response.ok) throw new Error(JSON.stringify(answer));
      return answer;
    },
    issue(number) {
      const found = sim.issues().find((one) => one.number === number);
      if (!found) throw new Error(`There is no issue ${number}.`);
      return found;
    },
    comments: () => [...repository().comments.values()].map(({ body }) => body),
    labels: () => [...repository().labels.values()].map(({ name }) => name),
  };
}

export const everything = { isWanted: () => true };
export const numbersOf = (issues: readonly Issue[]): number[] => issues.map(({ number }) => number);

/** What a call is refused with. */
export async function refusalOf(work: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await work;
  } catch (error) {
    const { name, trouble, mayBeDone, retryAt, message } = error as Error & Record<string, unknown>;
    return { name, trouble, mayBeDone, message, ...(retryAt === undefined ? {} : { retryAt }) };
  }
  throw new Error('It was not refused.');
}
