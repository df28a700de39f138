/** The endpoint that undoes what a person did. */

import { Type } from 'typebox';
import { type Endpoint, endpoint } from '../../http/endpoint.ts';
import type { Store } from '../../store/open.ts';
import type { Clock } from '../../time.ts';
import type { Cmdb } from '../cmdb.ts';
import { revertChange } from '../revert.ts';
import { readChange } from '../store/changes.ts';
import { ChangeOnTheWire } from '../wire.ts';

export function revertEndpoint(cmdb: Cmdb, store: Store, clock: Clock): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/changes/{id}/revert',
    scope: 'ci:write',
    tag: 'changes',
    summary: 'Undo what a person did: words, pins, holds, verdicts, merge, split, adopt, delete',
    description:
      '`{id}` is the `change_id` or the `change_no`. This is a change itself, which can be reverted as well. Where the same ' +
      'person said something later, that stands, and `left` names it. What a source said answers 409, with a `pin` of ' +
      'each former value in its place; what was reverted already answers 409 too.',
    body: Type.Object(
      { reason: Type.Optional(Type.String({ maxLength: 1000, description: 'why, for the history' })) },
      { additionalProperties: false, title: 'RevertBody' },
    ),
    bodyName: 'The reason',
    answers: { 200: Reverted },
    async handle({ params, body, caller }) {
      const reverted = await revertChange({ cmdb, store, clock }, params.id as string, body?.reason, caller);
      return [200, { ...(await readChange(store.read, reverted.change_id)), left: reverted.left }];
    },
  });
}

const Reverted = Type.Object(
  {
    ...ChangeOnTheWire.properties,
    left: Type.Array(Type.String(), { description: 'what was not undone, since something later stands there' }),
  },
  { title: 'RevertedChange' },
);
