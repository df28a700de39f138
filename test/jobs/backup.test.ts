import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { backupJob } from '../../src/jobs/backup.ts';
import { verifyBackup } from '../../src/store/backup.ts';
import { temporaryFolder } from '../service.ts';
import { openedStore } from '../store/world.ts';
import { context } from './world.ts';

async function world() {
  const folder = join(temporaryFolder(), 'backups');
  let now = Temporal.Instant.from('2026-02-24T03:20:00Z');
  const job = backupJob(await openedStore(), folder, () => now);
  return {
    folder,
    job,
    nextDay: () => {
      now = now.add({ hours: 24 });
    },
    files: () => readdirSync(folder).sort(),
  };
}

test('a day has one backup, which is verified, and the newest seven are kept', async () => {
  const { folder, job, nextDay, files } = await world();
  const counts = [];
  for (let day = 0; day < 9; day += 1) {
    counts.push(await job.run(context));
    nextDay();
  }

  expect(files()).toEqual(
    ['02-26', '02-27', '02-28', '03-01', '03-02', '03-03', '03-04'].map((day) => `daily-2026-${day}.db`),
  );
  expect(counts.slice(5)).toEqual([
    { kept: 6, deleted: 0 },
    { kept: 7, deleted: 0 },
    { kept: 7, deleted: 1 },
    { kept: 7, deleted: 1 },
  ]);
  for (const name of files()) await verifyBackup(join(folder, name));
});

test('a second one on the same day takes the place of the first', async () => {
  const { job, files } = await world();

  await job.run(context);
  await job.run(context);

  expect(files()).toEqual(['daily-2026-02-24.db']);
});

test('what else lies beside them is nobody’s to delete', async () => {
  const { folder, job, nextDay, files } = await world();
  const others = ['before-0002_runs.db', 'daily-2020-01-01.db.kept', 'mine.db'];
  mkdirSync(folder);
  for (const name of others) writeFileSync(join(folder, name), '');

  for (let day = 0; day < 8; day += 1) {
    await job.run(context);
    nextDay();
  }

  expect(files().filter((name) => !/^daily-.*\.db$/.test(name))).toEqual(others);
});

test('it is due at a start on a day that has none yet', async () => {
  const { job, nextDay } = await world();
  const before = await job.isDueAtStart?.();
  await job.run(context);
  const sameDay = await job.isDueAtStart?.();
  nextDay();

  expect({ before, sameDay, nextDay: await job.isDueAtStart?.() }).toEqual({
    before: true,
    sameDay: false,
    nextDay: true,
  });
});
