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
  /** How it answers what it has read; a call is kept only where this is `taking`. */
  answer: Answer;
  stop: () => Promise<void>;
}

export const taking: Answer = json(200, '{"taken":true}');

export async function startRecorder(answer: Answer = taking, tls?: { key: string; cert: string }): Promise<Recorder> {
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const packed = Buffer.concat(await request.toArray().catch(() => []));
    const given = recorder.answer;
    if (given === taking) recorder.calls.push(callIn(request, packed));
    given(request, response);
  };
  const standIn = await startStandIn((request, response) => void take(request, response), tls);
  const recorder: Recorder = { url: standIn.url, calls: [], answer, stop: () => standIn.stop() };
  return recorder;
}

function callIn({ method, url = '', headers }: IncomingMessage, packed: Buffer): Call {
  const [, run, what] = /^\/api\/v1\/runs\/([0-9a-f-]{36})(\/.*)?$/.exec(url) ?? [];
  if (method !== 'PUT' || !run || headers['content-encoding'] !== 'gzip') throw new Error(`${method} ${url}`);
  const body: unknown = JSON.parse(gunzipSync(packed).toString());
  return { run, what: what ?? '', body, token: headers.authorization };
}

/** Reads all, and says nothing. */
export const hanging: Answer = (_request: IncomingMessage, _response: ServerResponse) => {};
