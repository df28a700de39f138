/** A small HTTP server in the place of the service, for answers that the service itself never gives. */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface StandIn {
  url: string;
  asked: IncomingMessage[];
  /** How it answers; may be changed while it runs. */
  answer: Answer;
  stop(): Promise<void>;
}

export async function startStandIn(answer: Answer, tls?: { key: string; cert: string }): Promise<StandIn> {
  const listener: RequestListener = (request, response) => {
    standIn.asked.push(request);
    standIn.answer(request, response);
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(stop);
  const { port } = server.address() as AddressInfo;
  const standIn: StandIn = { url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, asked: [], answer, stop };
  return standIn;
}

/** Something that listens and speaks no HTTP, or nothing at all. Returns its address. */
export async function startSocket(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createSocketServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers as the service does: gzip, an ETag, and 304 to whoever has that one already. */
export function serving(content: unknown): Answer {
  const body = JSON.stringify(content);
  const etag = `"1-${createHash('sha256').update(body).digest('hex').slice(0, 12)}"`;
  return (request, response) => {
    // What a playbook did is taken, and is none of its business.
    if (request.method === 'PUT') {
      request.resume().on('end', () => response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}'));
      return;
    }
    response.setHeader('ETag', etag).setHeader('Vary', 'X-Rollcall-Controller');
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304).end();
      return;
    }
    response
      .writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Encoding': 'gzip' })
      .end(gzipSync(body));
  };
}

export const json =
  (status: number, body: string, type = 'application/json'): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'Content-Type': type }).end(body);
  };
