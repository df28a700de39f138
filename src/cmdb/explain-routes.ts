/** The endpoints that say why an item is as it is: attribute by attribute, and claim by claim. */

import { Type } from 'typebox';
import { DomainError } from '../errors.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../http/paging.ts';
import type { ReadDb, Store } from '../store/open.ts';
import type { Cmdb } from './cmdb.ts';
import { explain } from './explain.ts';
import type { Item } from './item.ts';
import { loadClaims } from './store/claims.ts';
import { listPins } from './store/pins.ts';
import { listClaims } from './store/read-claims.ts';
import { findItemById, getItem } from './store/read-items.ts';

const orNull = (schema: Parameters<typeof Type.Union>[0][number]) => Type.Union([schema, Type.Null()]);
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

export function explainEndpoints(cmdb: Cmdb, store: Store): Endpoint[] {
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
