/** The settings under `proxmox`. */

import { type Static, Type } from 'typebox';
import { SecretRef } from '../secrets/ref.ts';

const globs = Type.Union([Type.String(), Type.Array(Type.String())]);
const numbers = Type.Union([Type.Integer(), Type.Array(Type.Integer({ minimum: 1 }))]);

const guestRule = Type.Object(
  {
    tag: Type.Optional(globs),
    pool: Type.Optional(globs),
    node: Type.Optional(globs),
    vmid: Type.Optional(numbers),
  },
  { additionalProperties: false, minProperties: 1 },
);

const duration = (preset: string, description: string) =>
  Type.String({ pattern: '^[1-9]\\d*[mhd]$', default: preset, description: `${description}; a number with m, h or d` });

const cluster = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9_.-]{0,62}$',
      description: 'what the cluster is called here; its source is proxmox-api:NAME',
    }),
    addresses: Type.Array(Type.String({ pattern: '^https?://[^/?#\\s]+/?$' }), {
      minItems: 1,
      description: 'where the API of one or several of its nodes answers, such as https://pve1.home.lan:8006',
    }),
    /** USER@REALM!TOKENID=SECRET. */
    token: SecretRef,
    ca: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'a file with the CA of the cluster, a copy of /etc/pve/pve-root-ca.pem',
      }),
    ),
    fingerprint: Type.Optional(
      Type.String({
        pattern: '^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$',
        description: 'the SHA-256 of the certificate, in place of a CA; it changes when the certificate is renewed',
      }),
    ),
    site: Type.Optional(Type.String({ minLength: 1, description: 'where it stands; default_site if left out' })),
    include: Type.Optional(
      Type.Array(guestRule, { description: 'only guests that fit one of these, by tag, pool, node and vmid' }),
    ),
    exclude: Type.Optional(
      Type.Array(guestRule, { description: 'not the guests that fit one of these: they are ignored, not missing' }),
    ),
    descriptions: Type.Boolean({
      default: false,
      description: 'keep the notes of guests; people write passwords there',
    }),
  },
  { additionalProperties: false },
);

export const proxmoxSettings = Type.Object(
  {
    clusters: Type.Array(cluster, { default: [], description: 'clusters, or single nodes, that are read' }),
    refresh: duration('24h', 'after how long what the list of guests does not show is read again'),
    agent_refresh: duration('1h', 'after how long the addresses of a running guest are asked for again'),
  },
  { additionalProperties: false, default: {} },
);

export type ClusterSettings = Static<typeof cluster>;
export type GuestRule = Static<typeof guestRule>;

const minutesOf = { m: 1, h: 60, d: 24 * 60 } as const;

/** Milliseconds of a duration such as `24h`. */
export function millisecondsOf(duration: string): number {
  const unit = duration.slice(-1) as keyof typeof minutesOf;
  return Number(duration.slice(0, -1)) * minutesOf[unit] * 60_000;
}
