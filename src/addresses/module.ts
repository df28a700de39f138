/** Addresses as a module: what it needs, and what it brings. */

import { StartError } from '../errors.ts';
import type { Module, Opened } from '../module.ts';
import { addressEndpoints } from './routes.ts';
import { addressSettings } from './settings.ts';
import { faultOfSubnet } from './subnet.ts';

export const addressesModule: Module<typeof addressSettings> = {
  name: 'addresses',
  settings: addressSettings,
  open(house, { subnets }): Opened {
    for (const [name, subnet] of Object.entries(subnets)) {
      const fault = faultOfSubnet(subnet);
      if (fault !== undefined) throw new StartError(`addresses.subnets.${name}: ${fault}.`);
    }
    return { endpoints: addressEndpoints(house, subnets) };
  },
};
