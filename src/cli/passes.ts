/** `rollcall passes`: readings of sources, and the held ones among them. */

import { Command } from 'commander';
import type { Json } from './client.ts';
import { counted, print, printFields, printJson, printTable, shown } from './output.ts';
import { withClient } from './service.ts';

export function passesCommand(): Command {
  const command = new Command('passes').description('readings of whole sources; a held one waits for a person');
  command
    .command('list', { isDefault: true })
    .description('the newest readings')
    .option('--source <source>', 'of this source alone, such as import:machines.yml')
    .option('--limit <number>', 'at most so many', '20')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExamples:\n  rollcall passes list\n  rollcall passes list --source import:machines.yml')
    .action(async ({ source, limit, json }: { source?: string; limit: string; json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const passes = await client.get<{ items: Json[] }>('/passes', { source, limit });
        if (json) return printJson(passes);
        printTable(
          ['BEGUN', 'PASS', 'SOURCE', 'OUTCOME', 'SEEN', 'NEW', 'CHANGED', 'GONE'],
          passes.items.map((pass) => [
            pass.begun_at,
            pass.pass_id,
            pass.source,
            outcomeInWords(pass.outcome),
            pass.seen,
            pass.created,
            pass.updated,
            pass.missing,
          ]),
          'No source was read yet.',
        );
      }),
    );
  command
    .command('show')
    .description('one reading')
    .argument('<pass>', 'its id')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExample:\n  rollcall passes show 01a2136d-f7d9-7582-98d6-421e8bc0849f')
    .action(async (id: string, { json }: { json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const pass = await client.get(`/passes/${encodeURIComponent(id)}`);
        if (json) return printJson(pass);
        printFields(Object.entries({ ...pass, outcome: outcomeInWords(pass.outcome) }));
      }),
    );
  command
    .command('accept')
    .description('say that a held reading is right: what it no longer saw is withdrawn')
    .argument('<pass>', 'its id, as "rollcall apply" and "rollcall passes list" show it')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExample:\n  rollcall passes accept 01a2136d-f7d9-7582-98d6-421e8bc0849f')
    .action(async (id: string, { json }: { json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const pass = await client.send('POST', `/passes/${encodeURIComponent(id)}/accept`);
        if (json) return printJson(pass);
        print(`Accepted: ${counted(Number(pass.missing), 'item')} of ${shown(pass.source)} withdrawn.`);
      }),
    );
  return command;
}

function outcomeInWords(outcome: unknown): unknown {
  return outcome === 'suspicious' ? 'held' : outcome;
}
