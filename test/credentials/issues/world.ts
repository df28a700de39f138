/** A service that keeps issues in a simulated repository, at one time with it, and what people do there. */

import { expect, onTestFinished } from 'vitest';
import type { Logger } from '../../../src/log.ts';
import { type Service, startService } from '../../service.ts';
import { type GithubSim, type SimIssue, type SimOptions, startGithubSim } from '../../sims/github-sim.mjs';

export type Json = Record<string, unknown>;

export interface Run {
  outcome: string;
  error: string | null;
  opened?: number;
  waiting?: number;
  adopted?: number;
}

export interface World {
  sim: GithubSim;
  service: Service;
  /** Its id. */
  add: (words: Json) => Promise<string>;
  /** Whatever is asked about a credential; what follows from it is over then. */
  say: (method: string, path: string, body?: unknown) => Promise<Json>;
  run: () => Promise<Run>;
  follow: () => Promise<Run>;
  /** Days later, the job runs. */
  later: (days: number) => Promise<Run>;
  /** What somebody else does, by the simulator's own calls. */
  act: (method: string, path: string, body?: unknown) => Promise<Json>;
  issue: (number: number) => SimIssue;
  open: () => number[];
  /** Of an issue, oldest first. */
  comments: (number: number) => string[];
  labels: (number: number) => string[];
  /** How many issues were asked for, whatever was answered. */
  posts: () => number;
  /** Those that stand. */
  alerts: () => Promise<string[]>;
}

export interface WorldOptions {
  sim?: SimOptions;
  github?: Json;
  settings?: Json;
  startsAt?: string;
  log?: Logger;
}

export const token = 'github_pat_CANARY0123456789';
export const made = { credential_name: 'pve token', credential_type: 'api_token' };
/** So many calls are no matter here. */
export const noLimits = { rateLimit: 1_000_000, contentPerMinute: 1_000_000, contentPerHour: 1_000_000 };

export async function startWorld({ sim: simOptions, github, settings, ...options }: WorldOptions = {}): Promise<World> {
  let service: Service | undefined;
  const now = () => service?.now().epochMilliseconds ?? Date.parse('2026-03-02T10:00:00Z');
  const sim = await startGithubSim({ token, ...noLimits, now, ...simOptions });
  onTestFinished(() => sim.close());
  service = await startService({
    settings: {
      github: { repository: 'octo/infra', token: 'env:GITHUB_TOKEN', base_url: sim.url, ...github },
      // Nor a moment after the start.
      jobs: { 'check-credentials': { schedule: 'off' }, 'follow-credentials': { schedule: 'off' } },
      ...settings,
    },
    env: { GITHUB_TOKEN: token },
    ...options,
  });
  return worldOf(sim, service);
}

export function worldOf(sim: GithubSim, service: Service): World {
  const runJob = async (name: string): Promise<Run> => {
    const { status, body } = await service.call('POST', `/jobs/${name}/run`, { wait: true });
    expect(status, JSON.stringify(body)).toBe(200);
    return body as Run;
  };
  const follow = () => runJob('follow-credentials');
  const say = async (method: string, path: string, body?: unknown): Promise<Json> => {
    // No two things are done in one moment.
    service.pass({ seconds: 1 });
    const answer = await service.call(method, path, body);
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    await follow();
    return answer.body as Json;
  };
  const run = () => {
    service.pass({ seconds: 1 });
    return runJob('check-credentials');
  };
  const issue = (number: number) => {
    const found = sim.issues().find((one) => one.number === number);
    if (!found) throw new Error(`There is no issue ${number}.`);
    return found;
  };
  return {
    sim,
    service,
    say,
    run,
    follow,
    issue,
    async add(words) {
      const { credential_id } = await say('POST', '/credentials', { ...made, ...words });
      return String(credential_id);
    },
    async later(days) {
      service.pass({ hours: 24 * days });
      return await run();
    },
    act: (method, path, body) => act(sim, method, path, body),
    open: () => openIn(sim),
    comments: (number) =>
      [...(sim.state.repos.values().next().value?.comments.values() ?? [])]
        .filter((one) => one.issue === number)
        .map(({ body }) => body),
    labels: (number) =>
      issue(number)
        .labels.map(({ name }) => name)
        .sort(),
    posts: () => postsIn(sim),
    async alerts() {
      const { body } = await service.call('GET', '/alerts');
      return (body as { items: { kind: string; subject: string; until: string | null }[] }).items
        .filter(({ until }) => until === null)
        .map(({ kind, subject }) => `${kind} ${subject}`)
        .sort();
    },
  };
}

export async function act(sim: GithubSim, method: string, path: string, body?: unknown): Promise<Json> {
  const response = await fetch(`${sim.url}/__sim${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Json;
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}

/** As people see them: not what was deleted or moved away, and no pull requests. */
export function openIn(sim: GithubSim): number[] {
  const [repository] = sim.state.repos.values();
  return [...(repository?.issues.values() ?? [])]
    .filter(({ state, pull, deleted, transferredTo }) => state === 'open' && !pull && !deleted && !transferredTo)
    .map(({ number }) => number)
    .sort((a, b) => a - b);
}

export function postsIn(sim: GithubSim): number {
  return sim.log.filter(({ method, path }) => method === 'POST' && path.endsWith('/issues')).length;
}

export function markerOf(id: string, cycle: string): string {
  return `<!-- rollcall:credential=${id} cycle=${cycle} -->`;
}
