/** Whom nobody reaches is left alone for a while, so that neither it nor we are kept busy with it. */

import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  CircuitState,
  circuitBreaker,
  handleWhen,
  type IBreaker,
} from 'cockatiel';
import { OutboundError, type TroubleKind } from './error.ts';
import type { Limits } from './limits.ts';

/** A call's end: an answer, or one that says that the peer is down. */
export interface Ended<T> {
  answer: T;
  isOutage: boolean;
}

const outages: readonly TroubleKind[] = ['timeout', 'network', 'tls'];

/** `isOver` says that nothing counts any more. */
export function openBreaker(limits: Limits['breaker'], isOver: () => boolean): CircuitBreakerPolicy {
  // While one call decides, whatever it ends with but an answer is no proof that the peer is back.
  const counts = (error: unknown) =>
    !isOver() && (breaker.state === CircuitState.HalfOpen || (error instanceof OutboundError && isOutage(error.kind)));
  const breaker = circuitBreaker(
    handleWhen(counts).orWhenResult((ended) => (ended as Ended<unknown>).isOutage),
    { breaker: inARow(limits), halfOpenAfter: limits.openMs },
  );
  return breaker;
}

export function isOpen(breaker: CircuitBreakerPolicy): boolean {
  return breaker.state !== CircuitState.Closed;
}

/** Whether a call was refused because the breaker is open. */
export function isRefusal(error: unknown): boolean {
  return error instanceof BrokenCircuitError;
}

function isOutage(kind: TroubleKind): boolean {
  return outages.includes(kind);
}

/** So many failures in a time, and no answer among them: a peer that answers others at the same time is not down. */
function inARow({ failures, withinMs }: Limits['breaker']): IBreaker {
  let failedAt: number[] = [];
  return {
    state: null,
    success() {
      failedAt = [];
    },
    failure(state) {
      const now = performance.now();
      failedAt = [...failedAt.filter((at) => now - at < withinMs), now];
      return state !== CircuitState.Closed || failedAt.length >= failures;
    },
  };
}
