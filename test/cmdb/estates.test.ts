/**
 * The examples of who is the same machine, through the real store: what must come of each, and that it comes in
 * whatever order things are said, each of them twice. What is in the files stands in test/estates/README.md.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Estate, play, seeded, varies } from '../estates/run.ts';

const folder = join(import.meta.dirname, '../estates');
const estates = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Estate);
/** A share in each run, all of them where there is time. */
const orders = process.env.ROLLCALL_LONG === '1' ? 200 : 6;

test.each(estates.map((estate) => [estate.name, estate] as const))('%s holds', async (_name, estate) => {
  const { faults } = await play(estate);

  expect(faults).toEqual([]);
});

describe('it comes out the same in any order, said twice:', () => {
  test.each(estates.map((estate) => [estate.name, estate] as const))(
    '%s',
    async (_name, estate) => {
      const { seen } = await play(estate);

      // Where no order is free, it is said twice in the one that there is.
      for (let order = 1; order <= (varies(estate) ? orders : 1); order += 1)
        expect((await play(estate, { random: seeded(order), twice: true })).seen, `order ${order}`).toEqual(seen);
    },
    600_000,
  );
});
