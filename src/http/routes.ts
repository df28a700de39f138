/** What the HTTP floor answers itself: probes, metrics, the OpenAPI document, tokens, refused writes, alerts. */

import { Type } from 'typebox';
import { invalid, orNull } from '../check.ts';
import { DomainError } from '../errors.ts';
import { listAlerts } from '../store/alerts.ts';
import type { Store } from '../store/open.ts';
import { type Clock, readTime, type Stamp, stamp } from '../time.ts';
import type { Auth } from './auth.ts';
import { changeRefForm, type Endpoint, endpoint, scopes } from './endpoint.ts';
import type { Metrics } from './metrics.ts';
import { limitOf, listOf, pageOf, pageOfAll, pageQuery, readCursor } from './paging.ts';
import { PeerOnTheWire, type Peers, peersOnTheWire } from './peers.ts';
import { FaultOnTheWire } from './problem.ts';
import type { Refusals } from './refusals.ts';
import { askDatabase, countRefusals, listRefusals, listTokens } from './store.ts';

export interface Ground {
  store: Store;
  auth: Auth;
  refusals: Refusals;
  metrics: Metrics;
  peers: Peers;
  clock: Clock;
  timeZone: string;
  version: string;
  openMetrics: boolean;
  /** The document of all endpoints, these included. */
  openApi: () => Record<string, unknown>;
}

export function groundEndpoints(ground: Ground): Endpoint[] {
  return [...probeEndpoints(ground), ...tokenEndpoints(ground), ...refusalEndpoints(ground), alertsEndpoint(ground)];
}

function probeEndpoints({ store, metrics, peers, version, openMetrics, openApi }: Ground): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/healthz',
      outside: true,
      scope: null,
      tag: 'service',
      summary: 'The process runs',
      answers: { 200: Type.Object({ status: Type.Literal('ok'), version: Type.String() }) },
      handle: () => Promise.resolve([200, { status: 'ok', version }]),
    }),
    endpoint({
      method: 'GET',
      path: '/readyz',
      outside: true,
      scope: null,
      tag: 'service',
      summary: 'The service answers from its database',
      answers: {
        200: Type.Object({
          status: Type.Literal('ok'),
          database: Type.Literal('ok'),
          waiting_writes: Type.Integer(),
          peers: Type.Array(PeerOnTheWire),
        }),
      },
      async handle() {
        await askDatabase(store.read).catch((cause: unknown) => {
          throw new DomainError('unavailable', 'The database does not answer.', { retryAfterSeconds: 10, cause });
        });
        return [200, { status: 'ok', database: 'ok', waiting_writes: store.waiting(), peers: peersOnTheWire(peers) }];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/metrics',
      outside: true,
      scope: openMetrics ? null : 'admin',
      tag: 'service',
      summary: 'Figures for Prometheus',
      answers: { 200: { mediaType: 'text/plain' } },
      handle: async () => [
        200,
        Buffer.from(await metrics.registry.metrics()),
        { 'Content-Type': metrics.registry.contentType },
      ],
    }),
    endpoint({
      method: 'GET',
      path: '/openapi.json',
      outside: true,
      scope: null,
      tag: 'service',
      summary: 'This document',
      answers: { 200: Type.Unknown() },
      handle: () => Promise.resolve([200, openApi()]),
    }),
  ];
}

const TokenOnTheWire = Type.Object(
  {
    token_id: Type.String(),
    token_name: Type.String({ description: 'several of one name are one speaker' }),
    scopes: Type.Array(Type.Enum([...scopes])),
    change_ref: orNull(Type.String({ description: 'the issue that stands for all that it does' })),
    created_at: Type.String(),
    expires_at: orNull(Type.String()),
    last_used_at: orNull(Type.String()),
    revoked_at: orNull(Type.String()),
  },
  { title: 'Token' },
);

function tokenEndpoints({ store, auth, clock, timeZone }: Ground): Endpoint[] {
  const shown = async () => (await listTokens(store.read)).map(({ hash: _, ...token }) => token);
  return [
    endpoint({
      method: 'GET',
      path: '/tokens',
      scope: 'admin',
      tag: 'tokens',
      summary: 'All tokens, without what they are',
      query: Type.Object(pageQuery),
      answers: { 200: listOf(TokenOnTheWire) },
      async handle({ query }) {
        await auth.flush();
        return [200, pageOfAll(await shown(), query, (token) => token.token_id)];
      },
    }),
    endpoint({
      method: 'POST',
      path: '/tokens',
      scope: 'admin',
      tag: 'tokens',
      summary: 'Make a token; the answer shows it for the only time',
      body: Type.Object(
        {
          token_name: Type.String({
            minLength: 1,
            maxLength: 100,
            pattern: '^[\\w.@-]+$',
            description: 'letters, digits, and . _ @ -',
          }),
          scopes: Type.Array(Type.Enum([...scopes]), { minItems: 1 }),
          standing_change_ref: Type.Optional(
            orNull(
              Type.String({
                pattern: changeRefForm,
                examples: ['owner/repo#123'],
                description: 'the issue that stands for all that it does, where a call names no other',
              }),
            ),
          ),
          expires_at: Type.Optional(
            orNull(Type.String({ description: 'a time; without a zone it is meant in `timezone`' })),
          ),
        },
        { additionalProperties: false },
      ),
      bodyName: 'The token',
      answers: {
        201: Type.Object({ ...TokenOnTheWire.properties, token: Type.String({ description: 'shown this once' }) }),
      },
      async handle({ body }) {
        const expiresAt = body.expires_at ? momentOf(body.expires_at as string, timeZone, stamp(clock())) : null;
        const { token_id, secret } = await auth.create(
          body.token_name,
          body.scopes,
          expiresAt,
          undefined,
          body.standing_change_ref ?? null,
        );
        const made = (await shown()).find((token) => token.token_id === token_id);
        return [201, { ...made, token: secret }];
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/tokens/{id_or_name}',
      scope: 'admin',
      tag: 'tokens',
      summary: 'Revoke one token by its id, or all of a name',
      answers: { 200: Type.Object({ revoked: Type.Integer() }) },
      handle: async ({ params }) => [200, { revoked: await auth.revoke(params.id_or_name as string) }],
    }),
  ];
}

function momentOf(text: string, timeZone: string, now: Stamp): Stamp {
  const instant = readTime(text, timeZone);
  const fault = (detail: string) => invalid('The token', [{ pointer: '/expires_at', detail }]);
  if (!instant) throw fault('must be a time such as 2027-01-31T00:00:00Z');
  const at = stamp(instant);
  if (at <= now) throw fault('lies in the past');
  return at;
}

function refusalEndpoints({ store, refusals }: Ground): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/refusals',
      scope: 'changes:read',
      tag: 'service',
      summary: 'Writes that were refused in the last 30 days, newest first',
      query: Type.Object(pageQuery),
      answers: {
        200: listOf(
          Type.Object(
            {
              refusal_id: Type.String(),
              refused_at: Type.String(),
              token_name: orNull(Type.String()),
              address: orNull(Type.String()),
              method: Type.String(),
              path: Type.String(),
              status: Type.Integer(),
              detail: Type.String(),
              errors: Type.Array(FaultOnTheWire),
              body: orNull(Type.String({ description: 'what was sent, cut, without what looks like a secret' })),
              request_id: orNull(Type.String()),
            },
            { title: 'Refusal' },
          ),
        ),
      },
      async handle({ query }) {
        await refusals.flush();
        const limit = limitOf(query);
        const before = readCursor(query.cursor, ['number'])?.[0];
        const rows = await listRefusals(store.read, limit, before);
        const page = pageOf(rows, limit, await countRefusals(store.read), (row) => [row.number]);
        return [200, { ...page, items: page.items.map(({ number: _, ...refusal }) => refusal) }];
      },
    }),
  ];
}

function alertsEndpoint({ store }: Ground): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/alerts',
    scope: 'ci:read',
    tag: 'service',
    summary: 'What needs a person: what stands first, then what ended',
    query: Type.Object(pageQuery),
    answers: {
      200: listOf(
        Type.Object(
          {
            kind: Type.String(),
            subject: Type.String(),
            since: Type.String(),
            until: orNull(Type.String()),
            what_to_do: Type.String(),
          },
          { title: 'Alert' },
        ),
      ),
    },
    async handle({ query }) {
      const limit = limitOf(query);
      const { count, rows } = await listAlerts(
        store.read,
        limit,
        readCursor(query.cursor, ['number', 'string', 'string']),
      );
      const page = pageOf(rows, limit, count, (row) => [row.until === null ? 0 : 1, row.since, row.alert_id]);
      return [200, { ...page, items: page.items.map(({ alert_id: _, ...alert }) => alert) }];
    },
  });
}
