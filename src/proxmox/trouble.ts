/**
 * What Proxmox VE means when it refuses. It puts its words into the status line, answers 500 for what is not there and
 * for what a guest cannot tell now, and 595 to 599 where the node that was asked could not reach another one.
 * https://git.proxmox.com/?p=pve-http-server.git and pve-manager's API2.
 */

import type { Answer } from '../outbound/attempt.ts';
import { kindOfStatus, type TroubleKind } from '../outbound/error.ts';
import { object, text } from './answer.ts';

export type ProxmoxTrouble =
  | TroubleKind
  /** The node that answered could not reach the one that was asked about. */
  | 'node_down'
  /** The guest is not on that node: it moved or is gone. */
  | 'not_here'
  /** The guest does not run, or its agent does not answer. */
  | 'inside_silent'
  /** This release has no such call. */
  | 'not_implemented';

export class ProxmoxError extends Error {
  override readonly name = 'ProxmoxError';
  readonly kind: ProxmoxTrouble;
  readonly status: number | undefined;

  constructor(kind: ProxmoxTrouble, message: string, status?: number) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

const meanings: readonly [form: RegExp, kind: ProxmoxTrouble][] = [
  [/Configuration file .* does not exist/i, 'not_here'],
  [/hostname lookup|no such (cluster )?node/i, 'node_down'],
  [/guest agent|qmp command|is not running|not running/i, 'inside_silent'],
];

/** A success without what was asked for is taken for nothing known, and never for nothing there. */
export function rowsIn(data: unknown, what: string): readonly unknown[] {
  if (Array.isArray(data)) return data;
  throw new ProxmoxError('protocol', `${what} were answered without a list`);
}

export function fieldsIn(data: unknown, what: string): Record<string, unknown> {
  const fields = object(data);
  if (Object.keys(fields).length > 0) return fields;
  throw new ProxmoxError('protocol', `${what} was answered without a field`);
}

const longestWords = 300;

/** Undefined where the answer is a success. */
export function troubleOf(path: string, answer: Answer): ProxmoxError | undefined {
  const { status } = answer;
  if (status >= 200 && status < 300) return undefined;
  const words = wordsOf(answer);
  const shown = (path.split('?')[0] as string).replace('/api2/json', '');
  return new ProxmoxError(kindOf(status, words), `${shown} was refused with ${status}: ${words}`, status);
}

function kindOf(status: number, words: string): ProxmoxTrouble {
  if (status >= 595 && status <= 599) return 'node_down';
  if (status === 501) return 'not_implemented';
  const meant = status === 500 ? meanings.find(([form]) => form.test(words)) : undefined;
  return meant?.[1] ?? kindOfStatus(status) ?? 'protocol';
}

/** From 8.4 on in the body as well; before, in the status line alone. */
function wordsOf({ status, statusText, body }: Answer): string {
  let message: string | undefined;
  try {
    message = text(object(JSON.parse(body)).message);
  } catch {
    // 401, 595 and 596 have no body.
  }
  return (message ?? (statusText.trim() || `status ${status}`)).slice(0, longestWords);
}
