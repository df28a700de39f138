/**
 * A `bw serve` of this machine, over its socket or loopback: a process beside ours, which is asked as the program is. So
 * neither of them is a peer with addresses, retries and a breaker.
 */

import { type IncomingMessage, request } from 'node:http';
import { answerIn, dataOf, mostBytes, notUnderstood, tooLarge, tooLate } from './answer.ts';
import type { Bw, Question, TimeLimits } from './bw.ts';
import { VaultError } from './vault.ts';

/** `address` is unix:///PATH or http://LOOPBACK:PORT. */
export function openServe(address: string, limits: TimeLimits): Bw {
  const called = `bw serve at ${address}`;
  return {
    called,
    async ask(question, signal) {
      const limitMs = limits[question.limit];
      const late = AbortSignal.timeout(limitMs);
      try {
        const answer = await send(address, question, signal ? AbortSignal.any([signal, late]) : late);
        if (answer.status !== 200 && answer.status !== 400) throw otherStatus(called, answer.status);
        return dataOf(answerIn(await bodyOf(answer.message, called)), answer.status === 200, called);
      } catch (error) {
        signal?.throwIfAborted();
        if (late.aborted) throw tooLate(called, limitMs);
        if (error instanceof VaultError) throw error;
        throw notReached(called, error as NodeJS.ErrnoException);
      }
    },
    version: () => Promise.resolve(undefined),
  };
}

interface Answered {
  status: number;
  message: IncomingMessage;
}

async function send(address: string, { method, path }: Question, signal: AbortSignal): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  const { protocol, hostname, port, pathname } = new URL(address);
  const where =
    protocol === 'unix:'
      ? // It takes no other name, and the port is the one that it would listen on.
        { socketPath: decodeURIComponent(pathname), headers: { Host: 'localhost:8087' } }
      : { hostname: hostname.replaceAll(/[[\]]/g, ''), port: port || 80 };
  const asked = request({ ...where, method, path, signal, agent: false });
  asked.once('error', reject);
  asked.once('response', (message) => resolve({ status: message.statusCode ?? 0, message }));
  asked.end();
  return await promise;
}

async function bodyOf(message: IncomingMessage, called: string): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > mostBytes) throw tooLarge(called);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function otherStatus(called: string, status: number): VaultError {
  if (status === 403)
    return new VaultError('unavailable', `${called} refuses us: does it listen under another name or port than this?`);
  return notUnderstood(called);
}

function notReached(called: string, { code, message }: NodeJS.ErrnoException): VaultError {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'its socket is not there. Start it.',
    ECONNREFUSED: 'nobody answers there. Start it.',
    EACCES: 'this user may not use its socket. It must run as the user of the service.',
  };
  return new VaultError(
    'unavailable',
    `${called}: ${reasons[code ?? ''] ?? `it did not answer (${code ?? message}).`}`,
  );
}
