/** `rollcall restore`: a backup in the place of the database. */

import { resolve } from 'node:path';
import { Command } from 'commander';
import { print } from './output.ts';
import { configOf } from './service.ts';

export function restoreCommand(): Command {
  return new Command('restore')
    .description('put a backup in the place of the database; the service must not be running')
    .argument('<file>', 'a copy that "rollcall backup" or the service made')
    .addHelpText(
      'after',
      '\nThe copy is verified before anything is touched, and the former database is kept beside the new one.\nTokens are in the database: those made after the backup are not known any more.\n\nExample:\n  rollcall restore data/backups/daily-2026-03-02.db',
    )
    .action(async (file: string, _options, self: Command) => {
      const { restore } = await import('../app.ts');
      const config = await configOf(self);
      const kept = await restore(resolve(file), config);
      print(`Restored ${file} to ${config.data}.`);
      if (kept) print(`The former database was kept as ${kept}.`);
      print(
        'Start the service; if it does not accept the admin token then, "rollcall token reset-admin" writes a new one.',
      );
    });
}
