/** Refusals as RFC 9457 problem details. */

import { Type } from 'typebox';
import type { DomainError, ErrorCode } from '../errors.ts';

export const statusOf = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  too_many: 429,
  unavailable: 503,
} satisfies Record<ErrorCode, number>;

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

export const FaultOnTheWire = Type.Object({ pointer: Type.String(), detail: Type.String() }, { title: 'Fault' });

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'tells problems apart, such as /problems/not_found' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'tells a person what to do' }),
    errors: Type.Optional(Type.Array(FaultOnTheWire, { description: 'every fault, with its place in what was sent' })),
  },
  { title: 'Problem', description: 'RFC 9457 problem details' },
);

export function problemOf(error: DomainError): Record<string, unknown> {
  const status = statusOf[error.code];
  return {
    type: `/problems/${error.code}`,
    title: titles[status],
    status,
    detail: error.message,
    ...(error.errors.length > 0 ? { errors: error.errors } : {}),
    ...error.extra,
  };
}

export const outage = {
  type: '/problems/internal',
  title: titles[500],
  status: 500,
  detail: 'Something went wrong inside Rollcall; its log says what, under the request id of this answer.',
};
