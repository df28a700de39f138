/** The endpoints of impact: what a change to one item means for others, and by which rules. */

import { Type } from 'typebox';
import { orNull } from '../../check.ts';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../../http/paging.ts';
import type { Store } from '../../store/open.ts';
import { inTurns } from '../../store/turn.ts';
import { changeTypes, hitEnds, type RelationshipRules, toldTypes } from '../carrying.ts';
import type { Cmdb } from '../cmdb.ts';
import { type CredentialsAffected, type Impact, impactOf } from '../impact.ts';
import { strengths } from '../item.ts';
import { getItem } from '../store/read-items.ts';

const Steps = Type.Array(
  Type.Object(
    {
      ci_id: Type.String(),
      ci_name: Type.String(),
      relationship_type: Type.String({ description: 'what it is to the one before it' }),
    },
    { title: 'ImpactStep' },
  ),
  { description: 'from the item that is changed, which it leaves out, to this one' },
);

const AffectedOnTheWire = Type.Object(
  {
    ci_id: Type.String(),
    ci_name: Type.String(),
    ci_type: Type.String(),
    ci_status: Type.String(),
    strength: Type.Enum([...strengths], { description: 'of the strongest path: its weakest relationship' }),
    path: Steps,
  },
  { title: 'Affected' },
);

const ImpactOnTheWire = Type.Object(
  {
    primary_ci: Type.Object({ ci_id: Type.String(), ci_name: Type.String(), ci_type: Type.String() }),
    change_type: orNull(Type.String()),
    directly_affected: Type.Array(AffectedOnTheWire, { description: 'one relationship away; strongest first' }),
    indirectly_affected: Type.Array(AffectedOnTheWire, { description: 'strongest first, then nearest' }),
    credentials_affected: Type.Array(
      Type.Object({
        credential_id: Type.String(),
        credential_name: Type.String(),
        ci_id: Type.String(),
        ci_name: Type.String(),
        role: orNull(Type.String()),
        path: Steps,
      }),
      { description: 'for each other item that uses a credential of this one' },
    ),
    cycles: Type.Array(Steps, {
      description:
        'items that hit each other in turn: each step follows from the one before it, the first from the last',
    }),
    truncated: Type.Boolean({ description: 'more is affected than is told' }),
  },
  { title: 'Impact' },
);

const carried = Type.Enum([...strengths, 'none']);
const RelationshipTypeOnTheWire = Type.Object(
  {
    relationship_type: orNull(Type.String({ description: 'null: any other word' })),
    reverse: orNull(Type.String({ description: 'what the other item is to the one that has the relationship' })),
    hits: Type.Enum([...hitEnds], {
      description:
        'whom an outage hits: the item that has the relationship, the other one that it names, both, or none',
    }),
    carries: Type.Object(Object.fromEntries(changeTypes.map((change) => [change, carried])), {
      description: "by change_type, how much of a relationship's strength is carried on at most",
    }),
  },
  { title: 'RelationshipType' },
);

/** What has more is made into text part by part, since it would hold others up. */
const rowsAtOnce = 200;

export function impactEndpoints(cmdb: Cmdb, store: Store, credentialsAffected?: CredentialsAffected): Endpoint[] {
  const rules = cmdb.settings.relationship_types as RelationshipRules;
  return [
    endpoint({
      method: 'GET',
      path: '/ci/{ci_id}/impact',
      scope: 'ci:read',
      tag: 'relationships',
      summary: 'What a change to one item means for others, and why',
      description:
        'A path is as strong as its weakest relationship; the strongest path counts, then the shortest. What is retired or hidden is not affected, and nothing is affected through it. ' +
        '`GET /relationship-types` says which relationships carry which change.',
      query: Type.Object({
        ci_type: Type.Optional(Type.String({ description: 'where several bear the name in `{ci_id}`' })),
        site_id: Type.Optional(Type.String({ description: 'where several bear the name in `{ci_id}`' })),
        change_type: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 200,
            description: `${changeTypes.join(', ')}; any other word, or none, is an outage, as shutdown is`,
          }),
        ),
        min_strength: Type.Optional(
          Type.Enum([...strengths], { description: 'relationships of this strength and more; strong unless told' }),
        ),
      }),
      answers: { 200: ImpactOnTheWire },
      async handle({ params, query }) {
        const { change_type: changeType = null, min_strength: minStrength = 'strong', ...narrowing } = query;
        const primary = await getItem(store.read, params.ci_id as string, narrowing);
        const impact = await impactOf(store.read, rules, primary, { changeType, minStrength }, credentialsAffected);
        return [200, await packed(impact), { 'Content-Type': 'application/json; charset=utf-8' }];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/relationship-types',
      scope: 'ci:read',
      tag: 'relationships',
      summary: 'What is known of each type of relationship: its reverse, whom it hits, and what of which change',
      query: Type.Object(pageQuery),
      answers: { 200: listOf(RelationshipTypeOnTheWire) },
      handle: ({ query }) =>
        Promise.resolve([200, pageOfAll(toldTypes(rules), query, ({ relationship_type }) => relationship_type ?? '~')]),
    }),
  ];
}

async function packed({ primary_ci, change_type, directly_affected, indirectly_affected, ...rest }: Impact) {
  const parts: Buffer[] = [];
  const add = (text: string) => parts.push(Buffer.from(text));
  const addRows = async (name: string, rows: Impact['directly_affected']) => {
    add(`,"${name}":[`);
    let before = '';
    for await (const some of inTurns(rows, rowsAtOnce)) {
      add(before + JSON.stringify(some).slice(1, -1));
      before = ',';
    }
    add(']');
  };
  add(JSON.stringify({ primary_ci, change_type }).slice(0, -1));
  await addRows('directly_affected', directly_affected);
  await addRows('indirectly_affected', indirectly_affected);
  add(`,${JSON.stringify(rest).slice(1)}`);
  return Buffer.concat(parts);
}
