/** `rollcall revert`: undoes what a person did, by the number of the change. */

import { Command } from 'commander';
import { StartError } from '../errors.ts';
import { type Json, Refusal } from './client.ts';
import { note, print, printJson, shown } from './output.ts';
import { withClient } from './service.ts';

export function revertCommand(): Command {
  return new Command('revert')
    .description('undo what a person did: words, pins, holds, answers, merge, split, adopt, delete')
    .argument('<change>', 'its number, as "rollcall history" shows it, or its id')
    .option('--reason <text>', 'why, for the history')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall history web-1\n  rollcall revert 1207 --reason "wrong machine"\n\nThis is a change too, which can be reverted. What a source said is not taken back: pin the former value.',
    )
    .action(async (change: string, { reason, json }: { reason?: string; json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const path = `/changes/${encodeURIComponent(change.replace(/^#/, ''))}/revert`;
        const reverted = await client
          .send('POST', path, reason === undefined ? {} : { reason })
          .catch((error: unknown) => {
            throw error instanceof Refusal ? withPins(error) : error;
          });
        if (json) return printJson(reverted);
        const what = reverted.ci_name ?? reverted.subject_id;
        print(`Undone, as change ${shown(reverted.change_no)} of ${shown(what)}.`);
        const left = reverted.left as string[];
        if (left.length > 0) note(`Something later stands on ${left.map(shown).join(', ')}, and was left.`);
      }),
    );
}

/** What was refused since a source said it, with the commands that pin what was before. */
function withPins(refusal: Refusal): Error {
  const { pin: pins } = refusal.problem;
  if (!Array.isArray(pins) || pins.length === 0) return refusal;
  const lines = (pins as Json[]).map(
    ({ ci_id, attribute, value }) =>
      `  rollcall pin ${shown(ci_id)} ${shown(attribute)} '${JSON.stringify(value)}' --reason …`,
  );
  return new StartError([refusal.message, ...lines].join('\n'), { cause: refusal });
}
