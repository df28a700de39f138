/** The settings under `addresses`. */

import { type Static, Type } from 'typebox';

const network = '^\\d{1,3}(\\.\\d{1,3}){3}/\\d{1,2}$';
const reserved = '^\\d{1,3}(\\.\\d{1,3}){3}(-\\d{1,3}(\\.\\d{1,3}){3}|/\\d{1,2})?$';

const subnetSchema = Type.Object(
  {
    cidr: Type.String({ pattern: network, description: 'a network of IPv4 such as 10.0.0.0/24' }),
    site: Type.Optional(Type.String({ description: 'whose addresses are looked at; those of all sites unless given' })),
    reserved: Type.Array(
      Type.String({ pattern: reserved, description: 'an address, a range such as 10.0.0.1-10.0.0.20, or a network' }),
      { default: [], description: 'what is never free: the range of DHCP, routers, printers' },
    ),
  },
  { additionalProperties: false },
);

export const addressSettings = Type.Object(
  {
    subnets: Type.Record(Type.String({ pattern: '^[a-z0-9][a-z0-9_.-]*$' }), subnetSchema, {
      default: {},
      description: 'networks by name, of which free addresses can be asked for',
    }),
  },
  { additionalProperties: false, default: {} },
);

export type Subnet = Static<typeof subnetSchema>;
