/** The process: arguments in, one command run, its exit code out. */

import { Command } from 'commander';
import { version } from './app.ts';
import { serveCommand } from './cli/serve.ts';
import { DomainError, StartError } from './errors.ts';

const program = new Command('rollcall')
  .description('Knows which machines you have, tells Ansible, and remembers what Ansible did to them.')
  .version(version)
  .option('--config <file>', 'the configuration; rollcall.yml in this folder unless given, or ROLLCALL_CONFIG')
  .option('--data <folder>', 'the folder with the data; ./data unless given, or ROLLCALL_DATA')
  .showHelpAfterError('(--help says how)');

program.addCommand(serveCommand());

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof StartError) && !(error instanceof DomainError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
