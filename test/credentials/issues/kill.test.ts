/** `kill -9` of the process after an issue was sent and before that was answered: it is there once, and is found again. */

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startProcess } from '../../e2e/service-process.ts';
import { temporaryFolder } from '../../service.ts';
import { type SimFault, startGithubSim } from '../../sims/github-sim.mjs';
import { dump } from '../../yaml.ts';
import { made, openIn, postsIn, token } from './world.ts';

async function estate() {
  const sim = await startGithubSim({ token });
  onTestFinished(() => sim.close());
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  mkdirSync(data);
  const off = { schedule: 'off' };
  const config = dump(join(folder, 'rollcall.yml'), {
    github: { repository: 'octo/infra', token: 'env:GITHUB_TOKEN', base_url: sim.url },
    jobs: { 'check-credentials': off, 'follow-credentials': off },
  });
  const begin = async () => {
    const service = startProcess(data, { env: { ROLLCALL_CONFIG: config, GITHUB_TOKEN: token } });
    const url = await service.serves;
    const admin = readFileSync(join(data, 'admin.token'), 'utf8').trim();
    const call = async (path: string, body: unknown) => {
      const headers = { Authorization: `Bearer ${admin}` };
      const response = await fetch(`${url}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      return (await response.json()) as Record<string, unknown>;
    };
    return { service, call };
  };
  return { sim, begin };
}

test.each<[string, SimFault, string]>([
  ['an issue', { method: 'POST', path: '/issues$', action: 'commit-then-hang' }, 'adopted'],
  ['what is said in it', { method: 'POST', path: '/comments$', action: 'commit-then-hang' }, 'updated'],
])('%s that was sent when the process was killed is there once', async (_, fault, count) => {
  const { sim, begin } = await estate();
  const { service, call } = await begin();
  const day = Temporal.Now.plainDateISO('UTC').add({ days: 8 }).toString();
  const { credential_id } = await call('/credentials', { ...made, next_rotation_due: day });
  if (count === 'updated') {
    await call('/jobs/check-credentials/run', { wait: true });
    await call(`/credentials/${String(credential_id)}/snooze`, { until: '1d', reason: 'moving' });
  }
  sim.addFault(fault);
  await call('/jobs/check-credentials/run', {});
  await expect.poll(() => sim.log.at(-1)?.status, { interval: 10, timeout: 20_000 }).toBe('hang');
  service.child.kill('SIGKILL');
  await service.ended;

  const again = await begin();
  const run = await again.call('/jobs/check-credentials/run', { wait: true });

  expect(run).toMatchObject({ outcome: 'good', [count]: 1 });
  expect([openIn(sim), postsIn(sim), sim.issues()[0]?.comments]).toEqual([[1], 1, count === 'updated' ? 1 : 0]);
});
