/** The inventory over HTTP: unchanged, asked whether it changed, and made anew after one change. */

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { dirname, join } from 'node:path';
import { mixedItems } from './estate.ts';
import { addressOf, type Service, send, startService, stopped } from './service.ts';
import { type Figure, median, milliseconds } from './table.ts';

const hosts = 10_000;
const askings = 60;
const askingsUnchanged = 500;
const changes = 15;
const path = '/api/v1/inventory';

export async function benchInventory(): Promise<Figure[]> {
  const service = await startService();
  await service.call('POST', '/api/v1/ci/bulk', JSON.stringify({ items: mixedItems(hosts) }));
  const figures = [...(await unchanged(service)), await notModified(service), ...(await changed(service))];
  await service.end();
  return figures;
}

async function unchanged(service: Service): Promise<Figure[]> {
  const { body } = await service.call('GET', path);
  const file = join(dirname(service.data), 'inventory.json');
  writeFileSync(file, body);
  const peer = spawn(process.execPath, [join(import.meta.dirname, 'peer.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await addressOf(peer);
  const agent = new Agent({ keepAlive: true });
  const figures: Figure[] = [];
  for (const [what, route, headers] of [
    ['plain', '/plain', {}],
    ['gzip', '/packed', { 'Accept-Encoding': 'gzip' }],
  ] as const) {
    const theirs: number[] = [];
    const ours: number[] = [];
    for (let asking = 0; asking < askings; asking += 1) {
      theirs.push((await send(`${url}${route}`, { agent })).ms);
      ours.push((await service.call('GET', path, undefined, headers)).ms);
    }
    const ratio = median(ours) / median(theirs);
    figures.push({
      what: `GET /inventory unchanged, ${hosts} hosts, ${what}`,
      against: 'express sending a ready Buffer',
      theirs: milliseconds(median(theirs)),
      ours: milliseconds(median(ours)),
      ratio,
      limit: '1.5 x',
      isHeld: ratio <= 1.5,
    });
  }
  agent.destroy();
  await stopped(peer);
  return figures;
}

/** Of the whole time of a call the service's own share is what its processor time grew by. */
async function notModified(service: Service): Promise<Figure> {
  const { headers } = await service.call('GET', path);
  const ask = async () => (await service.call('GET', path, undefined, { 'If-None-Match': String(headers.etag) })).ms;
  for (let asking = 0; asking < askingsUnchanged; asking += 1) await ask();
  await service.probe('start');
  const times: number[] = [];
  for (let asking = 0; asking < askingsUnchanged; asking += 1) times.push(await ask());
  const { cpuMs } = await service.probe('stop');
  const own = cpuMs / askingsUnchanged;
  return {
    what: `GET /inventory answered 304: server time (whole call ${milliseconds(median(times))})`,
    against: '',
    ours: milliseconds(own),
    limit: '1 ms',
    isHeld: own < 1,
  };
}

async function changed(service: Service): Promise<Figure[]> {
  const { body } = await service.call('GET', '/api/v1/ci?limit=1000');
  const { items } = JSON.parse(body.toString()) as { items: { ci_id: string }[] };
  const times: number[] = [];
  const blocks: number[] = [];
  const processor: number[] = [];
  for (let change = 0; change < changes; change += 1) {
    await service.call('PUT', `/api/v1/ci/${items[change]?.ci_id}`, '{"environment": "changed"}');
    await service.probe('start');
    const { ms, headers } = await service.call('GET', path, undefined, { 'Accept-Encoding': 'gzip' });
    times.push(ms);
    processor.push((await service.probe('look')).cpuMs);
    // What is done after the answer is the service's too.
    await service.call('GET', path, undefined, { 'If-None-Match': String(headers.etag) });
    blocks.push((await service.probe('stop')).longestBlockMs);
  }
  return [
    {
      what: `GET /inventory after one item changed, ${hosts} hosts (processor ${milliseconds(median(processor))}, slowest ${milliseconds(Math.max(...times))})`,
      against: '',
      ours: milliseconds(median(times)),
      limit: '150 ms',
      isHeld: median(times) <= 150,
    },
    {
      what: `longest block of the event loop meanwhile (median ${milliseconds(median(blocks))})`,
      against: '',
      ours: milliseconds(Math.max(...blocks)),
      limit: '50 ms',
      isHeld: Math.max(...blocks) <= 50,
    },
  ];
}
