/** Counts within a minute, for each key: so many are let through, the rest are told when to come again. */

export interface Limiter {
  /** Seconds to wait if this one is too many; undefined if it may pass. */
  take(key: string, nowMilliseconds: number): number | undefined;
}

const minute = 60_000;
const mostKeys = 10_000;

export function limiter(perMinute: number): Limiter {
  const windows = new Map<string, { began: number; count: number }>();
  return {
    take(key, now) {
      let window = windows.get(key);
      if (!window || now - window.began >= minute) {
        windows.delete(key);
        for (const [oldest, { began }] of windows) {
          if (now - began < minute && windows.size < mostKeys) break;
          windows.delete(oldest);
        }
        window = { began: now, count: 0 };
        windows.set(key, window);
      }
      window.count += 1;
      return window.count > perMinute ? Math.ceil((window.began + minute - now) / 1000) : undefined;
    },
  };
}
