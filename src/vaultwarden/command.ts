/** Bitwarden's CLI as a program: one process for each question, in a group of its own, which ends at its limit. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Environment } from '../environment.ts';
import { answerIn, dataOf, firstLine, mostBytes, tooLarge, tooLate } from './answer.ts';
import type { Bw, TimeLimits } from './bw.ts';
import { VaultError } from './vault.ts';

export interface CommandParts {
  /** Its name on the PATH, or its path. */
  bw: string;
  /** All that it gets, besides the key: what else begins with BW_ would change how it answers. */
  env: Environment;
  /** The key of the vault, read at each use. */
  session: () => Promise<string | undefined>;
  limits: TimeLimits;
}

export function openCommand({ bw, env, session, limits }: CommandParts): Bw {
  return {
    called: bw,
    async ask({ words, limit, youngOption }, signal) {
      const key = await session();
      const environment = key === undefined ? env : { ...env, BW_SESSION: key };
      // The key never among the words: these everybody on the machine can read.
      const ended = await run(bw, ['--nointeraction', '--response', ...words], environment, limits[limit], signal);
      const answer = answerIn(ended.stdout);
      if (answer || ended.code === 0) return dataOf(answer, ended.code === 0, bw);
      if (youngOption && ended.stderr.startsWith(`error: unknown option '${youngOption}'`)) return [];
      throw new VaultError('unavailable', noAnswer(bw, ended, key));
    },
    async version() {
      const { code, stdout } = await run(bw, ['--version'], env, limits.one);
      return code === 0 ? firstLine(stdout) || undefined : undefined;
    },
  };
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function noAnswer(bw: string, { code, stderr }: Ended, key: string | undefined): string {
  const line = firstLine(key === undefined ? stderr : stderr.replaceAll(key, '[secret]'));
  const end = code === null ? 'was ended by a signal' : `ended with the exit code ${code}`;
  return `${bw} ${end}, and without an answer${line === '' ? '' : `: ${line}`}.`;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Rejects with VaultError where it does not start or does not end, or with the signal's reason. */
async function run(
  bw: string,
  words: readonly string[],
  env: Environment,
  limitMs: number,
  signal?: AbortSignal,
): Promise<Ended> {
  signal?.throwIfAborted();
  const child = start(bw, words, env);
  const over = Promise.withResolvers<Ended>();
  const end = (reason: unknown) => {
    over.reject(reason);
    killGroup(child);
  };
  const abort = () => end(signal?.reason);
  const timer = setTimeout(() => end(tooLate(bw, limitMs)), limitMs);
  signal?.addEventListener('abort', abort, { once: true });
  const stdout = gather(child.stdout, mostBytes, () => end(tooLarge(bw)));
  // Prompts and the like; of it nobody reads more than a line.
  const stderr = gather(child.stderr, 4096, () => undefined);
  child.once('error', (error: NodeJS.ErrnoException) => over.reject(notStarted(bw, error)));
  child.once('close', (code) => over.resolve({ code, stdout: stdout(), stderr: stderr() }));
  try {
    return await over.promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** That a program is not there is told later; some other faults are thrown at once. */
function start(bw: string, words: readonly string[], env: Environment): Child {
  try {
    return spawn(bw, words, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  } catch (error) {
    throw notStarted(bw, error as NodeJS.ErrnoException);
  }
}

/** What is read up to `most` bytes; of the rest it is only told that there is one. */
function gather(stream: Readable, most: number, whenMore: () => void): () => string {
  const parts: Buffer[] = [];
  let length = 0;
  stream.on('data', (part: Buffer) => {
    length += part.length;
    if (length <= most) parts.push(part);
    else whenMore();
  });
  return () => Buffer.concat(parts).toString('utf8');
}

/** A password that was printed already is not read: what prints and does not end is not whole. */
function killGroup(child: Child): void {
  child.stdout.destroy();
  child.stderr.destroy();
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function notStarted(bw: string, { code, message }: NodeJS.ErrnoException): VaultError {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "was not found. Install Bitwarden's CLI, or write its path in vaultwarden.bw.",
    EACCES: 'may not be run by this user.',
  };
  return new VaultError('unavailable', `The program ${bw} ${reasons[code ?? ''] ?? `did not start: ${message}.`}`);
}
