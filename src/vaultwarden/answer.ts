/**
 * What Bitwarden's CLI answered: what was asked for, or why not. Of an answer that is not understood nothing is told, for
 * a password may be in it; so no error of a parser is kept either, which quotes what it read.
 */

import { printable } from '../printable.ts';
import { VaultError } from './vault.ts';

/** Larger is no vault of a house. */
export const mostBytes = 64 * 1024 * 1024;

export const howToLogIn =
  'Log in on the machine of the service, as its user and with its data folder: "bw login --apikey", then "bw unlock"; ' +
  'the README shows how, under "Secrets in VaultWarden".';

export const howToUnlock =
  'Unlock it ("bw unlock --raw", as the user of the service), and put the key that it prints where vaultwarden.session ' +
  'says; each unlock makes the key before it worthless. A "bw serve" is unlocked by itself.';

export type Answer = Readonly<Record<string, unknown>> & { success: boolean };

/** Undefined where it is none. */
export function answerIn(text: string): Answer | undefined {
  try {
    const read = JSON.parse(text) as Answer | null;
    return typeof read?.success === 'boolean' ? read : undefined;
  } catch {
    return undefined;
  }
}

/** `isGood` is what the exit code or the status says; the answer must say so too. Throws VaultError. */
export function dataOf(answer: Answer | undefined, isGood: boolean, called: string): unknown {
  if (!answer) throw notUnderstood(called);
  if (!answer.success) throw troubleOf(typeof answer.message === 'string' ? answer.message : '', called);
  if (!isGood || typeof answer.data !== 'object' || answer.data === null) throw notUnderstood(called);
  const data = answer.data as Record<string, unknown>;
  if (data.object === 'list') return data.data;
  return data.object === 'template' ? data.template : data;
}

export function notUnderstood(called: string): VaultError {
  return new VaultError(
    'malformed',
    `${called} answered what is not understood; is it Bitwarden's CLI, and not too old?`,
  );
}

export function tooLarge(called: string): VaultError {
  return new VaultError('malformed', `${called} answered more than ${mostBytes / 1024 / 1024} MiB.`);
}

export function tooLate(called: string, milliseconds: number): VaultError {
  return new VaultError(
    'timeout',
    `${called} was not done in ${milliseconds / 1000} s, and was given up. Does the server of the vault answer?`,
  );
}

/** The first line of what others wrote, short enough for a sentence. */
export function firstLine(text: string): string {
  const line = printable((text.trim().split('\n')[0] ?? '').trim());
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

/** As bw 2026.6 words them. https://github.com/bitwarden/clients/tree/main/apps/cli */
function troubleOf(message: string, called: string): VaultError {
  if (message.startsWith('You are not logged in'))
    return new VaultError('not_logged_in', `Nobody is logged in to the vault. ${howToLogIn}`);
  if (message.startsWith('Vault is locked')) return new VaultError('locked', `The vault is locked. ${howToUnlock}`);
  if (message.startsWith('Not found')) return new VaultError('not_found', 'The vault has no such item.');
  if (/^Syncing failed: .*"statusCode":\s*401/s.test(message))
    return new VaultError('not_logged_in', `The server of the vault refused the login, which has ended. ${howToLogIn}`);
  if (message.startsWith('Syncing failed'))
    return new VaultError(
      'unavailable',
      `The server of the vault was not reached (${firstLine(message)}).${trust(message)}`,
    );
  return new VaultError('unavailable', `${called} refused: ${firstLine(message) || 'it does not say why'}.`);
}

function trust(message: string): string {
  if (!/certificate|self.signed/i.test(message)) return '';
  return ' Its certificate is not trusted: name the CA in vaultwarden.ca; "bw serve" takes it from NODE_EXTRA_CA_CERTS.';
}
