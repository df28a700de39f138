/** Credentials as they come and go: schemas, and what is worked out for the one who asks. */

import { type Static, Type } from 'typebox';
import { orNull } from '../check.ts';
import { type Credential, daysUntil, dueOf, lifecycleStates, urgencies, urgencyOf } from './credential.ts';
import { policyOf } from './policy.ts';
import type { PolicySettings } from './settings.ts';

const text = (maxLength: number, description?: string) =>
  Type.String({ maxLength, ...(description === undefined ? {} : { description }) });
const textOrNull = orNull(Type.String());

const PutoffOnTheWire = Type.Object(
  { reason: Type.String(), by: Type.String(), until: Type.String({ description: 'a date, which it still holds on' }) },
  { title: 'Putoff' },
);

export const CredentialOnTheWire = Type.Object(
  {
    credential_id: Type.String(),
    credential_name: Type.String(),
    credential_type: Type.String({ description: 'a word of your own, by which policies name it' }),
    owner_email: textOrNull,
    vaultwarden_item_id: textOrNull,
    lifecycle_state: Type.Enum([...lifecycleStates]),
    last_rotated_at: textOrNull,
    rotation_period_days: orNull(Type.Integer()),
    next_rotation_due: orNull(Type.String({ description: 'a date' })),
    expires_at: textOrNull,
    days_left: orNull(
      Type.Integer({ description: 'calendar days to the earlier of the two, in `timezone`; negative when over' }),
    ),
    urgency: Type.Enum([...urgencies], {
      description: 'medium within the lead time, high from the due date, critical from 14 days over',
    }),
    notes: textOrNull,
    runbook_url: textOrNull,
    created_at: Type.String(),
    updated_at: Type.String(),
    due: orNull(Type.String({ description: 'the earlier of next_rotation_due and expires_at, as a date' })),
    snooze: orNull(PutoffOnTheWire),
    waiver: orNull(PutoffOnTheWire),
    issue: orNull(
      Type.Object({
        number: orNull(Type.Integer()),
        url: textOrNull,
        state: Type.String({ description: 'creating, open, closed, or left: a person closed it twice' }),
        cycle: Type.String({ description: 'the due date that it is for' }),
      }),
    ),
  },
  { title: 'Credential' },
);

export interface ShownIssue {
  number: number | null;
  url: string | null;
  state: string;
  cycle: string;
}

/** The day that it is, the zone that days are counted in, and what types ask for. */
export interface Today {
  today: Temporal.PlainDate;
  timeZone: string;
  policies: Readonly<Record<string, PolicySettings>>;
}

export function credentialOnTheWire(
  credential: Credential,
  { today, timeZone, policies }: Today,
  issue: ShownIssue | null = null,
): Static<typeof CredentialOnTheWire> {
  const due = dueOf(credential, timeZone);
  const days_left = due ? daysUntil(due, today) : null;
  const { snooze, waiver, notes, runbook_url, created_at, updated_at, ...rest } = credential;
  return {
    ...rest,
    days_left,
    urgency: urgencyOf(days_left, policyOf(credential, policies).lead_days),
    notes,
    runbook_url,
    created_at,
    updated_at,
    due: due?.toString() ?? null,
    snooze,
    waiver,
    issue,
  };
}

const dateText = 'a date such as 2026-03-02, or a time; without a zone it is meant in `timezone`';

/** Refused under whatever name people send it. */
const secrets = Object.fromEntries(
  ['password', 'passphrase', 'secret', 'token', 'value', 'api_key', 'private_key'].map((name) => [
    name,
    Type.Optional(
      Type.Unsafe<unknown>({
        not: {},
        description: 'Rollcall keeps no secret: put it into the vault, and name its item in vaultwarden_item_id',
      }),
    ),
  ]),
);

const said = {
  credential_name: Type.Optional(Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' })),
  credential_type: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '^[A-Za-z0-9][\\w.-]*$' })),
  owner_email: Type.Optional(orNull(text(254, 'whose it is; a name does as well'))),
  vaultwarden_item_id: Type.Optional(orNull(text(200, 'the id of its item, or the exact name'))),
  lifecycle_state: Type.Optional(Type.Enum([...lifecycleStates])),
  last_rotated_at: Type.Optional(orNull(text(100, dateText))),
  rotation_period_days: Type.Optional(orNull(Type.Integer({ minimum: 1, maximum: 36_500 }))),
  next_rotation_due: Type.Optional(orNull(text(100, dateText))),
  expires_at: Type.Optional(orNull(text(100, dateText))),
  notes: Type.Optional(orNull(text(10_000))),
  runbook_url: Type.Optional(
    orNull(Type.String({ maxLength: 2000, pattern: '^https?://\\S+$', examples: ['https://wiki.example.org/rotate'] })),
  ),
  associations: Type.Optional(
    Type.Array(
      Type.Object(
        {
          ci_id: Type.Optional(Type.String()),
          ci_name: Type.Optional(Type.String()),
          role: Type.Optional(orNull(text(200))),
        },
        { additionalProperties: true },
      ),
      {
        description: 'items that use it, each by its ci_id or ci_name; added to those that are there',
        maxItems: 10_000,
      },
    ),
  ),
};

/** What the service says itself is taken and not looked at: people read one, alter it, and write it back whole. */
const owned = Object.fromEntries(
  ['credential_id', 'days_left', 'urgency', 'created_at', 'updated_at', 'due', 'snooze', 'waiver', 'issue'].map(
    (name) => [name, Type.Optional(Type.Unknown())],
  ),
);

export const CredentialPatch = Type.Object(
  { ...said, ...owned, ...secrets },
  { additionalProperties: false, title: 'CredentialPatch' },
);

export const CredentialBody = Type.Object(
  {
    ...said,
    credential_name: Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' }),
    credential_type: Type.String({ minLength: 1, maxLength: 100, pattern: '^[A-Za-z0-9][\\w.-]*$' }),
    ...owned,
    ...secrets,
  },
  { additionalProperties: false, title: 'CredentialBody' },
);

export type CredentialWords = Static<typeof CredentialPatch>;

export const RotatedBody = Type.Object(
  {
    rotated_at: Type.Optional(text(100, `when; now unless given: ${dateText}`)),
    expires_at: Type.Optional(orNull(text(100, `when the new one ends; ${dateText}`))),
    next_rotation_due: Type.Optional(orNull(text(100, `${dateText}; after its period unless given`))),
    vaultwarden_item_id: Type.Optional(orNull(text(200, 'where the new one stands in another item'))),
    note: Type.Optional(orNull(text(2000, 'what was done, for the issue'))),
  },
  { additionalProperties: false, title: 'RotatedBody' },
);

export const PutoffBody = Type.Object(
  {
    until: text(100, 'a date, or a span from today such as 14d'),
    reason: Type.String({ minLength: 1, maxLength: 1000, pattern: '\\S' }),
    by: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'who decided; the token unless given' }),
    ),
  },
  { additionalProperties: false, title: 'PutoffBody' },
);

export const AssociationOnTheWire = Type.Object(
  {
    credential_id: Type.String(),
    credential_name: Type.String(),
    ci_id: Type.String(),
    ci_name: Type.String(),
    ci_type: Type.String(),
    site_id: Type.String(),
    role: textOrNull,
  },
  { title: 'CredentialAssociation' },
);

export const AssociationBody = Type.Object(
  { role: Type.Optional(orNull(text(200, 'what it is used for there, such as deploy'))) },
  { additionalProperties: false, title: 'CredentialAssociationBody' },
);

export const RotationOnTheWire = Type.Object(
  {
    rotation_id: Type.String(),
    credential_id: Type.String(),
    rotated_at: Type.String(),
    recorded_at: Type.String(),
    evidence: Type.String({
      description:
        'word: of a person or playbook; password_revision, password_history: read in the vault; token_expiry: told by GitHub',
    }),
    note: textOrNull,
    recorded_by: Type.String(),
    change_ref: textOrNull,
  },
  { title: 'CredentialRotation' },
);

export const PolicyWordOnTheWire = Type.Object({
  setting: Type.String(),
  value: Type.Unknown(),
  from: Type.String({ description: 'the credential; the name of a policy; or default' }),
});

export const VaultFindingOnTheWire = Type.Object(
  {
    kind: Type.Enum(['untracked', 'missing', 'ambiguous', 'trashed', 'archived', 'went_back', 'from_the_future'], {
      description:
        'untracked: an item without a record; missing, ambiguous, trashed, archived: what a record names; went_back, from_the_future: its date is no evidence',
    }),
    credential_id: textOrNull,
    credential_name: textOrNull,
    item_id: textOrNull,
    item_name: textOrNull,
    since: Type.String(),
  },
  { title: 'VaultFinding' },
);

export const RehearsedOnTheWire = Type.Object(
  {
    has_tracker: Type.Boolean({ description: 'whether the settings name where issues are kept' }),
    has_vault: Type.Boolean(),
    actions: Type.Array(
      Type.Object({
        credential_name: Type.String(),
        action: Type.String({
          description:
            'open, adopt, renew, reopen, close, note, merge, wait, wait for a later run, forget, or mark rotated',
        }),
        issue_number: orNull(Type.Integer()),
      }),
    ),
  },
  { title: 'CredentialCheckRehearsed' },
);
