/** One definition of an endpoint routes it, validates it, checks its scope and documents it. */

import { type Static, type TSchema, Type } from 'typebox';
import type { Fault } from '../errors.ts';

export const scopes = [
  'inventory:read',
  'runs:read',
  'runs:write',
  'ci:read',
  'ci:write',
  'credentials:read',
  'credentials:write',
  'credentials:calendar',
  'changes:read',
  'jobs:run',
  'admin',
] as const;
export type Scope = (typeof scopes)[number];

/** As GitHub and others write an issue in a text: `owner/repo#123`. */
export const changeRefForm = '^[\\w.-]+/[\\w.-]+#\\d+$';

export const dryRunQuery = {
  dry_run: Type.Optional(Type.Boolean({ description: 'answers what it would do, and writes nothing' })),
};

/** Who calls: several tokens may bear one name, and are one speaker. */
export interface Caller {
  tokenName: string;
  scopes: readonly Scope[];
  address: string;
  requestId: string;
  /** The work item that this is done for, as `owner/repo#123`. */
  changeRef: string | null;
  /** It was not named in this call: it stands for all that the token does. */
  isStandingRef?: boolean;
  /** Nothing is to be kept: the answer is what it would be. Said by `dry_run` in the query, where a call knows that. */
  dryRun?: boolean;
}

export interface Call<Q = Record<string, unknown>, B = unknown> {
  params: Record<string, string>;
  query: Q;
  body: B;
  caller: Caller;
  header: (name: string) => string | undefined;
  /** Keeps among the refused writes what a call with an answer of 2xx did not take. */
  refused: (detail: string, errors: readonly Fault[], part: unknown) => void;
}

/** Status, body, headers. A Buffer goes out as it is; anything else as JSON; undefined as no body. */
export type Answer = readonly [status: number, body?: unknown, headers?: Readonly<Record<string, string>>];

export interface Endpoint {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Under /api/v1, with parameters as `{name}`; or from the root where `outside` is set. */
  path: string;
  outside?: boolean;
  /** What the token must be allowed; null where none is needed. */
  scope: Scope | null;
  /**
   * The token stands in the query as `token`, for programs that can send no header. An address is kept in many places: so
   * only a token that may do nothing else is taken.
   */
  tokenInQuery?: boolean;
  summary: string;
  description?: string;
  tag: string;
  query?: TSchema;
  body?: TSchema;
  /** No body is an empty one. */
  bodyIsOptional?: boolean;
  /** Opens the sentence that refuses a body, such as "The item". */
  bodyName?: string;
  /** Answers by status; what is no schema is described by its media type. */
  answers: Readonly<Record<number, TSchema | { mediaType: string }>>;
  handle(call: Call): Promise<Answer>;
}

type Typed<S extends TSchema | undefined, Else> = S extends TSchema ? Static<S> : Else;

/** An endpoint whose handler sees its query and body typed by their schemas. */
export function endpoint<Q extends TSchema | undefined = undefined, B extends TSchema | undefined = undefined>(
  definition: Omit<Endpoint, 'query' | 'body' | 'handle'> & {
    query?: Q;
    body?: B;
    handle(call: Call<Typed<Q, Record<string, never>>, Typed<B, undefined>>): Promise<Answer>;
  },
): Endpoint {
  return definition as unknown as Endpoint;
}
