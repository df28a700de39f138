/** `rollcall inventory import`: an inventory that Ansible reads, taken over with its hosts, groups and variables. */

import { realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { type Fault, faultInWords, StartError } from '../errors.ts';
import { askAnsible, findAnsibleInventory, nothingIn } from './ansible-inventory.ts';
import { type Client, Refusal } from './client.ts';
import { type ImportPass, type LeftOut, printLeftOut, printPass } from './import-report.ts';
import { type InventoryCopy, withCopy } from './inventory-copy.ts';
import { type Places, placesIn } from './inventory-places.ts';
import { checkedSource, wrong } from './machines-file.ts';
import { groupSaid, itemOf, type OldInventory, readOldInventory } from './old-inventory.ts';
import { print, printJson } from './output.ts';
import { withoutPlainSecrets } from './plain-secrets.ts';
import { withClient } from './service.ts';

interface Options {
  site?: string;
  source?: string;
  withPlainSecrets?: boolean;
  dryRun?: boolean;
  ansibleInventory?: string;
  json?: boolean;
}

const help = `
It reads what Ansible reads: INI, YAML, JSON, folders, programs that print an inventory, and group_vars and host_vars
beside them. Names, groups, variables, templates and vault values stay as they are written. It asks the
ansible-inventory of this machine (or the one that --ansible-inventory or ROLLCALL_ANSIBLE_INVENTORY names) about a
copy, without a vault password: what is encrypted stays so. Of ansible.cfg that counts which changes how inventories
are read. Files that are encrypted as a whole are not read; it says where they go.

A host that is known by its name at the site is that one; an address alone makes nobody the same. What is no longer in
the inventory is withdrawn by the next import. Hosts that discovery finds after the first import are not served until
ansible.enabled is true, so that "hosts: all" stays what it was (new_hosts of the site).

Examples:
  rollcall inventory import ~/infra/hosts.ini --dry-run
  rollcall inventory import ~/infra/inventory/
  rollcall inventory import inventory/*.ini --source lab --site site-ranch

Exit code: 0 done, 1 failed and nothing changed, 2 done in part: held, or some hosts wait for a person.`;

export function importCommand(): Command {
  return new Command('import')
    .description('take over an inventory as Ansible reads it')
    .argument('<path...>', 'files and folders, as for -i')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--site <site>', 'where the hosts are; the default site unless given')
    .option('--source <name>', 'the source, else the name of the file; also lets another file take its place')
    .option('--with-plain-secrets', 'take in what looks like a secret in plain text too')
    .option('--ansible-inventory <program>', 'the ansible-inventory to ask')
    .option('--json', "the service's own answer, and what was left out")
    .addHelpText('after', help)
    .action(async (paths: string[], options: Options, self: Command) => {
      const program = findAnsibleInventory(options.ansibleInventory);
      const origin = originOf(paths);
      const source = checkedSource(
        options.source ?? basename(origin).replaceAll(':', '_'),
        options.source ? '--source' : origin,
      );
      const read = await withCopy(paths, async (copy, signal) => {
        if (copy.sources.length === 0)
          throw new StartError(['There is nothing to read.', ...leftWords(copy)].join('\n'));
        const { listed, exported, warnings } = await askAnsible(program, copy, signal);
        const inventory = readOldInventory(listed, exported);
        if (inventory.hosts.length === 0) throw new StartError(copy.sources.map(nothingIn).join('\n'));
        return { inventory, warnings, copy };
      });
      const sifted = siftedOf(read.inventory, options.withPlainSecrets ?? false);
      const left: LeftOut = { ...read, ...sifted, places: placesIn(read.copy.files) };
      await withClient(self, (client) => take(client, { paths, origin, source, options, left }));
    });
}

interface Import {
  paths: readonly string[];
  origin: string;
  source: string;
  options: Options;
  left: LeftOut;
}

async function take(client: Client, { paths, origin, source, options, left }: Import): Promise<void> {
  const { inventory, places } = left;
  const body = {
    source,
    complete: true,
    origin: { host: hostname(), path: origin },
    ...(options.source === undefined ? {} : { takes_over: true }),
    items: inventory.hosts.map((host) => itemOf(host, options.site)),
    groups: inventory.groups.map(groupSaid),
  };
  const known = (await client.list<{ source: string }>('/sources')).items;
  const isFirst = !known.some((one) => one.source === source);
  // With a fault in it the inventory changes nothing, so it is tried first.
  const tried = await send(client, { ...body, dry_run: true }, left, paths);
  if (tried.errors.length > 0) throw wrong(paths.join(' '), hostFaults(inventory, tried, places));
  if (options.json && options.dryRun) return printAsJson(tried, left);
  if (!options.json) {
    printLeftOut(source, left, options.withPlainSecrets ?? false);
    await printPass(client, tried, left, isFirst);
  }
  if (tried.outcome === 'suspicious' || tried.waiting.length > 0) process.exitCode = 2;
  if (options.dryRun) return print('Nothing was changed: this was a dry run.');

  const pass = await send(client, body, left, paths);
  const held = isFirst ? await holdNewHosts(client, pass) : undefined;
  if (options.json) return printAsJson(pass, left);
  print('Done.');
  if (held !== undefined)
    print(
      `Hosts that are found at ${held} from now on are not served until ansible.enabled is true (new_hosts: hold), so that "hosts: all" stays what it was.`,
    );
  if (pass.waiting.length > 0) print('Say which host is meant: "rollcall conflicts" shows them.');
  if (pass.outcome === 'suspicious')
    print(`If what the inventory leaves out is really gone, say so:\n  rollcall passes accept ${pass.pass_id}`);
}

async function send(client: Client, body: object, left: LeftOut, paths: readonly string[]): Promise<ImportPass> {
  try {
    return await client.send<ImportPass>('POST', '/passes', body);
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 400 || error.faults.length === 0) throw error;
    const lines = error.faults.map((fault) => {
      const [, kind, index] = /^\/(groups|items)\/(\d+)/.exec(fault.pointer) ?? [];
      const among = kind === 'groups' ? left.inventory.groups : left.inventory.hosts;
      const name = index === undefined ? undefined : among[Number(index)]?.name;
      return placedLine(name === undefined ? undefined : left.places.ofName(name), faultInWords(fault));
    });
    throw wrong(paths.join(' '), lines);
  }
}

/** The first import of a site: what is found later is not served by itself. Answers the site where that is new. */
async function holdNewHosts(client: Client, pass: ImportPass): Promise<string | undefined> {
  const id = pass.outcomes.find(({ ci_id }) => ci_id !== null)?.ci_id;
  if (id === undefined) return undefined;
  const { site_id: site } = await client.get<{ site_id: string }>(`/ci/${id}`);
  const path = `/sites/${encodeURIComponent(site)}`;
  const former = await client.get<{ new_hosts: string }>(path);
  if (former.new_hosts === 'hold') return undefined;
  const { new_hosts: now } = await client.send<{ new_hosts: string }>('PUT', path, { new_hosts: 'hold' });
  return now === 'hold' ? site : undefined;
}

function siftedOf(inventory: OldInventory, withSecrets: boolean): Pick<LeftOut, 'inventory' | 'secrets'> {
  const secrets: LeftOut['secrets'] = [];
  const without = <T extends { name: string; vars: Record<string, unknown> }>(of: 'host' | 'group', one: T): T => {
    const sifted = withoutPlainSecrets(one.vars);
    secrets.push(...sifted.secrets.map((path) => ({ of, name: one.name, path })));
    return withSecrets ? one : { ...one, vars: sifted.vars };
  };
  const groups = inventory.groups.map((group) => without('group', group));
  const hosts = inventory.hosts.map((host) => without('host', host));
  return { inventory: { ...inventory, groups, hosts }, secrets };
}

function hostFaults(inventory: OldInventory, tried: ImportPass, places: Places): string[] {
  return tried.errors.flatMap(({ index, errors }: { index: number; errors: Fault[] }) => {
    const name = inventory.hosts[index]?.name ?? '';
    return errors.map((fault) =>
      placedLine(places.ofName(name), `host ${JSON.stringify(name)}: ${faultInWords(fault)}`),
    );
  });
}

function placedLine(place: string | undefined, words: string): string {
  return place === undefined ? words : `${place}: ${words}`;
}

/** The file, or the folder that all of them are in. */
function originOf(paths: readonly string[]): string {
  const [first, ...others] = paths.map((path) => resolve(path)) as [string, ...string[]];
  let common = others.length === 0 ? first : dirname(first);
  while (others.some((other) => dirname(other) !== common && !other.startsWith(`${common}/`)) && common !== '/')
    common = dirname(common);
  try {
    return realpathSync(common);
  } catch (cause) {
    throw new StartError(`There is no file or folder ${paths[0]}.`, { cause });
  }
}

function leftWords({ encrypted, foreign }: InventoryCopy): string[] {
  return [
    ...encrypted.map(({ path }) => `${path} is encrypted as a whole.`),
    ...foreign.map(({ path, plugin }) => `${path} is for the plugin ${plugin}, which asks another system.`),
  ];
}

function printAsJson(pass: ImportPass, { copy, secrets, warnings, inventory }: LeftOut): void {
  const lifted = Object.fromEntries(
    inventory.hosts.filter((host) => host.lifted.length > 0).map((host) => [host.name, host.lifted]),
  );
  printJson({ ...pass, left_out: { encrypted: copy.encrypted, foreign: copy.foreign, secrets }, lifted, warnings });
}
