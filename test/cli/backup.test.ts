import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startService, temporaryFolder } from '../service.ts';
import { besides, run } from './run.ts';

test('a backup that was made while the service runs brings back what was there then', async () => {
  const service = await startService();
  const rollcall = besides(service);
  const file = join(service.folder, 'copy.db');
  await service.call('POST', '/ci', { ci_name: 'before' });

  const made = await rollcall('backup', file);
  await service.call('POST', '/ci', { ci_name: 'after' });
  const refused = await rollcall('restore', file);
  await service.app.close();
  const restored = await rollcall('restore', file);
  await service.restart();

  expect(made.code).toBe(0);
  expect(made.stdout).toMatch(/^Wrote .+copy\.db \(\d+ KiB, verified\)\. "rollcall restore .+" puts it back\.\n$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('Stop that one first');
  expect(restored).toMatchObject({ code: 0, stderr: '' });
  expect(restored.stdout).toMatch(/^The former database was kept as .+rollcall\.db\.before-restore-\w+\.$/m);
  expect((await service.call('GET', '/ci/before')).status).toBe(200);
  expect((await service.call('GET', '/ci/after')).status).toBe(404);
});

test('what is no backup is refused, and nothing is touched', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'x.db'), 'no database');

  const none = await run(['restore', 'y.db'], { folder });
  const other = await run(['restore', 'x.db'], { folder });

  expect(none).toEqual({ code: 1, stdout: '', stderr: `There is no file ${folder}/y.db.\n` });
  expect(other).toEqual({ code: 1, stdout: '', stderr: `${folder}/x.db is not a whole SQLite database.\n` });
  expect(existsSync(join(folder, 'data'))).toBe(false);
});

test('a place that cannot be a backup is told', async () => {
  const service = await startService();
  const rollcall = besides(service);

  const folder = await rollcall('backup', service.folder);
  const itself = await rollcall('backup', join(service.folder, 'data/rollcall.db'));
  const under = await rollcall('backup', '/dev/null/copy.db');

  expect(folder.stderr).toBe(`${service.folder} is a folder: name the file, such as ${service.folder}/rollcall.db.\n`);
  expect(under.stderr).toMatch(/^The copy cannot be written to \/dev\/null\/copy\.db: .+\.\n$/);
  expect(itself.stderr).toContain('is the database itself: name another file.');
  expect(readdirSync(service.folder).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
});

test('without a database there is nothing to back up, and none is made', async () => {
  const folder = temporaryFolder();

  const { code, stderr } = await run(['backup', 'copy.db'], { folder });

  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `There is no database in ${folder}/data; --data names another folder.\n`,
  });
  expect(readdirSync(folder)).toEqual([]);
});
