/** `kill -9` at random moments: what was acknowledged is there, nothing is half there, and the next start needs no help. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { differenceOf } from '../../src/cmdb/changes.ts';
import type { Item, ItemId } from '../../src/cmdb/item.ts';
import { bookkeeping } from '../../src/cmdb/settle.ts';
import { loadItems } from '../../src/cmdb/store/items.ts';
import { kyselyOver, openFile } from '../../src/store/connection.ts';
import type { ReadDb } from '../../src/store/open.ts';
import type { Database } from '../../src/store/tables.ts';
import { temporaryFolder } from '../service.ts';
import { type ServiceProcess, startProcess } from './service-process.ts';

const isLong = process.env.ROLLCALL_LONG !== undefined;
const kills = isLong ? 50 : 12;
const killsAtFirstStart = isLong ? 15 : 4;
const seed = 20_260_302;

/** Numbers from 0 to 1, the same in each run: https://en.wikipedia.org/wiki/Xorshift */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** One bulk write, and what is known of it. */
interface Batch {
  name: string;
  keys: string[];
  acknowledged: boolean;
}

interface Writer {
  number: number;
  random: () => number;
  /** Called for each write that was answered. */
  acknowledged: () => void;
}

/** Each writer has machines of its own, and writes them again and again until the service is gone. */
async function writeUntilKilled(url: string, token: string, writer: Writer): Promise<Batch[]> {
  const { number: mine, random, acknowledged } = writer;
  const batches: Batch[] = [];
  for (let number = 0; ; number += 1) {
    const size = 1 + Math.floor(random() ** 2 * 900);
    const first = Math.floor(random() * 600);
    const name = `${mine}.${number}.${random()}`;
    const keys = Array.from({ length: size }, (_, index) => `guest-${mine}-${first + index}`);
    const batch = { name, keys, acknowledged: false };
    batches.push(batch);
    const items = keys.map((key) => ({
      ci_name: key,
      managed_by: 'proxmox-api',
      external_id: key,
      tags: [`batch-${mine}`],
      notes: name,
      technical_specs: { batch: name, memory_mb: 1024 },
    }));
    try {
      const response = await fetch(`${url}/api/v1/ci/bulk`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        body: JSON.stringify({ items: [...items, { ci_nam: 'faulty' }] }),
      });
      const { results } = (await response.json()) as { results: { status: number }[] };
      expect(results.filter(({ status }) => status >= 300)).toHaveLength(1);
      batch.acknowledged = true;
      acknowledged();
    } catch (error) {
      if (error instanceof TypeError) return batches;
      throw error;
    }
  }
}

/** By machine: the name of the batch that it must show, or of a later one that was not acknowledged. */
function expectationsOf(batches: readonly Batch[], known: Map<string, Set<string>>): void {
  for (const { name, keys, acknowledged } of batches)
    for (const key of keys) {
      if (acknowledged) known.set(key, new Set([name]));
      else known.set(key, new Set([...(known.get(key) ?? ['']), name]));
    }
}

interface State {
  items: Map<string, Item>;
  wrong: Record<string, number>;
  integrity: string;
}

const nothingWrong = {
  'items without a claim': 0,
  'claims without an item': 0,
  'claims without identifiers': 0,
  'claims never seen': 0,
  'rows that point nowhere': 0,
  'changes of nothing': 0,
  'items without their making': 0,
  'changes after the revision': 0,
  'items after the revision': 0,
  'items whose changes do not lead to them': 0,
};

const counts: Readonly<Partial<Record<keyof typeof nothingWrong, string>>> = {
  'items without a claim':
    'SELECT count(*) AS n FROM configuration_items i WHERE NOT EXISTS (SELECT 1 FROM claims c WHERE c.ci_id = i.ci_id)',
  'claims without an item': 'SELECT count(*) AS n FROM claims WHERE ci_id IS NULL',
  'claims without identifiers':
    "SELECT count(*) AS n FROM claims c WHERE c.said ->> '$.ci_name' IS NOT NULL AND NOT EXISTS (SELECT 1 FROM identifiers n WHERE n.claim_id = c.claim_id)",
  'claims never seen':
    'SELECT count(*) AS n FROM claims c WHERE NOT EXISTS (SELECT 1 FROM claim_seen s WHERE s.claim_id = c.claim_id)',
  'rows that point nowhere': 'SELECT count(*) AS n FROM pragma_foreign_key_check',
  'changes of nothing':
    "SELECT count(*) AS n FROM changes WHERE subject = 'ci' AND subject_id NOT IN (SELECT ci_id FROM configuration_items)",
  'items without their making':
    "SELECT count(*) AS n FROM configuration_items WHERE ci_id NOT IN (SELECT subject_id FROM changes WHERE action = 'created')",
  'changes after the revision': 'SELECT count(*) AS n FROM changes WHERE revision > (SELECT revision FROM revision)',
  'items after the revision':
    'SELECT count(*) AS n FROM configuration_items WHERE revision > (SELECT revision FROM revision)',
};

async function stateOf(file: string): Promise<State> {
  const raw = openFile(file, { readonly: true });
  const db = kyselyOver(raw);
  try {
    const wrong: Record<string, number> = { ...nothingWrong };
    for (const [what, statement] of Object.entries(counts))
      wrong[what] = Number((await sql.raw<{ n: number }>(statement).execute(db)).rows[0]?.n);
    const ids = await db.selectFrom('configuration_items').select('ci_id').execute();
    const items = [
      ...(
        await loadItems(
          db as ReadDb,
          ids.map((row) => row.ci_id as ItemId),
        )
      ).values(),
    ];
    const told = await replayed(db);
    const unlike = items.filter((item) => JSON.stringify(told.get(item.ci_id)) !== JSON.stringify(documentOf(item)));
    wrong['items whose changes do not lead to them'] = unlike.length;
    const integrity = String(raw.pragma('integrity_check', { simple: true }));
    return { items: new Map(items.map((item) => [item.ci_name, item])), wrong, integrity };
  } finally {
    await db.destroy();
  }
}

/** Each item as its changes tell it, from the first to the last. */
async function replayed(db: Kysely<Database>): Promise<Map<string, object>> {
  const changes = await db
    .selectFrom('changes')
    .select(['subject_id', 'after'])
    .where('subject', '=', 'ci')
    .orderBy('change_no')
    .execute();
  const told = new Map<string, Record<string, unknown>>();
  for (const { subject_id, after } of changes)
    told.set(subject_id, { ...told.get(subject_id), ...(JSON.parse(after) as object) });
  return new Map([...told].map(([id, document]) => [id, ordered(document)]));
}

function documentOf(item: Item): object {
  const after = differenceOf(undefined, item)?.after ?? {};
  return ordered(Object.fromEntries(Object.entries(after).filter(([key]) => !bookkeeping.has(key))));
}

function ordered(document: Record<string, unknown>): object {
  return Object.fromEntries(
    Object.entries(document)
      .filter(([, value]) => value !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** The batch that a machine shows; nothing where there is no such machine. */
function shownBy(items: ReadonlyMap<string, Item>, name: string): string {
  return (items.get(name)?.technical_specs.batch ?? '') as string;
}

async function stopped(service: ServiceProcess): Promise<void> {
  service.child.kill('SIGTERM');
  expect((await service.ended).code).toBe(0);
}

test(`${kills} times killed while it writes, the service has lost nothing and kept nothing by halves`, async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'rollcall.db');
  const random = randomFrom(seed);
  const known = new Map<string, Set<string>>();
  let acknowledged = 0;
  let cutOff = 0;

  for (let round = 0; round <= kills; round += 1) {
    const service = startProcess(folder);
    const url = await service.serves;
    const { items, wrong, integrity } = await stateOf(file);

    expect({ integrity, wrong }).toEqual({ integrity: 'ok', wrong: nothingWrong });
    const unlike = [...known].filter(([name, batches]) => {
      const shown = shownBy(items, name);
      // What the source measured and what the person wrote of one item came in one write.
      return !batches.has(shown) || (items.has(name) && items.get(name)?.notes !== shown);
    });
    expect(unlike).toEqual([]);
    // From here on what stands there is what must stay.
    for (const name of known.keys()) known.set(name, new Set([shownBy(items, name)]));

    if (round === kills) {
      await stopped(service);
      break;
    }
    const token = readFileSync(join(folder, 'admin.token'), 'utf8').trim();
    // After none, one or a few answers, and then at a moment that falls anywhere into the next writes.
    let answersLeft = Math.floor(random() * 4);
    const delay = random() * 400;
    const killSoon = () => setTimeout(() => service.child.kill('SIGKILL'), delay);
    const acknowledgedOne = () => {
      answersLeft -= 1;
      if (answersLeft === 0) killSoon();
    };
    if (answersLeft === 0) killSoon();
    const writers = [0, 1, 2].map((number) =>
      writeUntilKilled(url, token, { number, random, acknowledged: acknowledgedOne }),
    );
    for (const batches of await Promise.all(writers)) {
      const shown = new Set([...items.values()].map((item) => item.technical_specs.batch));
      expect(batches.some((batch) => shown.has(batch.name))).toBe(false);
      expectationsOf(batches, known);
      acknowledged += batches.filter((batch) => batch.acknowledged).length;
      cutOff += batches.filter((batch) => !batch.acknowledged).length;
    }
    const end = await service.ended;
    expect(end).toMatchObject({ signal: 'SIGKILL' });
    expect(end.stderr).not.toMatch(/error|warn/i);
  }

  expect(cutOff).toBeGreaterThanOrEqual(kills);
  expect(acknowledged).toBeGreaterThan(0);
  if (isLong) process.stdout.write(`${kills} kills: ${acknowledged} bulk writes acknowledged, ${cutOff} cut off\n`);
});

test('killed in its first start, it starts the next time as if it were the first', async () => {
  const random = randomFrom(seed);

  for (let round = 0; round < killsAtFirstStart; round += 1) {
    const folder = temporaryFolder();
    const killed = startProcess(folder);
    setTimeout(() => killed.child.kill('SIGKILL'), 150 + random() * 500);
    await killed.ended;
    const service = startProcess(folder);
    const url = await service.serves;

    for (const [name, path] of [
      ['admin', '/ci'],
      ['ansible', '/inventory'],
    ] as const) {
      const token = readFileSync(join(folder, `${name}.token`), 'utf8').trim();
      const { status } = await fetch(`${url}/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } });
      expect(status).toBe(200);
    }
    const { items, wrong, integrity } = await stateOf(join(folder, 'rollcall.db'));
    expect({ items: items.size, integrity, wrong }).toEqual({ items: 1, integrity: 'ok', wrong: nothingWrong });
    await stopped(service);
  }
});
