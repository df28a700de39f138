/** Every call that leaves: who may be called, and how each of them is. */

import { StartError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Clock, systemClock } from '../time.ts';
import type { CallerParts, Outbound, PeerState } from './caller.ts';
import { OutboundError, type TroubleKind } from './error.ts';
import { type Limits, usualLimits } from './limits.ts';
import { checkedPeer, type Peer } from './peer.ts';

export interface OutboundParts {
  log: Logger;
  clock?: Clock;
  /** After each attempt, with how it went: `ok`, the kind of trouble, or `cancelled`. */
  onRequest?: (peer: string, outcome: TroubleKind | 'ok' | 'cancelled', seconds: number) => void;
  /** A peer is down, and why; or it answers: for the first time since the start, or again. */
  onTurn?: (peer: string, trouble: string | undefined) => void;
}

export interface Peers {
  /** Throws StartError where the peer cannot be called so. Nothing is sent yet. */
  outbound: (peer: Peer, limits?: Partial<Limits>) => Outbound;
  states: () => PeerState[];
  /** Ends what is under way, and refuses what comes. */
  close(): Promise<void>;
}

export function openOutbound({ log, clock = systemClock, onRequest, onTurn }: OutboundParts): Peers {
  const open = new Map<string, Outbound>();
  const partsOf = (name: string): CallerParts => {
    let wasDown = false;
    return {
      clock,
      onRequest: (outcome, seconds) => onRequest?.(name, outcome, seconds),
      onTurn(trouble) {
        if (trouble !== undefined) log.warn({ peer: name, trouble }, 'a peer is down, and is left alone for a while');
        else if (wasDown) log.info({ peer: name }, 'a peer answers again');
        wasDown = trouble !== undefined;
        onTurn?.(name, trouble);
      },
    };
  };
  return {
    outbound(given, limits = {}) {
      const peer = checkedPeer(given);
      if (open.has(peer.name)) throw new StartError(`${peer.name}: two peers have this name.`);
      const outbound = openLater(peer, { ...usualLimits, ...limits }, partsOf(peer.name), () => open.delete(peer.name));
      open.set(peer.name, outbound);
      return outbound;
    },
    states: () => [...open.values()].map((outbound) => outbound.state()),
    async close() {
      await Promise.all([...open.values()].map((outbound) => outbound.close()));
    },
  };
}

/** The libraries that call take longer to load than all else at a start, and are loaded by those who call. */
function openLater(peer: Peer, limits: Limits, parts: CallerParts, onClose: () => void): Outbound {
  const { name } = peer;
  let isClosed = false;
  let loaded: Outbound | undefined;
  let loading: Promise<Outbound> | undefined;
  const load = async () => {
    const { openCaller } = await import('./caller.ts');
    loaded = openCaller(peer, limits, parts);
    return loaded;
  };
  return {
    async call(call) {
      if (isClosed) throw new OutboundError('network', `${name} is not called any more.`, { peer: name });
      loading ??= load();
      const caller = await loading;
      return await caller.call(call);
    },
    state: () => loaded?.state() ?? { name, state: 'not_asked', until: null, answeredAt: null },
    async close() {
      isClosed = true;
      onClose();
      const caller = await loading;
      await caller?.close();
    },
  };
}
