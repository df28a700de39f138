/** `rollcall openapi`: the description of the API, for programs that read such. */

import { Command } from 'commander';
import { printJson } from './output.ts';
import { withClient } from './service.ts';

export function openapiCommand(): Command {
  return new Command('openapi')
    .description('print the OpenAPI document of the API')
    .addHelpText('after', '\nExample:\n  rollcall openapi > openapi.json')
    .action(async (_options, self: Command) =>
      withClient(self, async (client) => printJson(await client.get('/openapi.json'))),
    );
}
