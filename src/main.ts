/** The process: arguments in, one command run, its exit code out. */

import { Command } from 'commander';
import { version } from './app.ts';
import { applyCommand } from './cli/apply.ts';
import { backupCommand } from './cli/backup.ts';
import { ciCommand } from './cli/ci.ts';
import { Refusal } from './cli/client.ts';
import { doctorCommand } from './cli/doctor.ts';
import { inventoryCommand } from './cli/inventory.ts';
import { loginCommand } from './cli/login.ts';
import { openapiCommand } from './cli/openapi.ts';
import { passesCommand } from './cli/passes.ts';
import { restoreCommand } from './cli/restore.ts';
import { serveCommand } from './cli/serve.ts';
import { tokenCommand } from './cli/token.ts';
import { DomainError, StartError } from './errors.ts';
import { printable } from './log.ts';
import { faultInWords } from './yaml.ts';

const program = new Command('rollcall')
  .description('Knows which machines you have, tells Ansible, and remembers what Ansible did to them.')
  .version(version)
  .option('--config <file>', 'the configuration; rollcall.yml in this folder unless given, or ROLLCALL_CONFIG')
  .option('--data <folder>', 'the folder with the data; ./data unless given, or ROLLCALL_DATA')
  .addHelpText(
    'after',
    `
Commands speak to a service: the one at ROLLCALL_URL, with ROLLCALL_TOKEN or ROLLCALL_TOKEN_FILE (and ROLLCALL_CA for
certificates of your own); else the one that uses the data folder; else, on a machine without data, the one of
"rollcall login". With none running, they open the data themselves.

Exit code: 0 done, 1 failed or wrongly called, 2 done in part or held for a person.`,
  );

const commands = [
  serveCommand(),
  ciCommand(),
  applyCommand(),
  passesCommand(),
  inventoryCommand(),
  tokenCommand(),
  loginCommand(),
  backupCommand(),
  restoreCommand(),
  doctorCommand(),
  openapiCommand(),
];
for (const command of commands) program.addCommand(command);
helpAfterError(program);

// Whoever reads our output may have enough of it: "rollcall ci list | head".
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  const isForPeople = error instanceof StartError || error instanceof DomainError || error instanceof Refusal;
  if (!isForPeople) throw error;
  // One fault is in the sentence already.
  const several = error instanceof Refusal && error.faults.length > 1 ? error.faults : [];
  const faults = several.map((fault) => `  ${faultInWords(fault)}`);
  process.stderr.write(`${[error.message, ...faults].map(printable).join('\n')}\n`);
  process.exitCode = 1;
}

function helpAfterError(command: Command): void {
  command.showHelpAfterError('(--help says how)');
  for (const inner of command.commands) helpAfterError(inner);
}
