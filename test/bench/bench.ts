/**
 * `npm run bench`: what speed and size are held to, measured on this machine. A ratio has both its sides in the
 * same run, in turns, and their medians. `--only NAME` runs one part; `--strict` ends with 1 where a limit is missed.
 */

import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import Sqlite from 'better-sqlite3';
import { readTools } from '../tools/tools.ts';
import { benchAnsible } from './ansible.ts';
import { benchBulk } from './bulk.ts';
import { benchCallback } from './callback.ts';
import { benchHeart } from './heart.ts';
import { benchImpact } from './impact.ts';
import { benchInventory } from './inventory.ts';
import { benchProxmox } from './proxmox.ts';
import { benchRuns } from './runs.ts';
import { benchStart } from './start.ts';
import { type Figure, tableOf } from './table.ts';

const parts: Readonly<Record<string, () => Promise<Figure[]>>> = {
  ansible: benchAnsible,
  inventory: benchInventory,
  bulk: benchBulk,
  heart: benchHeart,
  impact: benchImpact,
  runs: benchRuns,
  proxmox: benchProxmox,
  callback: benchCallback,
  start: benchStart,
};

const { values } = parseArgs({ options: { only: { type: 'string' }, strict: { type: 'boolean', default: false } } });
const chosen = values.only === undefined ? Object.keys(parts) : [values.only];
if (chosen.some((name) => !Object.hasOwn(parts, name))) {
  process.stderr.write(`There is no part ${values.only}; known are ${Object.keys(parts).join(', ')}.\n`);
  process.exit(1);
}

process.stdout.write(`${machine()}\n\n`);
const figures: Figure[] = [];
for (const name of chosen) {
  process.stderr.write(`${name} …\n`);
  figures.push(...((await parts[name]?.()) ?? []));
}
const missed = figures.filter(({ isHeld }) => isHeld === false).length;
process.stdout.write(
  `${tableOf(figures)}\n\n${missed === 0 ? 'Every limit is held.' : `${missed} limits are missed.`}\n`,
);
if (values.strict && missed > 0) process.exitCode = 1;

function machine(): string {
  const { version } = new Sqlite(':memory:').prepare('SELECT sqlite_version() AS version').get() as { version: string };
  const { oldest, newest } = readTools().ansible;
  return [
    `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${loadavg()[0]?.toFixed(1)} busy at the start`,
    `Node ${process.versions.node}, SQLite ${version}, ansible-core ${oldest.version} and ${newest.version}`,
  ].join('; ');
}
