/**
 * Readings of ten thousand guests with all that identifies them: the first, one that is the same again, one in which
 * a hundredth changed, facts that find their guests by UUID, and what is asked of an item with a long history. The
 * peer of a reading is the inserting of its rows alone.
 */

import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { type Item, itemsOf } from './estate.ts';
import { insertAgain } from './inserts.ts';
import { type Service, startService } from './service.ts';
import { type Figure, median, milliseconds } from './table.ts';

const count = 10_000;
const rounds = 3;
const changesEach = 100;
const questions = 20;

type Times = Record<string, number[]>;

export async function benchHeart(): Promise<Figure[]> {
  const guests = itemsOf('proxmox-api', count).map((item) => ({ ...item, site_id: 'site-home' }));
  const readings: [string, () => string][] = [
    ['first time', () => pass('proxmox-api:home', guests)],
    ['unchanged', () => pass('proxmox-api:home', guests)],
    ['1 % changed', () => pass('proxmox-api:home', changed(guests))],
    ['facts that find their guests by UUID', () => pass('ansible:facts', guests.flatMap(factsOf))],
    ['facts, unchanged', () => pass('ansible:facts', guests.flatMap(factsOf))],
  ];
  const times: Times = {};
  const blocks: Times = {};
  const inserts: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const service = await startService();
    for (const [name, body] of readings) {
      const sent = body();
      await service.probe('start');
      const { ms } = await service.call('POST', '/api/v1/passes', sent);
      const { longestBlockMs } = await service.probe('stop');
      times[name] = [...(times[name] ?? []), ms];
      blocks[name] = [...(blocks[name] ?? []), longestBlockMs];
      if (name === 'first time') inserts.push(await insertAgain(join(service.data, 'rollcall.db')));
    }
    await service.end();
  }
  const theirs = median(inserts);
  const figures = readings.flatMap(([name]): Figure[] => {
    const ours = median(times[name] ?? []);
    return [
      {
        what: `a reading of ${count} guests, ${name}`,
        against: 'better-sqlite3 alone, the rows of the first',
        theirs: milliseconds(theirs),
        ours: milliseconds(ours),
        ratio: ours / theirs,
        limit: '',
      },
      {
        what: `longest block of the event loop: ${name}`,
        against: '',
        ours: milliseconds(Math.max(...(blocks[name] ?? []))),
        limit: '',
      },
    ];
  });
  return [...figures, ...(await benchHistory(guests))];
}

/** One item among ten thousand that changed a hundred times each: the last change of each, as often as that. */
async function benchHistory(guests: readonly Item[]): Promise<Figure[]> {
  const first = await startService();
  for (const cores of [1, 2])
    await first.call('POST', '/api/v1/passes', pass('proxmox-api:home', withCores(guests, cores)));
  await first.stop();
  repeatChanges(join(first.data, 'rollcall.db'));
  const service = await startService(first.data);
  const figures: Figure[] = [];
  for (const [what, path] of [
    ['explain', 'explain'],
    ['its changes', 'changes'],
    ['the item as it was in the middle', `?at=${encodeURIComponent(await middleOf(service, guests))}`],
  ] as const)
    figures.push({
      what: `${what}, of an item with ${changesEach} changes, among ${count} such`,
      against: '',
      ours: milliseconds(await asked(service, guests, path)),
      limit: '',
    });
  await service.end();
  return figures;
}

/** Writing each of a million changes by a reading of its own would take an hour. */
function repeatChanges(file: string): void {
  const db = new Sqlite(file);
  const columns =
    'subject, subject_id, action, source, actor, change_ref, reason, request_id, pass_id, reverts, before, after, undo, revision';
  db.exec(`
    WITH RECURSIVE times (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM times WHERE n < ${changesEach - 1})
    INSERT INTO changes (change_id, ${columns}, changed_at)
    SELECT lower(hex(randomblob(16))), ${columns}, strftime('%Y-%m-%dT%H:%M:%fZ', changed_at, '+' || n || ' seconds')
    FROM times JOIN changes ON action = 'updated'`);
  db.close();
}

async function middleOf(service: Service, guests: readonly Item[]): Promise<string> {
  const { body } = await service.call('GET', `/api/v1/ci/${guests[0]?.ci_name}/changes?limit=${changesEach}`);
  const { items } = JSON.parse(body.toString()) as { items: { changed_at: string }[] };
  return items[Math.floor(items.length / 2)]?.changed_at ?? '';
}

async function asked(service: Service, guests: readonly Item[], path: string): Promise<number> {
  const times: number[] = [];
  for (let question = 0; question < questions; question += 1) {
    const { ci_name } = guests[(question * 487) % guests.length] as Item;
    const { ms } = await service.call('GET', `/api/v1/ci/${ci_name}${path.startsWith('?') ? '' : '/'}${path}`);
    times.push(ms);
  }
  return median(times);
}

function pass(source: string, items: readonly unknown[]): string {
  return JSON.stringify({ source, complete: true, items });
}

function changed(guests: readonly Item[]): Item[] {
  return guests.map((guest, index) => (index % 100 === 0 ? withSpecs(guest, { memory_mb: 123_456 }) : guest));
}

function withCores(guests: readonly Item[], cpu_cores: number): Item[] {
  return guests.map((guest) => withSpecs(guest, { cpu_cores }));
}

function withSpecs(guest: Item, specs: Record<string, unknown>): Item {
  return { ...guest, technical_specs: { ...guest.technical_specs, ...specs } };
}

/** What a guest says of itself: containers have no UUID of their own. */
function factsOf({ ci_name, technical_specs: { uuid, macs, os, os_version, kernel } }: Item) {
  if (uuid === undefined) return [];
  return [{ ci_name, external_id: ci_name, technical_specs: { uuid, macs, os, os_version, kernel } }];
}
