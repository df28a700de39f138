import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { faultOfPath, unitOf } from '../../src/cli/unit.ts';
import { temporaryFolder } from '../service.ts';
import { readTools } from '../tools/tools.ts';
import { besideOptions, run } from './run.ts';

const execute = promisify(execFile);
const program = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const isRoot = process.getuid?.() === 0;
const { systemdAnalyze } = readTools();

/** A system that nothing was installed into yet. */
function emptyImage(): string {
  const image = temporaryFolder();
  mkdirSync(join(image, 'etc'));
  writeFileSync(join(image, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
  writeFileSync(join(image, 'etc/group'), 'root:x:0:\n');
  return image;
}

test('the unit is one that systemd takes, and finds well closed', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'rollcall.service');
  const { stdout: unit } = await run(['service', 'install', '--print'], besideOptions(folder));
  writeFileSync(file, unit);

  const { stdout } = await execute(systemdAnalyze, ['security', '--offline=true', '--no-pager', file]);
  const verified = await execute(systemdAnalyze, ['verify', '--man=no', file]);

  const [, level, word] = /Overall exposure level for rollcall.service: ([\d.]+) (\w+)/.exec(stdout) ?? [];
  expect({ level: Number(level) < 2, word }).toEqual({ level: true, word: 'OK' });
  expect(verified.stderr).toBe('');
});

test('the unit starts the program as npm start does, in its own place', async () => {
  const { stdout } = await run(['service', 'install', '--print', '--user', 'roll', '--data-folder', '/srv/roll'], {
    folder: temporaryFolder(),
  });
  const { scripts } = JSON.parse(readFileSync(join(program, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const [, flags] = / node (.*) src\/rollcall\.mjs serve$/.exec(scripts.start) ?? [];

  expect(stdout).toContain(`\nExecStart=${process.execPath} ${flags} ${program}/src/rollcall.mjs serve\n`);
  for (const line of ['User=roll', 'Environment=ROLLCALL_DATA=/srv/roll', 'ReadWritePaths=/srv/roll'])
    expect(stdout).toContain(`\n${line}\n`);
  for (const variable of scripts.start.split(' node ')[0]?.split(' ') ?? [])
    expect(stdout).toContain(`\nEnvironment=${variable}\n`);
});

test.each([
  ['/opt/rollcall', undefined],
  ['/srv/x-1.2_3@y', undefined],
  ['/homework', undefined],
  ['/home/alice/rollcall', 'the service is kept out of /home: move it, to /opt/rollcall for one'],
  ['/root', 'the service is kept out of /root: move it, to /opt/rollcall for one'],
  ['/tmp/rollcall', 'the service is kept out of /tmp: move it, to /opt/rollcall for one'],
  ['/opt/my rollcall', 'name it without blanks and signs'],
  ['/opt/%h', 'name it without blanks and signs'],
])('a program in %s: %s', (path, fault) => {
  expect(faultOfPath(path)).toBe(fault);
});

test('nothing of a unit can be said by a path', () => {
  const parts = {
    program: '/opt/r',
    node: '/opt/r/node',
    user: 'r',
    data: '/d',
    config: '/e/r.yml',
    start: 'node x serve',
  };

  expect(
    unitOf(parts)
      .split('\n')
      .filter((line) => line.startsWith('Exec')),
  ).toEqual(['ExecStart=/opt/r/node /opt/r/src/rollcall.mjs serve']);
});

test('it is installed into a system, with its user, its folders and its settings, and taken away again', async () => {
  const [folder, image] = [temporaryFolder(), emptyImage()];
  const installed = await run(['service', 'install', '--root', image], besideOptions(folder));
  const fault = faultOfPath(program) ?? faultOfPath(process.execPath);

  if (!isRoot) return expect(installed).toMatchObject({ code: 1, stderr: expect.stringContaining('This wants root') });
  if (fault !== undefined) return expect(installed).toMatchObject({ code: 1, stderr: expect.stringContaining(fault) });
  expect(installed).toMatchObject({ code: 0, stderr: '' });
  const again = await run(['service', 'install', '--root', image], besideOptions(folder));
  expect(again).toMatchObject({ code: 0, stderr: '' });
  const [, uid] = /^rollcall:x:(\d+):/m.exec(readFileSync(join(image, 'etc/passwd'), 'utf8')) ?? [];
  const data = statSync(join(image, 'var/lib/rollcall'));
  expect([data.uid, data.mode & 0o777]).toEqual([Number(uid), 0o700]);
  expect(readFileSync(join(image, 'etc/rollcall/rollcall.yml'), 'utf8')).toBe(
    readFileSync(join(program, 'rollcall.example.yml'), 'utf8'),
  );
  const wanted = join(image, 'etc/systemd/system/multi-user.target.wants/rollcall.service');
  expect(statSync(dirname(wanted)).isDirectory()).toBe(true);

  const removed = await run(['service', 'uninstall', '--root', image], besideOptions(folder));
  const gone = await run(['service', 'uninstall', '--root', image], besideOptions(folder));

  expect(removed).toMatchObject({ code: 0, stderr: '' });
  expect(gone).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no ') });
  expect(statSync(join(image, 'var/lib/rollcall')).uid).toBe(Number(uid));
});
