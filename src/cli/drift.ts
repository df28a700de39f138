/** `rollcall drift`: where what is measured is not what was intended, or what a person says. */

import { Command } from 'commander';
import { note, printJson, printTable, shown } from './output.ts';
import { withClient } from './service.ts';

interface Word {
  source: string;
  value: unknown;
}

interface Drift {
  ci_name: string;
  site_id: string;
  attribute: string;
  value: unknown;
  measured: Word;
  intended: Word;
  since: string;
}

export function driftCommand(): Command {
  return new Command('drift')
    .description('where what is measured is not what was intended, or what a person says')
    .argument('[name]', 'of one item, by its name or id')
    .option('--site <site>', 'of items of this site')
    .option('--limit <number>', 'at most so many rows')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall drift\n  rollcall drift web-1\n  rollcall drift --site site-ranch --json',
    )
    .action(
      async (
        name: string | undefined,
        { site, limit, json }: { site?: string; limit?: string; json?: boolean },
        self: Command,
      ) =>
        withClient(self, async (client) => {
          const query = { ci_id: name, site_id: site };
          const drift = await client.list<Drift>('/drift', query, limit === undefined ? undefined : Number(limit));
          if (json) return printJson(drift);
          printTable(
            ['ITEM', 'SITE', 'ATTRIBUTE', 'IN FORCE', 'MEASURED', 'INTENDED', 'SINCE'],
            drift.items.map((one) => [
              one.ci_name,
              one.site_id,
              one.attribute,
              one.value,
              inWords(one.measured),
              inWords(one.intended),
              one.since,
            ]),
            'Nothing that is measured differs from what was intended.',
          );
          if (drift.next !== null) note(`${drift.items.length} of ${drift.count} are shown.`);
        }),
    );
}

function inWords({ value, source }: Word): string {
  return `${shown(value)} (${shown(source)})`;
}
