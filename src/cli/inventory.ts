/** `rollcall inventory`: what Ansible is told, why, and what of it changed. */

import { Command } from 'commander';
import { checkCommand } from './inventory-check.ts';
import { asCommand, exportCommand } from './inventory-export.ts';
import { importCommand } from './inventory-import.ts';
import { type Narrow, narrowQuery } from './item.ts';
import { print, printFields, printJson, printTable, shown, styled } from './output.ts';
import { withClient } from './service.ts';

interface Why {
  ci_name: string;
  name: string | null;
  named_by: string;
  served: boolean;
  reason: string;
  address: { value: string; from: string; shared_with: string[]; withheld: boolean } | null;
  groups: { group: string; rule: string }[];
}

interface Variable {
  name: string;
  before: unknown;
  after: unknown;
}

interface Difference {
  from: string;
  to: string;
  hosts: { added: string[]; removed: string[]; changed: { name: string; variables: Variable[] }[] };
  groups: {
    added: string[];
    removed: string[];
    changed: { name: string; joined: string[]; left: string[]; variables: Variable[] }[];
  };
}

export function inventoryCommand(): Command {
  return new Command('inventory')
    .description('print the inventory as Ansible gets it')
    .option('--site <site>', 'hosts of this site')
    .option('--group <group>', 'hosts of this group')
    .option('--status <status>', 'hosts of this status')
    .option('--include <kinds>', 'held, stopped, or both with a comma: hosts that are left out otherwise')
    .option('--host <name>', 'the variables of this host alone')
    .option('--at <when>', 'what Ansible was told then: a version, or a time')
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall inventory\n  rollcall inventory --host web-1\n  rollcall inventory --at 2026-03-02\n  rollcall inventory why web-1\n  rollcall inventory diff 2026-03-01',
    )
    .action(async ({ site, ...query }: Record<string, string>, self: Command) =>
      withClient(self, async (client) => {
        const { text } = await client.read('/inventory', { ...query, site_id: site }, await asThisMachine());
        // Byte for byte, unless a person looks at it.
        if (process.stdout.isTTY) printJson(JSON.parse(text));
        else process.stdout.write(text);
      }),
    )
    .addCommand(whyCommand())
    .addCommand(diffCommand())
    .addCommand(exportCommand())
    .addCommand(asCommand())
    .addCommand(importCommand())
    .addCommand(checkCommand());
}

function whyCommand(): Command {
  return new Command('why')
    .description('why a host is served or not, where its address came from, and what put it into each group')
    .argument('<name>', 'its name in the inventory, or the name or id of the item')
    .option('--type <type>', 'where several bear the name')
    .option('--site <site>', 'where several bear the name')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExample:\n  rollcall inventory why web-1')
    .action(
      async (name: string, options: Narrow & { json?: boolean }, self: Command) =>
        await withClient(self, async (client) => {
          const why = await client.get<Why>(`/inventory/why/${encodeURIComponent(name)}`, narrowQuery(options));
          if (options.json) return printJson(why);
          printFields([
            ['item', why.ci_name],
            ['served', `${why.served ? 'yes' : 'no'}: ${why.reason}`],
            ['name', why.name === null ? why.named_by : `${why.name}: ${why.named_by}`],
            ['address', addressWords(why.address)],
          ]);
          print('');
          printTable(
            ['GROUP', 'BECAUSE'],
            why.groups.map(({ group, rule }) => [group, rule]),
            'It is in no group.',
          );
        }),
    );
}

function diffCommand(): Command {
  return new Command('diff')
    .description('what differs between two inventories as they were told')
    .argument('<from>', 'a version (rollcall_inventory_version), or a time')
    .argument('[to]', 'a version, or a time; now unless given')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall inventory diff 2026-03-01\n  rollcall inventory diff 41-0123456789ab 57-ba9876543210',
    )
    .action(async (from: string, to: string | undefined, { json }: { json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const { text } = await client.read('/inventory/diff', { from, to }, await asThisMachine());
        const difference = JSON.parse(text) as Difference;
        if (json) return printJson(difference);
        printDifference(difference);
      }),
    );
}

/** Which host is called local depends on who asks. */
async function asThisMachine(): Promise<Record<string, string>> {
  const { controllerHere } = await import('../app.ts');
  const controller = controllerHere();
  return controller === undefined ? {} : { 'X-Rollcall-Controller': controller };
}

function printDifference({ from, to, hosts, groups }: Difference): void {
  print(`${from} → ${to}`);
  const lines = [
    ...hosts.added.map((name) => styled('green', `+ host ${shown(name)}`)),
    ...hosts.removed.map((name) => styled('red', `- host ${shown(name)}`)),
    ...hosts.changed.flatMap(({ name, variables }) => [
      styled('yellow', `~ host ${shown(name)}`),
      ...linesOf(variables),
    ]),
    ...groups.added.map((name) => styled('green', `+ group ${shown(name)}`)),
    ...groups.removed.map((name) => styled('red', `- group ${shown(name)}`)),
    ...groups.changed.flatMap(({ name, joined, left, variables }) => [
      styled('yellow', `~ group ${shown(name)}`),
      ...(joined.length > 0 ? [`    joined by ${shown(joined)}`] : []),
      ...(left.length > 0 ? [`    left by ${shown(left)}`] : []),
      ...linesOf(variables),
    ]),
  ];
  print(lines.length > 0 ? lines.join('\n') : 'Nothing differs.');
}

function linesOf(variables: readonly Variable[]): string[] {
  return variables.map(({ name, before, after }) => `    ${shown(name)}  ${shown(before)} → ${shown(after)}`);
}

function addressWords(address: Why['address']): string {
  if (!address) return 'none is known; Ansible looks the name up';
  const others = address.shared_with.length > 0 ? `; ${address.shared_with.join(', ')} had it too` : '';
  return `${address.value}: ${address.from}${others}${address.withheld ? ', so it is not given out for this one' : ''}`;
}
