/** The HTTP floor alone: its real parts over a real store, with endpoints that a test brings. */

import { onTestFinished } from 'vitest';
import { openAuth } from '../../src/http/auth.ts';
import type { Endpoint, Scope } from '../../src/http/endpoint.ts';
import { listen } from '../../src/http/listen.ts';
import { openMetrics } from '../../src/http/metrics.ts';
import { openRefusals } from '../../src/http/refusals.ts';
import { httpApp } from '../../src/http/server.ts';
import type { HttpSettings } from '../../src/http/settings.ts';
import { openLog } from '../../src/log.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { temporaryFolder } from '../service.ts';

export const usual: HttpSettings = {
  listen: '127.0.0.1:0',
  allow_plaintext: false,
  trust_proxy: [],
  cors_origins: [],
  body_limit_mb: 1,
  rate_limit: 0,
  open_metrics: false,
};

type Endpoints = readonly Endpoint[] | ((store: Store) => readonly Endpoint[]);

export async function openFloor(brought: Endpoints, settings: Partial<HttpSettings> = {}) {
  const lines: string[] = [];
  const log = openLog('info', 'json', (line) => void lines.push(line));
  let now = Temporal.Instant.from('2026-03-02T10:00:00Z');
  const clock = () => now;
  const store = await openStore(temporaryFolder(), log);
  const endpoints = typeof brought === 'function' ? brought(store) : brought;
  const auth = openAuth(store, clock);
  const refusals = openRefusals(store, log);
  const metrics = openMetrics(store, () => []);
  const all = { ...usual, ...settings };
  const wantsChangeRef = () => false;
  const app = httpApp({ settings: all, endpoints, auth, refusals, metrics, store, clock, log, wantsChangeRef });
  const listening = await listen(app, all, log);
  onTestFinished(async () => {
    await listening.close(0);
    await refusals.close();
    await auth.close();
    await store.close();
  });
  return {
    store,
    auth,
    refusals,
    url: listening.url,
    close: (drainMilliseconds: number) => listening.close(drainMilliseconds),
    lines,
    pass: (time: Temporal.DurationLike) => {
      now = now.add(time);
    },
    token: async (name: string, scopes: readonly Scope[] = ['admin']) => (await auth.create(name, scopes, null)).secret,
  };
}
