/**
 * `kill -9` while a cluster is discovered: what is told of it is there whole or not at all, what was read already is not
 * read again, and the run that ended so is known as interrupted and holds nobody up.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../service.ts';
import { startSim } from '../sims/pve-sim.mjs';
import { dump } from '../yaml.ts';
import { startProcess } from './service-process.ts';

const guests = 60;
const kills = process.env.ROLLCALL_LONG === undefined ? 4 : 20;
const token = 'sim@pve!test=00000000-0000-4000-8000-000000000001';

interface Shown {
  ci_name: string;
  technical_specs: { vmid: number };
}

async function world() {
  const sim = await startSim(['--port', '0', '--guests', String(guests), '--nodes', '2', '--latency', '4']);
  onTestFinished(() => sim.close());
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'pve.token'), token);
  mkdirSync(join(folder, 'data'));
  const cluster = { name: 'home', addresses: [sim.url], token: `file:${join(folder, 'pve.token')}` };
  const off = { schedule: 'off' };
  const jobs = { 'proxmox-home': off, 'proxmox-home-light': off };
  const config = dump(join(folder, 'rollcall.yml'), { proxmox: { clusters: [cluster] }, jobs });
  const begin = async () => {
    const service = startProcess(join(folder, 'data'), { env: { ROLLCALL_CONFIG: config } });
    const url = await service.serves;
    const admin = readFileSync(join(folder, 'data', 'admin.token'), 'utf8').trim();
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { Authorization: `Bearer ${admin}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return (await response.json()) as Record<string, unknown>;
    };
    const numbers = async () => {
      const found: number[] = [];
      for (const type of ['virtual_machine', 'lxc_container']) {
        const { items } = await call('GET', `/ci?ci_type=${type}&limit=1000`);
        found.push(...(items as Shown[]).map(({ technical_specs }) => technical_specs.vmid));
      }
      return found.sort((a, b) => a - b);
    };
    return { service, call, numbers };
  };
  return { sim, begin };
}

test('a discovery that is killed is whole or absent, and the next one finds all', async () => {
  const { sim, begin } = await world();
  const all = sim
    .truth()
    .guests.map(({ vmid }) => vmid)
    .sort((a, b) => a - b);
  const seen: number[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    const { service, call, numbers } = await begin();
    seen.push((await numbers()).length);
    await call('POST', '/jobs/proxmox-home/run', {});
    await wait((kill * 250) / kills);
    service.child.kill('SIGKILL');
    await service.ended;
  }

  const { call, numbers } = await begin();
  seen.push((await numbers()).length);
  const run = await call('POST', '/jobs/proxmox-home/run', { wait: true });

  expect(run).toMatchObject({ outcome: 'good', missing: 0 });
  expect(await numbers()).toEqual(all);
  expect(seen.filter((count) => count !== 0 && count !== all.length)).toEqual([]);
  const { items } = await call('GET', '/jobs/runs?job=proxmox-home');
  const outcomes = (items as { outcome: string }[]).map(({ outcome }) => outcome);
  expect(outcomes.length).toBe(kills + 1);
  expect(outcomes.filter((outcome) => !['good', 'interrupted'].includes(outcome))).toEqual([]);
});
