/** What Node, its HTTP parser and OpenSSL throw, as one error with a sentence that says what is wrong and how to mend it. */

import { OutboundError, type TroubleKind } from './error.ts';
import { plainFingerprint } from './peer.ts';
import { PinError, shownFingerprint } from './trust.ts';

export const lost = 'the connection was lost before the whole answer was here.';

/** What was asked of whom. */
export interface Asked {
  peer: string;
  address: string;
  method: string;
  path: string;
}

/** The error of a call that was cut short by nobody here. */
export async function troubleOf(error: unknown, asked: Asked, connectMs: number): Promise<OutboundError> {
  if (error instanceof OutboundError) return error;
  const code = codeOf(error);
  if (error instanceof PinError) return trouble('tls', asked, pinWords(error.shown), code);
  if (authorityCodes.test(code)) {
    const shown = await shownFingerprint(asked.address, connectMs);
    return trouble('tls', asked, `no authority that is trusted here vouches for its certificate. ${mend(shown)}`, code);
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return trouble('tls', asked, nameWords(error, asked), code);
  const [kind, words] = wordsOf[code] ?? (tlsCodes.test(code) ? tlsWords : otherWords(error));
  return trouble(kind, asked, words, code);
}

export function trouble(kind: TroubleKind, asked: Asked, words: string, code?: string): OutboundError {
  const { peer, address, method } = asked;
  // What follows the ? may be somebody's secret.
  const path = asked.path.split('?')[0];
  const named = code ? ` (${code})` : '';
  const message = `${peer}: ${method} ${path} at ${address} failed${named}: ${words}`;
  return new OutboundError(kind, message, { peer, address, ...(code ? { code } : {}) });
}

/** What came over the wire is not as HTTP has it. */
export function isBrokenHttp(error: unknown): boolean {
  return codeOf(error).startsWith('HPE_');
}

function codeOf(error: unknown): string {
  // All addresses of a name failed. The first may have refused, and another not have answered.
  if (error instanceof AggregateError && error.errors.some((each) => codeOf(each) === 'ETIMEDOUT')) return 'ETIMEDOUT';
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** As OpenSSL calls what nobody here has signed. */
const authorityCodes =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT\w*|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA)$/;
const tlsCodes = /^(?:EPROTO|ERR_TLS_\w+|ERR_SSL_\w+|ERR_OSSL_\w+|\w*CERT_\w+|\w*CRL\w*|INVALID_PURPOSE|\w+_MISMATCH)$/;
const tlsWords = ['tls', 'no TLS could be agreed on. Does this port speak HTTPS?'] as const;

const unsent = ['invalid', 'this call cannot be sent; a header or the path holds what must not stand there.'] as const;

const wordsOf: Readonly<Record<string, readonly [TroubleKind, string]>> = {
  ECONNREFUSED: ['network', 'nothing listens there, or a firewall refuses. Is it running, and is the port right?'],
  ENOTFOUND: ['network', 'this name is not known here. Is it spelled right, and does the DNS know it?'],
  EAI_AGAIN: ['network', 'the name could not be looked up, for the DNS does not answer.'],
  EHOSTUNREACH: ['network', 'there is no way to it from here. Is it on, and is the network?'],
  ENETUNREACH: ['network', 'there is no way to its network from here.'],
  ETIMEDOUT: ['timeout', 'it did not take the connection in time. Is it on, and does a firewall drop packets?'],
  ECONNRESET: ['network', lost],
  EPIPE: ['network', lost],
  ERR_STREAM_PREMATURE_CLOSE: ['network', lost],
  ERR_INVALID_CHAR: unsent,
  ERR_INVALID_HTTP_TOKEN: unsent,
  ERR_HTTP_INVALID_HEADER_VALUE: unsent,
  ERR_UNESCAPED_CHARACTERS: unsent,
  HPE_HEADER_OVERFLOW: ['protocol', 'the headers of its answer are too large.'],
  CERT_HAS_EXPIRED: ['tls', 'its certificate has expired. Renew it there; or is the clock of this machine wrong?'],
  CERT_NOT_YET_VALID: ['tls', 'its certificate is not valid yet. Is the clock of one of the machines wrong?'],
};

function otherWords(error: unknown): readonly [TroubleKind, string] {
  if (isBrokenHttp(error)) return ['protocol', 'what it answers is not HTTP.'];
  return ['network', 'the call could not be made.'];
}

function nameWords(error: unknown, { address }: Asked): string {
  const { cert } = error as { cert?: { subjectaltname?: string } };
  const names = cert?.subjectaltname ? `, but for ${cert.subjectaltname}` : '';
  return (
    `its certificate is not for ${new URL(address).hostname}${names}. ` +
    'Write an address whose name is in the certificate, or pin the certificate with fingerprint.'
  );
}

function mend(shown: string | undefined): string {
  const pin = shown === undefined ? 'its SHA-256' : `its SHA-256, which is ${shown} where we see it`;
  return (
    `Give the certificate of its own authority as ca; or give as fingerprint ${pin}: ` +
    'compare that with what the machine itself says of its certificate.'
  );
}

function pinWords(shown: string): string {
  const other = plainFingerprint(shown) === '' ? 'no certificate' : `a certificate with the SHA-256 ${shown}`;
  return (
    `it shows ${other}, and another is pinned. Either another machine answers there, or the certificate was renewed: ` +
    'compare with what the machine itself says, then write the new fingerprint, ' +
    'or give the certificate of its authority as ca, which goes on after a renewal.'
  );
}
