/**
 * Estates that nobody thought of, through the store and through the reference program of the rules, which stands beside
 * the recordings: step by step both say the same machines, documents, states, names and questions. Where Rollcall
 * means to differ stands in model.ts, rule by rule.
 */

import { expect, test } from 'vitest';
import { differenceOf, shrunk, standingAfter } from './compare.ts';
import { openModel } from './model.ts';
import { randomEstate } from './random-estate.ts';

const isLong = process.env.ROLLCALL_LONG === '1';
const first = Number(process.env.ROLLCALL_SEED ?? 1);
const count = isLong ? 10_000 : 300;

test(
  `${count} random estates come out as the rules say`,
  async () => {
    const playModel = await openModel();
    for (let seed = first; seed < first + count; seed += 1) {
      const estate = randomEstate(seed, (begun) => standingAfter(begun, playModel));
      if (!(await differenceOf(estate, playModel))) continue;
      const small = await shrunk(estate, playModel);
      expect.fail(
        `ROLLCALL_SEED=${seed}: ${JSON.stringify(small.difference, null, 1)}\n${JSON.stringify(small.estate, null, 1)}`,
      );
    }
  },
  isLong ? 3 * 3_600_000 : 300_000,
);
