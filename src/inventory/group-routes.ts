/** The endpoints of the groups that operators name. */

import { Type } from 'typebox';
import { invalid, orNull } from '../check.ts';
import { differenceOf } from '../cmdb/changes.ts';
import { occasionOf } from '../cmdb/occasion.ts';
import { raiseRevision, storeChanges } from '../cmdb/store/changes.ts';
import { DomainError } from '../errors.ts';
import { type Answer, type Endpoint, endpoint } from '../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../http/paging.ts';
import type { Store } from '../store/open.ts';
import { type Clock, stamp } from '../time.ts';
import { configuredWords, faultIn, type Group, type GroupWord, groupsOf } from './groups.ts';
import type { InventorySettings } from './inventory.ts';
import { groupSchema } from './settings.ts';
import { deleteGroupWord, listGroupWords, storeGroupWord } from './store.ts';

const saidBy = orNull(Type.String());
const GroupOnTheWire = Type.Object(
  {
    group_name: Type.String(),
    vars: Type.Record(Type.String(), Type.Unknown()),
    children: Type.Array(Type.String()),
    match: Type.Unknown(),
    said_by: Type.Object(
      { vars: saidBy, children: saidBy, match: saidBy },
      { description: 'rollcall.yml, api, or an import' },
    ),
  },
  { title: 'Group' },
);

export function groupEndpoints(store: Store, settings: InventorySettings, clock: Clock): Endpoint[] {
  const configured = configuredWords(settings.groups);
  const effective = async () => groupsOf([...configured, ...(await listGroupWords(store.read))]);
  return [
    endpoint({
      method: 'GET',
      path: '/groups',
      scope: 'ci:read',
      tag: 'groups',
      summary: 'The groups that operators named, each with what is in force and who said it',
      query: Type.Object(pageQuery),
      answers: { 200: listOf(GroupOnTheWire) },
      handle: async ({ query }) => [200, pageOfAll(await effective(), query, (group) => group.group_name)],
    }),
    endpoint({
      method: 'GET',
      path: '/groups/{name}',
      scope: 'ci:read',
      tag: 'groups',
      summary: 'One group',
      answers: { 200: GroupOnTheWire },
      async handle({ params }) {
        const group = (await effective()).find((one) => one.group_name === params.name);
        if (!group) throw new DomainError('not_found', `No operator named a group ${params.name}.`);
        return [200, group];
      },
    }),
    endpoint({
      method: 'PUT',
      path: '/groups/{name}',
      scope: 'ci:write',
      tag: 'groups',
      summary: 'Describe a group: its variables, its children, and which hosts are in it',
      description:
        'The whole of what the API says of it; an empty body takes that back. What stands in rollcall.yml beats it, and it beats an import.',
      body: groupSchema,
      bodyName: 'The group',
      answers: { 200: GroupOnTheWire, 201: GroupOnTheWire },
      async handle({ params, body, caller }) {
        const name = params.name as string;
        const at = stamp(clock());
        const word: GroupWord = {
          group_name: name,
          source: 'api',
          vars: body.vars ?? null,
          children: body.children ?? null,
          match: body.match ?? null,
        };
        return await store.write(async (trx) => {
          const words = [...configured, ...(await listGroupWords(trx))];
          const former = groupsOf(words).find((group) => group.group_name === name);
          const isEmpty = word.vars === null && word.children === null && word.match === null;
          const next = groupsOf([
            ...words.filter((one) => one.group_name !== name || one.source !== 'api'),
            ...(isEmpty ? [] : [word]),
          ]);
          refuseFault(next);
          const group = next.find((one) => one.group_name === name) ?? {
            group_name: name,
            vars: {},
            children: [],
            match: null,
            said_by: { vars: null, children: null, match: null },
          };
          const difference = differenceOf(former && (documentOf(former) as never), documentOf(group) as never);
          if (difference) {
            await (isEmpty ? deleteGroupWord(trx, name, 'api') : storeGroupWord(trx, word, at));
            const change = {
              subject: 'group' as const,
              subject_id: name,
              action: former ? 'updated' : 'created',
              source: `manual:${caller.tokenName}`,
              ...difference,
            };
            const occasion = occasionOf(caller, clock);
            await storeChanges(trx, [change], await raiseRevision(trx), occasion);
          }
          return [former ? 200 : 201, group] as Answer;
        });
      },
    }),
  ];
}

function documentOf({ said_by: _, group_name: _name, ...document }: Group) {
  return document;
}

function refuseFault(groups: readonly Group[]): void {
  const fault = faultIn(groups);
  if (fault) throw invalid('The group', [{ pointer: fault.key === 'name' ? '' : '/children', detail: fault.detail }]);
}
