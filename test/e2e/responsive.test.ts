/** A long write keeps nobody waiting who only reads. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../service.ts';
import { startProcess } from './service-process.ts';

const mostItems = 10_000;

/** A client of a service in a process of its own; notes in which order its calls are answered. */
async function client() {
  const data = temporaryFolder();
  const url = await startProcess(data).serves;
  const headers = { Authorization: `Bearer ${readFileSync(join(data, 'admin.token'), 'utf8').trim()}` };
  const answered: string[] = [];
  const ask = async (path: string, body?: string) => {
    const response = await fetch(url + path, { headers, ...(body === undefined ? {} : { method: 'POST', body }) });
    const bytes = await response.arrayBuffer();
    answered.push(path);
    expect(response.status).toBe(200);
    return JSON.parse(Buffer.from(bytes).toString()) as unknown;
  };
  return { ask, answered };
}

test('what is sent during a bulk write of 10,000 is answered before it is, of a state without its halves', async () => {
  const { ask, answered } = await client();
  const items = Array.from({ length: mostItems }, (_, n) => ({
    ci_name: `vm-${n}`,
    ci_type: 'virtual_machine',
    managed_by: 'proxmox-api',
    external_id: `home/${n}`,
    technical_specs: { vmid: n + 1, node: 'pve1', memory_mb: 2048, addresses: [`10.1.${n >> 8}.${n & 255}`] },
  }));
  const body = JSON.stringify({ items });

  for (const round of ['first', 'unchanged']) {
    answered.length = 0;
    const bulk = ask('/api/v1/ci/bulk', body);
    const [, , inventory] = await Promise.all([ask('/healthz'), ask('/readyz'), ask('/api/v1/inventory')]);
    const { results } = (await bulk) as { results: { status: number }[] };

    expect(answered).toHaveLength(4);
    expect(answered.at(-1)).toBe('/api/v1/ci/bulk');
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set([round === 'first' ? 201 : 200]));
    const hosts = Object.keys((inventory as { _meta: { hostvars: object } })._meta.hostvars);
    expect(hosts).toHaveLength(round === 'first' ? 1 : mostItems + 1);
    // Made once, it is ready for those who ask during the next.
    await ask('/api/v1/inventory');
  }
});

test('all through a bulk write of 10,000 a client that asks again and again is answered', async () => {
  const { ask, answered } = await client();
  const items = Array.from({ length: mostItems }, (_, n) => ({ ci_name: `vm-${n}` }));
  const bulk = ask('/api/v1/ci/bulk', JSON.stringify({ items }));

  while (!answered.includes('/api/v1/ci/bulk')) await Promise.all([ask('/healthz'), ask('/api/v1/inventory')]);

  await bulk;
  const before = answered.slice(0, answered.indexOf('/api/v1/ci/bulk'));
  for (const path of ['/healthz', '/api/v1/inventory'])
    expect(before.filter((one) => one === path).length).toBeGreaterThan(5);
});
