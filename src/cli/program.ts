/** All commands of `rollcall`, and what holds for each of them. */

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addressesCommand } from './addresses.ts';
import { ansibleCommand } from './ansible.ts';
import { applyCommand } from './apply.ts';
import { backupCommand } from './backup.ts';
import { ciCommand } from './ci.ts';
import { conflictsCommand } from './conflicts.ts';
import { credentialsCommand } from './credentials.ts';
import { discoverCommand } from './discover.ts';
import { doctorCommand } from './doctor.ts';
import { driftCommand } from './drift.ts';
import { explainCommand } from './explain.ts';
import { historyCommand } from './history.ts';
import { holdCommand, releaseCommand } from './hold.ts';
import { impactCommand } from './impact.ts';
import { inventoryCommand } from './inventory.ts';
import { jobsCommand } from './jobs.ts';
import { loginCommand } from './login.ts';
import { adoptCommand, mergeCommand } from './merge.ts';
import { openapiCommand } from './openapi.ts';
import { passesCommand } from './passes.ts';
import { pinCommand, unpinCommand } from './pin.ts';
import { redactCommand } from './redact.ts';
import { restoreCommand } from './restore.ts';
import { revertCommand } from './revert.ts';
import { runsCommand } from './runs.ts';
import { secretCommand } from './secret.ts';
import { serveCommand } from './serve.ts';
import { serviceCommand } from './service-install.ts';
import { sourcesCommand } from './sources.ts';
import { splitCommand } from './split.ts';
import { spoolCommand } from './spool.ts';
import { tokenCommand } from './token.ts';

export function rollcallProgram(): Command {
  const program = new Command('rollcall')
    .description('Knows which machines you have, tells Ansible, and remembers what Ansible did to them.')
    .version(packageVersion())
    .option('--config <file>', 'the configuration; rollcall.yml in this folder unless given, or ROLLCALL_CONFIG')
    .option('--data <folder>', 'the folder with the data; ./data unless given, or ROLLCALL_DATA')
    .addHelpText(
      'after',
      `
Commands speak to a service: the one at ROLLCALL_URL, with ROLLCALL_TOKEN or ROLLCALL_TOKEN_FILE (and ROLLCALL_CA for
certificates of your own); else the one that uses the data folder; else, on a machine without data, the one of
"rollcall login". With none running, they open the data themselves. ROLLCALL_CHANGE_REF=owner/repo#123 names the issue
that what they change is done for.

Exit code: 0 done, 1 failed or wrongly called, 2 done in part or held for a person.`,
    );

  const commands = [
    serveCommand(),
    serviceCommand(),
    ciCommand(),
    applyCommand(),
    passesCommand(),
    runsCommand(),
    discoverCommand(),
    credentialsCommand(),
    sourcesCommand(),
    conflictsCommand(),
    addressesCommand(),
    mergeCommand(),
    splitCommand(),
    adoptCommand(),
    impactCommand(),
    driftCommand(),
    historyCommand(),
    revertCommand(),
    explainCommand(),
    pinCommand(),
    unpinCommand(),
    holdCommand(),
    releaseCommand(),
    inventoryCommand(),
    ansibleCommand(),
    spoolCommand(),
    jobsCommand(),
    secretCommand(),
    tokenCommand(),
    loginCommand(),
    backupCommand(),
    restoreCommand(),
    redactCommand(),
    doctorCommand(),
    openapiCommand(),
  ];
  for (const command of commands) program.addCommand(command);
  helpAfterError(program);
  return program.hook('preAction', (_, command) => takeOwnOptions(command));
}

/** Where the command above has an option of the same name, it takes what stands behind the subcommand: it is given back. */
function takeOwnOptions(command: Command): void {
  const given = command.optsWithGlobals();
  for (const name of command.options.map((option) => option.attributeName()))
    if (given[name] !== undefined) command.setOptionValue(name, given[name]);
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

function helpAfterError(command: Command): void {
  command.showHelpAfterError('(--help says how)');
  for (const inner of command.commands) helpAfterError(inner);
}
