/** The ways in which a call to somebody else's system goes wrong. */

export const troubleKinds = [
  'timeout',
  'network',
  'tls',
  'auth',
  'permission',
  'rate_limited',
  'not_found',
  'invalid',
  'server',
  'protocol',
] as const;
export type TroubleKind = (typeof troubleKinds)[number];

export interface OutboundErrorOptions {
  peer?: string;
  /** Who was asked, such as https://pve1.lan:8006. */
  address?: string;
  status?: number;
  /** What the operating system, TLS or the HTTP parser calls it, such as ECONNREFUSED. */
  code?: string;
}

/**
 * A call that got no answer, or none that can be used. The message is for a person, and says who was asked for what and
 * how to mend it. Neither it nor anything else here holds headers, bodies or secrets: so the library's own error, which
 * may quote what came over the wire, is not kept as the cause.
 */
export class OutboundError extends Error {
  override readonly name = 'OutboundError';
  readonly kind: TroubleKind;
  readonly peer: string | undefined;
  readonly address: string | undefined;
  readonly status: number | undefined;
  readonly code: string | undefined;

  constructor(kind: TroubleKind, message: string, { peer, address, status, code }: OutboundErrorOptions = {}) {
    super(message);
    this.kind = kind;
    this.peer = peer;
    this.address = address;
    this.status = status;
    this.code = code;
  }
}

/** What a status alone says is wrong; undefined where nothing is. A redirect is not what was asked for. */
export function kindOfStatus(status: number): TroubleKind | undefined {
  if ((status >= 200 && status < 300) || status === 304) return undefined;
  const known = kindsOfStatus[status];
  if (known) return known;
  if (status >= 500) return 'server';
  return status >= 400 ? 'invalid' : 'protocol';
}

const kindsOfStatus: Readonly<Record<number, TroubleKind>> = {
  401: 'auth',
  403: 'permission',
  404: 'not_found',
  408: 'timeout',
  410: 'not_found',
  429: 'rate_limited',
};
