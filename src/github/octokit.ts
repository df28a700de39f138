/**
 * GitHub's own client over our own wire: it knows the limits of GitHub and keeps to them; what is sent, how long is
 * waited for an answer, and what is sent again, is for `outbound/` to say. Loaded at the first call.
 */

import type { Octokit } from '@octokit/rest';
import { type Exchange, isRow, text } from './answer.ts';
import type { Wire } from './wire.ts';

export interface Pace {
  /** Of github.com: a write a second, something that notifies people every three. */
  isSlow: boolean;
  /** How long a second of a pause that is asked for takes. */
  secondMs: number;
}

/** A longer pause ends the call, and the next run goes on. */
const longestPauseSeconds = 20;

export function octokitExchange(wire: Wire, pace: Pace, userAgent: string): Exchange {
  let loading: Promise<Octokit> | undefined;
  return async ({ method = 'GET', path, body, signal }) => {
    loading ??= load(wire, pace, userAgent);
    const octokit = await loading;
    const options = {
      method,
      url: path,
      headers: { 'x-github-api-version': '2022-11-28' },
      ...(body === undefined ? {} : { data: body }),
      ...(signal ? { request: { signal } } : {}),
    };
    try {
      const { status, headers, data } = await unlessAborted(octokit.request(options), signal);
      return { status, header: headerIn(headers), data: data as unknown };
    } catch (error) {
      signal?.throwIfAborted();
      const { response, cause } = error as { response?: Answer; cause?: unknown };
      if (!response) throw cause ?? error;
      return { status: response.status, header: headerIn(response.headers), data: response.data };
    }
  };
}

interface Answer {
  status: number;
  headers: object;
  data: unknown;
}

async function load(wire: Wire, { isSlow, secondMs }: Pace, userAgent: string): Promise<Octokit> {
  const [{ Octokit }, { throttling }] = await Promise.all([
    import('@octokit/rest'),
    import('@octokit/plugin-throttling'),
  ]);
  const isShort = (seconds: number, _options: unknown, _octokit: unknown, waited: number) =>
    waited < 1 && seconds <= longestPauseSeconds;
  return new (Octokit.plugin(throttling))({
    baseUrl: wire.origin + wire.prefix,
    userAgent,
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    request: { fetch: fetchOver(wire) },
    throttle: {
      id: wire.origin,
      retryAfterBaseValue: secondMs,
      // They answer whether the call is made again. That is no repetition: it was refused, and not done.
      onRateLimit: isShort,
      onSecondaryRateLimit: isShort,
      ...(isSlow ? {} : { write: atOnce, notifications: atOnce }),
    },
  });
}

function nothing(): void {}

/** In place of the plugin's queues. */
const atOnce = {
  key: () => ({
    schedule: <A extends unknown[], R>(_options: unknown, work: (...words: A) => R, ...words: A) => work(...words),
  }),
} as never;

/** What is read of an answer's headers, by us and by the plugin. */
const readHeaders = [
  'content-type',
  'github-authentication-token-expiration',
  'link',
  'location',
  'retry-after',
  'x-accepted-github-permissions',
  'x-oauth-scopes',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
];

interface FetchOptions {
  method: 'GET';
  headers: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
}

/** As much of fetch as Octokit uses. The token is put on by the wire, so that Octokit never has it. */
function fetchOver(wire: Wire) {
  return async (url: string, { method, headers, body, signal }: FetchOptions) => {
    const { origin, pathname, search } = new URL(url);
    if (origin !== wire.origin) throw new TypeError(`${origin} is not the tracker.`);
    const answer = await wire.send({
      method,
      path: pathname + search,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(signal ? { signal } : {}),
    });
    return {
      status: answer.status,
      statusText: answer.statusText,
      url,
      headers: new Map(
        readHeaders.flatMap((name): [string, string][] => {
          const value = answer.headers.get(name);
          return value === null ? [] : [[name, value]];
        }),
      ),
      text: () => Promise.resolve(answer.body),
      arrayBuffer: () => Promise.resolve(new TextEncoder().encode(answer.body).buffer),
    };
  };
}

function headerIn(headers: unknown): (name: string) => string | undefined {
  const values = isRow(headers) ? headers : {};
  return (name) => text(values[name]);
}

/** The plugin's pauses know no signal. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  const aborted = Promise.withResolvers<never>();
  const end = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
