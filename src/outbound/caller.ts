/** Calls to one peer: so many at once, at the address that answers, again where that is harmless, and not at all while it is down. */

import { setTimeout as wait } from 'node:timers/promises';
import { bulkhead, ConstantBackoff, handleWhen, retry } from 'cockatiel';
import { type Clock, type Stamp, stamp } from '../time.ts';
import { type Answer, attempt } from './attempt.ts';
import { type Ended, isOpen, isRefusal, openBreaker } from './breaker.ts';
import { agentOf } from './connect.ts';
import { kindOfStatus, OutboundError, type TroubleKind } from './error.ts';
import { backOffMs, type Limits } from './limits.ts';
import type { Peer } from './peer.ts';

export interface Call {
  /** GET where it is left out. */
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Begins with a /; what people or machines named is encoded in it already. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** For each attempt, in place of the peer's. */
  totalMs?: number;
  signal?: AbortSignal;
  /** Whether it does no harm if it arrives twice; a GET does none. */
  mayRepeat?: boolean;
  /** Which answers say that the peer is down; 5xx unless told otherwise. */
  isOutage?: (answer: Answer) => boolean;
}

export interface PeerState {
  name: string;
  /** `down` is not asked before `until`; `failing` did not answer the last call. */
  state: 'not_asked' | 'up' | 'failing' | 'down';
  until: Stamp | null;
  answeredAt: Stamp | null;
}

export interface Outbound {
  /**
   * Answers whatever status came; redirects are not followed. Throws OutboundError where there is no answer, and the
   * signal's reason where the caller had enough.
   */
  call(call: Call): Promise<Answer>;
  state(): PeerState;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export interface CallerParts {
  clock: Clock;
  /** After each attempt: `ok`, the kind of trouble, or `cancelled`. */
  onRequest: (outcome: TroubleKind | 'ok' | 'cancelled', seconds: number) => void;
  /** The peer is down, and why; or answers: for the first time, or again. */
  onTurn: (trouble: string | undefined) => void;
}

/** `peer` was checked. */
export function openCaller(peer: Peer, limits: Limits, { clock, onRequest, onTurn }: CallerParts): Outbound {
  const { name, addresses } = peer;
  const agent = agentOf(peer, limits);
  const closing = new AbortController();
  const slots = bulkhead(limits.atOnce, Number.POSITIVE_INFINITY);
  const breaker = openBreaker(limits.breaker, () => closing.signal.aborted);
  let answering = 0;
  let isUp = false;
  let answeredAt: Stamp | null = null;
  let openUntil: Stamp | null = null;
  let last: OutboundError | undefined;

  breaker.onBreak(() => {
    openUntil = stamp(clock().add({ milliseconds: limits.breaker.openMs }));
    isUp = false;
    onTurn(last?.message ?? '');
  });

  async function ask(call: Call, address: string, signal: AbortSignal): Promise<Answer> {
    const { method = 'GET', path, headers = {}, body, totalMs = limits.totalMs } = call;
    const { connectMs, maxBytes } = limits;
    const request = { peer: name, address, method, path, headers, body, connectMs, totalMs, maxBytes, signal };
    const began = performance.now();
    const tell = (outcome: Parameters<typeof onRequest>[0]) => onRequest(outcome, (performance.now() - began) / 1000);
    try {
      const answer = await attempt(agent, request);
      tell(kindOfStatus(answer.status) ?? 'ok');
      return answer;
    } catch (error) {
      tell(error instanceof OutboundError && !signal.aborted ? error.kind : 'cancelled');
      throw error;
    }
  }

  /** Each address in turn, that which answered last first; a second round waits. */
  async function askInTurn(call: Call, signal: AbortSignal): Promise<Answer> {
    const first = answering;
    const mayRepeat = call.mayRepeat ?? (call.method ?? 'GET') === 'GET';
    const most = mayRepeat ? Math.max(limits.attempts, addresses.length) : 1;
    let made = 0;
    const again = retry(
      handleWhen((error) => isWorthAnother(error, made < addresses.length)),
      { maxAttempts: most - 1, backoff: new ConstantBackoff(0) },
    );
    return await again.execute(async () => {
      const round = Math.floor(made / addresses.length);
      if (round > 0) await wait(backOffMs(round - 1), undefined, { signal });
      const index = (first + made) % addresses.length;
      made += 1;
      const answer = await slots.execute(() => ask(call, addresses[index] as string, signal), signal);
      answering = index;
      return answer;
    }, signal);
  }

  async function askAndSay(call: Call, signal: AbortSignal): Promise<Ended<Answer>> {
    const { isOutage = (answer) => answer.status >= 500 } = call;
    try {
      const answer = await askInTurn(call, signal);
      if (isOutage(answer)) {
        last = outageOf(name, answer);
        return { answer, isOutage: true };
      }
      last = undefined;
      answeredAt = stamp(clock());
      if (!isUp) onTurn(undefined);
      isUp = true;
      return { answer, isOutage: false };
    } catch (error) {
      if (error instanceof OutboundError) last = error;
      throw error;
    }
  }

  function refusal(): OutboundError {
    const { kind = 'network', message = '' } = last ?? {};
    return new OutboundError(
      kind,
      `${name} is not asked until ${openUntil}, for it failed again and again. ${message}`,
      { peer: name },
    );
  }

  return {
    async call(call) {
      if (!call.path.startsWith('/')) throw new TypeError('A path begins with a /.');
      const signal = AbortSignal.any([closing.signal, ...(call.signal ? [call.signal] : [])]);
      signal.throwIfAborted();
      try {
        const ended = await unlessAborted(
          signal,
          breaker.execute(() => askAndSay(call, signal)),
        );
        return ended.answer;
      } catch (error) {
        signal.throwIfAborted();
        throw isRefusal(error) ? refusal() : error;
      }
    },
    state() {
      const state = isOpen(breaker) ? 'down' : last ? 'failing' : isUp ? 'up' : 'not_asked';
      return { name, state, until: state === 'down' ? openUntil : null, answeredAt };
    },
    async close() {
      closing.abort(
        new OutboundError('network', `${name}: the call was given up, for Rollcall stops.`, { peer: name }),
      );
      await agent.destroy();
    },
  };
}

/** A connection that is not trusted is not more so the next time; but another address may be. */
function isWorthAnother(error: unknown, hasOther: boolean): boolean {
  if (!(error instanceof OutboundError)) return false;
  return error.kind === 'network' || error.kind === 'timeout' || (error.kind === 'tls' && hasOther);
}

function outageOf(peer: string, { status, address }: Answer): OutboundError {
  return new OutboundError('server', `${peer}: ${address} answered ${status}.`, { peer, address, status });
}

/** What waits for its turn, or for others, ends with the signal too. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const end = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
