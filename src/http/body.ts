/** The body of a request: read whole within a limit, as JSON whatever its Content-Type, or refused with the place. */

import express, { type Request, type Response } from 'express';
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { DomainError } from '../errors.ts';
import { withoutSecrets } from '../secret-likeness.ts';

export type ReadBody = (request: Request, response: Response) => Promise<Buffer | undefined>;

/** Reads and unpacks bodies of up to `limitBytes`, counted unpacked. An empty one is undefined. */
export function bodyReader(limitBytes: number): ReadBody {
  const raw = express.raw({ type: () => true, limit: limitBytes });
  return async (request, response) => {
    const isPacked = request.get('content-encoding') !== undefined;
    if (!isPacked && Number(request.get('content-length')) > limitBytes) throw tooLarge(limitBytes);
    if (request.get('expect')) response.writeContinue();
    await new Promise<void>((resolve, reject) => {
      // What unpacks a body does not hear that the rest of it will never come.
      request.once('close', () => request.complete || reject(endedEarly()));
      raw(request, response, (error?: unknown) => (error ? reject(refusalOf(error, limitBytes)) : resolve()));
    });
    const body: unknown = request.body;
    return Buffer.isBuffer(body) && body.length > 0 ? body : undefined;
  };
}

function tooLarge(limitBytes: number, cause?: unknown): DomainError {
  return new DomainError(
    'too_large',
    `The body is larger than ${limitBytes / 1024 / 1024} MiB unpacked. Send it in parts, or raise http.body_limit_mb.`,
    { cause },
  );
}

function endedEarly(cause?: unknown): DomainError {
  return new DomainError('invalid', 'The body ended before it was whole; nothing was taken.', { cause });
}

function refusalOf(error: unknown, limitBytes: number): unknown {
  switch ((error as { type?: string }).type) {
    case 'entity.too.large':
      return tooLarge(limitBytes, error);
    case 'encoding.unsupported':
      return new DomainError('invalid', 'The Content-Encoding is not one of gzip, deflate, br, zstd and identity.', {
        cause: error,
      });
    case 'request.aborted':
    case 'request.size.invalid':
      return endedEarly(error);
    default:
      return error instanceof Error && 'code' in error && unpackingFault.test(String(error.code))
        ? new DomainError('invalid', 'The body is not packed as its Content-Encoding says.', { cause: error })
        : error;
  }
}

/** What Node's zlib, brotli and zstd say of bytes that are not theirs. */
const unpackingFault = /^(Z_|ERR__ERROR_FORMAT|ERR_BROTLI|ERR_ZSTD|ZSTD_error)/;

/** Far more than anything here has, and far less than what exhausts the stack of those who walk through it. */
const mostDepth = 100;
const quote = 0x22;
const openList = 0x5b;
const backslash = 0x5c;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/** JSON out of a body. Throws `invalid` with line, column and the text around the place. */
export function parseBody(body: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw new DomainError('invalid', 'The body is not UTF-8 text.', { cause: error });
  }
  if (depthOf(body) > mostDepth)
    throw new DomainError('invalid', `The body is nested more than ${mostDepth} deep; nothing was taken.`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notJson(text, error);
  }
}

/** How deep lists and objects are nested, in JSON or what was to be some. */
function depthOf(body: Buffer): number {
  const { length } = body;
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < length; at += 1) {
    let byte = body[at] as number;
    if (byte === quote) {
      // Most of a body is text: the loop over it is kept short.
      for (at += 1; at < length; at += 1) {
        byte = body[at] as number;
        if (byte === quote) break;
        if (byte === backslash) at += 1;
      }
    } else if (byte >= openList) {
      if (byte === openList || byte === openObject) depth += 1;
      else if (byte === closeList || byte === closeObject) depth -= 1;
      if (depth > deepest) deepest = depth;
    }
  }
  return deepest;
}

function notJson(text: string, cause: unknown): DomainError {
  const faults: ParseError[] = [];
  parse(text, faults, { disallowComments: true, allowTrailingComma: false });
  const fault = faults[0];
  const name = fault ? printParseErrorCode(fault.error) : 'UnexpectedText';
  const end = text.trimEnd().length;
  const ended = !fault || fault.offset >= end || name.startsWith('UnexpectedEnd');
  const offset = ended ? end : fault.offset;
  const before = text.slice(0, offset).split('\n');
  const line = before.length;
  const column = (before.at(-1)?.length ?? 0) + 1;
  const around = shownAround(text, offset);
  const what = ended ? 'it ends too early' : name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  const size = /:\s*(\d+(?:\.\d+)?\s?[kmgtKMGT]i?[bB]?)\s*[,}\n]/.exec(text);
  const hint = size
    ? ` An unquoted size (${size[1]}) is the likely cause: send a plain number in the unit of the key's name.`
    : '';
  return new DomainError(
    'invalid',
    `The body is not JSON: ${what} at line ${line}, column ${column}, near «${around}».${hint} Nothing was taken.`,
    {
      cause,
      errors: [{ pointer: '', detail: `line ${line}, column ${column}: ${what}` }],
    },
  );
}

/** The 40 characters around a place, blanks counted once. */
function shownAround(text: string, offset: number): string {
  const single = (part: string) => part.replaceAll(/\s+/g, ' ');
  const after = single(text.slice(offset, offset + 400)).slice(0, 20);
  const before = single(text.slice(Math.max(0, offset - 400), offset)).slice(after.length - 40);
  return before + after;
}

const secretName = /pass(word|wd|phrase)?$|secret|token|api_?key|private_?key|credential_value/i;
const keptCharacters = 4096;
const readCharacters = 64 * 1024;
/** The same in what is no JSON. A word is looked at from its start alone: other patterns take minutes over a long one. */
const secretInText =
  /(?<![\w-])(?=[\w-]*(?:pass|secret|token|key))([\w-]+["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|\[[^\]]*\]?|\{[^}]*\}?|[^\s,}&]+)/gi;

/** A body to be kept with a refusal, cut: without values whose names speak of secrets, or that look like one. */
export function redactedBody(body: Buffer | undefined): string | null {
  if (!body) return null;
  const text = body.subarray(0, readCharacters).toString('utf8');
  let redacted: string;
  try {
    if (body.length > readCharacters) throw new RangeError('too large to be read whole for the sake of its start');
    redacted = JSON.stringify(JSON.parse(text), (name, value: unknown) =>
      secretName.test(name) && value !== null ? '***' : typeof value === 'string' ? withoutSecrets(value) : value,
    );
  } catch {
    redacted = withoutSecrets(text.replaceAll(secretInText, '$1"***"'));
  }
  return redacted.length > keptCharacters ? `${redacted.slice(0, keptCharacters)}…` : redacted;
}
