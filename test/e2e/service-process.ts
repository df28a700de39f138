/** `rollcall serve` as a user starts it: a process of its own, which prints where it answers, and ends. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';

export const launcher = new URL('../../src/rollcall.mjs', import.meta.url).pathname;

export interface ProcessOptions {
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** What runs it, such as setpriv or unshare with their words. */
  under?: readonly string[];
  /** Instead of the Node that runs the tests, with words of its own. */
  node?: readonly string[];
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ServiceProcess {
  child: ChildProcessByStdio<null, Readable, Readable>;
  /** Resolves once it says that it serves, with its address; rejects where it ends instead. */
  serves: Promise<string>;
  ended: Promise<Ended>;
  /** Resolves once it has printed or logged this. */
  says: (words: RegExp) => Promise<void>;
}

/** Serves the data of a folder on a free port, unless the environment names another. Killed after the test. */
export function startProcess(data: string, options: ProcessOptions = {}): ServiceProcess {
  const { PATH = '/usr/bin:/bin', HOME = '/' } = process.env;
  const command = [
    ...(options.under ?? []),
    ...(options.node ?? [process.execPath]),
    launcher,
    '--data',
    data,
    'serve',
  ];
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: options.cwd ?? '/',
    env: { PATH, HOME, ROLLCALL_LISTEN: '127.0.0.1:0', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const heard = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  const match = (words: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = words.exec(stdout) ?? words.exec(stderr);
        if (found) resolve(found[1] ?? '');
      };
      listeners.add(look);
      look();
      ended.then((end) => reject(new Error(`it ended instead: ${JSON.stringify(end)}`)), reject);
    });
  const serves = match(/serves on (http\S+),/);
  serves.catch(() => undefined);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, serves, ended, says: async (words) => void (await match(words)) };
}
