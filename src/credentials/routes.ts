/** The endpoints of credentials: what is known of them, who uses them, and what was done to them. */

import { Type } from 'typebox';
import { pageOfChanges } from '../cmdb/routes/items.ts';
import { ChangeOnTheWire } from '../cmdb/wire.ts';
import { type Caller, dryRunQuery, type Endpoint, endpoint } from '../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../http/paging.ts';
import type { Store } from '../store/open.ts';
import { doerOf } from './changes.ts';
import type { Rehearsed } from './check.ts';
import { type Credential, type CredentialId, isExpiring, lifecycleStates, urgencies } from './credential.ts';
import { shownIssues } from './issues/store.ts';
import { explainPolicy } from './policy.ts';
import { getCredential, type PutoffWords, type Records, type RotatedWords } from './records.ts';
import { listCredentials, listRotations } from './store.ts';
import { listFindings } from './vault/store.ts';
import {
  CredentialBody,
  CredentialOnTheWire,
  CredentialPatch,
  type CredentialWords,
  credentialOnTheWire,
  PolicyWordOnTheWire,
  PutoffBody,
  RehearsedOnTheWire,
  RotatedBody,
  RotationOnTheWire,
  type Today,
  VaultFindingOnTheWire,
} from './wire.ts';

export interface RouteParts {
  store: Store;
  records: Records;
  /** What day it is, and what holds for types. */
  today: () => Today;
  rehearse: () => Promise<Rehearsed>;
  /** Called after a write that an issue may have to follow. */
  changed: () => void;
}

const tag = 'credentials';
const idOrName = '`{credential_id}` also takes a name.';
const usualDays = 14;

export function credentialEndpoints({ store, records, today, rehearse, changed }: RouteParts): Endpoint[] {
  const shown = async (credentials: readonly Credential[]) => {
    const issues = await shownIssues(store.read);
    const day = today();
    return credentials.map((one) => credentialOnTheWire(one, day, issues.get(one.credential_id) ?? null));
  };
  const shownOne = async (credential: Credential) => (await shown([credential]))[0];
  /** Not after a rehearsal, and without waiting for it. */
  const followed = async (caller: Caller, credential: Credential) => {
    if (!caller.dryRun) changed();
    return await shownOne(credential);
  };
  const idOf = (params: Record<string, string>) => params.credential_id as string;

  const putOff = (what: 'snooze' | 'waiver', word: string, summary: string, description: string) => [
    endpoint({
      method: 'POST',
      path: `/credentials/{credential_id}/${word}`,
      scope: 'credentials:write',
      tag,
      summary,
      description: `${description} ${idOrName}`,
      query: Type.Object(dryRunQuery),
      body: PutoffBody,
      bodyName: 'The request',
      answers: { 200: CredentialOnTheWire },
      handle: async ({ params, body, caller }) => [
        200,
        await followed(caller, await records.putOff(idOf(params), what, body as PutoffWords, doerOf(caller))),
      ],
    }),
    endpoint({
      method: 'DELETE',
      path: `/credentials/{credential_id}/${word}`,
      scope: 'credentials:write',
      tag,
      summary: `Take the ${what} back`,
      query: Type.Object(dryRunQuery),
      answers: { 200: CredentialOnTheWire },
      handle: async ({ params, caller }) => [
        200,
        await followed(caller, await records.putOff(idOf(params), what, null, doerOf(caller))),
      ],
    }),
  ];

  return [
    endpoint({
      method: 'GET',
      path: '/credentials',
      scope: 'credentials:read',
      tag,
      summary: 'Credentials that fit all of the given filters, by name',
      query: Type.Object({
        credential_name: Type.Optional(Type.String()),
        credential_type: Type.Optional(Type.String()),
        lifecycle_state: Type.Optional(Type.Enum([...lifecycleStates])),
        owner_email: Type.Optional(Type.String()),
        urgency: Type.Optional(Type.Enum([...urgencies])),
        q: Type.Optional(Type.String({ description: 'text in the name, type, owner or notes' })),
        ...pageQuery,
      }),
      answers: { 200: listOf(CredentialOnTheWire) },
      async handle({ query: { q, limit, cursor, ...exact } }) {
        const rows = (await shown(await listCredentials(store.read))).filter(
          (row) =>
            Object.entries(exact).every(
              ([key, value]) => row[key as keyof typeof exact]?.toLowerCase() === value.toLowerCase(),
            ) &&
            (q === undefined || textOf(row).includes(q.toLowerCase())),
        );
        const page = { ...(limit === undefined ? {} : { limit }), ...(cursor === undefined ? {} : { cursor }) };
        return [200, pageOfAll(rows, page, (row) => `${row.credential_name.toLowerCase()} ${row.credential_id}`)];
      },
    }),
    endpoint({
      method: 'POST',
      path: '/credentials',
      scope: 'credentials:write',
      tag,
      summary: 'Register a credential: 201 when it is new, 200 when one of that name and type is known already',
      description:
        'Its metadata, never the secret: a value that looks like one is refused. Merges like PATCH, and is safe to repeat.',
      query: Type.Object(dryRunQuery),
      body: CredentialBody,
      bodyName: 'The credential',
      answers: { 200: CredentialOnTheWire, 201: CredentialOnTheWire },
      async handle({ body, caller }) {
        const { credential, isNew } = await records.add(body as CredentialWords, doerOf(caller));
        return [isNew ? 201 : 200, await shownOne(credential)];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/credentials/expiring',
      scope: 'credentials:read',
      tag,
      summary: 'What is overdue, and what is due from today to so many days ahead, most urgent first',
      description:
        'In the states active and rotating. A compromised one is due whatever its dates say, and is asked for by its state.',
      query: Type.Object({
        days: Type.Optional(
          Type.Integer({ minimum: 0, maximum: 36_500, description: `${usualDays} unless told; that day included` }),
        ),
        ...pageQuery,
      }),
      answers: { 200: listOf(CredentialOnTheWire) },
      async handle({ query: { days = usualDays, ...page } }) {
        const rows = (await shown(await listCredentials(store.read))).filter(({ lifecycle_state, days_left }) =>
          isExpiring(lifecycle_state, days_left, days),
        );
        return [200, pageOfAll(rows, page, (row) => `${row.due ?? ''} ${row.credential_name} ${row.credential_id}`)];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/credentials/vault',
      scope: 'credentials:read',
      tag,
      summary: 'Where the vault and the records do not fit, when it was read last',
      query: Type.Object(pageQuery),
      answers: { 200: listOf(VaultFindingOnTheWire) },
      async handle({ query }) {
        const names = new Map(
          (await listCredentials(store.read)).map((one) => [one.credential_id, one.credential_name]),
        );
        const rows = (await listFindings(store.read)).map(
          ({ kind, credential_id, item_id, item_name, since, subject }) => ({
            kind,
            credential_id,
            credential_name: names.get(credential_id as CredentialId) ?? null,
            item_id,
            item_name,
            since,
            subject,
          }),
        );
        const { items, ...page } = pageOfAll(rows, query, (row) => `${row.kind} ${row.subject}`);
        return [200, { ...page, items: items.map(({ subject: _, ...row }) => row) }];
      },
    }),
    endpoint({
      method: 'POST',
      path: '/credentials/rehearse',
      scope: 'jobs:run',
      tag,
      summary: 'What a check of all credentials would do now; nothing is written, neither here nor in the tracker',
      answers: { 200: RehearsedOnTheWire },
      handle: async () => [200, await rehearse()],
    }),
    endpoint({
      method: 'GET',
      path: '/credentials/{credential_id}',
      scope: 'credentials:read',
      tag,
      summary: 'One credential, by its id or its name',
      answers: { 200: CredentialOnTheWire },
      handle: async ({ params }) => [200, await shownOne(await getCredential(store.read, idOf(params)))],
    }),
    endpoint({
      method: 'PATCH',
      path: '/credentials/{credential_id}',
      scope: 'credentials:write',
      tag,
      summary: 'Say something of a credential',
      description: `Merges as JSON Merge Patch does: a key that is left out stands, null empties it. ${idOrName}`,
      query: Type.Object(dryRunQuery),
      body: CredentialPatch,
      bodyName: 'The credential',
      answers: { 200: CredentialOnTheWire },
      handle: async ({ params, body, caller }) => [
        200,
        await followed(caller, await records.alter(idOf(params), body as CredentialWords, doerOf(caller))),
      ],
    }),
    endpoint({
      method: 'GET',
      path: '/credentials/{credential_id}/explain',
      scope: 'credentials:read',
      tag,
      summary: 'What holds for a credential and where that stands, and how it was rotated',
      answers: {
        200: Type.Object({
          credential: CredentialOnTheWire,
          policy: Type.Array(PolicyWordOnTheWire),
          rotations: Type.Array(RotationOnTheWire),
        }),
      },
      async handle({ params }) {
        const credential = await getCredential(store.read, idOf(params));
        return [
          200,
          {
            credential: await shownOne(credential),
            policy: explainPolicy(credential, today().policies),
            rotations: await listRotations(store.read, credential.credential_id),
          },
        ];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/credentials/{credential_id}/changes',
      scope: 'changes:read',
      tag,
      summary: "A credential's history, newest first",
      query: Type.Object(pageQuery),
      answers: { 200: listOf(ChangeOnTheWire) },
      async handle({ params, query }) {
        const { credential_id } = await getCredential(store.read, idOf(params));
        return [200, await pageOfChanges(store, { subject: 'credential', subjects: [credential_id] }, query)];
      },
    }),
    endpoint({
      method: 'POST',
      path: '/credentials/{credential_id}/rotated',
      scope: 'credentials:write',
      tag,
      summary: 'Say that there is a new secret: when it is due next counts from then',
      description: `Closes its issue. Where its policy wants the vault to show it, 409. ${idOrName}`,
      query: Type.Object(dryRunQuery),
      body: RotatedBody,
      bodyIsOptional: true,
      bodyName: 'The rotation',
      answers: { 200: CredentialOnTheWire },
      handle: async ({ params, body, caller }) => [
        200,
        await followed(caller, await records.rotated(idOf(params), (body ?? {}) as RotatedWords, doerOf(caller))),
      ],
    }),
    ...putOff(
      'snooze',
      'snooze',
      'Remind nobody until a day',
      'No issue is opened until then, and an open one is not escalated.',
    ),
    ...putOff('waiver', 'waive', 'Let it be until a day, without a rotation', 'Its open issue is closed.'),
  ];
}

function textOf({ credential_name, credential_type, owner_email, notes }: Record<string, unknown>): string {
  return [credential_name, credential_type, owner_email, notes].join('\n').toLowerCase();
}
