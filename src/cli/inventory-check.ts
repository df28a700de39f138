/** `rollcall inventory check`: what an Ansible project names that nothing served fits, and what may have been meant. */

import { existsSync, statSync } from 'node:fs';
import { Command } from 'commander';
import { StartError } from '../errors.ts';
import { nearestName } from '../faults.ts';
import { globForm } from '../glob.ts';
import { findsAny, nameIn, type ServedNames } from './host-patterns.ts';
import { counted, print, printJson, shown, styled } from './output.ts';
import { type Named, namesIn, type ProjectNames } from './project-names.ts';
import { withClient } from './service.ts';

interface Finding extends Named {
  nearest: string | null;
}

interface ServedInventory {
  _meta: { hostvars: Record<string, unknown> };
  [group: string]: { children?: string[] } | ServedInventory['_meta'];
}

export function checkCommand(): Command {
  return new Command('check')
    .description('what an Ansible project names that matches nothing served')
    .argument('<folder>', 'the project: playbooks, roles, group_vars and host_vars')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
It looks at the names of files in group_vars and host_vars, at "hosts:" of plays, and at groups['…'] and groups.… in
playbooks, roles and templates. What a template makes up is left out. Hosts that are held or stopped count too.

Example:
  rollcall inventory check ~/infra

Exit code: 0 everything is found, 1 something is not.`,
    )
    .action(async (folder: string, { json }: { json?: boolean }, self: Command) => {
      if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new StartError(`There is no folder ${folder}.`);
      const names = namesIn(folder);
      const { named } = names;
      await withClient(self, async (client) => {
        const { text } = await client.read('/inventory', { include: 'held,stopped' });
        const findings = findingsOf(names, namesServed(JSON.parse(text) as ServedInventory));
        if (findings.length > 0) process.exitCode = 1;
        if (json) return printJson({ names: named.length, findings });
        for (const finding of findings) print(lineOf(finding));
        print(
          findings.length === 0
            ? `All is found: ${counted(named.length, 'name')} in ${folder} ${named.length === 1 ? 'matches' : 'match'} what is served.`
            : `${findings.length} of ${counted(named.length, 'name')} match nothing that is served.`,
        );
      });
    });
}

/** Groups that Rollcall serves when there is a host in them, and which nobody has to wait for to name them. */
const groupsAtTimes = [
  'last_run_failed',
  'last_run_unreachable',
  'last_run_changed',
  'never_configured',
  'stale',
  'drifted',
  'no_address',
];

/** What of a project's names fits nothing. */
export function findingsOf({ named, made }: ProjectNames, inventory: ServedNames): Finding[] {
  const isMade = (name: string) => made.some((glob) => globForm(glob).test(name));
  const served = { ...inventory, groups: new Set([...inventory.groups, ...groupsAtTimes]) };
  const groups = [...served.groups];
  const hosts = [...served.hosts];
  return named.flatMap((one) => {
    const { kind, word } = one;
    if (kind === 'pattern' ? findsAny(word, served) : isServed(kind, word, served)) return [];
    if (kind !== 'host_vars' && isMade(word)) return [];
    const known = kind === 'host_vars' ? hosts : kind === 'pattern' ? [...groups, ...hosts] : groups;
    const name = kind === 'pattern' ? nameIn(word) : word;
    return [{ ...one, nearest: (name === undefined ? undefined : nearestName(name, known)) ?? null }];
  });
}

function isServed(kind: 'group_vars' | 'host_vars' | 'group', word: string, { hosts, groups }: ServedNames): boolean {
  if (kind === 'host_vars') return hosts.has(word) || word === 'localhost';
  // To ask for the empty group is no mistake; to say something of its hosts is.
  return word === 'all' || (kind === 'group' && word === 'ungrouped') || groups.has(word);
}

function namesServed({ _meta, ...told }: ServedInventory): ServedNames {
  const children = Object.values(told).flatMap((group) => (group as { children?: string[] }).children ?? []);
  return { hosts: new Set(Object.keys(_meta.hostvars)), groups: new Set([...Object.keys(told), ...children]) };
}

const what = {
  group_vars: (word: string) => `variables of the group ${word}, and there is no such group`,
  host_vars: (word: string) => `variables of the host ${word}, and there is no such host`,
  pattern: (word: string) => `the pattern ${word} finds no host and no group`,
  group: (word: string) => `asks for the group ${word}, and there is none`,
} satisfies Record<Named['kind'], (word: string) => string>;

const emptyGroup = 'no host is in ungrouped, since each is in groups that Rollcall makes';

function lineOf({ file, line, kind, word, nearest }: Finding): string {
  const hint = nearest === null ? '' : `; did you mean ${shown(nearest)}?`;
  const told = word === 'ungrouped' ? emptyGroup : what[kind](shown(word)) + hint;
  return `${styled('bold', `${shown(file)}:${line}`)}: ${told}`;
}
