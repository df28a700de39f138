/** `rollcall ci`: configuration items, looked at and hidden. Setting and applying have files of their own. */

import { Command } from 'commander';
import { applyCommand } from './apply.ts';
import { setCommand } from './ci-set.ts';
import type { Json } from './client.ts';
import { isConfirmed } from './confirm.ts';
import { addressOf, attributesOf, type Narrow, narrowQuery } from './item.ts';
import { linkCommand, linksCommand, unlinkCommand } from './link.ts';
import { note, print, printFields, printJson, printTable, shown } from './output.ts';
import { withClient } from './service.ts';

export function ciCommand(): Command {
  return new Command('ci')
    .description('configuration items: machines, guests, services, devices')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(setCommand())
    .addCommand(removeCommand())
    .addCommand(applyCommand())
    .addCommand(linkCommand())
    .addCommand(unlinkCommand())
    .addCommand(linksCommand());
}

const filters = {
  name: ['ci_name', 'its name'],
  type: ['ci_type', 'such as virtual_machine, lxc_container, physical_server'],
  status: ['ci_status', 'such as running, active, retired'],
  site: ['site_id', 'such as site-home'],
  tag: ['tag', 'one of its tags'],
  managedBy: ['managed_by', 'such as terraform'],
  vmid: ['vmid', 'number of a guest'],
  address: ['address', 'one of its IP addresses'],
  fqdn: ['fqdn', 'its full name'],
  search: ['q', 'text in the name, notes, role, tags or specs'],
  updatedSince: ['updated_since', 'a time, such as 2026-03-02'],
} as const;

function listCommand(): Command {
  const command = new Command('list').description('items that fit all of the given filters; all unless given');
  for (const [option, [, what]] of Object.entries(filters)) {
    const flag = option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    command.option(`--${flag} <${option === 'vmid' ? 'number' : 'text'}>`, what);
  }
  return command
    .option('--limit <number>', 'at most so many')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall ci list\n  rollcall ci list --type lxc_container --status running\n  rollcall ci list --search debian --json',
    )
    .action(
      async ({ limit, json, ...given }: Record<string, string> & { limit?: string; json?: boolean }, self: Command) =>
        await withClient(self, async (client) => {
          const query = Object.fromEntries(
            Object.entries(filters).map(([option, [parameter]]) => [parameter, given[option]]),
          );
          const items = await client.list('/ci', query, limit === undefined ? undefined : Number(limit));
          if (json) return printJson(items);
          printTable(
            ['NAME', 'TYPE', 'STATUS', 'SITE', 'ADDRESS', 'GROUPS', 'TAGS'],
            items.items.map((item) => [
              item.ci_name,
              item.ci_type,
              item.ci_status,
              item.site_id,
              addressOf(item),
              (item.ansible as Json).groups,
              item.tags,
            ]),
            'No item fits.',
          );
          if (items.next !== null) note(`${items.items.length} of ${items.count} are shown.`);
        }),
    );
}

function showCommand(): Command {
  return new Command('show')
    .description('all that is known of one item, or was at a moment')
    .argument('<name>', 'its name or id')
    .option('--type <type>', 'where several bear the name')
    .option('--site <site>', 'where several bear the name')
    .option('--at <time>', 'as it was then')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall ci show web-1\n  rollcall ci show web-1 --site site-ranch --json\n  rollcall ci show web-1 --at 2026-03-02',
    )
    .action(async (name: string, { json, at, ...narrow }: Narrow & { at?: string; json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const item = await client.get(`/ci/${encodeURIComponent(name)}`, { ...narrowQuery(narrow), at });
        if (json) return printJson(item);
        printFields(Object.entries(attributesOf(item)));
      }),
    );
}

function removeCommand(): Command {
  return new Command('rm')
    .description(
      'hide an item, after asking on a terminal; a source that still sees it brings it back with its history',
    )
    .argument('<name>', 'its name or id')
    .option('--type <type>', 'where several bear the name')
    .option('--site <site>', 'where several bear the name')
    .option('--yes', 'do not ask')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExamples:\n  rollcall ci rm web-1\n  rollcall ci rm web-1 --yes')
    .action(async (name: string, options: Narrow & { yes?: boolean; json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const found = await client.get(`/ci/${encodeURIComponent(name)}`, narrowQuery(options));
        const what = `${shown(found.ci_name)} (${shown(found.ci_type)} in ${shown(found.site_id)})`;
        if (!options.yes && process.stdin.isTTY && !(await isConfirmed(`Hide ${what}?`))) {
          process.exitCode = 1;
          return note('Nothing was changed.');
        }
        const item = await client.send('DELETE', `/ci/${shown(found.ci_id)}`);
        if (options.json) return printJson(item);
        print(`Hid ${what}. Its history stays; a source that still sees it brings it back.`);
      }),
    );
}
