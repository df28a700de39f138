/** Other systems for a test: real servers on ports of their own, and calls to them. */

import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { onTestFinished, vi } from 'vitest';
import { openLog } from '../../src/log.ts';
import type { Call, Outbound } from '../../src/outbound/caller.ts';
import { OutboundError } from '../../src/outbound/error.ts';
import type { Limits } from '../../src/outbound/limits.ts';
import { openOutbound } from '../../src/outbound/outbound.ts';
import type { Peer } from '../../src/outbound/peer.ts';

export interface Started<S = Server> {
  server: S;
  /** `http://127.0.0.1:PORT` or https. */
  address: string;
  /** What was asked for, in order: `GET /path`. */
  asked: string[];
  connections: () => number;
}

export async function startPeer(answer: RequestListener): Promise<Started> {
  return await started(createServer(), 'http', answer, '127.0.0.1');
}

/** The certificates of test/http/tls. */
export function pairOf(number: 1 | 2): { cert: string; key: string } {
  const read = (name: string) => readFileSync(new URL(`../http/tls/${name}-${number}.pem`, import.meta.url), 'utf8');
  return { cert: read('cert'), key: read('key') };
}

export async function startTlsPeer(answer: RequestListener, host = '127.0.0.1'): Promise<Started<TlsServer>> {
  return await started(createTlsServer(pairOf(1)), 'https', answer, host);
}

async function started<S extends Server | TlsServer>(
  server: S,
  scheme: string,
  answer: RequestListener,
  host: string,
): Promise<Started<S>> {
  const asked: string[] = [];
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  server.on('request', (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  const port = await listening(server, host);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, address: `${scheme}://${host}:${port}`, asked, connections: () => connections };
}

/** Takes connections, and does with them what it is told. */
export async function startTcp(take: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    take(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return await listening(server, '127.0.0.1');
}

async function listening(server: TcpServer, host: string): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

/** Where nothing listens. */
export async function deadAddress(): Promise<string> {
  const server = createTcpServer();
  const port = await listening(server, '127.0.0.1');
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** Full jitter at its least, so that repetitions follow at once. */
export function withoutBackOff(): void {
  const random = vi.spyOn(Math, 'random').mockReturnValue(0);
  onTestFinished(() => random.mockRestore());
}

export interface Opened {
  outbound: Outbound;
  /** Answers the body, or the error. */
  call: (call?: Partial<Call>) => Promise<string | OutboundError>;
  /** What the log said, as JSON. */
  lines: string[];
  /** Outcomes of the attempts. */
  outcomes: string[];
  /** `down` and `up`, as they were told. */
  turns: string[];
}

export function openPeer(peer: Partial<Peer>, limits: Partial<Limits> = {}): Opened {
  const lines: string[] = [];
  const outcomes: string[] = [];
  const turns: string[] = [];
  const peers = openOutbound({
    log: openLog('debug', 'json', (line) => void lines.push(line)),
    clock: () => Temporal.Instant.from('2026-03-02T10:00:00Z'),
    onRequest: (_, outcome) => void outcomes.push(outcome),
    onTurn: (_, trouble) => void turns.push(trouble === undefined ? 'up' : 'down'),
  });
  onTestFinished(() => peers.close());
  const outbound = peers.outbound({ name: 'pve', addresses: [], ...peer }, limits);
  return {
    outbound,
    async call(call = {}) {
      try {
        return (await outbound.call({ path: '/', ...call })).body;
      } catch (error) {
        if (error instanceof OutboundError) return error;
        throw error;
      }
    },
    lines,
    outcomes,
    turns,
  };
}
