/** The only clock, and the only writer of instants. Everything else is handed the time. */

/** UTC, ISO 8601, exactly 24 characters, so that text sorts as time does: `2026-03-02T10:00:00.000Z`. */
export type Stamp = string & { readonly brand: 'Stamp' };

export type Clock = () => Temporal.Instant;

export const systemClock: Clock = () => Temporal.Now.instant();

/** Temporal drops zero fractions, and text of different lengths does not sort; so each instant is written here. */
export function stamp(instant: Temporal.Instant): Stamp {
  return new Date(instant.epochMilliseconds).toISOString() as Stamp;
}

export function instantOf(text: Stamp): Temporal.Instant {
  return Temporal.Instant.from(text);
}

/** Milliseconds since 1970 of a stamp, for comparisons of distance. */
export function millisecondsOf(text: string): number {
  return Date.parse(text);
}

/**
 * Reads a time as people and programs write it: with a zone, or without one, and then it is meant in
 * `timeZone`. Undefined if it is no time.
 */
export function readTime(text: string, timeZone: string): Temporal.Instant | undefined {
  const written = text.trim().replace(/^(\d{4}-\d\d-\d\d) /, '$1T');
  try {
    return Temporal.Instant.from(written);
  } catch {
    // No zone in it, or no time at all.
  }
  try {
    return Temporal.PlainDateTime.from(written).toZonedDateTime(timeZone).toInstant();
  } catch {
    return undefined;
  }
}

export function systemTimeZone(): string {
  return Temporal.Now.timeZoneId();
}

/** Milliseconds of a span written as `90`, `90s`, `5m`, `12h` or `7d`; undefined if it is none. */
export function readSpan(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd]?)$/.exec(text.trim());
  if (!match) return undefined;
  const unit = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? ''] ?? 1000;
  return Number(match[1]) * unit;
}
