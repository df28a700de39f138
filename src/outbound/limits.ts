/** How long, how often and how much is asked of a peer. */

export interface Limits {
  /** For a name to be found, the connection to stand and TLS to be agreed. */
  connectMs: number;
  /** For one attempt, from its turn among those at once to the last byte of the answer. */
  totalMs: number;
  /** Of a call that may be repeated. Where a peer has more addresses than this, each of them is tried. */
  attempts: number;
  /** Calls under way to all addresses of a peer; the others wait for their turn. */
  atOnce: number;
  /** How long an idle connection is kept; less than the peer keeps it. */
  keepAliveMs: number;
  /** Of an answer, unpacked. */
  maxBytes: number;
  breaker: {
    /** So many failed calls and no answer among them open it … */
    failures: number;
    /** … if they fell in this time. */
    withinMs: number;
    /** After that one call is let through, and decides. */
    openMs: number;
  };
}

export const usualLimits: Limits = {
  connectMs: 2000,
  totalMs: 15_000,
  attempts: 3,
  atOnce: 6,
  keepAliveMs: 4000,
  maxBytes: 32 * 1024 * 1024,
  breaker: { failures: 5, withinMs: 30_000, openMs: 30_000 },
};

const firstBackOffMs = 500;
const longestBackOffMs = 8000;

/** Exponential with full jitter: many that failed at one moment do not come back at one moment. */
export function backOffMs(repetition: number): number {
  return Math.random() * Math.min(longestBackOffMs, firstBackOffMs * 2 ** repetition);
}
