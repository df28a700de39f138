/** From a reference to the secret that it names: read anew at each use, so that a changed one needs no restart. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { schemeOf } from './ref.ts';
import { Secret } from './secret.ts';

/** Reads what a scheme's references name; undefined where that is not there. */
export type Scheme = (name: string, signal?: AbortSignal) => Promise<string | undefined>;

export interface SecretParts {
  env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths begin; where the process was started, unless it is named. */
  folder?: string;
  /** Those that modules bring, by name. May be filled until the first use. */
  schemes?: ReadonlyMap<string, Scheme>;
}

export interface Secrets {
  /**
   * Throws SecretError, which says which reference it was and what to do, and nothing of the value; or the reason of the
   * signal, where a scheme takes its time.
   */
  secret: (ref: string, signal?: AbortSignal) => Promise<Secret>;
  /** The schemes that are read here. */
  schemes: () => string[];
}

/** A secret that is not where its reference says. The message is for a person. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

export function openSecrets({ env, folder = '.', schemes = new Map() }: SecretParts): Secrets {
  const own: Readonly<Record<string, Scheme>> = {
    env: (name) => Promise.resolve(fromVariable(env, name)),
    file: (path) => fromFile(resolve(folder, path), path),
  };
  const known = () => [...Object.keys(own), ...schemes.keys()];
  return {
    async secret(ref, signal) {
      const scheme = schemeOf(ref);
      const read = Object.hasOwn(own, scheme) ? own[scheme] : schemes.get(scheme);
      // What stands there may be the secret itself.
      if (!read)
        throw new SecretError(
          `A secret is named by ${known()
            .map((one) => `${one}:…`)
            .join(', ')}, and by nothing else.`,
        );
      const value = await read(ref.slice(scheme.length + 1), signal);
      if (value === undefined) throw new SecretError(`The secret ${ref} was not found.`);
      if (value === '') throw new SecretError(`The secret ${ref} is empty.`);
      return new Secret(value);
    },
    schemes: known,
  };
}

function fromVariable(env: SecretParts['env'], name: string): string {
  const value = env[name];
  if (value) return value;
  const state = value === undefined ? 'is not set' : 'is empty';
  throw new SecretError(
    `The secret env:${name}: the variable ${name} ${state}. Set it for the service, and restart it.`,
  );
}

async function fromFile(path: string, written: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new SecretError(`The secret file:${written}: ${reasonOf(error as NodeJS.ErrnoException, path)}`, {
      cause: error,
    });
  }
  const value = text.replace(/\r?\n$/, '');
  if (value === '') throw new SecretError(`The secret file:${written}: ${path} is empty. Write the secret into it.`);
  return value;
}

function reasonOf({ code, message }: NodeJS.ErrnoException, path: string): string {
  if (code === 'ENOENT') return `${path} does not exist. Create it, or write its path in full; ~ is not understood.`;
  if (code === 'EACCES') return `this user may not read ${path}. Give it to the user of the service.`;
  if (code === 'EISDIR') return `${path} is a folder. Name a file.`;
  return `${path} cannot be read: ${message}.`;
}
