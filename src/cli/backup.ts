/** `rollcall backup`: a verified copy of the database, whether a service is using it or not. */

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { StartError } from '../errors.ts';
import { print } from './output.ts';
import { configOf } from './service.ts';

export function backupCommand(): Command {
  return new Command('backup')
    .description('write a verified copy of the database; safe while the service runs')
    .argument('<file>', 'where to; a former copy there is replaced once the new one is whole')
    .addHelpText(
      'after',
      '\nWorks on the data folder of this machine. The service makes a copy a day by itself, in backups/ there.\n\nExamples:\n  rollcall backup /backup/rollcall.db\n  rollcall --data /var/lib/rollcall backup "rollcall-$(date +%F).db"',
    )
    .action(async (file: string, _options, self: Command) => {
      const { backup } = await import('../app.ts');
      const config = await configOf(self);
      const target = resolve(file);
      const found = statSync(target, { throwIfNoEntry: false });
      if (found?.isDirectory())
        throw new StartError(`${file} is a folder: name the file, such as ${file}/rollcall.db.`);
      if (target === resolve(config.data, 'rollcall.db'))
        throw new StartError(`${file} is the database itself: name another file.`);
      await backup(config, target).catch((error: Error) => {
        if (error instanceof StartError) throw error;
        throw new StartError(`The copy cannot be written to ${target}: ${error.message}.`, { cause: error });
      });
      const kilobytes = Math.ceil(statSync(target).size / 1024);
      print(`Wrote ${target} (${kilobytes} KiB, verified). "rollcall restore ${file}" puts it back.`);
    });
}
