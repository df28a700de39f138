/** From starting the process to its first answers, and how much memory it has, with ten thousand items. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { mixedItems } from './estate.ts';
import {
  adminTokenOf,
  probe,
  removeFolder,
  type Service,
  send,
  spawnService,
  startService,
  stopped,
} from './service.ts';
import { type Figure, median, milliseconds } from './table.ts';

const count = 10_000;
const starts = 9;
const startLimit = 1000;
const memoryLimitMb = 250;

export async function benchStart(): Promise<Figure[]> {
  const body = JSON.stringify({ items: mixedItems(count) });
  const service = await startService();
  await service.call('POST', '/api/v1/ci/bulk', body);
  await service.call('GET', '/api/v1/inventory');
  await service.stop();
  const figures = [...(await timesOfStart(service.data)), ...(await memory(service.data, body))];
  removeFolder(dirname(service.data));
  return figures;
}

async function timesOfStart(data: string): Promise<Figure[]> {
  const times: Record<'/healthz' | '/api/v1/inventory', number[]> = { '/healthz': [], '/api/v1/inventory': [] };
  const processor: typeof times = { '/healthz': [], '/api/v1/inventory': [] };
  for (let start = 0; start < starts; start += 1) {
    const listen = `127.0.0.1:${await freePort()}`;
    const began = performance.now();
    const child = spawnService(data, listen);
    for (const path of ['/healthz', '/api/v1/inventory'] as const) {
      await firstAnswer(`http://${listen}${path}`, adminTokenOf(data));
      times[path].push(performance.now() - began);
      processor[path].push((await probe(child, 'look')).cpuMs);
    }
    await stopped(child);
  }
  return (['/healthz', '/api/v1/inventory'] as const).map((path) => ({
    what: `start to the first answer of ${path}, ${count} items (processor ${milliseconds(median(processor[path]))}, slowest ${milliseconds(Math.max(...times[path]))})`,
    against: '',
    ours: milliseconds(median(times[path])),
    // The limit is for its first answer; what has to be made of ten thousand items first is told beside it.
    ...(path === '/healthz' ? { limit: '1 s', isHeld: median(times[path]) <= startLimit } : { limit: '' }),
  }));
}

async function firstAnswer(url: string, token: string): Promise<void> {
  for (;;) {
    const status = await send(url, { token }).then(
      (answered) => answered.status,
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** As the operating system counts it; what a collection of garbage at that moment would leave is told beside it. */
async function memory(data: string, body: string): Promise<Figure[]> {
  const service = await startService(data);
  await service.call('GET', '/api/v1/inventory');
  const served = await resident(service, 'an inventory was served');
  await service.call('POST', '/api/v1/ci/bulk', body);
  await service.call('GET', '/api/v1/inventory');
  const repeated = await resident(service, `and a bulk of ${count} was repeated`);
  await service.stop();
  const fresh = await startService();
  await fresh.call('POST', '/api/v1/ci/bulk', body);
  await fresh.call('GET', '/api/v1/inventory');
  const first = await resident(fresh, `a bulk of ${count} was new, and an inventory served`);
  await fresh.end();
  return [served, repeated, first];
}

async function resident(service: Service, when: string): Promise<Figure> {
  const { residentMb, peakMb } = await service.probe('stop');
  return {
    what: `resident memory with ${count} items, after ${when} (peak ${Math.round(peakMb)} MB)`,
    against: '',
    ours: `${Math.round(residentMb)} MB`,
    limit: `${memoryLimitMb} MB`,
    isHeld: residentMb <= memoryLimitMb,
  };
}
