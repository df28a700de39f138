/** Where the service listens: plain or with TLS, on which address, and how it stops. */

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { StartError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { HttpSettings } from './settings.ts';

export interface Listening {
  /** Where it answers, such as http://127.0.0.1:7373. */
  url: string;
  /** Takes no more, waits for what is under way, and after `drainMilliseconds` cuts it off. */
  close(drainMilliseconds: number): Promise<void>;
}

/** Listens as the settings say. Throws StartError for a taken port, a wrong address, or plaintext beyond this machine. */
export async function listen(app: RequestListener, settings: HttpSettings, log: Logger): Promise<Listening> {
  const { host, port } = addressOf(settings.listen);
  if (port > highestPort) throw new StartError(`http.listen: ${port} is no port; ports go up to ${highestPort}.`);
  if (!settings.tls && !settings.allow_plaintext && !isLoopback(host)) {
    throw new StartError(
      `http.listen is ${settings.listen}, which others can reach, without TLS: tokens would cross the network in the clear. ` +
        'Set http.tls, listen on 127.0.0.1 behind a reverse proxy, or set http.allow_plaintext: true.',
    );
  }
  const { server, stopWatching } = settings.tls
    ? tlsServer(app, settings.tls, log)
    : { server: createServer(app), stopWatching: () => undefined };
  // A client that asks first is told to go on where its body is read, which is after its token was accepted.
  server.on('checkContinue', app);
  const connections = connectionsOf(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, settings.listen)));
    server.listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    url: `${settings.tls ? 'https' : 'http'}://${name}:${bound.port}`,
    async close(drainMilliseconds) {
      stopWatching();
      const closed = new Promise((resolve) => server.close(resolve));
      connections.closeIdle();
      const cut = setTimeout(() => {
        log.warn({ connections: connections.closeAll() }, 'cut off what was not answered in time');
      }, drainMilliseconds);
      await closed;
      clearTimeout(cut);
    },
  };
}

/**
 * Node's own way to close what is idle passes over connections that have said nothing yet, and leaves open those
 * whose answer ends later.
 */
function connectionsOf(server: Server | TlsServer): { closeIdle(): void; closeAll(): number } {
  const accepted = new Set<Socket>();
  const ready = new Set<Socket>();
  const answering = new Map<Socket, ServerResponse>();
  const keep = (among: Set<Socket>) => (socket: Socket) => {
    among.add(socket);
    socket.once('close', () => among.delete(socket));
  };
  const answer = ({ socket }: IncomingMessage, response: ServerResponse) => {
    answering.set(socket, response);
    response.once('close', () => answering.delete(socket));
  };
  server.on('connection', keep(accepted));
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', keep(ready));
  server.prependListener('request', answer);
  server.prependListener('checkContinue', answer);
  return {
    closeIdle() {
      for (const socket of ready) if (!answering.has(socket)) socket.destroy();
      for (const response of answering.values()) {
        if (!response.headersSent) response.setHeader('Connection', 'close');
      }
    },
    closeAll() {
      const all = [...accepted];
      for (const socket of all) socket.destroy();
      return all.length;
    },
  };
}

const highestPort = 65_535;

/** The parts of `address:port`; a port alone is on this machine only. */
export function addressOf(listenTo: string): { host: string; port: number } {
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(listenTo);
  return { host: (match?.[1] ?? '127.0.0.1').replaceAll(/[[\]]/g, ''), port: Number(match?.[2]) };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function tlsServer(
  app: RequestListener,
  files: { cert: string; key: string },
  log: Logger,
): { server: Server | TlsServer; stopWatching: () => void } {
  const read = () => {
    try {
      return { cert: readFileSync(files.cert), key: readFileSync(files.key) };
    } catch (error) {
      throw new StartError(`http.tls: ${(error as Error).message}.`, { cause: error });
    }
  };
  let server: TlsServer;
  let known: { cert: Buffer; key: Buffer };
  try {
    known = read();
    server = createTlsServer(known, app);
  } catch (error) {
    throw error instanceof StartError
      ? error
      : new StartError(`http.tls: ${files.cert} and ${files.key} are not a certificate and its key in PEM.`, {
          cause: error,
        });
  }
  let trouble = '';
  // Compared, and not watched: who watches a file misses what is written to it before its first look.
  const renew = () => {
    try {
      const found = read();
      trouble = '';
      if (found.cert.equals(known.cert) && found.key.equals(known.key)) return;
      known = found;
      server.setSecureContext(found);
      log.info({ cert: files.cert }, 'read the TLS certificate again');
    } catch (error) {
      const { message } = error as Error;
      if (message !== trouble)
        log.error({ err: error, cert: files.cert }, 'the new TLS certificate cannot be used; the former one goes on');
      trouble = message;
    }
  };
  const looking = setInterval(renew, 2000).unref();
  return { server, stopWatching: () => clearInterval(looking) };
}

function listenError(error: NodeJS.ErrnoException, address: string): StartError {
  const sentences: Record<string, string> = {
    EADDRINUSE: `${address} is taken by another program. Stop it, or choose another address with http.listen or ROLLCALL_LISTEN.`,
    EACCES: `This user may not listen on ${address}. Choose a port above 1023 with http.listen or ROLLCALL_LISTEN.`,
    EADDRNOTAVAIL: `${address} is not an address of this machine. Choose another with http.listen or ROLLCALL_LISTEN.`,
  };
  return new StartError(sentences[error.code ?? ''] ?? `Cannot listen on ${address}: ${error.message}.`, {
    cause: error,
  });
}
