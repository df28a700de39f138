/** The endpoints of what people decide of who is whom: merge, split, adopt, and the answer to a conflict. */

import { Type } from 'typebox';
import { invalid, orNull } from '../../check.ts';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import type { Store } from '../../store/open.ts';
import type { Clock } from '../../time.ts';
import type { Cmdb } from '../cmdb.ts';
import type { ClaimId } from '../item.ts';
import { normalizeText } from '../said.ts';
import { findAskedClaim } from '../store/conflicts.ts';
import { getDeadItem, getItem, type ReadItem } from '../store/read-items.ts';
import { openVerdicts } from '../verdict.ts';
import { ItemOnTheWire, itemOnTheWire } from '../wire.ts';

const mostClaims = 1000;

const narrow = Type.Object({
  ci_type: Type.Optional(Type.String({ description: 'where several bear the name' })),
  site_id: Type.Optional(Type.String({ description: 'where several bear the name' })),
});
const reason = Type.Optional(
  Type.String({ minLength: 1, maxLength: 1000, pattern: '\\S', description: 'why: a few words, for the history' }),
);
const idOrName = (what: string) =>
  Type.String({ minLength: 1, maxLength: 10_000, description: `${what}: its id or its name` });
const textOrNull = orNull(Type.String());

const AnsweredOnTheWire = Type.Object(
  {
    conflict_id: Type.String(),
    decision: Type.Enum(['same', 'apart']),
    claim: Type.Object({
      claim_id: Type.String(),
      source: Type.String(),
      native_key: Type.String(),
      ci_name: textOrNull,
    }),
    ci_id: orNull(Type.String({ description: 'the item that the claim is of now' })),
    ci_name: textOrNull,
  },
  { title: 'AnsweredConflict' },
);

export function verdictEndpoints(cmdb: Cmdb, store: Store, clock: Clock): Endpoint[] {
  const verdicts = openVerdicts(cmdb, store, clock);
  return [
    endpoint({
      method: 'POST',
      path: '/ci/{ci_id}/merge',
      scope: 'ci:write',
      tag: 'by hand',
      summary: 'Say that another item is this one',
      description:
        'What was said of the other, its pins, its name in the inventory where this one has none that a person gave, and its history go on here; ' +
        'its id answers with this one from now on. `split` undoes it. Merged already: 200, and no change.',
      query: narrow,
      body: Type.Object(
        { other: idOrName('the item that is this one'), reason },
        { additionalProperties: false, title: 'MergeBody' },
      ),
      bodyName: 'The merge',
      answers: { 200: ItemOnTheWire },
      async handle({ params, query, body, caller }) {
        const into = await getItem(store.read, params.ci_id as string, query);
        const other = await getItem(store.read, body.other);
        const isMerged = isTombstone(params.ci_id as string, into) || isTombstone(body.other, other);
        if (into.ci_id === other.ci_id && isMerged) return [200, itemOnTheWire(into)];
        return [200, itemOnTheWire(await verdicts.merge(into.ci_id, other.ci_id, wordsOf(body.reason), caller))];
      },
    }),
    endpoint({
      method: 'POST',
      path: '/ci/{ci_id}/split',
      scope: 'ci:write',
      tag: 'by hand',
      summary: 'Say that some claims are of another item; answers that item',
      description:
        'They get the item back that they had before a merge, or a new one, and are remembered as apart from the rest. ' +
        '`GET /ci/{ci_id}/claims` lists them. `merge` undoes it.',
      query: narrow,
      body: Type.Object(
        {
          claims: Type.Array(Type.String({ maxLength: 100 }), {
            minItems: 1,
            maxItems: mostClaims,
            description: 'ids of claims of this item',
          }),
          reason,
        },
        { additionalProperties: false, title: 'SplitBody' },
      ),
      bodyName: 'The split',
      answers: { 200: ItemOnTheWire },
      async handle({ params, query, body, caller }) {
        const { ci_id } = await getItem(store.read, params.ci_id as string, query);
        const claims = body.claims.map((id) => id.toLowerCase() as ClaimId);
        return [200, itemOnTheWire(await verdicts.split(ci_id, claims, wordsOf(body.reason), caller))];
      },
    }),
    endpoint({
      method: 'POST',
      path: '/ci/{ci_id}/adopt',
      scope: 'ci:write',
      tag: 'by hand',
      summary: 'Let a living item go on for a dead one: it takes over what people gave that one',
      description:
        'Its name in the inventory, groups, variables, tags and whatever else people said of it. `from` is missing or retired; ' +
        'as a name it means the dead item of that name, also where a living one bears it too.',
      query: narrow,
      body: Type.Object(
        { from: idOrName('the dead item'), reason },
        { additionalProperties: false, title: 'AdoptBody' },
      ),
      bodyName: 'The adoption',
      answers: { 200: ItemOnTheWire },
      async handle({ params, query, body, caller }) {
        const into = await getItem(store.read, params.ci_id as string, query);
        const from = await getDeadItem(store.read, body.from);
        return [200, itemOnTheWire(await verdicts.adopt(into.ci_id, from.ci_id, wordsOf(body.reason), caller))];
      },
    }),
    endpoint({
      method: 'POST',
      path: '/conflicts/{conflict_id}/resolve',
      scope: 'ci:write',
      tag: 'sources',
      summary: 'Answer a conflict: the claim is of that item, or of none of those that it could be of',
      description: 'Remembered for the claim. `GET /conflicts` lists the open ones.',
      body: Type.Object(
        {
          decision: Type.Enum(['same', 'apart']),
          ci_id: Type.Optional(idOrName('with `same`, the item that is meant')),
        },
        { additionalProperties: false, title: 'Resolution' },
      ),
      bodyName: 'The answer',
      answers: { 200: AnsweredOnTheWire },
      async handle({ params, body: { decision, ci_id: named }, caller }) {
        if (decision === 'apart' && named !== undefined)
          throw invalid('The answer', [{ pointer: '/ci_id', detail: 'goes with the decision same alone' }]);
        const ci_id = named === undefined ? undefined : (await getItem(store.read, named)).ci_id;
        const id = params.conflict_id as string;
        await verdicts.resolve(id, { decision, ci_id }, caller);
        return [200, { conflict_id: id, decision, ...(await findAskedClaim(store.read, id)) }];
      },
    }),
  ];
}

/** What was named answers with the item, and is not it. */
function isTombstone(named: string, { ci_id, ci_name }: ReadItem): boolean {
  return named.toLowerCase() !== ci_id && named !== ci_name;
}

function wordsOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : normalizeText(text);
}
