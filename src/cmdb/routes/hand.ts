/** The endpoints of what a person does to one item by hand: pins and holds. */

import { Type } from 'typebox';
import { orNull } from '../../check.ts';
import { dryRunQuery, type Endpoint, endpoint } from '../../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../../http/paging.ts';
import type { Store } from '../../store/open.ts';
import type { Clock } from '../../time.ts';
import type { Cmdb } from '../cmdb.ts';
import { openHand } from '../hand.ts';
import { listPins } from '../store/pins.ts';
import { getItem, type NameQuery } from '../store/read-items.ts';
import { ItemOnTheWire, itemOnTheWire } from '../wire.ts';

const narrow = {
  ci_type: Type.Optional(Type.String({ description: 'where several bear the name' })),
  site_id: Type.Optional(Type.String({ description: 'where several bear the name' })),
};
const reason = Type.String({ minLength: 1, maxLength: 1000, pattern: '\\S', description: 'why: a few words' });
const until = Type.Optional(
  orNull(
    Type.String({
      description: 'when it ends: a time, in `timezone` unless it has a zone, or a span from now such as 2h or 3d',
    }),
  ),
);
const doing = Type.Object({ ...narrow, ...dryRunQuery });
const undoing = Type.Object({
  ...doing.properties,
  reason: Type.Optional(Type.String({ maxLength: 1000, description: 'why it ends, for the history' })),
});

const PinOnTheWire = Type.Object(
  {
    attribute: Type.String({ description: 'dotted path' }),
    value: Type.Unknown(),
    reason: Type.String(),
    pinned_by: Type.String(),
    since: Type.String({ description: 'since when it has this value' }),
    until: orNull(Type.String()),
  },
  { title: 'Pin' },
);

export function handEndpoints(cmdb: Cmdb, store: Store, clock: Clock): Endpoint[] {
  const hand = openHand(cmdb, store, clock);
  const idOf = async (params: Record<string, string>, query: NameQuery) =>
    (await getItem(store.read, params.ci_id as string, query)).ci_id;
  return [
    endpoint({
      method: 'GET',
      path: '/ci/{ci_id}/pins',
      scope: 'ci:read',
      tag: 'by hand',
      summary: "An item's pins",
      query: Type.Object({ ...narrow, ...pageQuery }),
      answers: { 200: listOf(PinOnTheWire) },
      async handle({ params, query }) {
        const pins = await listPins(store.read, await idOf(params, query));
        return [200, pageOfAll(pins, query, (pin) => pin.attribute)];
      },
    }),
    endpoint({
      method: 'PUT',
      path: '/ci/{ci_id}/pins/{attribute}',
      scope: 'ci:write',
      tag: 'by hand',
      summary: "Pin an attribute: a person's last word on it, whatever any source says",
      description:
        '`{attribute}` is a dotted path, such as `technical_specs.cpu_cores` or `ansible.vars.http_port`. ' +
        'Lists that add up (`tags`, `ansible.groups`) and what is worked out (`ci_status`) cannot be pinned.',
      query: doing,
      body: Type.Object(
        { value: Type.Unknown({ description: 'as in the body of an item' }), reason, until },
        { additionalProperties: false, title: 'PinBody' },
      ),
      bodyName: 'The pin',
      answers: { 200: ItemOnTheWire },
      async handle({ params, query, body, caller }) {
        const id = await idOf(params, query);
        const attribute = params.attribute as string;
        return [200, itemOnTheWire(await hand.pin(id, attribute, body.value, body, caller))];
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/ci/{ci_id}/pins/{attribute}',
      scope: 'ci:write',
      tag: 'by hand',
      summary: 'Take a pin off: what the sources say counts again',
      query: undoing,
      answers: { 200: ItemOnTheWire },
      async handle({ params, query, caller }) {
        const id = await idOf(params, query);
        return [200, itemOnTheWire(await hand.unpin(id, params.attribute as string, query.reason, caller))];
      },
    }),
    endpoint({
      method: 'PUT',
      path: '/ci/{ci_id}/hold',
      scope: 'ci:write',
      tag: 'by hand',
      summary: 'Hold an item: it is in maintenance, and out of the inventory',
      query: doing,
      body: Type.Object({ reason, until }, { additionalProperties: false, title: 'HoldBody' }),
      bodyName: 'The hold',
      answers: { 200: ItemOnTheWire },
      async handle({ params, query, body, caller }) {
        return [200, itemOnTheWire(await hand.hold(await idOf(params, query), body, caller))];
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/ci/{ci_id}/hold',
      scope: 'ci:write',
      tag: 'by hand',
      summary: 'Release a held item',
      query: undoing,
      answers: { 200: ItemOnTheWire },
      async handle({ params, query, caller }) {
        return [200, itemOnTheWire(await hand.release(await idOf(params, query), query.reason, caller))];
      },
    }),
  ];
}
