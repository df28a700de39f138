/** `rollcall inventory export` and `rollcall inventory as`: the inventory for others than Ansible, and for bad days. */

import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Argument, Command } from 'commander';
import { StartError } from '../errors.ts';
import { writeFiles } from '../folder.ts';
import { counted, print } from './output.ts';
import { withClient } from './service.ts';

interface Bundle {
  version: string;
  files: { path: string; content: string; is_executable: boolean }[];
}

interface Narrow {
  site?: string;
  group?: string;
}

export function exportCommand(): Command {
  return new Command('export')
    .description('write the inventory into a folder that works without Rollcall: YAML, a script, files for ssh')
    .argument('<folder>', 'is made where it is not there; a former export in it is written anew')
    .option('--site <site>', 'hosts of this site')
    .option('--group <group>', 'hosts of this group')
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall inventory export ~/break-glass\n  ansible-inventory -i ~/break-glass/hosts.yml --graph\n\ninventory.export in rollcall.yml does it each night.',
    )
    .action(async (folder: string, { site, group }: Narrow, self: Command) =>
      withClient(self, async (client) => {
        refuseStrangers(folder);
        const { version, files } = await client.get<Bundle>('/inventory/exports/bundle', { site_id: site, group });
        try {
          writeFiles(
            folder,
            files.map(({ path, content, is_executable }) => ({ path, content, isExecutable: is_executable })),
          );
        } catch (error) {
          const { code = 'an error' } = error as NodeJS.ErrnoException;
          throw new StartError(`${folder} could not be written (${code}).`, { cause: error });
        }
        print(`Wrote the inventory ${version} to ${resolve(folder)}, ${counted(files.length, 'file')}.`);
        print(`Use it with: ansible-playbook -i ${join(folder, 'hosts.yml')} PLAYBOOK`);
      }),
    );
}

/** A folder of other things is not one to write into. */
function refuseStrangers(folder: string): void {
  if (!existsSync(folder) || existsSync(join(folder, 'script/inventory.json'))) return;
  const others = readdirSync(folder).filter((name) => !name.startsWith('.'));
  if (others.length > 0)
    throw new StartError(
      `${folder} holds other files, such as ${others[0]}. Name a folder that is empty or not there.`,
    );
}

const formats = ['ssh_config', 'known_hosts', 'hosts', 'prometheus'] as const;

export function asCommand(): Command {
  return new Command('as')
    .description('print the inventory as ssh, name resolution or Prometheus reads it')
    .addArgument(new Argument('<format>').choices(formats))
    .option('--site <site>', 'hosts of this site')
    .option('--group <group>', 'hosts of this group')
    .option('--port <port>', 'of the exporter that Prometheus asks; 9100 unless given')
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall inventory as ssh_config > ~/.ssh/rollcall\n  rollcall inventory as known_hosts > ~/.ssh/known_hosts.rollcall\n  rollcall inventory as prometheus --group monitored',
    )
    .action(async (format: string, { site, group, port }: Narrow & { port?: string }, self: Command) =>
      withClient(self, async (client) => {
        const query = { site_id: site, group, port: format === 'prometheus' ? port : undefined };
        const { text } = await client.read(`/inventory/exports/${format}`, query);
        process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
      }),
    );
}
