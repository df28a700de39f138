/** The endpoints that say why an item is as it is: attribute by attribute, claim by claim, and why it is one thing. */

import { Type } from 'typebox';
import { orNull } from '../../check.ts';
import { DomainError } from '../../errors.ts';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../../http/paging.ts';
import type { ReadDb, Store } from '../../store/open.ts';
import { type Clock, stamp } from '../../time.ts';
import type { Cmdb } from '../cmdb.ts';
import { explain } from '../explain.ts';
import { identityOf } from '../identity-of.ts';
import type { Item } from '../item.ts';
import { loadClaims } from '../store/claims.ts';
import { listPins } from '../store/pins.ts';
import { listClaims } from '../store/read-claims.ts';
import { findItemById, getItem } from '../store/read-items.ts';

const narrow = {
  ci_type: Type.Optional(Type.String({ description: 'where several bear the name' })),
  site_id: Type.Optional(Type.String({ description: 'where several bear the name' })),
};

const ExplainedOnTheWire = Type.Object(
  {
    attribute: Type.String({ description: 'dotted path' }),
    value: Type.Unknown(),
    winner: orNull(
      Type.String({ description: 'whose word it is: a source, or pin; null where it follows from several' }),
    ),
    rule: Type.String({ description: 'why it is theirs' }),
    since: orNull(Type.String({ description: 'since when it is so' })),
    others: Type.Array(Type.Object({ source: Type.String(), value: Type.Unknown(), said_at: Type.String() }), {
      description: 'what the others say; of a union, what each adds',
    }),
    reason: Type.Optional(Type.String({ description: 'of a pin or a hold' })),
    until: Type.Optional(orNull(Type.String({ description: 'when the pin or the hold ends' }))),
  },
  { title: 'ExplainedAttribute' },
);

const ClaimOnTheWire = Type.Object(
  {
    claim_id: Type.String(),
    source: Type.String(),
    native_key: Type.String({ description: "the source's own key for the thing" }),
    said: Type.Record(Type.String(), Type.Unknown(), { description: 'what it says now' }),
    said_at: Type.String({ description: 'when it last said anything new' }),
    first_said_at: Type.String(),
    seen_at: orNull(Type.String({ description: 'when it was last heard' })),
    gone_since: orNull(Type.String({ description: 'since when its source no longer reports it' })),
    muted: Type.Boolean({ description: 'it has no word for now' }),
    alarm: orNull(Type.String()),
  },
  { title: 'Claim' },
);

const IdentityOnTheWire = Type.Object(
  {
    ci_id: Type.String(),
    ci_name: Type.String(),
    ties: Type.Array(
      Type.Object({
        claim: Type.String({ description: 'its source and its key' }),
        with: Type.String({ description: 'another claim, or the id of the item itself' }),
        by: Type.String({ description: 'a kind of identifier, or why in words' }),
        value: Type.Optional(Type.String({ description: 'what both carry' })),
        shares: Type.Optional(
          Type.Array(Type.String(), {
            description: 'of a claim that is tied to the item itself: what it has in common with its other claims',
          }),
        ),
      }),
      { description: 'what ties the claims of the item together' },
    ),
    apart: Type.Array(
      Type.Object({
        ci_id: Type.String(),
        ci_name: Type.String(),
        shares: Type.Array(Type.String(), { description: 'what it has in common with the item' }),
        because: Type.String({ description: 'why it is another one all the same' }),
      }),
      { description: 'other items that share something with it' },
    ),
    shared: Type.Array(Type.String(), {
      description: 'what several machines carry that cannot be one: it identifies none of them',
    }),
    questions: Type.Array(
      Type.Object({
        claim: Type.String(),
        conflict_id: orNull(Type.String()),
        candidates: Type.Array(Type.String(), { description: 'the claims of all that it could speak of' }),
      }),
      { description: 'what a person has to say' },
    ),
  },
  { title: 'Identity' },
);

export function explainEndpoints(cmdb: Cmdb, store: Store, clock: Clock): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/ci/{ci_id}/explain',
      scope: 'ci:read',
      tag: 'items',
      summary: 'Why an item is as it is: for each attribute whose word it is, by which rule, and what the others say',
      query: Type.Object(narrow),
      answers: {
        200: Type.Object(
          { ci_id: Type.String(), ci_name: Type.String(), attributes: Type.Array(ExplainedOnTheWire) },
          { title: 'Explanation' },
        ),
      },
      async handle({ params, query }) {
        const found = await getItem(store.read, params.ci_id as string, query);
        const { item, claims, pins } = await readWhole(store.read, found);
        const { ranks, defaultSite } = cmdb.heart;
        const attributes = explain(item, claims, pins, ranks, defaultSite);
        return [200, { ci_id: item.ci_id, ci_name: item.ci_name, attributes }];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/ci/{ci_id}/identity',
      scope: 'ci:read',
      tag: 'items',
      summary: 'Which identifiers tie the claims of an item together, and what holds it apart from others',
      query: Type.Object(narrow),
      answers: { 200: IdentityOnTheWire },
      async handle({ params, query }) {
        const { ci_id, ci_name } = await getItem(store.read, params.ci_id as string, query);
        const next = stamp(clock().add({ milliseconds: 1 }));
        return [200, { ci_id, ci_name, ...(await identityOf(store, cmdb.heart, ci_id, next)) }];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/ci/{ci_id}/claims',
      scope: 'ci:read',
      tag: 'items',
      summary: 'What each source says of an item, as it said it',
      query: Type.Object({ ...narrow, ...pageQuery }),
      answers: { 200: listOf(ClaimOnTheWire) },
      async handle({ params, query }) {
        const { ci_id } = await getItem(store.read, params.ci_id as string, query);
        return [200, pageOfAll(await listClaims(store.read, ci_id), query, (claim) => claim.claim_id)];
      },
    }),
  ];
}

const mostTries = 10;

/** An item with what it was merged of, all of one moment: where a write came between, it is read again. */
async function readWhole(db: ReadDb, found: Item) {
  let item = found;
  for (let tries = 0; tries < mostTries; tries += 1) {
    const claims = (await loadClaims(db, [item.ci_id])).get(item.ci_id) ?? [];
    const pins = await listPins(db, item.ci_id);
    const now = await findItemById(db, item.ci_id);
    if (!now) break;
    if (now.ci_id === item.ci_id && now.revision === item.revision) return { item: now, claims, pins };
    item = now;
  }
  throw new DomainError('unavailable', `${item.ci_name} is being written all the time.`, { retryAfterSeconds: 1 });
}
