/** `rollcall apply`: files that people write, as one complete reading of a source. */

import { hostname } from 'node:os';
import { Command } from 'commander';
import type { Fault } from '../errors.ts';
import { printChanges, type ShownChange } from './change.ts';
import type { Client } from './client.ts';
import { checkedSource, faultsInFile, type Machines, readMachines, wrong } from './machines-file.ts';
import { counted, note, print, printJson, shown } from './output.ts';
import { withClient } from './service.ts';

interface Pass {
  pass_id: string;
  source: string;
  outcome: string;
  why: string | null;
  seen: number;
  created: number;
  updated: number;
  unchanged: number;
  missing: number;
  /** The places of those that fit several items. */
  waiting: number[];
  changes: ShownChange[];
  errors: { index: number; errors: Fault[] }[];
}

interface Options {
  source?: string;
  dryRun?: boolean;
  json?: boolean;
}

const example = `
A file looks like this; ansible/examples/machines.yml is a longer one:
  source: homelab            # optional: else --source, else the name of the file
  site: site-home            # optional, for all of them
  defaults:                  # optional, for all of them
    user: ansible
  machines:
    web-1:
      type: virtual_machine
      address: 10.0.0.11     # short for ansible: {host: …}; so are user, port, connection, enabled, groups, vars
      groups: [webservers]
      specs: {memory_mb: 4096, os: Debian}
    nas: {type: physical_server, address: 10.0.0.20, port: 2222}

Examples:
  rollcall apply machines.yml --dry-run
  rollcall apply machines.yml
  rollcall apply inventory/ --source homelab     a folder: its *.yml and *.yaml, as one source

What is no longer in the file is withdrawn. Where a great part is gone at once, nothing is withdrawn until
"rollcall passes accept" says that it is meant.
Exit code: 0 done, 1 failed and nothing changed, 2 held.`;

export function applyCommand(): Command {
  return new Command('apply')
    .description('take what a file or folder of YAML says for the whole of what its source says')
    .argument('<path>', 'a file, or a folder with *.yml and *.yaml')
    .option('--source <name>', 'the source, where the file names none; also lets another file take its place')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--json', "the service's own answer")
    .addHelpText('after', example)
    .action(async (path: string, options: Options, command: Command) => {
      const machines = readMachines(path);
      const source = sourceOf(machines, options.source);
      await withClient(command, (client) => apply(client, path, machines, source, options));
    });
}

function sourceOf(machines: Machines, given: string | undefined): string {
  if (machines.source === undefined)
    return checkedSource(given ?? machines.baseName.replaceAll(':', '_'), given ? '--source' : machines.path);
  const named = checkedSource(machines.source, 'source');
  if (given !== undefined && checkedSource(given, '--source') !== named)
    note(`The file says that it is ${named}; --source ${given} is left aside.`);
  return named;
}

async function apply(client: Client, path: string, machines: Machines, source: string, options: Options) {
  const body = {
    source,
    complete: true,
    origin: { host: hostname(), path: machines.path },
    ...(options.source === undefined ? {} : { takes_over: true }),
    items: machines.items.map((item) => item.body),
  };
  // A file with a fault in it changes nothing, so it is tried first.
  const tried = await client.send<Pass>('POST', '/passes', { ...body, dry_run: true });
  if (tried.errors.length > 0) throw wrong(path, faultsInFile(machines.items, tried.errors));
  const pass = options.dryRun ? tried : await client.send<Pass>('POST', '/passes', body);
  const isHeld = pass.outcome === 'suspicious';
  if (isHeld) process.exitCode = 2;
  if (options.json) return printJson(pass);

  printChanges(pass.changes);
  for (const index of pass.waiting)
    print(`? ${shown(machines.items[index]?.body.ci_name)}  could be of several items, and waits`);
  print(summaryOf(pass, options.dryRun ?? false));
  if (pass.waiting.length > 0 && !options.dryRun) print('Say which is meant: "rollcall conflicts" shows them.');
  if (!isHeld) return;
  print(`\nHeld: ${pass.why}.`);
  print(
    options.dryRun
      ? 'Applied, it would wait for "rollcall passes accept".'
      : `What the file says is in force. If what it leaves out is really gone, say so:\n  rollcall passes accept ${pass.pass_id}`,
  );
}

function summaryOf(pass: Pass, isDry: boolean): string {
  const would = isDry ? 'would be ' : '';
  const parts = [
    [pass.created, 'created'],
    [pass.updated, 'changed'],
    [pass.missing, 'withdrawn'],
    [pass.unchanged, 'unchanged'],
    [pass.waiting.length, 'waiting'],
  ].filter(([count]) => Number(count) > 0);
  const words = parts
    .map(([count, word]) => `${count} ${word === 'unchanged' || word === 'waiting' ? '' : would}${word}`)
    .join(', ');
  const dry = isDry ? ' Nothing was changed: this was a dry run.' : '';
  return `${pass.source}: ${counted(pass.seen, 'item')} read${words === '' ? '' : `; ${words}`}.${dry}`;
}
