/** `rollcall hold` and `rollcall release`: an item in maintenance, out of the inventory, and back. */

import { Command } from 'commander';
import { type Options, onItem, untilInWords, withNarrowing } from './by-hand.ts';
import type { Json } from './client.ts';
import { print, printJson, shown } from './output.ts';

const words = { reason: '--reason', until: '--until' };

export function holdCommand(): Command {
  const command = new Command('hold')
    .description('take an item out of the inventory for a while: its status is maintenance until it is released')
    .argument('<name>', 'its name or id')
    .requiredOption('--reason <text>', 'why')
    .option('--until <when>', 'when it ends: a span such as 2h or 3d, or a time such as 2026-12-01');
  return withNarrowing(command)
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall hold web-1 --reason "new disk"\n  rollcall hold web-1 --reason "new disk" --until 2h\n  rollcall hold nas --reason "on loan" --until 2026-12-01',
    )
    .action(async (name: string, options: Options, self: Command) =>
      onItem(self, name, options, words, async (client, former, path) => {
        const { reason, until } = options;
        const item = await client.send('PUT', `${path}/hold`, { reason, ...(until === undefined ? {} : { until }) });
        if (options.json) return printJson(item);
        const hold = item.hold as Json;
        const isSame = JSON.stringify(former.hold) === JSON.stringify(hold);
        print(
          `${shown(item.ci_name)} is held${isSame ? ' already' : ''}${untilInWords(hold.until)}: ${shown(hold.reason)}. ` +
            'It is out of the inventory; "rollcall release" ends that.',
        );
        if (item.ci_status !== 'maintenance') print(`Its status stays ${shown(item.ci_status)}, which goes before.`);
      }),
    );
}

export function releaseCommand(): Command {
  const command = new Command('release')
    .description('end the hold of an item')
    .argument('<name>', 'its name or id')
    .option('--reason <text>', 'why it ends, for the history');
  return withNarrowing(command)
    .addHelpText('after', '\nExamples:\n  rollcall release web-1\n  rollcall release web-1 --reason "disk is in"')
    .action(async (name: string, options: Options, self: Command) =>
      onItem(self, name, options, words, async (client, former, path) => {
        const item = await client.send('DELETE', `${path}/hold`, undefined, { reason: options.reason });
        if (options.json) return printJson(item);
        const status = `Its status is ${shown(item.ci_status)}.`;
        if (former.hold === null) return print(`${shown(item.ci_name)} is not held. ${status}`);
        print(`Released ${shown(item.ci_name)}, which was held: ${shown((former.hold as Json).reason)}. ${status}`);
      }),
    );
}
