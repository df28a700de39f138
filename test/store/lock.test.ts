import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { StartError } from '../../src/errors.ts';
import { isLocked } from '../../src/store/lock.ts';
import { temporaryFolder } from '../service.ts';
import { openedStore } from './world.ts';

test('data that one store has open are refused to a second, in one sentence', async () => {
  const folder = temporaryFolder();
  await openedStore(folder);

  const second = await openedStore(folder).catch((error: unknown) => error);

  expect(second).toBeInstanceOf(StartError);
  expect(second).toMatchObject({
    message: `Another Rollcall is using the data in ${folder}. Stop that one first, or choose another folder with --data or ROLLCALL_DATA.`,
  });
});

test('data are free once their store is closed', async () => {
  const folder = temporaryFolder();
  const first = await openedStore(folder);
  await first.close();

  const second = await openedStore(folder);

  expect(second.isNew).toBe(false);
});

test('data are free once the process that had them open was killed', async () => {
  const folder = temporaryFolder();
  const program = `
    const { openStore } = await import('${new URL('../../src/store/open.ts', import.meta.url).href}');
    const { openLog } = await import('${new URL('../../src/log.ts', import.meta.url).href}');
    await openStore(${JSON.stringify(folder)}, openLog('silent', 'json'));
    console.log('open');
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const whileItRan = await openedStore(folder).catch((error: Error) => error.message);

  child.kill('SIGKILL');
  await ended;
  const store = await openedStore(folder);

  expect(whileItRan).toContain('Another Rollcall is using the data');
  expect(store.isNew).toBe(false);
});

test('whether data are in use can be asked, and asking makes nothing', async () => {
  const folder = temporaryFolder();
  const before = isLocked(folder);
  const made = existsSync(join(folder, 'lock.db'));

  const store = await openedStore(folder);
  const during = isLocked(folder);
  await store.close();

  expect({ before, made, during, after: isLocked(folder) }).toEqual({
    before: false,
    made: false,
    during: true,
    after: false,
  });
});
