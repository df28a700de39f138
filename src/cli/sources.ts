/** `rollcall sources`: who says something, and taking its word from one of them. */

import { Command } from 'commander';
import { printChanges, type ShownChange } from './change.ts';
import type { Json } from './client.ts';
import { isConfirmed } from './confirm.ts';
import { counted, note, print, printJson, printTable, shown } from './output.ts';
import { withClient } from './service.ts';

export function sourcesCommand(): Command {
  return new Command('sources')
    .description('who says something of your items: hypervisors, Terraform, facts, files, people')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(withdrawCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('all sources, and how long ago each was read whole')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExample:\n  rollcall sources list')
    .action(async ({ json }: { json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const sources = await client.list('/sources');
        if (json) return printJson(sources);
        printTable(
          ['SOURCE', 'ROLE', 'SPEAKS OF', 'GONE', 'LAST HEARD', 'READ WHOLE', 'STATE'],
          sources.items.map((source) => [
            source.source,
            source.role,
            (source.claims as Json).living,
            (source.claims as Json).gone,
            source.last_seen_at,
            source.age_s === null ? null : `${span(Number(source.age_s))} ago`,
            stateOf(source),
          ]),
          'No source has spoken yet.',
        );
      }),
    );
}

interface Withdrawal {
  source: string;
  withdrawn: number;
  changes: ShownChange[];
  group_changes: { group_name: string }[];
}

function withdrawCommand(): Command {
  return new Command('withdraw')
    .description(
      'take its word from a source, after showing what that changes and asking; it is back once it speaks again',
    )
    .argument('<source>', 'such as import:old-hosts.ini')
    .option('--dry-run', 'show what it would change, and change nothing')
    .option('--yes', 'do not ask')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall sources withdraw import:old-hosts.ini\n  rollcall sources withdraw proxmox-api:lab --yes',
    )
    .action(
      async (
        source: string,
        { dryRun, yes, json }: { dryRun?: boolean; yes?: boolean; json?: boolean },
        self: Command,
      ) =>
        withClient(self, async (client) => {
          const path = `/sources/${encodeURIComponent(source)}`;
          if (!yes || dryRun) {
            const preview = await client.send<Withdrawal>('DELETE', path, undefined, { dry_run: true });
            if (dryRun && json) return printJson(preview);
            if (!json) printPreview(preview);
            if (dryRun) return;
            if (!process.stdin.isTTY) {
              process.exitCode = 1;
              return note('Nothing was changed: say --yes to withdraw it without being asked.');
            }
            if (!(await isConfirmed(`Withdraw all that ${shown(source)} says?`))) {
              process.exitCode = 1;
              return note('Nothing was changed.');
            }
          }
          const done = await client.send<Withdrawal>('DELETE', path);
          if (json) return printJson(done);
          print(
            `Withdrew ${counted(done.withdrawn, 'claim')} of ${shown(done.source)}; ${counted(done.changes.length, 'item')} changed.`,
          );
        }),
    );
}

function printPreview({ source, withdrawn, changes, group_changes }: Withdrawal): void {
  printChanges(changes);
  for (const { group_name } of group_changes) print(`~ group ${shown(group_name)}  without its word`);
  print(
    `${shown(source)} speaks of ${counted(withdrawn, 'thing')}; without it ${counted(changes.length, 'item')} would change.`,
  );
}

function stateOf(source: Json): string {
  if (source.withdrawn_at !== null) return `withdrawn ${shown(source.withdrawn_at)}`;
  return source.held_pass_id === null ? '-' : `held: rollcall passes show ${shown(source.held_pass_id)}`;
}

/** In the largest unit that it fills at least twice. */
function span(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}
