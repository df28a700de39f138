/** Plays estates through the real store: one line for each, the difference where it fails, exit 1 if any does. */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Estate, type Fault, play, seeded, varies } from '../estates/run.ts';

const defaultFolder = new URL('../estates', import.meta.url).pathname;
const mostShown = 3;
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
  const { name, faults, differing, note } = await judge(file);
  const isGood = faults.length === 0 && differing.length === 0;
  if (!isGood) failed += 1;
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${name}${note}`);
  for (const { step, what, got, want } of faults)
    console.log(
      `       step ${step}, ${what}\n         got  ${JSON.stringify(got)}\n         want ${JSON.stringify(want)}`,
    );
  for (const difference of differing.slice(0, mostShown)) console.log(`       ${difference}`);
  if (differing.length > mostShown) console.log(`       and ${differing.length - mostShown} more`);
}
console.log(failed === 0 ? `all ${files.length} hold` : `${failed} of ${files.length} do not hold`);
process.exitCode = failed === 0 ? 0 : 1;

interface Judged {
  name: string;
  faults: Fault[];
  differing: string[];
  note: string;
}

/** What of a file does not hold; one that cannot be read, or played, does not hold either. */
async function judge(file: string): Promise<Judged> {
  try {
    const estate = JSON.parse(readFileSync(file, 'utf8')) as Estate;
    const { faults, seen } = await play(estate);
    const differing: string[] = [];
    // Where no order is free, it is said twice in the one that there is.
    const count = varies(estate) ? orders : 1;
    for (let order = 1; order <= count; order += 1) {
      const other = await play(estate, { random: seeded(order), twice: true });
      const difference = firstDifference(other.seen, seen);
      if (difference !== '') differing.push(varies(estate) ? `order ${order}: ${difference}` : `twice: ${difference}`);
    }
    const note = varies(estate) ? ` (${count - differing.length} of ${count} orders)` : '';
    return { name: estate.name ?? file, faults, differing, note };
  } catch (error) {
    const what = `${file}: ${error instanceof Error ? error.message : String(error)}`;
    return { name: file, faults: [{ step: -1, at: '', what, got: 'an error', want: 'none' }], differing: [], note: '' };
  }
}

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
