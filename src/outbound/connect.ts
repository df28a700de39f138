/** Connections to a peer: each stands and is known to be the peer's before anybody can write to it, and is kept for later. */

import { Agent as HttpAgent, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Limits } from './limits.ts';
import type { Peer } from './peer.ts';
import { findFault, verification } from './trust.ts';

export interface PeerAgent {
  /** For one address of the peer. */
  at: (address: string) => HttpAgent;
  /** Ends every connection, and waits until they have ended. */
  destroy: () => Promise<void>;
}

/** A request to an agent says for how long it wants the connection that is opened for it, if it does not stand yet. */
export interface Sending extends RequestOptions {
  until: AbortSignal;
}

export function agentOf(peer: Peer, { connectMs, atOnce, keepAliveMs }: Limits): PeerAgent {
  const open = new Set<Socket>();
  const options = {
    keepAlive: true,
    // Of idle ones. The peer's own word for it, a header, is kept to where it is shorter.
    timeout: keepAliveMs,
    maxFreeSockets: atOnce,
    // In the other order Node's agent may take up one that was closed a moment ago.
    scheduling: 'fifo',
    // And no maxSockets: the caller keeps to so many calls at once. Behind that limit Node's agent would let a call wait
    // for idle connections to another address, and open its connection with what another call said.
  } as const;
  let plain: HttpAgent | undefined;
  let secure: HttpsAgent | undefined;
  const agents = {
    'http:': () => (plain ??= handOver(new HttpAgent(options), 'connect')),
    'https:': () =>
      (secure ??= handOver(
        new HttpsAgent({
          ...options,
          ...verification(peer),
          ALPNProtocols: ['http/1.1'],
          // A session that is taken up again shows no certificate to compare.
          ...(peer.fingerprint === undefined ? {} : { maxCachedSessions: 0 }),
        }),
        'secureConnect',
      )),
  };

  function handOver<A extends HttpAgent>(agent: A, standing: 'connect' | 'secureConnect'): A {
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (request, callback) => {
      const socket = connect(request) as Socket;
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      const { until } = request as Sending;
      whenKnown(peer, socket, { standing, connectMs, until }, (error) => callback?.(error, socket));
      return undefined;
    };
    return agent;
  }

  return {
    at: (address) => agents[new URL(address).protocol as keyof typeof agents](),
    async destroy() {
      const closed = [...open].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const socket of open) socket.destroy();
      await Promise.all(closed);
    },
  };
}

interface Waiting {
  standing: 'connect' | 'secureConnect';
  connectMs: number;
  until: AbortSignal;
}

/** Calls back once: when the connection stands and is the peer's, or with what kept it from that. */
function whenKnown(peer: Peer, socket: Socket, waiting: Waiting, callback: (error: Error | null) => void): void {
  const { standing, connectMs, until } = waiting;
  let isOver = false;
  const end = (error: Error | null) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    until.removeEventListener('abort', cut);
    callback(error);
  };
  const cut = () => socket.destroy();
  until.addEventListener('abort', cut, { once: true });
  const late = () => isOver || socket.destroy(coded('ETIMEDOUT'));
  // Where the process itself was busy for long, what arrived meanwhile is seen before the limit counts.
  const timer = setTimeout(() => setImmediate(late), connectMs);
  socket.once(standing, () => {
    const fault = findFault(peer, socket);
    if (fault) socket.destroy(fault);
    else end(null);
  });
  // For as long as it lives: between two calls nobody else listens, and an error that nobody hears ends the process.
  socket.on('error', end);
  socket.once('close', () => end(coded('ECONNRESET')));
}

function coded(code: string): Error {
  return Object.assign(new Error('no connection'), { code });
}
