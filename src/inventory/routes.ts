/** The inventory's endpoints: what Ansible reads, why it is so, and what changed. */

import { readFileSync } from 'node:fs';
import { type Static, Type } from 'typebox';
import { invalid, orNull } from '../check.ts';
import { loadActivity } from '../cmdb/store/activity.ts';
import { getItem } from '../cmdb/store/read-items.ts';
import { DomainError } from '../errors.ts';
import { type Answer, type Call, type Endpoint, endpoint } from '../http/endpoint.ts';
import type { Store } from '../store/open.ts';
import { readTime, stamp } from '../time.ts';
import { diffOf } from './diff.ts';
import { type Inventory, type Question, type Served, sharedAmongServed } from './inventory.ts';
import { loadAddressWords } from './store.ts';
import { whyOf } from './why.ts';

const script = new URL('../../ansible/inventory.py', import.meta.url);
const versionForm = /^\d+-[0-9a-f]{12}$/;

export const inventoryQuery = Type.Object({
  site_id: Type.Optional(Type.String()),
  group: Type.Optional(Type.String({ description: 'hosts of this group' })),
  status: Type.Optional(Type.String({ description: 'hosts of this ci_status' })),
  include: Type.Optional(
    Type.String({
      pattern: '^(held|stopped)(,(held|stopped))*$',
      description: 'held, stopped, or both with a comma: hosts that are left out otherwise',
    }),
  ),
  host: Type.Optional(Type.String({ description: 'the variables of this host alone' })),
  at: Type.Optional(Type.String({ description: 'a version, or a time: what Ansible was told then' })),
});

export function inventoryEndpoints(inventory: Inventory, store: Store, timeZone: string): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/inventory',
      scope: 'inventory:read',
      tag: 'inventory',
      summary: 'The inventory, as Ansible reads it from a script',
      description:
        'Answers with an ETag, and with 304 to `If-None-Match`. `X-Rollcall-Controller` tells whether the caller is the machine of the service.',
      query: inventoryQuery,
      answers: {
        200: Type.Unknown({ description: "Ansible's inventory JSON" }),
        304: { mediaType: 'application/json' },
      },
      async handle(call) {
        const question = questionOf(call, inventory);
        const { host, at } = call.query;
        if (host !== undefined) return await hostAnswer(inventory, question, host);
        const served =
          at === undefined ? await inventory.answer(question) : await inventory.told(momentOf(at, timeZone), question);
        return answerOf(served, call);
      },
    }),
    endpoint({
      method: 'GET',
      path: '/inventory/why/{name}',
      scope: 'inventory:read',
      tag: 'inventory',
      summary: 'Why a host is served or not, where its address came from, and what put it into each group',
      query: Type.Object({ ci_type: Type.Optional(Type.String()), site_id: Type.Optional(Type.String()) }),
      answers: {
        200: Type.Object({
          ci_id: Type.String(),
          ci_name: Type.String(),
          name: orNull(Type.String()),
          named_by: Type.String(),
          served: Type.Boolean(),
          reason: Type.String(),
          address: orNull(
            Type.Object({
              value: Type.String(),
              from: Type.String(),
              shared_with: Type.Array(Type.String(), { description: 'other hosts that have it' }),
              withheld: Type.Boolean({ description: 'so that it is not given out for this one' }),
            }),
          ),
          groups: Type.Array(Type.Object({ group: Type.String(), rule: Type.String() })),
        }),
      },
      async handle({ params, query }) {
        const snapshot = await inventory.snapshot();
        const { rules, hosts } = snapshot;
        const name = params.name as string;
        const bearer = [...hosts.values()].find((host) => host.name === name);
        const item = await getItem(store.read, bearer?.ci_id ?? name, query);
        const words = await loadAddressWords(store.read, [item.ci_id]);
        const activities = await loadActivity(store.read, [item.ci_id]);
        const shared = sharedAmongServed(snapshot);
        return [200, whyOf(item, words.get(item.ci_id) ?? [], rules, activities.get(item.ci_id), shared)];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/inventory/diff',
      scope: 'inventory:read',
      tag: 'inventory',
      summary: 'What differs between two inventories as they were told',
      query: Type.Object({
        from: Type.String({ description: 'a version, or a time' }),
        to: Type.Optional(Type.String({ description: 'a version, or a time; now unless given' })),
      }),
      answers: { 200: Type.Unknown() },
      async handle(call) {
        const question = { include: [], isHere: inventory.isHere(call.header('x-rollcall-controller')) };
        const { from, to } = call.query;
        const before = await inventory.told(momentOf(from, timeZone), question);
        const after =
          to === undefined ? await inventory.answer(question) : await inventory.told(momentOf(to, timeZone), question);
        return [
          200,
          {
            from: before.version,
            to: after.version,
            ...diffOf(JSON.parse(before.body.toString()), JSON.parse(after.body.toString())),
          },
        ];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/ansible/inventory.py',
      outside: true,
      scope: null,
      tag: 'inventory',
      summary: 'The inventory script, to be saved and made executable',
      answers: { 200: { mediaType: 'text/x-python' } },
      handle: () => Promise.resolve([200, readFileSync(script), { 'Content-Type': 'text/x-python; charset=utf-8' }]),
    }),
  ];
}

/** What part of the inventory is asked for. */
export function questionOf(
  call: Pick<Call<Omit<Static<typeof inventoryQuery>, 'host' | 'at'>, undefined>, 'query' | 'header'>,
  inventory: Inventory,
): Question {
  const { site_id, group, status, include } = call.query;
  return {
    ...(site_id === undefined ? {} : { site_id }),
    ...(group === undefined ? {} : { group }),
    ...(status === undefined ? {} : { status }),
    include: (include?.split(',') ?? []) as Question['include'],
    isHere: inventory.isHere(call.header('x-rollcall-controller')),
  };
}

async function hostAnswer(inventory: Inventory, question: Question, name: string): Promise<Answer> {
  const variables = await inventory.host(question, name);
  if (!variables)
    throw new DomainError(
      'not_found',
      `No host ${name} is in the inventory; GET /api/v1/inventory/why/${name} says why.`,
    );
  return [200, variables, { Vary: 'X-Rollcall-Controller' }];
}

function answerOf(served: Served, call: Call<unknown, unknown>): Answer {
  const etag = `"${served.version}"`;
  const headers = { ETag: etag, Vary: 'Accept-Encoding, X-Rollcall-Controller', 'Cache-Control': 'private, no-cache' };
  if (
    call
      .header('if-none-match')
      ?.split(/\s*,\s*/)
      .some((tag) => tag.replace(/^W\//, '') === etag)
  )
    return [304, undefined, headers];
  const isPacked = /\bgzip\b/.test(call.header('accept-encoding') ?? '');
  const body = isPacked ? served.packed : served.body;
  return [
    200,
    body,
    {
      ...headers,
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': String(body.length),
      ...(isPacked ? { 'Content-Encoding': 'gzip' } : {}),
    },
  ];
}

function momentOf(at: string, timeZone: string): string | { moment: string } {
  if (versionForm.test(at)) return at;
  const instant = readTime(at, timeZone);
  if (!instant)
    throw invalid('The query', [
      { pointer: '/at', detail: 'must be a version such as 12-0123456789ab, or a time such as 2026-03-02T10:00:00Z' },
    ]);
  return { moment: stamp(instant) };
}
