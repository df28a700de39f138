/** The check without the service around it: a store, the real client, and a tracker that is waited for only a moment. */

import { setTimeout as wait } from 'node:timers/promises';
import type { Doer } from '../../../src/credentials/changes.ts';
import { type CheckParts, checkCredentials, followCredentials } from '../../../src/credentials/check.ts';
import { dateOf } from '../../../src/credentials/credential.ts';
import { openRecords, type Records } from '../../../src/credentials/records.ts';
import type { JobOutcome } from '../../../src/jobs/jobs.ts';
import { openLog } from '../../../src/log.ts';
import { openStore } from '../../../src/store/open.ts';
import { trackerAt } from '../../github/world.ts';
import { temporaryFolder } from '../../service.ts';
import { type GithubSim, type SimOptions, startGithubSim } from '../../sims/github-sim.mjs';
import { noLimits, token } from './world.ts';

export const doer: Doer = { source: 'manual:test', actor: 'test', changeRef: null, requestId: null };

export interface Bare {
  sim: GithubSim;
  records: () => Records;
  parts: () => CheckParts;
  /** As the job is told; or what it failed with. */
  check: () => Promise<JobOutcome | string>;
  follow: () => Promise<JobOutcome | string>;
  pass: (time: Temporal.DurationLike) => void;
  now: () => Temporal.Instant;
  restart: () => Promise<void>;
  /** A check that ends while it waits for an answer to what it sent, if it sends anything; then it is started again. */
  die: () => Promise<void>;
  close: () => Promise<void>;
}

export async function startBare(
  options: { sim?: SimOptions; maxCreates?: number; answerMs?: number } = {},
): Promise<Bare> {
  let now = Temporal.Instant.from('2026-03-02T10:00:00Z');
  const clock = () => now;
  const sim = await startGithubSim({ token, ...noLimits, now: () => now.epochMilliseconds, ...options.sim });
  const folder = temporaryFolder();
  const limits = { totalMs: options.answerMs ?? 5000, breaker: { failures: 1000, withinMs: 1, openMs: 1 } };
  const settings = { policies: {} };
  const open = async () => {
    const store = await openStore(folder, openLog('silent', 'json'));
    const records = openRecords({ store, clock, timeZone: 'UTC', settings });
    const today = () => ({ today: dateOf(now, 'UTC'), timeZone: 'UTC', policies: {} });
    const tracker = trackerAt(sim.url, { limits, clock });
    const issues = { tracker, assignees: () => [], maxCreates: options.maxCreates ?? 20, tokenItem: undefined };
    const parts: CheckParts = { store, clock, records, settings, today, issues, rules: {}, vault: undefined };
    return { ...parts, settleMilliseconds: 0 };
  };
  let parts = await open();
  const told = async (work: Promise<JobOutcome>) => {
    try {
      return await work;
    } catch (error) {
      return (error as Error).message;
    } finally {
      now = now.add({ seconds: 1 });
    }
  };
  const close = async () => {
    await parts.store.close();
    await sim.close();
  };
  const restart = async () => {
    await parts.store.close();
    parts = await open();
  };
  return {
    sim,
    records: () => parts.records,
    parts: () => parts,
    check: () => told(checkCredentials(parts, new AbortController().signal)),
    follow: () => told(followCredentials(parts, new AbortController().signal)),
    pass(time) {
      now = now.add(time);
    },
    now: clock,
    restart,
    async die() {
      sim.addFault({ method: 'POST', path: '/(issues|comments)$', action: 'commit-then-hang' });
      const from = sim.log.length;
      const dying = new AbortController();
      const ended = told(checkCredentials(parts, dying.signal)).then(() => true);
      const isSent = () => sim.log.slice(from).some(({ status }) => status === 'hang');
      while (!isSent() && !(await Promise.race([ended, wait(2, false)])));
      dying.abort(new Error('It was killed.'));
      await ended;
      sim.clearFaults();
      await restart();
    },
    close,
  };
}
