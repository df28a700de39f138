/** What was written moves from SQLite's log into the database between writes. */

import { statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { openLog } from '../../src/log.ts';
import { openCheckpoints } from '../../src/store/checkpoint.ts';
import { openFile } from '../../src/store/connection.ts';
import { temporaryFolder } from '../service.ts';

function world(isIdle: () => boolean) {
  const file = `${temporaryFolder()}/a.db`;
  const raw = openFile(file);
  raw.pragma('journal_mode = WAL');
  raw.exec('CREATE TABLE notes (note TEXT)');
  const checkpoints = openCheckpoints(raw, isIdle, openLog('silent', 'json'));
  onTestFinished(() => {
    checkpoints.stop();
    raw.close();
  });
  const waitsInLog = () => {
    const [state] = raw.pragma('wal_checkpoint(NOOP)') as [{ log: number; checkpointed: number }];
    return state.log - state.checkpointed;
  };
  const writePages = (count: number) => raw.prepare('INSERT INTO notes VALUES (?)').run('x'.repeat(count * 4096));
  return { file, raw, checkpoints, waitsInLog, writePages };
}

test('a large write is moved soon after it, and readers see it before and after', async () => {
  const { file, checkpoints, waitsInLog, writePages } = world(() => true);
  writePages(1500);
  const before = waitsInLog();
  const size = statSync(file).size;

  checkpoints.note();
  await expect.poll(waitsInLog).toBe(0);

  expect(before).toBeGreaterThanOrEqual(1500);
  expect(statSync(file).size).toBeGreaterThan(size);
  expect(new Sqlite(file, { readonly: true }).prepare('SELECT count(*) AS count FROM notes').get()).toEqual({
    count: 1,
  });
});

test('a small write stays in the log for the time being', () => {
  const { checkpoints, waitsInLog, writePages } = world(() => true);
  writePages(1);

  checkpoints.note();

  expect(waitsInLog()).toBeGreaterThan(0);
});

test('nothing is moved while a write is under way', async () => {
  let isAsked = false;
  const { checkpoints, waitsInLog, writePages } = world(() => {
    isAsked = true;
    return false;
  });
  writePages(1500);

  checkpoints.note();
  await expect.poll(() => isAsked).toBe(true);

  expect(waitsInLog()).toBeGreaterThanOrEqual(1500);
});
