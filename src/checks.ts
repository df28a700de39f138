/** Whether what the service works with is there: asked when somebody looks, and never at the start. */

import { Type } from 'typebox';
import { type Endpoint, endpoint } from './http/endpoint.ts';
import type { Finding, Opened } from './module.ts';

const FindingOnTheWire = Type.Object(
  {
    check: Type.String(),
    state: Type.Enum(['ok', 'note', 'wrong'], { description: 'note: it works, and something could be better' }),
    found: Type.String(),
    to_do: Type.Optional(Type.String()),
  },
  { title: 'Finding' },
);

export function checksEndpoint(checks: NonNullable<Opened['checks']>): Endpoint {
  return endpoint({
    method: 'GET',
    path: '/checks',
    scope: 'jobs:run',
    tag: 'service',
    summary: 'Whether the other systems in the settings can be worked with, and what to do where they cannot',
    answers: { 200: Type.Object({ findings: Type.Array(FindingOnTheWire) }) },
    async handle() {
      const findings: readonly Finding[][] = await Promise.all(checks.map(async (check) => [...(await check())]));
      return [200, { findings: findings.flat() }];
    },
  });
}
