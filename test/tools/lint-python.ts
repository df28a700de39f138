/** `npm run check` for the Python in `ansible/`: ruff's rules and format, as `ansible/ruff.toml` sets them. */

import { spawnSync } from 'node:child_process';
import { alone, MissingError, ruff } from './python.ts';

const folder = new URL('../../ansible', import.meta.url).pathname;

try {
  const program = await alone(ruff);
  const runs = [
    ['check', '--quiet', '--no-cache', folder],
    ['format', '--quiet', '--no-cache', '--diff', folder],
  ].map((words) => spawnSync(program, words, { stdio: 'inherit' }));
  if (runs.some(({ status }) => status !== 0)) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${error instanceof MissingError ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
