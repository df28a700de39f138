/** The settings under `http`. */

import { type Static, Type } from 'typebox';

export const httpSettings = Type.Object(
  {
    listen: Type.String({
      default: '127.0.0.1:7373',
      pattern: '^(\\S+:)?\\d{1,5}$',
      description: 'address:port, such as 127.0.0.1:7373 or [::1]:7373',
    }),
    public_url: Type.Optional(
      Type.String({ format: 'uri', description: 'the address that others use, such as https://rollcall.example.org' }),
    ),
    tls: Type.Optional(
      Type.Object(
        {
          cert: Type.String({ description: 'file with the certificate chain, PEM' }),
          key: Type.String({ description: 'file with its private key, PEM' }),
        },
        { additionalProperties: false, description: 'serve HTTPS; the files are read again when they change' },
      ),
    ),
    allow_plaintext: Type.Boolean({ default: false, description: 'listen beyond this machine without TLS' }),
    trust_proxy: Type.Array(Type.String(), {
      default: [],
      description: 'addresses or networks of reverse proxies whose X-Forwarded-For is believed',
    }),
    cors_origins: Type.Array(Type.String(), {
      default: [],
      description: 'web origins that may call the API from a browser',
    }),
    body_limit_mb: Type.Number({
      default: 32,
      exclusiveMinimum: 0,
      description: 'the largest request body in MiB, counted unpacked',
    }),
    rate_limit: Type.Integer({
      default: 0,
      minimum: 0,
      description: 'requests a minute for each token; 0 is no limit',
    }),
    open_metrics: Type.Boolean({ default: false, description: 'answer /metrics without a token' }),
  },
  { additionalProperties: false, default: {} },
);

export type HttpSettings = Static<typeof httpSettings>;
