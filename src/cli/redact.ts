/** `rollcall redact`: takes a value out that should never have come in, wherever it stands. */

import { existsSync, readdirSync } from 'node:fs';
import { Command } from 'commander';
import { StartError } from '../errors.ts';
import { isConfirmed } from './confirm.ts';
import { counted, note, print, shown } from './output.ts';
import { configOf, findRunning, openAlone } from './service.ts';

interface Options {
  reason?: string;
  dryRun?: boolean;
  yes?: boolean;
}

export function redactCommand(): Command {
  return new Command('redact')
    .description('take a value out that should never have come in, such as a password; the service must not be running')
    .argument('<change>', 'the number of a change that shows it, as "rollcall history" does')
    .argument('<attribute>', 'where it stands there, such as notes or technical_specs.description')
    .option('--reason <text>', 'why, for the history; not what it was')
    .option('--dry-run', 'say where it stands, and change nothing')
    .option('--yes', 'ask nothing')
    .addHelpText(
      'after',
      '\nIts texts are blanked in items, claims, changes, runs, refused writes and all else that is kept, and a change says\nthat this was done. It cannot be undone. Change the secret all the same: somebody may have read it.\n\nExamples:\n  rollcall redact 1207 notes --dry-run\n  rollcall redact 1207 notes --reason "a password was in it"',
    )
    .action(async (change: string, attribute: string, options: Options, self: Command) => {
      const config = await configOf(self);
      if (await findRunning(config))
        throw new StartError('The service is running. Stop it first: what it has in memory would be written again.');
      const app = await openAlone(config);
      try {
        const what = { change: change.replace(/^#/, ''), attribute, by: 'admin', reason: options.reason ?? null };
        const found = await app.redact(what, true);
        for (const { table, rows } of found.blanked) print(`${shown(table)}: ${counted(rows, 'place')}`);
        if (options.dryRun) return note('Nothing was changed.');
        if (!options.yes && !process.stdin.isTTY)
          throw new StartError('Nobody is there to be asked: say --yes. Nothing was changed.');
        if (!options.yes && !(await isConfirmed('Blank them all, for good?'))) {
          process.exitCode = 1;
          return note('Nothing was changed.');
        }
        await app.redact(what, false);
        print('It is blanked everywhere in the database, and a change says so.');
        for (const line of leftOver(found.said_by, `${config.data}/backups`)) note(line);
      } finally {
        await app.close();
      }
    });
}

/** What this command cannot reach. */
function leftOver(saidBy: readonly string[], folder: string): string[] {
  const backups = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.db')) : [];
  return [
    ...(saidBy.length > 0
      ? [`Take it out where it came from too, or it comes back: ${saidBy.map(shown).join(', ')} said it.`]
      : []),
    ...(backups.length > 0
      ? [`Backups from before may hold it: ${counted(backups.length, 'file')} in ${folder}.`]
      : []),
    'Copies elsewhere, exported inventories and logs are yours to look through.',
  ];
}
