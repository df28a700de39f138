/** For what, by whom and when something is written. */

import type { Caller } from '../http/endpoint.ts';
import type { Clock } from '../time.ts';
import { stamp } from '../time.ts';
import type { Occasion } from './store/changes.ts';

/** What a caller of the API does now. */
export function occasionOf(caller: Caller, clock: Clock, reason: string | null = null): Occasion {
  const { tokenName: actor, changeRef, isStandingRef, requestId } = caller;
  return { at: stamp(clock()), actor, changeRef, isStandingRef, requestId, reason };
}

/** What nobody has called for. */
export function unattended(at: string): Occasion {
  return { at, actor: null, changeRef: null, requestId: null };
}
