/** Plays estates through the real store: one line for each, the difference where it fails, exit 1 if any does. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Estate, play, seeded } from '../estates/run.ts';

const defaultFolder = new URL('../estates', import.meta.url).pathname;
const usage = 'npm run estates -- [--orders N] [FILE|FOLDER …]';

const args = process.argv.slice(2);
const at = args.indexOf('--orders');
const orders = at < 0 ? 10 : Number(args.splice(at, 2)[1]);
if (!Number.isInteger(orders) || orders < 0) {
  console.error(`--orders must be a number. Usage: ${usage}`);
  process.exit(2);
}
const files = (args.length > 0 ? args : [defaultFolder]).flatMap((path) =>
  statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => name.endsWith('.json'))
        .sort()
        .map((name) => join(path, name))
    : [path],
);

let failed = 0;
for (const file of files) {
  const estate = JSON.parse(readFileSync(file, 'utf8')) as Estate;
  const { faults, seen } = await play(estate).catch((error: Error) => ({
    faults: [{ step: -1, at: '', what: error.stack ?? error.message, got: null, want: null }],
    seen: [],
  }));
  const differing: string[] = [];
  const mayVary = estate.permute || estate.steps.some((step) => step.permute);
  for (let order = 1; mayVary && order <= orders; order += 1) {
    const other = await play(estate, { random: seeded(order), twice: true });
    if (!isDeepStrictEqual(other.seen, seen)) differing.push(`order ${order}: ${firstDifference(other.seen, seen)}`);
  }
  if (faults.length === 0 && !isDeepStrictEqual((await play(estate, { twice: true })).seen, seen))
    differing.push('delivered twice, it is different');
  const isGood = faults.length === 0 && differing.length === 0;
  if (!isGood) failed += 1;
  console.log(
    `${isGood ? 'ok  ' : 'FAIL'} ${estate.name}${mayVary ? ` (${orders - differing.length} of ${orders} orders)` : ''}`,
  );
  for (const { step, what, got, want } of faults)
    console.log(
      `       step ${step}, ${what}\n         got  ${JSON.stringify(got)}\n         want ${JSON.stringify(want)}`,
    );
  for (const difference of differing.slice(0, 3)) console.log(`       ${difference}`);
}
console.log(failed === 0 ? `all ${files.length} hold` : `${failed} of ${files.length} do not hold`);
process.exitCode = failed === 0 ? 0 : 1;

function firstDifference(got: unknown, want: unknown, path = ''): string {
  if (isDeepStrictEqual(got, want)) return '';
  if (typeof got !== 'object' || typeof want !== 'object' || got === null || want === null)
    return `${path}: ${JSON.stringify(got)} for ${JSON.stringify(want)}`;
  for (const key of new Set([...Object.keys(got), ...Object.keys(want)])) {
    const inner = firstDifference((got as never)[key], (want as never)[key], `${path}/${key}`);
    if (inner !== '') return inner;
  }
  return path;
}
