/** `rollcall conflicts`: claims of which a person has to say what item they speak of. */

import { Command } from 'commander';
import { StartError } from '../errors.ts';
import { findOther, type Options, withNarrowing } from './by-hand.ts';
import { print, printJson, shown, styled } from './output.ts';
import { withClient } from './service.ts';

interface Conflict {
  conflict_id: string;
  claim: { source: string; native_key: string; ci_name: string | null };
  ci_id: string | null;
  candidates: { ci_id: string; ci_name: string; ci_type: string; site_id: string }[];
  reasons: string[];
  since: string;
}

export function conflictsCommand(): Command {
  return new Command('conflicts')
    .description('what was said and could be of several items: a person has to say of which')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(resolveCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('the open ones, oldest first')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExample:\n  rollcall conflicts list')
    .action(async ({ json }: { json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const conflicts = await client.list<Conflict>('/conflicts');
        if (json) return printJson(conflicts);
        if (conflicts.items.length === 0) return print('No conflict is open.');
        for (const conflict of conflicts.items) printConflict(conflict);
        print('\nAnswer with "rollcall conflicts resolve ID same NAME", or "… ID apart" where it is none of them.');
      }),
    );
}

interface Answered {
  claim: { source: string; native_key: string };
  ci_id: string | null;
  ci_name: string | null;
}

function resolveCommand(): Command {
  const command = new Command('resolve')
    .description('say of which item it is, or that it is none of those that it could be of; the answer is remembered')
    .argument('<id>', 'of the conflict')
    .argument('<decision>', 'same, with the item that is meant; or apart')
    .argument('[name]', 'with same: the name or id of that item');
  return withNarrowing(command)
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall conflicts resolve 01a2176d-e9eb-75a6-be79-f7bebe036d89 same web-1\n  rollcall conflicts resolve 01a2176d-e9eb-75a6-be79-f7bebe036d89 apart',
    )
    .action(async (id: string, decision: string, name: string | undefined, options: Options, self: Command) => {
      if (decision !== 'same' && decision !== 'apart')
        throw new StartError(`The answer is same or apart, not ${decision}.`);
      if (decision === 'same' && name === undefined)
        throw new StartError('Name the item that is meant: rollcall conflicts resolve ID same NAME.');
      if (decision === 'apart' && name !== undefined)
        throw new StartError('With apart no item is named: it is none of those that it could be of.');
      await withClient(self, async (client) => {
        const meant = name === undefined ? undefined : (await findOther(client, name, options)).ci_id;
        const path = `/conflicts/${encodeURIComponent(id)}/resolve`;
        const answered = await client.send<Answered>('POST', path, { decision, ci_id: meant });
        if (options.json) return printJson(answered);
        const { claim, ci_id, ci_name } = answered;
        const where = ci_id === null ? 'waits on' : `is of ${shown(ci_name)} (${shown(ci_id)}) now`;
        print(`${shown(claim.source)} ${shown(claim.native_key)} ${where}.`);
      });
    });
}

function printConflict({ conflict_id, claim, ci_id, candidates, reasons, since }: Conflict): void {
  const what =
    claim.ci_name === null ? shown(claim.native_key) : `${shown(claim.ci_name)} (${shown(claim.native_key)})`;
  print(styled('bold', `${conflict_id}  ${shown(claim.source)} speaks of ${what}, since ${since}`));
  for (const reason of reasons) print(`    ${shown(reason)}`);
  print(ci_id === null ? '    It waits without an item.' : `    Meanwhile it is on ${shown(ci_id)}.`);
  for (const one of candidates)
    print(`    could be ${shown(one.ci_id)}  ${shown(one.ci_name)} (${shown(one.ci_type)} in ${shown(one.site_id)})`);
}
