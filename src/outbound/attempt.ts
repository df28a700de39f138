/** One request to one address, and its whole answer. Whether it is made again is for others to say. */

import { type ClientRequest, type IncomingMessage, request as openRequest } from 'node:http';
import { setImmediate as nextCheck } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { PeerAgent, Sending } from './connect.ts';
import type { OutboundError } from './error.ts';
import { type Asked, isBrokenHttp, lost, trouble, troubleOf } from './trouble.ts';

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
 * Throws OutboundError, or the signal's reason. An answer is whole: its end is told by its length or its last chunk. Of
 * the rare one that ends with its connection nobody can say, unless that was reset.
 */
export async function attempt(agent: PeerAgent, request: Request): Promise<Answer> {
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

async function send(agent: PeerAgent, request: Request, signal: AbortSignal): Promise<Answer> {
  const { address, method, path, body } = request;
  // So that the ends of idle connections are seen: none is taken up whose end arrived while this process was busy.
  await wholeTurn();
  signal.throwIfAborted();
  const options: Sending = { agent: agent.at(address), method, path, headers: headersOf(request), until: signal };
  const sent = openRequest(address, options);
  let response: IncomingMessage | undefined;
  // Not the request where there is a response: it would call what it has so far the whole.
  const cut = () => (response ?? sent).destroy();
  signal.addEventListener('abort', cut, { once: true });
  try {
    sent.end(body);
    response = await responseTo(sent);
    const { statusCode = 0, statusMessage = '', headersDistinct } = response;
    const get = (name: string) => headersDistinct[name.toLowerCase()]?.join(', ') || null;
    const bytes = await readWhole(response, request);
    const unpacked = await unpack(bytes, get('content-encoding'), request);
    const statusText = Buffer.from(statusMessage, 'latin1').toString();
    return { status: statusCode, statusText, headers: { get }, body: new TextDecoder().decode(unpacked), address };
  } finally {
    signal.removeEventListener('abort', cut);
    // What was sent is known to be sent a little later. But if it never was, a peer that has answered need not take it.
    if (!sent.writableFinished) await wholeTurn();
    if (!sent.writableFinished) sent.destroy();
  }
}

/** Of the event loop: what timers and the network have to tell is told. */
async function wholeTurn(): Promise<void> {
  await nextCheck();
  await nextCheck();
}

function headersOf({ headers, body }: Request): Record<string, string> {
  // Node does not tell the length of what a DELETE carries, and it would not arrive.
  const length = body ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  return { 'accept-encoding': 'gzip', ...lowerCased(headers), ...length };
}

async function responseTo(sent: ClientRequest): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    sent.once('response', (response) => {
      resolve(response);
      // What goes wrong after it is told of the request, and would else be taken for the end of the body.
      sent.once('error', (error) => response.destroy(error));
    });
    sent.on('error', reject);
    // As where it is answered with another protocol.
    sent.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
  });
}

/** A header that is named twice in two spellings would be sent twice. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Leaving the loop closes the connection. */
async function readWhole(response: IncomingMessage, request: Request): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > request.maxBytes) throw tooLarge(request);
      parts.push(part);
    }
  } catch (error) {
    // A chunk that is none.
    if (isBrokenHttp(error)) throw trouble('network', request, lost);
    throw error;
  }
  if (!response.complete) throw trouble('network', request, lost);
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
