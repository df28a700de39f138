/** `rollcall ci link`, `unlink` and `links`: what an item is to others. */

import { Command } from 'commander';
import { type Options, onItem, withNarrowing } from './by-hand.ts';
import { relationshipInWords } from './item.ts';
import { print, printJson, printTable, shown } from './output.ts';

const words = {
  relationship_type: 'the relationship',
  target_ci_id: 'the other item',
  relationship_strength: '--strength',
  note: '--note',
};

export function linkCommand(): Command {
  const command = new Command('link')
    .description('say that an item is something to another one')
    .argument('<name>', 'its name or id')
    .argument('<relationship>', 'depends_on, runs_on, connects_to, member_of, or a word of your own')
    .argument('<other>', 'name or id of the other item')
    .option('--strength <strength>', 'critical, strong or weak; strong unless told')
    .option('--note <text>', 'what is to be known of it');
  return withNarrowing(command)
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall ci link web-1 depends_on db-1\n  rollcall ci link web-1 depends_on db-1 --strength critical --note "its sessions"\n  rollcall ci link switch-1 powered_by ups-1',
    )
    .action(
      async (
        name: string,
        type: string,
        other: string,
        options: Options & { strength?: string; note?: string },
        self: Command,
      ) =>
        onItem(self, name, options, words, async (client, item, path) => {
          const { strength, note } = options;
          const row = await client.send('PUT', pathOf(path, type, other), {
            ...(strength === undefined ? {} : { relationship_strength: strength }),
            ...(note === undefined ? {} : { note }),
          });
          if (options.json) return printJson(row);
          print(`${shown(item.ci_name)} ${relationshipInWords(row)}.`);
        }),
    );
}

export function unlinkCommand(): Command {
  const command = new Command('unlink')
    .description('take back what you said that an item is to another one')
    .argument('<name>', 'its name or id')
    .argument('<relationship>', 'such as depends_on')
    .argument('<other>', 'name or id of the other item');
  return withNarrowing(command)
    .addHelpText('after', '\nExample:\n  rollcall ci unlink web-1 depends_on db-1')
    .action(async (name: string, type: string, other: string, options: Options, self: Command) =>
      onItem(self, name, options, words, async (client, item, path) => {
        const gone = await client.send('DELETE', pathOf(path, type, other));
        if (options.json) return printJson(gone);
        const what = `${shown(item.ci_name)} ${shown(gone.relationship_type)} ${shown(gone.ci_name)}`;
        const others = gone.still_said_by as string[];
        if (others.length === 0) return print(`You no longer say that ${what}; nobody does.`);
        print(`You no longer say that ${what}; ${shown(others)} still ${others.length > 1 ? 'do' : 'does'}.`);
      }),
    );
}

export function linksCommand(): Command {
  const command = new Command('links')
    .description('what an item is to others and others to it, and who says so')
    .argument('<name>', 'its name or id')
    .option('--types <list>', 'of these alone, such as depends_on,runs_on')
    .option('--direction <direction>', 'out: what it is to others; in: what others are to it');
  return withNarrowing(command)
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall ci links web-1\n  rollcall ci links db-1 --direction in --types depends_on',
    )
    .action(async (name: string, options: Options & { types?: string; direction?: string }, self: Command) =>
      onItem(self, name, options, { direction: '--direction' }, async (client, item, path) => {
        const query = { relationship_types: options.types, direction: options.direction };
        const links = await client.list(`${path}/relationships`, query);
        if (options.json) return printJson(links);
        printTable(
          ['ITEM', 'RELATIONSHIP', 'ITEM', 'STRENGTH', 'SAID BY', 'NOTE'],
          links.items.map((row) => {
            const [from, to] = row.direction === 'out' ? [item, row] : [row, item];
            const { relationship_type, relationship_strength, source, note } = row;
            return [from.ci_name, relationship_type, to.ci_name, relationship_strength, source, note];
          }),
          'Nobody says that it is anything to any other item.',
        );
      }),
    );
}

function pathOf(path: string, type: string, other: string): string {
  return `${path}/relationships/${encodeURIComponent(type)}/${encodeURIComponent(other)}`;
}
