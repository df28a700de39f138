/** What a module is handed, and what it hands back. Types only. */

import type { Static, TSchema } from 'typebox';
import type { Cmdb } from './cmdb/cmdb.ts';
import type { Endpoint } from './http/endpoint.ts';
import type { Job } from './jobs/jobs.ts';
import type { Logger } from './log.ts';
import type { Outbound } from './outbound/caller.ts';
import type { Limits } from './outbound/limits.ts';
import type { Peer } from './outbound/peer.ts';
import type { Secret } from './secrets/secret.ts';
import type { Scheme } from './secrets/secrets.ts';
import type { Store } from './store/open.ts';
import type { Clock } from './time.ts';

/** What the product can do besides keeping items: one folder, one entry in `app.ts`. */
export interface Module<S extends TSchema, O extends Opened = Opened> {
  /** Its key in rollcall.yml. */
  name: string;
  settings: S;
  open(house: House, settings: Static<S>): O | Promise<O>;
}

export interface House {
  store: Store;
  cmdb: Cmdb;
  clock: Clock;
  log: Logger;
  /** What a setting of the form `SecretRef` names: asked for at each use, never at the start. */
  secret(ref: string, signal?: AbortSignal): Promise<Secret>;
  /** How somebody else's system is called; throws StartError where the peer cannot be called so. */
  outbound(peer: Peer, limits?: Partial<Limits>): Outbound;
}

export interface Opened {
  endpoints?: readonly Endpoint[];
  jobs?: readonly Job[];
  /** Whether what it needs is there, for those who ask: never at the start. */
  checks?: readonly (() => Promise<readonly Finding[]>)[];
  /** By name: who reads the references to secrets that begin with it. */
  secretSchemes?: Readonly<Record<string, Scheme>>;
  close?(): Promise<void>;
}

/** One thing that was looked at by a check; `to_do` says what to do about it. */
export interface Finding {
  check: string;
  /** `note`: it works, and something could be better. */
  state: 'ok' | 'note' | 'wrong';
  found: string;
  to_do?: string;
}
