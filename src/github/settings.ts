/** The settings under `github`: where issues are kept, and whom they are given to. */

import { type Static, Type } from 'typebox';
import { StartError } from '../errors.ts';
import { SecretRef } from '../secrets/ref.ts';

export const trackerKinds = ['github', 'gitea'] as const;
export type TrackerKind = (typeof trackerKinds)[number];

const login = Type.String({
  pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$',
  description: 'the name by which the tracker knows a person, without @',
});

export const githubSettings = Type.Object(
  {
    repository: Type.Optional(
      Type.String({
        pattern: '^\\.{0,2}[A-Za-z0-9_-][A-Za-z0-9_.-]*/\\.{0,2}[A-Za-z0-9_-][A-Za-z0-9_.-]*$',
        description: 'where issues are kept, OWNER/REPO; without it there are none',
      }),
    ),
    token: Type.Optional(SecretRef),
    base_url: Type.String({
      pattern: '^https?://[^/?#\\s]+(/[^?#\\s]*)?$',
      default: 'https://api.github.com',
      description: 'where the API answers; https://HOST/api/v3 of an Enterprise Server, https://HOST/api/v1 of a Gitea',
    }),
    kind: Type.Optional(
      Type.Enum([...trackerKinds], { description: 'what answers there; a base_url that ends in /api/v1 is a Gitea' }),
    ),
    ca: Type.Optional(Type.String({ minLength: 1, description: 'a file with the CA of a server of your own, in PEM' })),
    fingerprint: Type.Optional(
      Type.String({
        pattern: '^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$',
        description: 'the SHA-256 of its certificate, in place of a CA; it changes when the certificate is renewed',
      }),
    ),
    owners: Type.Record(Type.String(), login, {
      default: {},
      description: 'by e-mail or name of an owner, the login that issues are given to',
    }),
    default_assignees: Type.Array(login, {
      default: [],
      description: 'whom an issue is given to whose owner is in no line',
    }),
    max_creates_per_run: Type.Integer({
      minimum: 1,
      maximum: 500,
      default: 20,
      description: 'how many issues one run opens at most, the most urgent first',
    }),
  },
  { additionalProperties: false, default: {} },
);

export type GithubSettings = Static<typeof githubSettings>;

/** Where the tracker answers: an origin, what stands before each path, and which API it is. */
export interface Place {
  kind: TrackerKind;
  origin: string;
  /** Such as /api/v3; empty where there is none. */
  prefix: string;
}

const githubOrigin = 'https://api.github.com';

/** Throws StartError where the address is that of the pages and not of the API. */
export function placeOf({ base_url, kind }: Pick<GithubSettings, 'base_url' | 'kind'>): Place {
  const { origin, pathname } = new URL(base_url);
  const prefix = pathname.replace(/\/+$/, '');
  if (origin === 'https://github.com')
    throw new StartError(`github.base_url: the API of github.com is ${githubOrigin}; leave the line out.`);
  return { origin, prefix, kind: kind ?? (prefix.endsWith('/api/v1') ? 'gitea' : 'github') };
}

/** github.com has limits that are to be kept to; a server of one's own has none unless it is given some. */
export function isPublic({ origin }: Place): boolean {
  return origin === githubOrigin;
}
