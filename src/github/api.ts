/** A tracker's API: each call ends in an answer that can be used or in TrackerError, and nothing is asked in a pause. */

import type { Clock } from '../time.ts';
import { millisecondsOf, readTime, stamp } from '../time.ts';
import { type Answered, type Call, type Exchange, isRow, part, type Row, row, text } from './answer.ts';
import type { TrackerError } from './tracker.ts';
import { type Named, outageOf, troubleOf, unreadable } from './trouble.ts';
import type { Wire } from './wire.ts';

export interface Repository {
  /** OWNER/REPO, as it is called now. */
  name: string;
  isArchived: boolean;
  hasIssues: boolean;
  /** Whether the user of the token may label issues and give them to people; undefined where that is not told. */
  mayLabel: boolean | undefined;
  /** What a token of the older kind is for; undefined of others. */
  scopes: string | undefined;
}

export interface Api extends Named {
  /** Throws TrackerError, or the signal's reason. */
  ask(call: Call): Promise<Answered>;
  /** What is to be one thing. */
  askRow(call: Call): Promise<Row>;
  /** What is to be a list, of one page. */
  askRows(call: Call): Promise<readonly unknown[]>;
  /** Page by page; throws where one of them is not to be had. */
  pages(
    path: string,
    query: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly unknown[]>;
  /** Asks it anew. */
  readRepository(signal?: AbortSignal): Promise<Repository>;
  /** Where what is in the repository lies; asks for it the first time. */
  inRepository(rest: string, signal?: AbortSignal): Promise<string>;
  tokenExpiresAt: () => string | null | undefined;
}

export interface ApiParts extends Named {
  exchange: Exchange;
  wire: Wire;
  clock: Clock;
  /** How many rows a page is asked to have, by what that is called there. */
  page: Readonly<Record<string, string>>;
  /** Whether an answer that tells no end of the token means that it has none. */
  tellsExpiry: boolean;
}

export function openApi({ called, repository, exchange, wire, clock, page, tellsExpiry }: ApiParts): Api {
  const named = { called, repository };
  let known: Repository | undefined;
  let expiresAt: string | null | undefined;
  let pause: TrackerError | undefined;

  async function ask(call: Call): Promise<Answered> {
    call.signal?.throwIfAborted();
    // Whoever goes on asking in a pause is shut out.
    if (pause?.retryAt !== undefined && millisecondsOf(pause.retryAt) > clock().epochMilliseconds) throw pause;
    let answered: Answered;
    try {
      answered = await exchange(call);
    } catch (error) {
      call.signal?.throwIfAborted();
      throw outageOf(error, call) ?? error;
    }
    const { status } = answered;
    const isSuccess = status >= 200 && status < 300;
    noteExpiry(answered, isSuccess);
    if (isSuccess) return answered;
    const trouble = troubleOf(named, call, answered, clock());
    if (trouble.trouble === 'limited') pause = trouble;
    else if (call.allowed?.includes(status)) return answered;
    throw trouble;
  }

  function noteExpiry({ header }: Answered, isSuccess: boolean): void {
    const told = header('github-authentication-token-expiration');
    const end = told === undefined ? undefined : readTime(told, 'UTC');
    if (end) expiresAt = stamp(end);
    else if (isSuccess && tellsExpiry) expiresAt = null;
  }

  async function askRow(call: Call): Promise<Row> {
    const answered = await ask(call);
    if (isRow(answered.data)) return answered.data;
    throw unreadable(named, call, answered);
  }

  function rowsIn(call: Call, answered: Answered): readonly unknown[] {
    if (Array.isArray(answered.data)) return answered.data as readonly unknown[];
    throw unreadable(named, call, answered);
  }

  async function readRepository(signal?: AbortSignal): Promise<Repository> {
    const call = { path: `/repos/${repository}`, signal };
    const answered = await ask(call);
    const { id, full_name, archived, has_issues, permissions } = row(answered.data);
    if (typeof id !== 'number' || typeof full_name !== 'string') throw unreadable(named, call, answered);
    const { push, triage } = row(permissions);
    wire.belongsTo(id);
    known = {
      name: full_name,
      isArchived: archived === true,
      hasIssues: has_issues !== false,
      mayLabel: isRow(permissions) ? push === true || triage === true : undefined,
      scopes: answered.header('x-oauth-scopes'),
    };
    return known;
  }

  async function* pages(path: string, query: Readonly<Record<string, string>>, signal?: AbortSignal) {
    const asked = new Set<string>();
    let search: string | undefined = new URLSearchParams({ ...query, ...page }).toString();
    for (let seen = 0; search !== undefined; ) {
      asked.add(search);
      const call: Call = { path: `${path}?${search}`, signal };
      const answered = await ask(call);
      const rows = rowsIn(call, answered);
      yield rows;
      seen += rows.length;
      search = rows.length === 0 ? undefined : nextPage(answered, search, seen);
      if (search !== undefined && asked.has(search)) throw unreadable(named, call, answered);
    }
  }

  return {
    ...named,
    ask,
    askRow,
    askRows: async (call) => rowsIn(call, await ask(call)),
    pages,
    readRepository,
    async inRepository(rest, signal) {
      const { name } = known ?? (await readRepository(signal));
      return `/repos/${name.split('/').map(part).join('/')}${rest}`;
    },
    tokenExpiresAt: () => expiresAt,
  };
}

/** Only what follows the ? is taken: a link may name the repository by its number, or a server that is not reached so. */
function nextPage({ header }: Answered, search: string, seen: number): string | undefined {
  const link = /<([^<>]+)>;\s*rel="?next"?/.exec(header('link') ?? '')?.[1];
  if (link !== undefined && URL.canParse(link, 'https://tracker.invalid'))
    return new URL(link, 'https://tracker.invalid').searchParams.toString();
  // A Gitea tells how many there are.
  const total = Number(text(header('x-total-count')) ?? 0);
  if (seen >= total) return undefined;
  const next = new URLSearchParams(search);
  next.set('page', String(Number(next.get('page') ?? 1) + 1));
  return next.toString();
}
