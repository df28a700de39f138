/** `rollcall pin` and `rollcall unpin`: a person's last word on one attribute. */

import { Command } from 'commander';
import { StartError } from '../errors.ts';
import { type Options, onItem, untilInWords, withNarrowing } from './by-hand.ts';
import { readAssignments } from './ci-set.ts';
import type { Client } from './client.ts';
import { attributesOf } from './item.ts';
import { print, printJson, shown } from './output.ts';
import { readKey } from './words.ts';

interface Pin {
  attribute: string;
  value: unknown;
  reason: string;
  pinned_by: string;
  until: string | null;
}

export function pinCommand(): Command {
  const command = new Command('pin')
    .description("a person's last word on one attribute: it counts whatever any source says, until it is taken off")
    .argument('<name>', "the item's name or id")
    .argument('<attribute>', 'a key of the API or a short one of "rollcall apply", with dots for what is inside')
    .argument('<value>', 'read as YAML: 4096 is a number, true is true, [a, b] is a list')
    .requiredOption('--reason <text>', 'why')
    .option('--until <when>', 'when it ends: a span such as 2h or 3d, or a time such as 2026-12-01');
  return withNarrowing(command)
    .addHelpText(
      'after',
      [
        '\nExamples:',
        '  rollcall pin web-1 specs.cpu_cores 8 --reason "the hypervisor counts threads"',
        '  rollcall pin web-1 address 10.0.0.5 --reason "the agent lies" --until 3d',
        '  rollcall pin nas lifecycle retired --reason sold',
        '\nWhat is pinned, and over whose words: rollcall explain NAME',
      ].join('\n'),
    )
    .action(async (name: string, written: string, text: string, options: Options, self: Command) => {
      const [assignment] = readAssignments([`${written}=${text}`]);
      const attribute = attributeOf(written);
      const words = { attribute: '', value: attribute, reason: '--reason', until: '--until' };
      await onItem(self, name, options, words, async (client, _former, path) => {
        const before = await findPin(client, path, attribute);
        const { reason, until } = options;
        const body = { value: assignment?.value, reason, ...(until === undefined ? {} : { until }) };
        const item = await client.send('PUT', `${path}/pins/${encodeURIComponent(attribute)}`, body);
        if (options.json) return printJson(item);
        const pin = await findPin(client, path, attribute);
        const isSame = JSON.stringify(before) === JSON.stringify(pin);
        print(
          `${shown(attribute)} of ${shown(item.ci_name)} is pinned${isSame ? ' already' : ''} to ${shown(pin?.value)}` +
            `${untilInWords(pin?.until)}: ${shown(pin?.reason)}.`,
        );
      });
    });
}

export function unpinCommand(): Command {
  const command = new Command('unpin')
    .description('take a pin off: what the sources say counts again')
    .argument('<name>', "the item's name or id")
    .argument('<attribute>', 'as in "rollcall pin"')
    .option('--reason <text>', 'why, for the history');
  return withNarrowing(command)
    .addHelpText('after', '\nExample:\n  rollcall unpin web-1 specs.cpu_cores')
    .action(async (name: string, written: string, options: Options, self: Command) => {
      const attribute = attributeOf(written);
      await onItem(self, name, options, { attribute: '' }, async (client, _former, path) => {
        const before = await findPin(client, path, attribute);
        const place = `${path}/pins/${encodeURIComponent(attribute)}`;
        const item = await client.send('DELETE', place, undefined, { reason: options.reason });
        if (options.json) return printJson(item);
        const which = `${shown(attribute)} of ${shown(item.ci_name)}`;
        if (!before) return print(`${which} is not pinned.`);
        const value = attributesOf(item)[attribute];
        const now = value === undefined ? 'Nobody says it now.' : `It is ${shown(value)} now.`;
        print(`${which} is no longer pinned to ${shown(before.value)}. ${now}`);
      });
    });
}

/** The API's name of an attribute. Throws StartError for what is none. */
export function attributeOf(written: string): string {
  const path = readKey(written);
  if ('fault' in path) throw new StartError(`${written} ${path.fault}`);
  return path.join('.');
}

async function findPin(client: Client, path: string, attribute: string): Promise<Pin | undefined> {
  return (await client.list<Pin>(`${path}/pins`)).items.find((pin) => pin.attribute === attribute);
}
