/** Calls of the API over HTTP, whichever service it is. What goes wrong becomes a sentence for the one who called. */

import { type Fault, StartError } from '../errors.ts';

export type Json = Record<string, unknown>;
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Client {
  /** Such as http://127.0.0.1:7373. */
  url: string;
  get<T = Json>(path: string, query?: Query): Promise<T>;
  send<T = Json>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, query?: Query): Promise<T>;
  /** The body as it was sent, and the headers. */
  read(path: string, query?: Query, headers?: Record<string, string>): Promise<{ text: string; headers: Headers }>;
  /** All pages of a list, or its first `most` entries. */
  list<T = Json>(path: string, query?: Query, most?: number): Promise<List<T>>;
}

export interface List<T> {
  count: number;
  items: T[];
  next: string | null;
}

export interface Access {
  url: string;
  /** How it is called in a sentence. */
  called: string;
  token: string | undefined;
  /** Where the token came from, and what to do if it is not accepted. */
  tokenFrom: string;
  advice: string;
  /** The issue that writes are done for. */
  changeRef?: string | undefined;
}

/** What the service refused, in its words. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly faults: readonly Fault[];
  /** The items of which one has to be named, in words. */
  readonly candidates: readonly string[];
  readonly problem: Json;

  constructor(message: string, status: number, problem: Json) {
    super(message);
    this.status = status;
    this.faults = Array.isArray(problem.errors) ? (problem.errors as Fault[]) : [];
    const candidates = Array.isArray(problem.candidates) ? (problem.candidates as Record<string, string>[]) : [];
    this.candidates = candidates.map((one) => `${one.ci_id}  ${one.ci_name} (${one.ci_type} in ${one.site_id})`);
    this.problem = problem;
  }
}

const longestMilliseconds = 300_000;
const mostRows = 1000;

export function clientOf(access: Access): Client {
  async function exchange(method: string, path: string, query: Query, body: unknown, headers = {}): Promise<Response> {
    const outside = /^\/(healthz|readyz|metrics|openapi\.json)$/.test(path);
    const given = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
    const search = given.length > 0 ? `?${new URLSearchParams(given).toString()}` : '';
    let response: Response;
    try {
      response = await fetch(`${access.url}${outside ? '' : '/api/v1'}${path}${search}`, {
        method,
        headers: {
          Accept: 'application/json',
          'User-Agent': 'rollcall-cli',
          ...(access.token === undefined ? {} : { Authorization: `Bearer ${access.token}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(method === 'GET' || !access.changeRef ? {} : { 'X-Change-Ref': access.changeRef }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(longestMilliseconds),
      });
    } catch (error) {
      throw new StartError(`${access.called} ${troubleOf(error)}.`, { cause: error });
    }
    if (!response.ok) throw await refusalOf(response, access);
    return response;
  }
  const parsed = async (response: Response) => {
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch (error) {
      throw notRollcall(access.url, response, error);
    }
  };

  const client: Client = {
    url: access.url,
    get: async (path, query = {}) => await parsed(await exchange('GET', path, query, undefined)),
    send: async (method, path, body, query = {}) => await parsed(await exchange(method, path, query, body)),
    async read(path, query = {}, headers = {}) {
      const response = await exchange('GET', path, query, undefined, headers);
      return { text: await response.text(), headers: response.headers };
    },
    async list<T>(path: string, query: Query = {}, most = Number.POSITIVE_INFINITY) {
      const all: List<T> = { count: 0, items: [], next: null };
      do {
        const limit = Math.min(mostRows, most - all.items.length);
        const page = await client.get<List<T>>(path, { ...query, limit, cursor: all.next ?? undefined });
        all.items.push(...page.items);
        all.count = page.count;
        all.next = page.next;
      } while (all.next !== null && all.items.length < most);
      return all;
    },
  };
  return client;
}

async function refusalOf(response: Response, access: Access): Promise<Error> {
  let problem: Json;
  try {
    problem = (await response.json()) as Json;
  } catch (error) {
    return notRollcall(access.url, response, error);
  }
  const detail = typeof problem.detail === 'string' ? problem.detail : `It answered ${response.status}.`;
  if (response.status === 401 && access.token === undefined)
    return new StartError(`${access.called} wants a token. ${access.advice}`);
  if (response.status === 401)
    return new StartError(
      `${access.called} does not accept the token from ${access.tokenFrom}: ${detail} ${access.advice}`,
    );
  if (response.status === 403) return new Refusal(`${detail} It is from ${access.tokenFrom}.`, 403, problem);
  return new Refusal(detail, response.status, problem);
}

function notRollcall(url: string, response: Response, cause: unknown): StartError {
  const kind = response.headers.get('content-type')?.split(';')[0] ?? 'no JSON';
  return new StartError(
    `${url} answers ${response.status} with ${kind}: this is not Rollcall, or a proxy before it is in trouble.`,
    { cause },
  );
}

function troubleOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return `did not answer within ${longestMilliseconds / 60_000} minutes`;
  const { cause } = error as { cause?: { code?: string; message?: string } };
  const words: Record<string, string> = {
    ECONNREFUSED: 'does not answer: nothing listens there',
    ENOTFOUND: 'is not found: there is no such host name',
    EAI_AGAIN: 'is not found: names cannot be looked up at the moment',
    ECONNRESET: 'broke off its answer',
    UND_ERR_SOCKET: 'broke off its answer',
    UND_ERR_CONNECT_TIMEOUT: 'cannot be reached in time',
    ETIMEDOUT: 'cannot be reached in time',
    EHOSTUNREACH: 'cannot be reached: there is no way to that host',
    ENETUNREACH: 'cannot be reached: there is no way to that network',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'has a certificate that is not trusted: name the file with it in ROLLCALL_CA',
    SELF_SIGNED_CERT_IN_CHAIN: "has a certificate that is not trusted: name its authority's file in ROLLCALL_CA",
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: "has a certificate that is not trusted: name its authority's file in ROLLCALL_CA",
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      "has a certificate that is not trusted: name its authority's file in ROLLCALL_CA",
    ERR_TLS_CERT_ALTNAME_INVALID:
      'has a certificate for another name: use that name in ROLLCALL_URL, or set http.public_url to it',
  };
  return words[cause?.code ?? ''] ?? `cannot be reached (${cause?.message || cause?.code || String(error)})`;
}
