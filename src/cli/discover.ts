/** `rollcall discover`: reads an outside system now, whatever the schedule. */

import { Command, InvalidArgumentError } from 'commander';
import { StartError } from '../errors.ts';
import { printChanges, type ShownChange } from './change.ts';
import type { Client } from './client.ts';
import { counted, print, printJson, shown } from './output.ts';
import { runJob } from './run-job.ts';
import { withClient } from './service.ts';

interface Options {
  vmid?: number;
  light?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

interface Cluster {
  name: string;
  job: string;
  light_job: string;
  guest_job: string;
}

interface Rehearsal {
  source: string;
  outcome: string;
  why: string | null;
  seen: number;
  created: number;
  updated: number;
  unchanged: number;
  missing: number;
  waiting: string[];
  left_out: string[];
  changes: ShownChange[];
}

export function discoverCommand(): Command {
  return new Command('discover')
    .description('read what runs on your hypervisors now, whatever the schedule')
    .addCommand(proxmoxCommand());
}

function proxmoxCommand(): Command {
  return new Command('proxmox')
    .description('read the clusters of Proxmox VE that rollcall.yml names, and wait until it is done')
    .argument('[cluster]', 'this one alone, by its name in rollcall.yml')
    .option('--vmid <number>', 'one guest alone, with its addresses', vmidIn)
    .option('--light', 'as every two minutes: the rows, and the configuration of what is new or was started anew')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      `
Exit code: 0 done or already running, 1 failed, 2 done in part or held for a person.

Examples:
  rollcall discover proxmox
  rollcall discover proxmox home --dry-run
  rollcall discover proxmox --vmid 101`,
    )
    .action(async (name: string | undefined, options: Options, command: Command) =>
      withClient(command, async (client, isAlone) => {
        const clusters = await chosen(client, name);
        for (const { name: cluster, ...jobs } of clusters) {
          const before = process.exitCode;
          if (options.dryRun) await rehearse(client, cluster, options);
          else {
            await runJob(client, jobOf(jobs, options), { params: paramsOf(options), json: options.json, isAlone });
          }
          process.exitCode = worse(before, process.exitCode);
        }
      }),
    );
}

function jobOf({ job, light_job, guest_job }: Omit<Cluster, 'name'>, { vmid, light }: Options): string {
  if (vmid !== undefined) return guest_job;
  return light ? light_job : job;
}

function paramsOf({ vmid }: Options): Record<string, number> {
  return vmid === undefined ? {} : { vmid };
}

function vmidIn(written: string): number {
  const vmid = Number(written);
  if (Number.isInteger(vmid) && vmid > 0) return vmid;
  throw new InvalidArgumentError('It is the number of a guest, such as 101.');
}

async function chosen(client: Client, name: string | undefined): Promise<Cluster[]> {
  const { items } = await client.list<Cluster & Record<string, unknown>>('/proxmox/clusters');
  if (items.length === 0)
    throw new StartError(
      'No cluster is named in rollcall.yml under proxmox.clusters. rollcall.example.yml shows how, and the README how to make a token.',
    );
  if (name === undefined) return items;
  const found = items.filter((one) => one.name === name);
  if (found.length > 0) return found;
  throw new StartError(
    `There is no cluster ${name} in rollcall.yml; named there: ${items.map((one) => one.name).join(', ')}.`,
  );
}

/** A failure outdoes what was done in part, and that a success. */
function worse(one: typeof process.exitCode, other: typeof process.exitCode): number {
  const codes = [Number(one ?? 0), Number(other ?? 0)];
  return codes.includes(1) ? 1 : Math.max(...codes);
}

async function rehearse(client: Client, cluster: string, { json }: Options): Promise<void> {
  const path = `/proxmox/clusters/${encodeURIComponent(cluster)}/rehearse`;
  const pass = await client.send<Rehearsal>('POST', path);
  if (pass.outcome !== 'good' || pass.left_out.length > 0) process.exitCode = 2;
  if (json) return printJson(pass);
  printChanges(pass.changes);
  for (const name of pass.waiting) print(`? ${shown(name)}  could be of several items, and would wait`);
  const words = [
    [pass.created, 'would be created'],
    [pass.updated, 'would be changed'],
    [pass.missing, 'would be missing'],
    [pass.waiting.length, 'would wait for a person'],
    [pass.unchanged, 'unchanged'],
  ].flatMap(([count, word]) => (Number(count) > 0 ? [`${count} ${word}`] : []));
  print(
    `${pass.source}: ${counted(pass.seen, 'item')} read; ${words.join(', ')}. Nothing was changed: this was a dry run.`,
  );
  if (pass.outcome === 'suspicious') print(`It would be held: ${shown(pass.why)}.`);
  for (const sentence of pass.left_out) print(`Left out: ${shown(sentence)}.`);
}
