/** The OpenAPI 3.1 document, made of the same definitions that route and validate. */

import type { TSchema } from 'typebox';
import type { Endpoint } from './endpoint.ts';
import { Problem } from './problem.ts';

type Json = Record<string, unknown>;

export function openApiOf(endpoints: readonly Endpoint[], version: string): Json {
  const components: Record<string, Json> = {};
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    const path = pathOf(endpoint);
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(endpoint, components) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rollcall',
      version,
      description: 'Knows which machines you have, tells Ansible, and remembers what Ansible did to them.',
      license: { name: 'GPL-3.0-or-later', identifier: 'GPL-3.0-or-later' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(endpoints.map((endpoint) => endpoint.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        token_in_address: { type: 'apiKey', in: 'query', name: 'token' },
      },
    },
  };
}

export function pathOf(endpoint: Endpoint): string {
  return endpoint.outside ? endpoint.path : `/api/v1${endpoint.path}`;
}

function operationOf(endpoint: Endpoint, components: Record<string, Json>): Json {
  const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
  const parameters = [
    ...names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...queryParameters(endpoint.query),
    ...(endpoint.method !== 'GET'
      ? [
          {
            name: 'X-Change-Ref',
            in: 'header',
            schema: { type: 'string' },
            description: 'the issue this is done for, as owner/repo#123; `change_ref` in the body says the same',
          },
        ]
      : []),
  ];
  const responses: Record<string, Json> = {};
  for (const [status, answer] of Object.entries(endpoint.answers)) {
    responses[status] =
      'mediaType' in answer
        ? { description: described(status), content: { [answer.mediaType as string]: {} } }
        : {
            description: described(status),
            content: { 'application/json': { schema: named(answer as TSchema, components) } },
          };
  }
  responses.default = {
    description: 'refused',
    content: { 'application/problem+json': { schema: named(Problem, components) } },
  };
  return {
    operationId: operationIdOf(endpoint),
    summary: endpoint.summary,
    description: [endpoint.description, endpoint.scope ? `Needs the scope \`${endpoint.scope}\`.` : 'Needs no token.']
      .filter(Boolean)
      .join('\n\n'),
    tags: [endpoint.tag],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(endpoint.body
      ? {
          requestBody: {
            required: endpoint.bodyIsOptional !== true,
            content: { 'application/json': { schema: named(endpoint.body, components) } },
          },
        }
      : {}),
    responses,
    security: endpoint.scope ? [endpoint.tokenInQuery ? { token_in_address: [] } : { token: [] }] : [],
  };
}

function operationIdOf(endpoint: Endpoint): string {
  const words = endpoint.path
    .replaceAll(/[{}]/g, '')
    .split(/[/_.-]+/)
    .filter(Boolean);
  return [endpoint.method.toLowerCase(), ...words.map((word) => word[0]?.toUpperCase() + word.slice(1))].join('');
}

function queryParameters(query: TSchema | undefined): Json[] {
  const { properties = {}, required = [] } = (query ?? {}) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(schema.description ? { description: schema.description } : {}),
    schema,
  }));
}

function described(status: string): string {
  return { 200: 'done', 201: 'made', 304: 'as it was' }[status] ?? 'answered';
}

/** A copy of a schema in which each part that has a title is a component of that name. */
function named(schema: TSchema, components: Record<string, Json>): Json {
  const walk = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(walk);
    if (part === null || typeof part !== 'object') return part;
    const { title, ...rest } = part as Json;
    const copy = Object.fromEntries(
      Object.entries(rest)
        .filter(([key]) => !key.startsWith('~'))
        .map(([key, value]) => [key, walk(value)]),
    );
    if (typeof title !== 'string') return title === undefined ? copy : { title: walk(title), ...copy };
    components[title] ??= copy;
    return { $ref: `#/components/schemas/${title}` };
  };
  return walk(schema) as Json;
}
