/** One request to one address, and its whole answer. Whether it is made again is for others to say. */

import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { type Agent, errors } from 'undici';
import type { OutboundError } from './error.ts';
import { type Asked, lost, trouble, troubleOf } from './trouble.ts';

export interface Answer {
  status: number;
  statusText: string;
  headers: { get(name: string): string | null };
  body: string;
  /** Who answered. */
  address: string;
}

export interface Request extends Asked {
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
  connectMs: number;
  totalMs: number;
  maxBytes: number;
  signal: AbortSignal;
}

/**
 * Throws OutboundError, or the signal's reason. An answer is whole: its end is told by its length or its last chunk. Only
 * of the rare one that ends with its connection nobody can say.
 */
export async function attempt(agent: Agent, request: Request): Promise<Answer> {
  const { signal, totalMs } = request;
  signal.throwIfAborted();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), totalMs);
  try {
    return await send(agent, request, AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    signal.throwIfAborted();
    if (limit.signal.aborted) throw trouble('timeout', request, `there was no whole answer in ${totalMs / 1000} s.`);
    throw await troubleOf(error, request, request.connectMs);
  } finally {
    clearTimeout(timer);
  }
}

async function send(agent: Agent, request: Request, signal: AbortSignal): Promise<Answer> {
  const { address, method, path, body } = request;
  const { statusCode, statusText, headers, ...answer } = await agent.request({
    origin: address,
    method,
    path,
    headers: { 'accept-encoding': 'gzip', ...lowerCased(request.headers) },
    ...(body === undefined ? {} : { body }),
    signal,
  });
  const get = (name: string) => [headers[name.toLowerCase()] ?? []].flat().join(', ') || null;
  const bytes = await readWhole(answer.body, request);
  const unpacked = await unpack(bytes, get('content-encoding'), request);
  return { status: statusCode, statusText, headers: { get }, body: new TextDecoder().decode(unpacked), address };
}

/** A header that is named twice in two spellings would be sent twice. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Leaving the loop closes the connection. */
async function readWhole(body: Readable, request: Request): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > request.maxBytes) throw tooLarge(request);
      parts.push(part);
    }
  } catch (error) {
    // So undici calls a chunk that never ended.
    if (error instanceof errors.HTTPParserError) throw trouble('network', request, lost);
    throw error;
  }
  return Buffer.concat(parts);
}

const gunzipAsync = promisify(gunzip);

/** Node's own, which refuses a packed body that is cut short. */
async function unpack(bytes: Buffer, encoding: string | null, request: Request): Promise<Buffer> {
  const packing = (encoding ?? '').toLowerCase();
  if (packing === '' || packing === 'identity' || bytes.length === 0) return bytes;
  if (packing !== 'gzip' && packing !== 'x-gzip')
    throw trouble('protocol', request, 'its answer is packed in a way that was not asked for.');
  try {
    return await gunzipAsync(bytes, { maxOutputLength: request.maxBytes });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(request);
    throw trouble('network', request, 'its packed answer is damaged or cut short.', code);
  }
}

function tooLarge(request: Request): OutboundError {
  return trouble('protocol', request, `its answer is larger than ${request.maxBytes} bytes.`);
}
