/** The endpoints of jobs that a test brings, served over the real HTTP floor. */

import { onTestFinished } from 'vitest';
import * as paging from '../../src/http/paging.ts';
import type { Job } from '../../src/jobs/jobs.ts';
import { openJobs } from '../../src/jobs/open.ts';
import { jobEndpoints } from '../../src/jobs/routes.ts';
import { openFloor } from '../http/floor.ts';
import { quiet } from '../store/world.ts';
import { noon } from './world.ts';

export async function serveJobs(jobs: readonly Job[]) {
  const closings: (() => Promise<void>)[] = [];
  const floor = await openFloor((store) => {
    const opened = openJobs(jobs, { settings: {}, timeZone: 'UTC', store, clock: () => noon, log: quiet });
    closings.push(() => opened.close(0));
    return jobEndpoints({ jobs: opened, store, paging });
  });
  onTestFinished(async () => {
    for (const close of closings) await close();
  });
  const token = await floor.token('cron', ['jobs:run']);
  return {
    url: floor.url,
    token,
    call: async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${floor.url}/api/v1${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
  };
}
