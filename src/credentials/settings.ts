/** The settings under `credentials`. */

import { type Static, Type } from 'typebox';

export const evidenceKinds = ['any', 'word', 'vault'] as const;
/** What marks it rotated: a person's or playbook's word, a change in the vault, or either. */
export type EvidenceWanted = (typeof evidenceKinds)[number];

const line = (description: string) =>
  Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\r\\n]*$', description });

const policy = Type.Object(
  {
    rotation_period_days: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 36_500, description: 'how long one is used at most' }),
    ),
    lead_days: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 365, description: 'how long before it is due an issue asks for it' }),
    ),
    priority: Type.Optional(
      Type.Enum(['medium', 'high', 'critical'], { description: 'its issue is at least that urgent' }),
    ),
    procedure: Type.Optional(
      Type.Array(line('a step, a line long'), {
        minItems: 1,
        maxItems: 50,
        description: 'the tick boxes of its issue',
      }),
    ),
    owner: Type.Optional(line('whose it is, where the credential does not say so')),
    evidence: Type.Optional(
      Type.Enum([...evidenceKinds], {
        description: 'what counts as rotated: a word of a person or playbook, a change in the vault, or any of the two',
      }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
);

export const credentialsSettings = Type.Object(
  {
    policies: Type.Record(Type.String({ minLength: 1 }), policy, {
      default: {},
      description:
        'by credential_type, with * and ? for what may stand there; of several that fit the narrowest counts',
    }),
  },
  { additionalProperties: false, default: {} },
);

export type PolicySettings = Static<typeof policy>;
export type CredentialsSettings = Static<typeof credentialsSettings>;
