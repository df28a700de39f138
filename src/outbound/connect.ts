/**
 * Connections to a peer, each known to be the peer's before a byte is sent: by the authorities that this system trusts,
 * by the peer's own, or by the fingerprint of its certificate. There is no fourth way.
 */

import { isIP } from 'node:net';
import { connect as connectTls, createSecureContext, getCACertificates, type SecureContext, TLSSocket } from 'node:tls';
import { Agent, buildConnector } from 'undici';
import type { Limits } from './limits.ts';
import { type Peer, plainFingerprint } from './peer.ts';

/** Another certificate than the pinned one. */
export class PinError extends Error {
  readonly shown: string;

  constructor(shown: string) {
    super('another certificate is pinned');
    this.shown = shown;
  }
}

export function agentOf(peer: Peer, { connectMs, atOnce, keepAliveMs }: Limits): Agent {
  return new Agent({
    connect: peer.fingerprint === undefined ? trusting(peer.ca, connectMs) : pinning(peer.fingerprint, connectMs),
    allowH2: false,
    connections: atOnce,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    // One limit of ours covers the whole attempt.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

function trusting(ca: string | undefined, connectMs: number): buildConnector.connector {
  return buildConnector({
    // Named, for otherwise a variable of the environment may turn it off.
    rejectUnauthorized: true,
    secureContext: ca === undefined ? systemTrust() : createSecureContext({ ca }),
    timeout: connectMs,
    allowH2: false,
  });
}

let trusted: SecureContext | undefined;

/** Node's own list, and what the operator added to the machine's. Made once: reading hundreds of certificates takes time. */
function systemTrust(): SecureContext {
  trusted ??= createSecureContext({ ca: [...getCACertificates('default'), ...getCACertificates('system')] });
  return trusted;
}

/**
 * The comparison stands in place of all verification, so no connection goes by it: none is handed on without it, and no
 * session is taken up again, which would show no certificate.
 */
function pinning(fingerprint: string, connectMs: number): buildConnector.connector {
  const connect = buildConnector({
    rejectUnauthorized: false,
    maxCachedSessions: 0,
    timeout: connectMs,
    allowH2: false,
  });
  const pinned = plainFingerprint(fingerprint);
  return (options, callback) => {
    connect(options, (error, socket) => {
      if (error) return callback(error, null);
      const shown = socket instanceof TLSSocket ? fingerprintOf(socket) : '';
      if (plainFingerprint(shown) === pinned) return callback(null, socket);
      socket.destroy();
      callback(new PinError(shown), null);
    });
  };
}

/** SHA-256 of the certificate shown at an address that is not trusted; nothing is sent there. Undefined if none is seen. */
export async function shownFingerprint(address: string, connectMs: number): Promise<string | undefined> {
  const { hostname, port } = new URL(address);
  const host = hostname.replaceAll(/[[\]]/g, '');
  return await new Promise((resolve) => {
    const socket = connectTls({
      host,
      port: Number(port || 443),
      servername: isIP(host) === 0 ? host : '',
      rejectUnauthorized: false,
      timeout: connectMs,
    });
    const end = (shown?: string) => {
      resolve(shown || undefined);
      socket.destroy();
    };
    socket.once('secureConnect', () => end(fingerprintOf(socket)));
    socket.on('error', () => end());
    socket.once('timeout', () => end());
    socket.once('close', () => end());
  });
}

function fingerprintOf(socket: TLSSocket): string {
  return socket.getPeerCertificate().fingerprint256 ?? '';
}
