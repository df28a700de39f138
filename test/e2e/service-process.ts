/** `rollcall serve` as a user starts it: a process of its own, which prints where it answers, and ends. */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';

export const launcher = new URL('../../src/rollcall.mjs', import.meta.url).pathname;

export interface ProcessOptions {
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** The user that it runs as. */
  uid?: number;
  gid?: number;
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
  /** What it has printed by now. */
  stdout(): string;
}

/** Serves the data of a folder on a free port, unless the environment names another. Killed after the test. */
export function startProcess(data: string, options: ProcessOptions = {}): ServiceProcess {
  const { PATH = '/usr/bin:/bin', HOME = '/' } = process.env;
  const child = spawn(process.execPath, [launcher, '--data', data, 'serve'], {
    cwd: options.cwd ?? '/',
    env: { PATH, HOME, ROLLCALL_LISTEN: '127.0.0.1:0', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
  });
  let stdout = '';
  let stderr = '';
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const serves = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const url = /serves on (http\S+),/.exec(stdout)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    ended.then((end) => reject(new Error(`it ended instead: ${JSON.stringify(end)}`)), reject);
  });
  serves.catch(() => undefined);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, serves, ended, stdout: () => stdout };
}
