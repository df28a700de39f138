/**
 * Runs the real Ansible commands, and anything else that a user would start, as on a machine where
 * nothing is configured: a home of its own, no ansible.cfg, no ANSIBLE_ or ROLLCALL_ variable.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type AnsibleAge, readTools } from '../tools/tools.ts';

export { type AnsibleAge, ansibleAges } from '../tools/tools.ts';

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** The working directory; also the home, unless `env` names another. */
  cwd: string;
  env?: Readonly<Record<string, string>>;
  age?: AnsibleAge;
}

export type AnsibleCommand =
  | 'ansible'
  | 'ansible-doc'
  | 'ansible-galaxy'
  | 'ansible-inventory'
  | 'ansible-playbook'
  | 'ansible-vault';

export const inventoryScript = new URL('../../ansible/inventory.py', import.meta.url).pathname;

export function runAnsible(
  age: AnsibleAge,
  command: AnsibleCommand,
  words: readonly string[],
  options: RunOptions,
): Promise<Outcome> {
  return runProgram(join(readTools().ansible[age].bin, command), words, { ...options, age });
}

/** `python3` is the one that Ansible of that age runs on. */
export async function runProgram(program: string, words: readonly string[], options: RunOptions): Promise<Outcome> {
  const { bin } = readTools().ansible[options.age ?? 'newest'];
  const env = { PATH: `${bin}:/usr/bin:/bin`, LANG: 'C.UTF-8', HOME: options.cwd, ...options.env };
  const child = spawn(program, words, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    }),
  ]);
  return { code, stdout: stdout.join(''), stderr: stderr.join('') };
}

/** A folder that is gone after the test. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Ansible breaks lines at 79 columns, in the middle of a sentence. */
export const unwrapped = (text: string) => text.replace(/\s+/g, ' ').trim();
