/** `rollcall conflicts`: claims of which a person has to say what item they speak of. */

import { Command } from 'commander';
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
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExample:\n  rollcall conflicts')
    .action(async ({ json }: { json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const conflicts = await client.list<Conflict>('/conflicts');
        if (json) return printJson(conflicts);
        if (conflicts.items.length === 0) return print('No conflict is open.');
        for (const conflict of conflicts.items) printConflict(conflict);
      }),
    );
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
