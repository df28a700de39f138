/** What a module is handed, and what it hands back. Types only. */

import type { Static, TSchema } from 'typebox';
import type { Cmdb } from './cmdb/cmdb.ts';
import type { Endpoint } from './http/endpoint.ts';
import type { Job } from './jobs/jobs.ts';
import type { Logger } from './log.ts';
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
}

export interface Opened {
  endpoints?: readonly Endpoint[];
  jobs?: readonly Job[];
  close?(): Promise<void>;
}
