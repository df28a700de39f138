/** `rollcall` as a person runs it: a process of its own, with nothing of this machine's environment. */

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import type { Service } from '../service.ts';

export const launcher = join(import.meta.dirname, '../../src/rollcall.mjs');
export const exampleFile = join(import.meta.dirname, '../../ansible/examples/machines.yml');

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Readonly<Record<string, string>>;
  /** Where it is run, and what is its home. */
  folder: string;
  stdin?: string;
  /** Is told all that was printed so far, whenever that is more. */
  heard?: (stdout: string) => void;
}

export async function run(words: readonly string[], options: RunOptions): Promise<Ran> {
  return await runProgram(process.execPath, [launcher, ...words], options);
}

export async function runProgram(
  program: string,
  words: readonly string[],
  { env = {}, folder, stdin = '', heard }: RunOptions,
): Promise<Ran> {
  const path = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
  const child = spawn(program, words, { cwd: folder, env: { PATH: path, HOME: folder, ...env } });
  const ran: Ran = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    ran.stdout += text;
    heard?.(ran.stdout);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    ran.stderr += text;
  });
  // Who does not read what is sent to it has its reasons.
  child.stdin.on('error', () => undefined).end(stdin);
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...ran, code }));
  });
}

const terminal = `
import os, pty, sys
code = pty.spawn(sys.argv[1:], lambda fd: os.read(fd, 1024))
sys.exit(os.waitstatus_to_exitcode(code))
`;

/** As at a terminal, where `stdin` is what is typed. */
export async function runOnTerminal(words: readonly string[], { env = {}, ...options }: RunOptions): Promise<Ran> {
  const program = ['-c', terminal, process.execPath, launcher, ...words];
  return await runProgram('python3', program, { ...options, env: { ...env, TERM: 'xterm' } });
}

/** Runs it against the data of a service. */
export function besides({ folder }: Service) {
  return async (...words: string[]): Promise<Ran> => await run(words, besideOptions(folder));
}

/** The options of a command beside the service of that folder. */
export function besideOptions(folder: string): RunOptions {
  return { folder, env: { ROLLCALL_DATA: join(folder, 'data') } };
}
