/** `rollcall explain`: for each attribute of an item its value, whose word it is and why, and what the others say. */

import { Command } from 'commander';
import { StartError } from '../errors.ts';
import { type Options, untilInWords, withNarrowing } from './by-hand.ts';
import { type Identity, printIdentity } from './identity.ts';
import { narrowQuery } from './item.ts';
import { momentOf, print, printJson, printTable, shown } from './output.ts';
import { attributeOf } from './pin.ts';
import { withClient } from './service.ts';
import { shortKeys } from './words.ts';

interface Explained {
  attribute: string;
  value: unknown;
  winner: string | null;
  rule: string;
  since: string | null;
  others: { source: string; value: unknown; said_at: string }[];
  reason?: string;
  until?: string | null;
}

interface Explanation {
  ci_id: string;
  ci_name: string;
  attributes: Explained[];
}

export function explainCommand(): Command {
  const command = new Command('explain')
    .description('why an item is as it is: whose word each attribute is, since when, why, and what the others say')
    .argument('<name>', 'its name or id')
    .argument('[attribute]', 'this one alone, or those of a section such as specs; all unless given')
    .option('--identity', 'what ties its claims together instead, and what holds it apart from other items');
  return withNarrowing(command)
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall explain web-1\n  rollcall explain web-1 specs.memory_mb\n  rollcall explain web-1 status --json\n  rollcall explain web-1 --identity',
    )
    .action(
      async (name: string, written: string | undefined, options: Options & { identity?: boolean }, self: Command) => {
        if (options.identity && written !== undefined)
          throw new StartError('--identity is of the whole item, and of no attribute.');
        const wanted = written === undefined ? undefined : wantedOf(written);
        await withClient(self, async (client) => {
          const path = `/ci/${encodeURIComponent(name)}`;
          if (options.identity) {
            const identity = await client.get<Identity>(`${path}/identity`, narrowQuery(options));
            return options.json ? printJson(identity) : printIdentity(identity);
          }
          const explanation = await client.get<Explanation>(`${path}/explain`, narrowQuery(options));
          const attributes = explanation.attributes.filter(
            ({ attribute }) => wanted === undefined || attribute === wanted || attribute.startsWith(`${wanted}.`),
          );
          if (options.json) return printJson({ ...explanation, attributes });
          printTable(
            ['ATTRIBUTE', 'VALUE', 'WHO', 'SINCE', 'WHY'],
            attributes.flatMap(rowsOf),
            `Nobody says anything of ${shown(wanted)}.`,
          );
          const pinned = attributes.filter(({ winner }) => winner === 'pin').length;
          if (pinned > 0) print('\nA pin goes before every source; "rollcall unpin" takes it off.');
        });
      },
    );
}

/** An attribute, or a section of them. */
function wantedOf(written: string): string {
  const section = (shortKeys[written] ?? written.split('.')).join('.');
  return ['technical_specs', 'ansible', 'ansible.vars'].includes(section) ? section : attributeOf(written);
}

function rowsOf({ attribute, value, winner, rule, since, others, reason, until }: Explained): unknown[][] {
  const isUnion = rule.startsWith('union');
  const why = `${rule}${reason === undefined ? '' : `: ${reason}`}${typeof until === 'string' ? `,${untilInWords(until)}` : ''}`;
  const who = winner ?? (isUnion ? 'together' : null);
  return [
    [attribute, value, who, since && momentOf(since), why],
    ...others.map((other) => [
      ' └',
      other.value,
      other.source,
      momentOf(other.said_at),
      isUnion ? 'adds these' : isEqual(other.value, value) ? 'says the same' : 'says otherwise',
    ]),
  ];
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
