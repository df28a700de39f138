/** `rollcall addresses`: who has which, which several have, and which are free. */

import { Command } from 'commander';
import { counted, print, printJson, printTable, spanOf } from './output.ts';
import { withClient } from './service.ts';

interface Address {
  address: string;
  ci_name: string;
  ci_type: string;
  ci_status: string;
  site_id: string;
  interface: string | null;
  is_primary: boolean;
  source: string;
  said_by: string[];
  age_s: number;
}

interface Free {
  cidr: string;
  size: number;
  used: number;
  reserved: number;
  free: number;
  addresses: string[];
}

interface Options {
  site?: string;
  within?: string;
  duplicates?: boolean;
  free?: string;
  limit?: string;
  json?: boolean;
}

export function addressesCommand(): Command {
  return new Command('addresses')
    .description('which addresses items have, on which interface, who says so and when; and which are free')
    .argument('[address]', 'just this one')
    .option('--site <site>', 'of items of this site')
    .option('--within <network>', 'of this network, such as 10.0.0.0/24')
    .option('--duplicates', 'only those that several items of one site have')
    .option('--free <subnet>', 'instead, the free ones of a subnet of the settings, or of a network')
    .option('--limit <count>', 'how many free ones; 10 unless given')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall addresses 10.0.0.5\n  rollcall addresses --within 10.0.0.0/24\n  rollcall addresses --duplicates\n  rollcall addresses --free lan',
    )
    .action(async (address: string | undefined, options: Options, self: Command) =>
      withClient(self, async (client) => {
        if (options.free !== undefined) {
          const path = `/addresses/free/${encodeURIComponent(options.free)}`;
          const free = await client.get<Free>(path, { limit: options.limit });
          return options.json ? printJson(free) : printFree(free);
        }
        const found = await client.list<Address>('/addresses', {
          address,
          site_id: options.site,
          within: options.within,
          duplicates: options.duplicates ? 'true' : undefined,
        });
        if (options.json) return printJson(found);
        printTable(
          ['ADDRESS', 'ITEM', 'TYPE', 'STATUS', 'SITE', 'INTERFACE', 'SAID BY', 'AGE'],
          found.items.map((row) => [
            row.address,
            row.ci_name,
            row.ci_type,
            row.ci_status,
            row.site_id,
            row.interface,
            row.said_by,
            spanOf(row.age_s),
          ]),
          options.duplicates ? 'No address is of several items of one site.' : 'No item has such an address.',
        );
      }),
    );
}

function printFree({ cidr, size, used, reserved, free, addresses }: Free): void {
  for (const address of addresses) print(address);
  print(`${cidr}: of ${counted(size, 'host')}, ${used} used, ${reserved} reserved, ${free} free.`);
}
