/**
 * `kill -9` while a reading is taken in which every guest has another number than before: it is there whole or not at
 * all, each machine is the one that it was, and who reads meanwhile sees the former state.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../service.ts';
import { type ServiceProcess, startProcess } from './service-process.ts';

const kills = process.env.ROLLCALL_LONG === undefined ? 5 : 25;
const guests = 900;

interface Shown {
  ci_id: string;
  ci_name: string;
  ci_status: string;
  generation: number;
  technical_specs: { vmid: number; reading: number };
}

/** The same machines in each reading, under numbers of its own. */
function reading(number: number) {
  const items = Array.from({ length: guests }, (_, index) => {
    const vmid = 100 + index + (number % 2) * 10_000;
    const digits = index.toString(16).padStart(4, '0');
    return {
      ci_type: 'virtual_machine',
      ci_name: `guest-${index}`,
      ci_status: 'running',
      external_id: `home/qemu/${vmid}`,
      technical_specs: {
        vmid,
        node: `pve${index % 3}`,
        uuid: `926c2366-ccf8-46fb-ab3f-95c53580${digits}`,
        macs: [`bc:24:11:00:${digits.slice(0, 2)}:${digits.slice(2)}`],
        reading: number,
      },
    };
  });
  return { source: 'proxmox-api:home', complete: true, items };
}

async function call(service: { url: string; token: string }, method: string, path: string, body?: unknown) {
  const response = await fetch(`${service.url}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${service.token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as { items: Shown[]; outcome: string } };
}

async function begin(folder: string): Promise<{ process: ServiceProcess; url: string; token: string }> {
  const process = startProcess(folder);
  const url = await process.serves;
  return { process, url, token: readFileSync(join(folder, 'admin.token'), 'utf8').trim() };
}

async function guestsIn(service: { url: string; token: string }): Promise<Shown[]> {
  return (await call(service, 'GET', '/ci?ci_type=virtual_machine&limit=1000')).body.items;
}

const readingsOf = (items: readonly Shown[]) => [...new Set(items.map((item) => item.technical_specs.reading))];
const idsOf = (items: readonly Shown[]) => Object.fromEntries(items.map(({ ci_name, ci_id }) => [ci_name, ci_id]));

test(`${kills} times killed while every guest gets another number, the reading is whole or absent`, async () => {
  const folder = temporaryFolder();
  let service = await begin(folder);
  const first = await call(service, 'POST', '/passes', reading(0));
  const known = idsOf(await guestsIn(service));
  let last = 0;
  let longest = 400;
  let whole = 0;
  let absent = 0;

  for (let kill = 1; kill <= kills; kill += 1) {
    const number = last + 1;
    const began = performance.now();
    const sent = call(service, 'POST', '/passes', reading(number)).then(
      ({ status }) => ({ status, took: performance.now() - began }),
      () => undefined,
    );
    const seen: Shown[][] = [];
    const end = (longest * kill) / kills;
    while (performance.now() - began < end) {
      const items = await guestsIn(service).catch(() => []);
      if (items.length > 0) seen.push(items);
    }
    service.process.child.kill('SIGKILL');
    const answered = await sent;
    await service.process.ended;
    if (answered) longest = Math.max(longest, answered.took * 1.1);
    service = await begin(folder);
    const items = await guestsIn(service);

    for (const state of seen) expect(readingsOf(state)).toHaveLength(1);
    expect(readingsOf(items)).toHaveLength(1);
    expect(idsOf(items)).toEqual(known);
    const [stands] = readingsOf(items);
    expect([last, number]).toContain(stands);
    if (answered) expect(stands).toBe(number);
    expect(new Set(items.map((item) => `${item.ci_status} ${item.generation}`))).toEqual(new Set(['running 1']));
    if (stands === number) whole += 1;
    else absent += 1;
    last = stands as number;
  }

  expect(first).toMatchObject({ status: 200, body: { outcome: 'good' } });
  expect(whole + absent).toBe(kills);
  expect(absent).toBeGreaterThan(0);
  service.process.child.kill('SIGTERM');
  await service.process.ended;
});
