/** A service that takes the callback's calls and keeps them, or takes none, in every way that a test may want. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { type Answer, json, startStandIn } from '../ansible/stand-in.ts';

export interface Call {
  run: string;
  /** What follows the run's id: nothing, `/plays/ID/parts/N`, or `/stats`. */
  what: string;
  body: unknown;
  token: string | undefined;
}

export interface Recorder {
  url: string;
  calls: Call[];
  /** How it answers what it has read; a call is kept only where this is `taking` or `passingTo`. */
  answer: Taking;
  stop: () => Promise<void>;
}

type Taking = (request: IncomingMessage, response: ServerResponse, packed: Buffer<ArrayBuffer>) => void;

export const taking: Answer = json(200, '{"taken":true}');

const keeping = new WeakSet<Taking>([taking]);

/** As a service answers that is really there. */
export function passingTo(url: string): Taking {
  const passOn = async (
    { method = '', url: path, headers }: IncomingMessage,
    response: ServerResponse,
    packed: Buffer<ArrayBuffer>,
  ) => {
    const { authorization = '', 'content-type': type = '', 'content-encoding': encoding = '' } = headers;
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: authorization, 'Content-Type': type, 'Content-Encoding': encoding },
      body: packed,
    });
    response
      .writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') ?? '' })
      .end(await answer.text());
  };
  const passing: Taking = (request, response, packed) => void passOn(request, response, packed);
  keeping.add(passing);
  return passing;
}

export async function startRecorder(answer: Taking = taking, tls?: { key: string; cert: string }): Promise<Recorder> {
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const packed = Buffer.concat(await request.toArray().catch(() => []));
    const given = recorder.answer;
    if (keeping.has(given)) recorder.calls.push(callIn(request, packed));
    given(request, response, packed);
  };
  const standIn = await startStandIn((request, response) => void take(request, response), tls);
  const recorder: Recorder = { url: standIn.url, calls: [], answer, stop: () => standIn.stop() };
  return recorder;
}

function callIn({ method, url = '', headers }: IncomingMessage, packed: Buffer<ArrayBuffer>): Call {
  const [, run, what] = /^\/api\/v1\/runs\/([0-9a-f-]{36})(\/.*)?$/.exec(url) ?? [];
  if (method !== 'PUT' || !run || headers['content-encoding'] !== 'gzip') throw new Error(`${method} ${url}`);
  const body: unknown = JSON.parse(gunzipSync(packed).toString());
  return { run, what: what ?? '', body, token: headers.authorization };
}

/** Reads all, and says nothing. */
export const hanging: Answer = () => {};
