/** The endpoints of addresses: who has which, which several have, and which are free. */

import { Type } from 'typebox';
import { invalid, orNull } from '../check.ts';
import { DomainError } from '../errors.ts';
import { type Endpoint, endpoint } from '../http/endpoint.ts';
import { limitOf, listOf, pageOf, pageQuery, readCursor } from '../http/paging.ts';
import { isNetwork, isWithin, rangeOfIpv4 } from '../ip.ts';
import type { House } from '../module.ts';
import { millisecondsOf } from '../time.ts';
import { addressesInUse, duplicatesIn } from './addresses.ts';
import type { Subnet } from './settings.ts';
import { listAddressClaims } from './store.ts';
import { faultOfSubnet, freeIn } from './subnet.ts';

const AddressOnTheWire = Type.Object(
  {
    address: Type.String(),
    ci_id: Type.String(),
    ci_name: Type.String(),
    ci_type: Type.String(),
    ci_status: Type.String(),
    site_id: Type.String(),
    interface: orNull(Type.String({ description: 'as the one who says it calls it' })),
    is_primary: Type.Boolean({ description: 'the one by which a source says that the item is reached' }),
    source: Type.String({ description: 'who said so last' }),
    said_by: Type.Array(Type.String(), { description: 'all who say so' }),
    seen_at: Type.String({ description: 'when that one was heard last' }),
    age_s: Type.Integer({ description: 'seconds since then' }),
  },
  { title: 'Address' },
);

const usualFree = 10;
const mostFree = 1000;

export function addressEndpoints(
  { store, clock }: Pick<House, 'store' | 'clock'>,
  subnets: Readonly<Record<string, Subnet>>,
): Endpoint[] {
  const ageOf = (seenAt: string) =>
    Math.max(0, Math.round((clock().epochMilliseconds - millisecondsOf(seenAt)) / 1000));
  const getSubnet = (named: string): Subnet => {
    if (Object.hasOwn(subnets, named)) return subnets[named] as Subnet;
    const subnet = { cidr: named, reserved: [] };
    if (rangeOfIpv4(named) && !faultOfSubnet(subnet)) return subnet;
    const known = Object.keys(subnets).join(', ');
    throw new DomainError(
      'not_found',
      `There is no subnet ${named} in the settings under addresses.subnets${known === '' ? '' : `, only ${known}`}; a network of at most a /16 such as 10.0.0.0/24 is taken as well.`,
    );
  };
  return [
    endpoint({
      method: 'GET',
      path: '/addresses',
      scope: 'ci:read',
      tag: 'addresses',
      summary: 'Which addresses items have, on which interface, and who says so',
      description:
        'A row for each item that has an address: of items that are not retired, by sources whose word counts. Loopback, link-local and the bridge of Docker are left out.',
      query: Type.Object({
        ...pageQuery,
        address: Type.Optional(Type.String({ description: 'just this one' })),
        within: Type.Optional(Type.String({ description: 'of this network, such as 10.0.0.0/24' })),
        site_id: Type.Optional(Type.String()),
        ci_id: Type.Optional(Type.String({ description: 'of this item' })),
        duplicates: Type.Optional(Type.Boolean({ description: 'only those that several items of one site have' })),
      }),
      answers: { 200: listOf(AddressOnTheWire) },
      async handle({ query }) {
        const { address, within, site_id, ci_id, duplicates } = query;
        if (within !== undefined && !isNetwork(within))
          throw invalid('The query', [{ pointer: '/within', detail: 'must be a network such as 10.0.0.0/24' }]);
        const all = addressesInUse(await listAddressClaims(store.read, site_id));
        const rows = (duplicates === true ? duplicatesIn(all) : all).filter(
          (row) =>
            (address === undefined || row.address === address) &&
            (ci_id === undefined || row.ci_id === ci_id) &&
            (within === undefined || isWithin(row.address, within)),
        );
        const [after = 0] = readCursor(query.cursor, ['number']) ?? [];
        const limit = limitOf(query);
        const numbered = rows.map((row, at) => ({ row, at })).slice(after, after + limit + 1);
        const { items, ...page } = pageOf(numbered, limit, rows.length, ({ at }) => [at + 1]);
        return [200, { ...page, items: items.map(({ row }) => ({ ...row, age_s: ageOf(row.seen_at) })) }];
      },
    }),
    endpoint({
      method: 'GET',
      path: '/addresses/free/{subnet}',
      scope: 'ci:read',
      tag: 'addresses',
      summary: 'Which addresses of a subnet are free: no item has them, and they are not reserved',
      description:
        'By what Rollcall knows: what it has never heard of may still answer. `{subnet}` is a name of `addresses.subnets`, or a network with its slash as %2F.',
      query: Type.Object({
        limit: Type.Optional(
          Type.Integer({ minimum: 1, maximum: mostFree, description: `how many; ${usualFree} unless told` }),
        ),
      }),
      answers: {
        200: Type.Object({
          cidr: Type.String(),
          size: Type.Integer({ description: 'how many hosts it has room for' }),
          used: Type.Integer(),
          reserved: Type.Integer({ description: 'and not used' }),
          free: Type.Integer(),
          addresses: Type.Array(Type.String(), { description: 'the first ones that are free' }),
        }),
      },
      async handle({ params, query }) {
        const subnet = getSubnet(params.subnet as string);
        const rows = addressesInUse(await listAddressClaims(store.read, subnet.site));
        const used = new Set(rows.map((row) => row.address));
        return [200, freeIn(subnet, used, query.limit ?? usualFree)];
      },
    }),
  ];
}
