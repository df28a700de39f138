/** The only clock, and the only writer of instants. Everything else is handed the time. */

/** UTC, ISO 8601, exactly 24 characters, so that text sorts as time does: `2026-03-02T10:00:00.000Z`. */
export type Stamp = string & { readonly brand: 'Stamp' };

export type Clock = () => Temporal.Instant;

export const systemClock: Clock = () => Temporal.Now.instant();

/** Temporal drops zero fractions, and text of different lengths does not sort; so each instant is written here. */
export function stamp(instant: Temporal.Instant): Stamp {
  return new Date(instant.epochMilliseconds).toISOString() as Stamp;
}

/** Milliseconds since 1970 of a stamp, for comparisons of distance. */
export function millisecondsOf(text: string): number {
  return Date.parse(text);
}

/**
 * Reads a time as people and programs write it: with a zone, or without one, and then it is meant in
 * `timeZone`; a date alone is its midnight. Undefined if it is no time, or none that a stamp can hold.
 */
export function readTime(text: string, timeZone: string): Temporal.Instant | undefined {
  if (text.length > longest) return undefined;
  const written = text
    .trim()
    .replace(/^(\d{4}-\d\d-\d\d) +(?=\d)/, '$1T')
    .replace(/ *(?:UTC|GMT)$/i, 'Z')
    .replace(/ +(?=[+-]\d\d:?\d\d$)/, '');
  try {
    const instant = readIso(written, timeZone);
    return instant.epochMilliseconds >= earliest && instant.epochMilliseconds <= latest ? instant : undefined;
  } catch {
    return undefined;
  }
}

/** With its zone's name, spaces and nine decimals; more is no time, and the patterns here are slow on it. */
const longest = 100;

// Outside of these years a stamp has more than 24 characters, and does not sort.
const earliest = Date.parse('0000-01-01T00:00:00.000Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');

/** One reader for each way, and no second try: a plain time is read with its zone ignored, whatever that says. */
function readIso(written: string, timeZone: string): Temporal.Instant {
  if (written.includes('[')) return Temporal.ZonedDateTime.from(written).toInstant();
  if (/T.*[Z+-]/i.test(written)) return Temporal.Instant.from(written);
  return Temporal.PlainDateTime.from(written).toZonedDateTime(timeZone).toInstant();
}

export function systemTimeZone(): string {
  return Temporal.Now.timeZoneId();
}

/** Milliseconds of a span written as `90`, `90s`, `5m`, `12h` or `7d`; undefined if it is none. */
export function readSpan(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd]?)$/.exec(text.trim());
  if (!match) return undefined;
  const unit = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? ''] ?? 1000;
  const milliseconds = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}
