/** `rollcall merge` and `rollcall adopt`: one item goes on for another. */

import { Command } from 'commander';
import { findOther, inFull, type Options, onItem, withNarrowing, wordOf } from './by-hand.ts';
import type { Json } from './client.ts';
import { print, printJson, shown } from './output.ts';

export function mergeCommand(): Command {
  const command = new Command('merge')
    .description('say that two items are one: the first goes on, and the id of the other answers with it')
    .argument('<name>', 'the item that goes on: its name or id')
    .argument('<other>', 'the item that is the same: its name or id')
    .option('--reason <text>', 'why, for the history');
  return withNarrowing(command)
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall merge web-1 www --reason "one machine, under two names"\n  rollcall merge web-1 01a2176d-e9a9-7f4e-9b0c-ff85d6710cec\n\nUndone it is with: rollcall split NAME',
    )
    .action(async (name: string, other: string, options: Options, self: Command) =>
      onItem(self, name, options, { other: shown(other), reason: '--reason' }, async (client, former, path) => {
        const found = await findOther(client, other, options);
        // What was merged already answers with the item, and the service says so.
        const body = { other: found.ci_id === former.ci_id ? other : found.ci_id, reason: options.reason };
        const item = await client.send('POST', `${path}/merge`, body);
        if (options.json) return printJson(item);
        const survivor = shown(item.ci_name);
        if (found.ci_id === former.ci_id) return print(`${shown(other)} is ${survivor} already.`);
        print(`Merged ${inFull(found)} into ${survivor}, which answers for it from now on.`);
        print(`"rollcall split ${wordOf(item)}" parts them again.`);
      }),
    );
}

export function adoptCommand(): Command {
  const command = new Command('adopt')
    .description(
      'let an item go on for a dead one: it takes over what people gave that one, such as its name and groups',
    )
    .argument('<name>', 'the living item: its name or id')
    .requiredOption('--from <dead>', 'the item that is missing or retired: its name or id')
    .option('--reason <text>', 'why, for the history');
  return withNarrowing(command)
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall adopt db-new --from db-1 --reason "made anew under another number"\n  rollcall adopt db-1 --from db-1      # the dead one of that name',
    )
    .action(async (name: string, options: Options & { from: string }, self: Command) =>
      onItem(self, name, options, { from: shown(options.from), reason: '--reason' }, async (client, former, path) => {
        const item = await client.send('POST', `${path}/adopt`, { from: options.from, reason: options.reason });
        if (options.json) return printJson(item);
        const [before, now] = [former, item].map((one) => (one.ansible as Json).name);
        const called = before === now ? '' : ` Ansible finds it as ${shown(now)} from now on.`;
        print(`${inFull(item)} goes on for ${shown(options.from)}.${called}`);
      }),
    );
}
