/** The body of a request: read whole within a limit, as JSON whatever its Content-Type, or refused with the place. */

import express, { type Request, type Response } from 'express';
import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { DomainError } from '../errors.ts';

export type ReadBody = (request: Request, response: Response) => Promise<Buffer | undefined>;

/** Reads and unpacks bodies of up to `limitBytes`, counted unpacked. An empty one is undefined. */
export function bodyReader(limitBytes: number): ReadBody {
  const raw = express.raw({ type: () => true, limit: limitBytes });
  return async (request, response) => {
    await new Promise<void>((resolve, reject) => {
      raw(request, response, (error?: unknown) => (error ? reject(refusalOf(error, limitBytes)) : resolve()));
    });
    const body: unknown = request.body;
    return Buffer.isBuffer(body) && body.length > 0 ? body : undefined;
  };
}

function refusalOf(error: unknown, limitBytes: number): unknown {
  switch ((error as { type?: string }).type) {
    case 'entity.too.large':
      return new DomainError(
        'too_large',
        `The body is larger than ${limitBytes / 1024 / 1024} MiB unpacked. Send it in parts, or raise http.body_limit_mb.`,
        { cause: error },
      );
    case 'encoding.unsupported':
      return new DomainError('invalid', 'The Content-Encoding is not one of gzip, deflate, br and identity.', {
        cause: error,
      });
    case 'request.aborted':
    case 'request.size.invalid':
      return new DomainError('invalid', 'The body ended before it was whole; nothing was taken.', { cause: error });
    default:
      return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')
        ? new DomainError('invalid', 'The body is not packed as its Content-Encoding says.', { cause: error })
        : error;
  }
}

/** JSON out of a body. Throws `invalid` with line, column and the text around the place. */
export function parseBody(body: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw new DomainError('invalid', 'The body is not UTF-8 text.', { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notJson(text, error);
  }
}

function notJson(text: string, cause: unknown): DomainError {
  const faults: ParseError[] = [];
  parse(text, faults, { disallowComments: true, allowTrailingComma: false });
  const fault = faults[0];
  const offset = fault ? fault.offset : text.length;
  const before = text.slice(0, offset).split('\n');
  const line = before.length;
  const column = (before.at(-1)?.length ?? 0) + 1;
  const around = text.slice(Math.max(0, offset - 20), offset + 20).replaceAll(/\s+/g, ' ');
  const ended = offset >= text.trimEnd().length;
  const what = ended
    ? 'it ends too early'
    : fault
      ? printParseErrorCode(fault.error)
          .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
          .toLowerCase()
      : 'unexpected text';
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

const secretName = /pass(word|wd|phrase)?$|secret|token|api_?key|private_?key|credential_value/i;
const keptCharacters = 4096;

/** A body to be kept with a refusal: values whose names speak of secrets are taken out, and it is cut. */
export function redactedBody(body: Buffer | undefined): string | null {
  if (!body) return null;
  const text = body.subarray(0, 64 * 1024).toString('utf8');
  let redacted: string;
  try {
    redacted = JSON.stringify(JSON.parse(body.toString('utf8')), (name, value: unknown) =>
      secretName.test(name) && value !== null ? '***' : value,
    );
  } catch {
    redacted = text.replaceAll(
      /([\w-]*(?:pass|secret|token|key)[\w-]*["']?\s*[:=]\s*)("[^"]*"?|'[^']*'?|[^\s,}&]+)/gi,
      '$1"***"',
    );
  }
  return redacted.length > keptCharacters ? `${redacted.slice(0, keptCharacters)}…` : redacted;
}
