/**
 * How a peer is known before a byte is sent to it: by the authorities that this system trusts, by the peer's own, or by
 * the fingerprint of its certificate. There is no fourth way.
 */

import { isIP, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect as connectTls,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  TLSSocket,
} from 'node:tls';
import { type Peer, plainFingerprint } from './peer.ts';

/** Another certificate than the pinned one. */
export class PinError extends Error {
  readonly shown: string;

  constructor(shown: string) {
    super('another certificate is pinned');
    this.shown = shown;
  }
}

/** What TLS itself verifies: all of it, or where a certificate is pinned nothing, for then `findFault` does. */
export function verification({ ca, fingerprint }: Peer): ConnectionOptions {
  if (fingerprint !== undefined) return { rejectUnauthorized: false };
  return {
    // Named, for otherwise a variable of the environment may turn it off.
    rejectUnauthorized: true,
    secureContext: ca === undefined ? systemTrust() : createSecureContext({ ca }),
  };
}

/** What is wrong with a connection that TLS let pass. A session that was taken up again shows no certificate. */
export function findFault({ fingerprint }: Peer, socket: Socket): PinError | undefined {
  if (fingerprint === undefined) return undefined;
  const shown = socket instanceof TLSSocket ? fingerprintOf(socket) : '';
  return plainFingerprint(shown) === plainFingerprint(fingerprint) ? undefined : new PinError(shown);
}

let trusted: SecureContext | undefined;

/** Node's own list, and what the operator added to the machine's. Made once: reading hundreds of certificates takes time. */
function systemTrust(): SecureContext {
  trusted ??= createSecureContext({ ca: [...getCACertificates('default'), ...getCACertificates('system')] });
  return trusted;
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
