/** The real service for a test: on a port of its own, in a folder of its own, with a clock that the test holds. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type App, openApp, settingsSchema } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import type { Environment } from '../src/environment.ts';
import type { ThisMachine } from '../src/inventory/here.ts';
import { type Logger, openLog } from '../src/log.ts';
import { dump } from './yaml.ts';

export interface Answered {
  status: number;
  body: unknown;
  headers: Headers;
}

export interface Service {
  app: App;
  url: string;
  folder: string;
  adminToken: string;
  ansibleToken: string;
  /** A call under /api/v1, by the admin token unless another is named; a body goes out as JSON unless it is text. */
  call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>;
  /** Moves the clock on. */
  pass: (time: Temporal.DurationLike) => void;
  now: () => Temporal.Instant;
  /** Stops it and starts it again on the same data. */
  restart: () => Promise<void>;
}

export interface ServiceOptions {
  /** What stands in rollcall.yml. */
  settings?: Record<string, unknown>;
  folder?: string;
  startsAt?: string;
  machine?: ThisMachine;
  /** Where secrets are that the settings name as env:NAME. */
  env?: Environment;
  /** Instead of none. */
  log?: Logger;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function startService(options: ServiceOptions = {}): Promise<Service> {
  const folder = options.folder ?? temporaryFolder();
  const file = dump(join(folder, 'rollcall.yml'), { timezone: 'UTC', ...options.settings });
  const env = { ROLLCALL_LISTEN: '127.0.0.1:0' };
  const config = readConfig(settingsSchema, { file, data: join(folder, 'data'), env, cwd: folder });
  const log = options.log ?? openLog('silent', 'json');
  let now = Temporal.Instant.from(options.startsAt ?? '2026-03-02T10:00:00Z');
  const clock = () => now;
  const open = () => openApp(config, log, { ...options, clock });
  let app = await open();
  onTestFinished(() => app.close());
  const read = (name: string) => readFileSync(join(folder, 'data', name), 'utf8').trim();
  const service: Service = {
    app,
    url: app.url,
    folder,
    adminToken: read('admin.token'),
    ansibleToken: read('ansible.token'),
    async call(method, path, body, headers = {}) {
      const outside = /^\/(healthz|readyz|metrics|docs|openapi\.json|ansible|credentials\.ics)/.test(path);
      const response = await fetch(`${service.url}${outside ? '' : '/api/v1'}${path}`, {
        method,
        headers: { Authorization: `Bearer ${service.adminToken}`, ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      return {
        status: response.status,
        body: isJson && text !== '' ? JSON.parse(text) : text,
        headers: response.headers,
      };
    },
    pass(time) {
      now = now.add(time);
    },
    now: () => now,
    async restart() {
      await app.close();
      app = await open();
      service.app = app;
      service.url = app.url;
    },
  };
  return service;
}
