/** Requests in, answers out: routes the endpoints, and turns whatever is thrown into a problem. */

import { randomUUIDv7 } from 'node:crypto';
import cors from 'cors';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import helmet from 'helmet';
import { checker, queryReader } from '../check.ts';
import { DomainError, StartError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import type { Auth } from './auth.ts';
import { bodyReader, parseBody, redactedBody } from './body.ts';
import { docsRoutes } from './docs.ts';
import { type Answer, type Caller, changeRefForm, type Endpoint, type Scope } from './endpoint.ts';
import { limiter } from './limiter.ts';
import type { Metrics } from './metrics.ts';
import { pathOf } from './openapi.ts';
import { outage, problemOf, statusOf } from './problem.ts';
import type { Refusals } from './refusals.ts';
import type { HttpSettings } from './settings.ts';
import type { KnownToken } from './store.ts';

export interface HttpParts {
  settings: HttpSettings;
  endpoints: readonly Endpoint[];
  auth: Auth;
  refusals: Refusals;
  metrics: Metrics;
  store: Store;
  clock: Clock;
  log: Logger;
  /** Whether what this source changes should name an issue, and is taken without one. */
  wantsChangeRef: (source: string) => boolean;
}

/** The last word on a request, kept on the response for the log, the metrics and the refusals. */
interface Locals {
  requestId: string;
  caller?: Caller;
  endpoint?: Endpoint;
  body?: Buffer | undefined;
}

const shownCharacters = 500;
const unreferenced = 'name the issue that this is done for: X-Change-Ref: owner/repo#123';
const changeRef = new RegExp(changeRefForm);
const writes = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

export function httpApp(parts: HttpParts): Express {
  const { settings, metrics, log } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  trustProxies(app, settings.trust_proxy);
  app.use((request, response, next) => {
    const began = performance.now();
    const given = request.get('x-request-id');
    const locals = response.locals as Locals;
    locals.requestId = given && /^[\w.:/+=-]{1,128}$/.test(given) ? given : randomUUIDv7();
    response.set('X-Request-Id', locals.requestId);
    response.on('finish', () => {
      metrics.answered(
        request.method,
        locals.endpoint ? pathOf(locals.endpoint) : 'none',
        response.statusCode,
        (performance.now() - began) / 1000,
      );
      log.debug(
        { method: request.method, path: request.path, status: response.statusCode, request: locals.requestId },
        'answered',
      );
    });
    next();
  });
  app.use(
    helmet({
      strictTransportSecurity: settings.tls ? {} : false,
      contentSecurityPolicy: { directives: { upgradeInsecureRequests: settings.tls ? [] : null } },
    }),
  );
  if (settings.cors_origins.length > 0)
    app.use(cors({ origin: settings.cors_origins, exposedHeaders: ['ETag', 'X-Request-Id', 'Retry-After'] }));
  app.use(docsRoutes());
  const run = runner(parts);
  for (const endpoint of parts.endpoints) {
    const path = pathOf(endpoint).replaceAll(/\{(\w+)\}/g, ':$1');
    app[endpoint.method.toLowerCase() as 'get'](path, run(endpoint));
  }
  app.use((request: Request) => {
    const path = request.path.slice(0, shownCharacters);
    throw new DomainError('not_found', `There is no ${request.method} ${path}; /docs lists every call.`);
  });
  app.use(problems(parts));
  return app;
}

/** What one endpoint does with a request: token, scope, body, checks, and then its own work. */
function runner({
  settings,
  auth,
  refusals,
  metrics,
  clock,
  wantsChangeRef,
}: HttpParts): (endpoint: Endpoint) => RequestHandler {
  const readBody = bodyReader(settings.body_limit_mb * 1024 * 1024);
  const perToken = settings.rate_limit > 0 ? limiter(settings.rate_limit) : undefined;

  return (endpoint) => {
    const readQuery = queryReader(endpoint.query);
    const isOfRecord = endpoint.scope === 'ci:write' || endpoint.scope === 'credentials:write';
    const wantsReference = ({ changeRef, dryRun, tokenName }: Caller) =>
      isOfRecord && changeRef === null && !dryRun && wantsChangeRef(`manual:${tokenName}`);
    const checkBody = endpoint.body ? checker(endpoint.bodyName ?? 'The body', endpoint.body) : undefined;

    return async (request, response) => {
      const locals = response.locals as Locals;
      locals.endpoint = endpoint;
      const address = request.ip ?? '';
      const caller: Caller = { tokenName: '', scopes: [], address, requestId: locals.requestId, changeRef: null };
      /** The issue that stands for all that the token does. */
      let standing: string | null = null;
      if (endpoint.scope) {
        const token = await auth.tokenOf(authorizationOf(endpoint, request), address);
        Object.assign(caller, { tokenName: token.token_name, scopes: token.scopes });
        standing = token.change_ref;
        locals.caller = caller;
        if (!token.scopes.includes(endpoint.scope) && !token.scopes.includes('admin')) {
          throw new DomainError(
            'forbidden',
            `The token ${token.token_name} may not do this: it lacks the scope ${endpoint.scope}.`,
          );
        }
        if (endpoint.tokenInQuery) refuseWiderToken(token, endpoint.scope);
        const wait = perToken?.take(token.token_id, clock().epochMilliseconds);
        if (wait !== undefined)
          throw new DomainError('too_many', `The token ${token.token_name} calls too often; wait ${wait} s.`, {
            retryAfterSeconds: wait,
          });
      }
      // Before anything else is refused: what a refused write would have said is kept.
      if (checkBody) locals.body = await readBody(request, response);
      const { token: _, ...askedFor } = request.query;
      const query = readQuery(endpoint.tokenInQuery ? askedFor : { ...request.query });
      caller.changeRef = changeRefOf(request.get('x-change-ref'), '');
      caller.dryRun = query.dry_run === true;
      let body: unknown;
      if (checkBody) {
        if (!locals.body && !endpoint.bodyIsOptional) throw new DomainError('invalid', 'This call needs a JSON body.');
        body = locals.body ? withoutChangeRef(parseBody(locals.body), caller) : {};
        checkBody(body);
      }
      if (caller.changeRef === null && standing !== null)
        Object.assign(caller, { changeRef: standing, isStandingRef: true });
      const [status, answer, headers] = await endpoint.handle({
        params: request.params as Record<string, string>,
        query,
        body,
        caller,
        header: (name) => request.get(name),
        refused(detail, errors, part) {
          metrics.refusedWrite(pathOf(endpoint));
          refusals.keep(
            refusalOf(request, locals, statusOf.invalid, detail, errors, Buffer.from(JSON.stringify(part)), clock),
          );
        },
      });
      if (wantsReference(caller)) response.set('X-Change-Ref-Warning', unreferenced);
      send(response, [status, answer, headers]);
    };
  };
}

function authorizationOf({ tokenInQuery }: Endpoint, request: Request): string | undefined {
  if (!tokenInQuery) return request.get('authorization');
  const { token } = request.query;
  return typeof token === 'string' ? `Bearer ${token}` : undefined;
}

function refuseWiderToken({ token_name, scopes }: KnownToken, scope: Scope): void {
  if (scopes.some((one) => one !== scope))
    throw new DomainError(
      'forbidden',
      `The token ${token_name} may do more than an address should give away. Make one for this alone: rollcall token create NAME --scopes ${scope}`,
    );
}

function send(response: Response, [status, body, headers]: Answer | [number, unknown, Answer[2] | undefined]): void {
  // Made before a header is set: a problem that takes the place of this answer has its own.
  const content = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  response.status(status);
  if (typeof content === 'string') response.type('application/json');
  if (headers) response.set(headers);
  response.end(content);
}

function changeRefOf(given: unknown, pointer: string): string | null {
  if (given === undefined || given === null || given === '') return null;
  if (typeof given === 'string' && changeRef.test(given)) return given;
  throw new DomainError('invalid', 'The change reference is not of the form owner/repo#123.', {
    errors: [{ pointer, detail: 'must be owner/repo#123' }],
  });
}

/** `change_ref` may stand in any body; it speaks of the call, not of the thing. */
function withoutChangeRef(body: unknown, caller: Caller): unknown {
  if (body === null || typeof body !== 'object' || !('change_ref' in body)) return body;
  const { change_ref: given, ...rest } = body as Record<string, unknown>;
  caller.changeRef = changeRefOf(given, '/change_ref') ?? caller.changeRef;
  return rest;
}

/** Throws StartError for what is neither an address nor a network. */
function trustProxies(app: Express, proxies: readonly string[]): void {
  try {
    app.set('trust proxy', proxies);
  } catch (error) {
    throw new StartError(
      `http.trust_proxy: ${(error as Error).message}. Write addresses or networks such as 10.0.0.1 or 10.0.0.0/8.`,
      { cause: error },
    );
  }
}

function refusalOf(
  request: Request,
  locals: Locals,
  status: number,
  detail: string,
  errors: DomainError['errors'],
  body: Buffer | undefined,
  clock: Clock,
) {
  return {
    refused_at: stamp(clock()),
    token_name: locals.caller?.tokenName ?? null,
    address: request.ip ?? null,
    method: request.method,
    path: request.originalUrl.slice(0, shownCharacters),
    status,
    detail,
    errors,
    body: redactedBody(body),
    request_id: locals.requestId,
  };
}

function problems({ auth, refusals, metrics, clock, log }: HttpParts): ErrorRequestHandler {
  /** A write that reached no endpoint: what is kept of it, and what it is told, is for those who have a token. */
  async function identified(error: unknown, request: Request, locals: Locals): Promise<unknown> {
    if (locals.endpoint || !writes.has(request.method)) return error;
    const address = request.ip ?? '';
    try {
      const { token_name: tokenName, scopes } = await auth.tokenOf(request.get('authorization'), address);
      locals.caller = { tokenName, scopes, address, requestId: locals.requestId, changeRef: null };
      return error;
    } catch (refusal) {
      return refusal;
    }
  }

  return async (thrown: unknown, request, response, _next) => {
    const locals = response.locals as Locals;
    if (response.headersSent) {
      log.error(
        { err: thrown, method: request.method, path: request.path, request: locals.requestId },
        'an answer broke off',
      );
      response.destroy();
      return;
    }
    const error = await identified(
      thrown instanceof URIError
        ? new DomainError('invalid', 'The path is not percent-encoded UTF-8.', { cause: thrown })
        : thrown,
      request,
      locals,
    );
    const known = error instanceof DomainError;
    const status = known ? statusOf[error.code] : 500;
    if (!known)
      log.error(
        { err: error, method: request.method, path: request.path, request: locals.requestId },
        'a request failed',
      );
    // Of a rehearsal nothing is lost.
    if (writes.has(request.method) && !locals.caller?.dryRun) {
      metrics.refusedWrite(locals.endpoint ? pathOf(locals.endpoint) : 'none');
      // Wrong tokens past the limit are counted, not stored: they would be a way to fill the disk.
      const flood = status === statusOf.too_many && !locals.caller;
      if (!flood)
        refusals.keep(
          refusalOf(
            request,
            locals,
            status,
            known ? error.message : outage.detail,
            known ? error.errors : [],
            locals.body,
            clock,
          ),
        );
    }
    if (known && error.retryAfterSeconds !== undefined) response.set('Retry-After', String(error.retryAfterSeconds));
    if (status === statusOf.unauthorized) response.set('WWW-Authenticate', 'Bearer realm="Rollcall"');
    response
      .status(status)
      .type('application/problem+json')
      .end(JSON.stringify(known ? problemOf(error) : outage));
  };
}
