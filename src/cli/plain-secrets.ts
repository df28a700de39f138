/** Variables that look like secrets in plain text: found by their names, and private keys by what they are. Pure. */

import { literalIn } from '../json.ts';

export interface Sifted {
  vars: Record<string, unknown>;
  /** The paths of what was taken out, such as `ansible_password` or `users[0].token`. */
  secrets: string[];
}

/** The variables without plain secrets. What is encrypted, and what a template fetches from elsewhere, stays. */
export function withoutPlainSecrets(vars: Readonly<Record<string, unknown>>): Sifted {
  const secrets: string[] = [];
  return { vars: sifted(vars, '', secrets) as Record<string, unknown>, secrets };
}

const passwordName = /(?:^|[_-])(?:pass|passwd|password|passphrase|passcode|pwd|pin|psk)$/i;
const secretName =
  /(?:^|[_-])(?:pass|passwd|password|passphrase|passcode|pwd|psk|secret|token|credentials?|(?:api|access|account|secret|private|auth|encryption|signing|shared|preshared|license)_?-?key)$/i;
const privateKey = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/;
const path = /^(?:~|\.{1,2})?\/[^\s]*$/;

function sifted(value: unknown, at: string, secrets: string[]): unknown {
  if (Array.isArray(value))
    return value.flatMap((entry: unknown, index) => {
      const place = `${at}[${index}]`;
      if (!isSecret('', entry)) return [sifted(entry, place, secrets)];
      secrets.push(place);
      return [];
    });
  if (typeof value !== 'object' || value === null || isMark(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const place = at === '' ? name : `${at}.${name}`;
      if (!isSecret(name, inner)) return [[name, sifted(inner, place, secrets)]];
      secrets.push(place);
      return [];
    }),
  );
}

/** Whether a variable of that name and value is a secret that anyone could read. */
export function isSecret(name: string, value: unknown): boolean {
  const words = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2');
  if (typeof value === 'number' || (typeof value === 'object' && value !== null && literalIn(value) !== undefined))
    return passwordName.test(words);
  const unsafe = unsafeText(value);
  const text = unsafe ?? value;
  if (typeof text !== 'string' || text === '' || text.startsWith('$ANSIBLE_VAULT;')) return false;
  if (privateKey.test(text)) return true;
  // A text that is marked is no template, whatever is in it.
  if (unsafe === undefined && /\{\{|\{%/.test(text)) return false;
  return secretName.test(words) && !path.test(text);
}

function unsafeText(value: unknown): unknown {
  return typeof value === 'object' && value !== null && '__ansible_unsafe' in value
    ? (value.__ansible_unsafe as unknown)
    : undefined;
}

function isMark(value: object): boolean {
  return '__ansible_vault' in value || '__ansible_unsafe' in value || literalIn(value) !== undefined;
}
