/** Ten thousand items in one call: the time, against the inserting alone, and what others have to wait meanwhile. */

import { Agent } from 'node:http';
import { join } from 'node:path';
import { type Item, itemsOf, mixedItems } from './estate.ts';
import { insertAgain } from './inserts.ts';
import { type Answered, type Service, send, startService } from './service.ts';
import { type Figure, median, milliseconds } from './table.ts';

const count = 10_000;
const rounds = 7;
const repeats = 3;
const firstLimit = 3;
const unchangedLimit = 0.5;

const variants: readonly { name: string; items: () => Item[] }[] = [
  { name: 'a third each with keys of Proxmox, Terraform, and none', items: () => mixedItems(count) },
  { name: 'all with keys from one client of Proxmox', items: () => itemsOf('proxmox-api', count) },
  { name: 'none with a key', items: () => itemsOf('people', count) },
];

export async function benchBulk(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, items } of variants) {
    const body = JSON.stringify({ items: items() });
    figures.push(...(await times(name, body)), ...(await meanwhile(name, body)));
  }
  return figures;
}

async function times(name: string, body: string): Promise<Figure[]> {
  const first: number[] = [];
  const unchanged: number[] = [];
  const inserts: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const service = await startService();
    first.push((await bulk(service, body)).ms);
    inserts.push(await insertAgain(join(service.data, 'rollcall.db')));
    const again: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat += 1) again.push((await bulk(service, body)).ms);
    unchanged.push(median(again));
    await service.end();
  }
  const figure = (what: string, ours: number[], most: number): Figure => {
    // Round by round: a machine may be faster in one minute than in the next.
    const ratio = median(ours.map((time, round) => time / (inserts[round] as number)));
    return {
      what: `POST /ci/bulk of ${count}, ${what}: ${name}`,
      against: 'better-sqlite3 alone, the same rows',
      theirs: milliseconds(median(inserts)),
      ours: milliseconds(median(ours)),
      ratio,
      limit: `${most} x`,
      isHeld: ratio <= most,
    };
  };
  return [figure('first time', first, firstLimit), figure('unchanged', unchanged, unchangedLimit)];
}

/** The event loop is watched from inside the service; the requests of others go out as soon as the bulk is under way. */
async function meanwhile(name: string, body: string): Promise<Figure[]> {
  const service = await startService();
  const figures: Figure[] = [];
  for (const what of ['first time', 'unchanged']) {
    await service.call('GET', '/api/v1/inventory');
    await service.probe('start');
    let isDone = false;
    const sent = bulk(service, body).finally(() => {
      isDone = true;
    });
    const waits = await waitsOf(service, () => isDone);
    await sent;
    const { longestBlockMs } = await service.probe('stop');
    figures.push(
      {
        what: `longest block of the event loop, ${what}: ${name}`,
        against: '',
        ours: milliseconds(longestBlockMs),
        limit: '',
      },
      ...(['/healthz', '/api/v1/inventory'] as const).map((path) => ({
        what: `${path} sent meanwhile, ${what}, the slowest of ${waits[path].length}`,
        against: '',
        ours: milliseconds(Math.max(...waits[path].map(({ ms }) => ms))),
        limit: 'before the bulk is done',
        isHeld: waits[path].length > 0 && waits[path].every(({ inTime }) => inTime),
      })),
    );
  }
  await service.end();
  return figures;
}

type Wait = { ms: number; inTime: boolean };

/** Both questions one after the other, again and again while the bulk is at work; the last one may outlast it. */
async function waitsOf(service: Service, isDone: () => boolean) {
  const agent = new Agent({ keepAlive: true });
  const waits: Record<'/healthz' | '/api/v1/inventory', Wait[]> = { '/healthz': [], '/api/v1/inventory': [] };
  // The first of each is what the limit is about; the others show that it was no luck.
  for (let round = 0; !isDone(); round += 1) {
    for (const path of ['/healthz', '/api/v1/inventory'] as const) {
      if (round === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const { ms } = await send(`${service.url}${path}`, { agent, token: service.adminToken });
      if (round === 0 || !isDone()) waits[path].push({ ms, inTime: !isDone() });
    }
  }
  agent.destroy();
  return waits;
}

async function bulk(service: Service, body: string): Promise<Answered> {
  const answered = await service.call('POST', '/api/v1/ci/bulk', body);
  const { results } = JSON.parse(answered.body.toString()) as { results: { status: number }[] };
  if (results.length !== count || results.some(({ status }) => status >= 300))
    throw new Error('The bulk did not take every item.');
  return answered;
}
