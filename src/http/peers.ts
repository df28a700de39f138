/** How the systems are that we call, as probes and figures tell it. Whoever calls them says so. */

import { Type } from 'typebox';
import { orNull } from '../check.ts';

export interface PeerState {
  name: string;
  state: 'not_asked' | 'up' | 'failing' | 'down';
  /** Not asked again before, where it is down. */
  until: string | null;
  answeredAt: string | null;
}

export type Peers = () => readonly PeerState[];

/** Without addresses: the probe is answered to everybody. */
export const PeerOnTheWire = Type.Object(
  {
    name: Type.String(),
    state: Type.Enum(['not_asked', 'up', 'failing', 'down']),
    until: orNull(Type.String({ description: 'it is down, and not asked before' })),
    last_answered_at: orNull(Type.String()),
  },
  { title: 'Peer' },
);

export function peersOnTheWire(peers: Peers) {
  return peers().map(({ name, state, until, answeredAt }) => ({ name, state, until, last_answered_at: answeredAt }));
}
