/** Virtual environments under `.tools`, made once and made anew where one is broken or half made. */

import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { toolsFolder } from './tools.ts';

const execute = promisify(execFile);

/** Something is missing that only the person at this machine can bring; the message says what. */
export class MissingError extends Error {}

export interface Python {
  path: string;
  /** As `3.11`. */
  version: string;
}

/** The first `python3` on the PATH that runs, is new enough, and can make virtual environments. */
export function findPython(): Python {
  const ask = `
import sys
try:
    import ensurepip, venv
    able = True
except ImportError:
    able = False
print(sys.executable, sys.version_info[0], sys.version_info[1], able, sep="\\n")`;
  const faults: string[] = [];
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const candidate = join(folder, 'python3');
    if (!existsSync(candidate)) continue;
    // A version manager leaves shims that run nothing: these are passed over.
    const { status, stdout } = spawnSync(candidate, ['-c', ask], { encoding: 'utf8', timeout: 20_000 });
    const [path = '', major, minor, able] = stdout?.trim().split('\n') ?? [];
    const version = `${major}.${minor}`;
    if (status !== 0) continue;
    if (Number(major) !== 3 || Number(minor) < 9) faults.push(`${candidate} is Python ${version}; 3.9 is needed.`);
    else if (able !== 'True')
      faults.push(`${candidate} cannot make virtual environments: install python${version}-venv.`);
    else return { path, version };
  }
  throw new MissingError(
    [
      'The tests need Python 3.9 or newer with venv and pip (on Debian: apt-get install python3 python3-venv).',
      ...faults,
    ].join(' '),
  );
}

/** The folder of an environment's programs, if the environment is whole. */
export function environmentIn(name: string): string | undefined {
  const folder = join(toolsFolder, name);
  // Written last, and with the place: an environment that was moved or copied does not run.
  const whole = existsSync(mark(name)) && readFileSync(mark(name), 'utf8') === folder;
  return whole && existsSync(join(folder, 'bin/python')) ? join(folder, 'bin') : undefined;
}

/** Makes an environment from nothing; `requirement` is called once its pip can be asked. */
export async function makeEnvironment(
  name: string,
  python: Python,
  requirement: (bin: string) => string | Promise<string>,
): Promise<string> {
  const folder = join(toolsFolder, name);
  rmSync(folder, { recursive: true, force: true });
  await execute(python.path, ['-m', 'venv', folder]);
  await pip(join(folder, 'bin'), ['install', '--quiet', await requirement(join(folder, 'bin'))]);
  writeFileSync(mark(name), folder);
  return join(folder, 'bin');
}

export async function pip(bin: string, words: readonly string[]): Promise<string> {
  const { stdout } = await execute(join(bin, 'python'), ['-m', 'pip', '--no-input', ...words], {
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1' },
  });
  return stdout;
}

/** One at a time, whoever started it; the kernel lets go of the lock when a process dies. */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  mkdirSync(toolsFolder, { recursive: true });
  const lock = new DatabaseSync(join(toolsFolder, 'lock.db'), { timeout: 15 * 60_000 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return await work();
  } finally {
    lock.close();
  }
}

// Pinned, because every release formats a little differently.
const ruffVersion = '0.17.6';

/** The path of ruff, installed where it is missing. */
export async function ruff(): Promise<string> {
  const name = `ruff-${ruffVersion}`;
  const bin = environmentIn(name) ?? (await makeEnvironment(name, findPython(), () => `ruff==${ruffVersion}`));
  return join(bin, 'ruff');
}

const mark = (name: string) => join(toolsFolder, name, 'whole');
