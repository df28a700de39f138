/** The ways a request is refused. Anything else that is thrown is a bug or an outage. */

export type ErrorCode =
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'too_many'
  | 'unavailable';

/** One thing that is wrong, and where: a JSON Pointer into what was sent (RFC 6901; '' is the whole). */
export interface Fault {
  pointer: string;
  detail: string;
}

/** A name as it stands in a JSON Pointer. */
export function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

export interface DomainErrorOptions {
  errors?: readonly Fault[];
  /** What an answer says besides, such as the candidates of a conflict. */
  extra?: Readonly<Record<string, unknown>>;
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** A refusal the caller can act on; the message is written for them. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly Fault[];
  readonly extra: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: DomainErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DomainError';
    this.code = code;
    this.errors = options.errors ?? [];
    this.extra = options.extra ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** The process cannot start, or a command cannot be done: one sentence that says what to do, and exit 1. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Another process has the data now; it may be done with them in a moment. */
export class DataInUseError extends StartError {}

/** `http.listen must be text, not 7373`. */
export function faultInWords({ pointer, detail }: Fault): string {
  const path = dotted(pointer);
  if (path === '') return detail;
  return `${path}${detail.startsWith('must ') ? '' : ':'} ${detail}`;
}

/** `/proxmox/clusters/0/token` as people say it: `proxmox.clusters[0].token`. */
function dotted(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => {
      if (/^\d+$/.test(part)) return `[${part}]`;
      return /^[\w-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
    })
    .join('')
    .replace(/^\./, '');
}
