/** The endpoints of who uses which credential. */

import { Type } from 'typebox';
import { getItem } from '../cmdb/store/read-items.ts';
import { dryRunQuery, type Endpoint, endpoint } from '../http/endpoint.ts';
import { listOf, pageOfAll, pageQuery } from '../http/paging.ts';
import type { Store } from '../store/open.ts';
import { doerOf } from './changes.ts';
import { getCredential, type Records } from './records.ts';
import { type Association, listAssociations } from './store.ts';
import { AssociationBody, AssociationOnTheWire } from './wire.ts';

const tag = 'credentials';
const narrow = {
  ci_type: Type.Optional(Type.String({ description: 'where several bear the name' })),
  site_id: Type.Optional(Type.String({ description: 'where several bear the name' })),
};

export function associationEndpoints(store: Store, records: Records): Endpoint[] {
  const idOf = (params: Record<string, string>) => params.credential_id as string;
  return [
    endpoint({
      method: 'GET',
      path: '/credentials/{credential_id}/associations',
      scope: 'credentials:read',
      tag,
      summary: 'The items that use a credential',
      query: Type.Object(pageQuery),
      answers: { 200: listOf(AssociationOnTheWire) },
      async handle({ params, query }) {
        const { credential_id } = await getCredential(store.read, idOf(params));
        return [200, pageOfAssociations(await listAssociations(store.read, { credential: credential_id }), query)];
      },
    }),
    endpoint({
      method: 'PUT',
      path: '/credentials/{credential_id}/associations/{ci_id}',
      scope: 'credentials:write',
      tag,
      summary: 'Say that an item uses a credential',
      description: 'Both ends are an id or a name.',
      query: Type.Object({ ...narrow, ...dryRunQuery }),
      body: AssociationBody,
      bodyIsOptional: true,
      bodyName: 'The association',
      answers: { 200: AssociationOnTheWire },
      async handle({ params, query: { dry_run: _, ...narrowing }, body, caller }) {
        const { ci_id } = await getItem(store.read, params.ci_id as string, narrowing);
        const role = body.role ?? null;
        return [200, associationOnTheWire(await records.associate(idOf(params), ci_id, role, doerOf(caller)))];
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/credentials/{credential_id}/associations/{ci_id}',
      scope: 'credentials:write',
      tag,
      summary: 'Say that an item uses a credential no more',
      query: Type.Object({ ...narrow, ...dryRunQuery }),
      answers: { 200: AssociationOnTheWire },
      async handle({ params, query: { dry_run: _, ...narrowing }, caller }) {
        const { ci_id } = await getItem(store.read, params.ci_id as string, narrowing);
        return [200, associationOnTheWire(await records.dissociate(idOf(params), ci_id, doerOf(caller)))];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/ci/{ci_id}/credentials',
      scope: 'credentials:read',
      tag,
      summary: 'The credentials that an item uses, and as what',
      query: Type.Object({ ...narrow, ...pageQuery }),
      answers: { 200: listOf(AssociationOnTheWire) },
      async handle({ params, query: { limit, cursor, ...narrowing } }) {
        const { ci_id } = await getItem(store.read, params.ci_id as string, narrowing);
        const page = { ...(limit === undefined ? {} : { limit }), ...(cursor === undefined ? {} : { cursor }) };
        return [200, pageOfAssociations(await listAssociations(store.read, { items: [ci_id] }), page)];
      },
    }),
  ];
}

function pageOfAssociations(rows: readonly Association[], page: { limit?: number; cursor?: string }) {
  const { items, ...rest } = pageOfAll(rows, page, (row) => `${row.ci_name} ${row.ci_id} ${row.credential_id}`);
  return { ...rest, items: items.map(associationOnTheWire) };
}

function associationOnTheWire(association: Association) {
  const { credential_id, credential_name, ci_id, ci_name, ci_type, site_id, role } = association;
  return { credential_id, credential_name, ci_id, ci_name, ci_type, site_id, role };
}
