/** Whom we cannot reach is an alert: it begins when calls are given up, and ends with the first answer. */

import type { Logger } from './log.ts';
import { listStanding, setAlerts } from './store/alerts.ts';
import type { Store } from './store/open.ts';
import { type Clock, stamp } from './time.ts';

export interface PeerAlerts {
  /** A peer is down, and why; or it answers. */
  turned: (peer: string, trouble: string | undefined) => void;
  /** Ends what stands for peers that are none any more. */
  keepOnly(peers: readonly string[]): Promise<void>;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

const kind = 'peer_down';

export function openPeerAlerts(store: Store, clock: Clock, log: Logger): PeerAlerts {
  let writing: Promise<void> = Promise.resolve();

  async function write(peer: string, trouble: string | undefined): Promise<void> {
    const standing = new Map(trouble === undefined ? [] : [[peer, trouble]]);
    try {
      await store.write((trx) => setAlerts(trx, kind, standing, stamp(clock()), new Set([peer])));
    } catch (error) {
      log.warn({ peer, err: error }, 'the state of a peer could not be kept as an alert');
    }
  }

  return {
    turned(peer, trouble) {
      writing = writing.then(() => write(peer, trouble));
    },
    async keepOnly(peers) {
      const gone = (await listStanding(store.read, kind)).filter((peer) => !peers.includes(peer));
      if (gone.length === 0) return;
      await store.write((trx) => setAlerts(trx, kind, new Map(), stamp(clock()), new Set(gone)));
    },
    close: () => writing,
  };
}
