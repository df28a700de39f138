/** Who calls. Tokens are compared by their hash, read once and kept until one is made or revoked here. */

import { DomainError } from '../errors.ts';
import type { Store } from '../store/open.ts';
import { type Clock, type Stamp, stamp } from '../time.ts';
import type { Scope } from './endpoint.ts';
import { limiter } from './limiter.ts';
import {
  hashOfToken,
  type KnownToken,
  listTokens,
  newSecret,
  revokeTokens,
  storeLastUses,
  storeToken,
} from './store.ts';

const wrongTokensPerMinute = 20;
const flushMilliseconds = 60_000;

export interface Auth {
  /** The token of an Authorization header. Throws `unauthorized`, or `too_many` after too many wrong ones. */
  tokenOf(authorization: string | undefined, address: string): Promise<KnownToken>;
  /** Makes a token. `write` gets it before it counts, so that one that cannot be written down is not made. */
  create(
    name: string,
    scopes: readonly Scope[],
    expiresAt: Stamp | null,
    write?: (secret: string) => void,
    changeRef?: string | null,
  ): Promise<{ token_id: string; secret: string }>;
  /** Whether there ever was a token of this name. */
  hasHad(name: string): Promise<boolean>;
  /** The ids of the standing tokens of a name. */
  idsOf(name: string): Promise<string[]>;
  revoke(idOrName: string): Promise<number>;
  /** Writes the last-used times that were gathered. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function openAuth(store: Store, clock: Clock): Auth {
  let byHash: Promise<Map<string, KnownToken>> | undefined;
  const uses = new Map<string, Stamp>();
  const wrong = limiter(wrongTokensPerMinute);

  const known = () => {
    byHash ??= listTokens(store.read).then(
      (tokens) => new Map(tokens.map((token) => [token.hash, token])),
      (error: unknown) => {
        // Asked again next time: a database that once did not answer must not lock everyone out.
        byHash = undefined;
        throw error;
      },
    );
    return byHash;
  };
  const changed = async <T>(write: Promise<T>): Promise<T> => {
    const result = await write;
    byHash = undefined;
    return result;
  };
  const flush = async () => {
    if (uses.size === 0) return;
    const gathered = new Map(uses);
    uses.clear();
    try {
      await store.write((trx) => storeLastUses(trx, gathered));
    } catch (error) {
      for (const [tokenId, at] of gathered) if (!uses.has(tokenId)) uses.set(tokenId, at);
      throw error;
    }
  };
  const refuse = (address: string, detail: string): DomainError => {
    const wait = wrong.take(address, clock().epochMilliseconds);
    return wait === undefined
      ? new DomainError('unauthorized', detail)
      : new DomainError('too_many', `Too many wrong tokens from ${address}; wait ${wait} s.`, {
          retryAfterSeconds: wait,
        });
  };
  const timer = setInterval(() => void flush().catch(() => undefined), flushMilliseconds).unref();

  return {
    async tokenOf(authorization, address) {
      const secret = /^Bearer +(\S+)\s*$/i.exec(authorization ?? '')?.[1];
      if (!secret)
        throw refuse(address, 'Send a token as "Authorization: Bearer TOKEN". "rollcall token create" makes one.');
      const token = (await known()).get(hashOfToken(secret));
      const now = stamp(clock());
      if (!token) throw refuse(address, 'This token is not known here.');
      if (token.revoked_at) throw refuse(address, `This token (${token.token_name}) was revoked.`);
      if (token.expires_at && token.expires_at <= now)
        throw refuse(address, `This token (${token.token_name}) expired on ${token.expires_at}.`);
      uses.set(token.token_id, now);
      return token;
    },
    async create(name, scopes, expiresAt, write, changeRef = null) {
      const secret = newSecret();
      write?.(secret);
      const token_id = await changed(
        store.write((trx) => storeToken(trx, { name, secret, scopes, expiresAt, changeRef }, stamp(clock()))),
      );
      return { token_id, secret };
    },
    hasHad: async (name) => [...(await known()).values()].some((token) => token.token_name === name),
    idsOf: async (name) =>
      [...(await known()).values()]
        .filter((token) => token.token_name === name && !token.revoked_at)
        .map((token) => token.token_id),
    revoke: (idOrName) => changed(store.write((trx) => revokeTokens(trx, idOrName, stamp(clock())))),
    flush,
    async close() {
      clearInterval(timer);
      // A time of use is worth less than a clean end.
      await flush().catch(() => undefined);
    },
  };
}
