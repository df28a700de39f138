/** The real service, in a process of its own, so that nothing of the bench's own work counts as the service's. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../..');

export type Question = 'start' | 'look' | 'stop';

/** What probe.mjs tells. */
export interface Probed {
  longestBlockMs: number;
  /** Processor time of the span, of all threads. */
  cpuMs: number;
  residentMb: number;
  /** The most that it ever had. */
  peakMb: number;
}

export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** From sending to the last byte. */
  ms: number;
}

export interface Service {
  url: string;
  data: string;
  adminToken: string;
  /** A call with the admin token. Throws for anything but 2xx and 304. */
  call(method: string, path: string, body?: string | Buffer, headers?: Record<string, string>): Promise<Answered>;
  probe(question: Question): Promise<Probed>;
  /** Leaves the data. */
  stop(): Promise<void>;
  /** Takes the data away too. */
  end(): Promise<void>;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Starts it on new data, or on those that another one left. */
export async function startService(data = join(temporaryFolder(), 'data')): Promise<Service> {
  const child = spawnService(data, '127.0.0.1:0');
  const url = await addressOf(child);
  const adminToken = adminTokenOf(data);
  const agent = new Agent({ keepAlive: true });
  const stop = async () => {
    agent.destroy();
    await stopped(child);
  };
  return {
    url,
    data,
    adminToken,
    async call(method, path, body, headers) {
      const answered = await send(`${url}${path}`, { method, body, agent, token: adminToken, headers });
      if (answered.status >= 300 && answered.status !== 304)
        throw new Error(`${method} ${path} was answered with ${answered.status}: ${answered.body.toString()}`);
      return answered;
    },
    probe: (question) => probe(child, question),
    stop,
    async end() {
      await stop();
      removeFolder(dirname(data));
    },
  };
}

/** The process alone, as `npm start` makes it, with the probe in it. */
export function spawnService(data: string, listen: string): ChildProcess {
  const home = dirname(data);
  const probe = join(import.meta.dirname, 'probe.mjs');
  const { flags, env } = startWords();
  const words = [...flags, '--import', probe, join(root, 'src/rollcall.mjs'), '--data', data, 'serve'];
  return spawn(process.execPath, words, {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, ROLLCALL_LISTEN: listen, ...env },
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
}

/**
 * What `npm start` tells Node: less room for what is young, which a service that runs for months need not have, and one
 * place from which the system's allocator takes memory, since all but one of its threads need little.
 */
function startWords(): { flags: string[]; env: Record<string, string> } {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const words = scripts.start.split(' ');
  const given = words.filter((word) => /^[A-Z_]+=/.test(word)).map((word) => word.split('=') as [string, string]);
  return { flags: words.filter((word) => word.startsWith('--')), env: Object.fromEntries(given) };
}

export function adminTokenOf(data: string): string {
  return readFileSync(join(data, 'admin.token'), 'utf8').trim();
}

export function probe(child: ChildProcess, question: Question): Promise<Probed> {
  return new Promise((resolve) => {
    child.once('message', (answer) => resolve(answer as Probed));
    child.send(question);
  });
}

export async function stopped(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exit;
}

/** The address in what a program prints at its start. */
export async function addressOf(child: ChildProcess): Promise<string> {
  let text = '';
  return await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`It ended with ${code} at its start:\n${text}`)));
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const url = /http:\/\/[\d.]+:\d+/.exec(text)?.[0];
      if (url) resolve(url);
    });
  });
}

export interface Sent {
  method?: string;
  body?: string | Buffer | undefined;
  agent?: Agent;
  token?: string;
  headers?: Record<string, string> | undefined;
}

export function send(url: string, { method = 'GET', body, agent, token, headers = {} }: Sent = {}): Promise<Answered> {
  const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const sent = request(url, { method, ...(agent ? { agent } : {}), headers: { ...authorization, ...headers } });
    sent.once('error', reject).once('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('error', reject).once('end', () => {
        const ms = performance.now() - began;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts), ms });
      });
    });
    sent.end(body);
  });
}
