/** `rollcall runs`: what playbooks did, how they ended, and why one failed. */

import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import { StartError } from '../errors.ts';
import type { Client, Json } from './client.ts';
import { counted, momentOf, note, print, printJson, printTable, shown, spanOf, styled } from './output.ts';
import { withClient } from './service.ts';

interface Counts {
  ok: number;
  changed: number;
  failures: number;
  unreachable: number;
  skipped: number;
  rescued: number;
  ignored: number;
}

interface Run extends Json {
  run_id: string;
  playbook: string | null;
  outcome: string;
  started_at: string;
  finished_at: string | null;
  duration_s: number | null;
  check: boolean | null;
  totals: Counts;
  host_count: number;
  unknown_hosts: number;
  git: { commit: string | null; branch: string | null; dirty: boolean | null };
}

interface WholeRun extends Run {
  plays: { play_id: string; name: string; started_at: string; finished_at: string | null; tasks: Task[] }[];
  hosts: Record<string, Counts & { known: boolean }>;
}

interface Task {
  task_id: string;
  name: string;
  path: string | null;
  line: number | null;
  handler: boolean;
  duration_s: number;
}

interface Result {
  host: string;
  task_id: string;
  status: string;
  msg: string | null;
  attempts: unknown[];
}

interface Difference {
  name: string;
  before: unknown;
  after: unknown;
}

interface Blame {
  beside: Run;
  failed: {
    host: string;
    tasks: {
      task_name: string;
      path: string | null;
      line: number | null;
      status: string;
      msg: string | null;
      before: string | null;
    }[];
  }[];
  run: Difference[];
  inventory: { host: string; variables: Difference[]; joined: string[]; left: string[] }[] | null;
  machines: { host: string; attributes: Difference[] }[];
  tasks: { added: string[]; removed: string[] };
}

type Style = Parameters<typeof styled>[0];
const styles: Readonly<Record<string, Style>> = {
  ok: 'green',
  changed: 'yellow',
  failed: 'red',
  unreachable: 'red',
  interrupted: 'red',
  running: 'cyan',
  ignored: 'magenta',
};
const told = ['changed', 'failed', 'unreachable', 'ignored'] as const;
const mostResults = 5000;

export function runsCommand(): Command {
  const command = new Command('runs').description('what playbooks did, as the callback plugin reported it');
  command.addCommand(listCommand(), { isDefault: true });
  command.addCommand(showCommand());
  command.addCommand(watchCommand());
  command.addCommand(blameCommand());
  return command;
}

function listCommand(): Command {
  return new Command('list')
    .description('the newest runs')
    .option('--host <host>', 'that reached this host')
    .option('--playbook <playbook>', 'of this playbook, by its path within its repository')
    .option('--outcome <outcome>', 'running, ok, failed, unreachable or interrupted')
    .option('--change-ref <reference>', 'for this piece of work, such as owner/repo#123')
    .option('--since <time>', 'that began then or later')
    .option('--until <time>', 'that began before')
    .option('--limit <number>', 'at most so many', '20')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      '\nExamples:\n  rollcall runs list\n  rollcall runs list --host web-1 --outcome failed\n  rollcall runs list --since 2026-03-01',
    )
    .action(
      async (
        options: Record<'host' | 'playbook' | 'outcome' | 'changeRef' | 'since' | 'until', string | undefined> & {
          limit: string;
          json?: boolean;
        },
        self: Command,
      ) =>
        withClient(self, async (client) => {
          const { host, playbook, outcome, changeRef, since, until, limit, json } = options;
          const query = { host, playbook, outcome, change_ref: changeRef, since, until };
          const runs = await client.list<Run>('/runs', query, Number(limit));
          if (json) return printJson(runs);
          printTable(
            ['BEGUN', 'RUN', 'OUTCOME', 'TOOK', 'HOSTS', 'CHANGED', 'FAILED', 'UNREACHABLE', 'PLAYBOOK'],
            runs.items.map((run) => [
              momentOf(run.started_at),
              run.run_id,
              outcomeOf(run),
              run.duration_s === null ? null : spanOf(run.duration_s),
              run.host_count,
              run.totals.changed,
              run.totals.failures,
              run.totals.unreachable,
              run.playbook,
            ]),
            'No run was reported yet. "rollcall ansible setup DIR" switches the callback plugin on in a project.',
          );
          if (runs.next !== null) note(`${runs.items.length} of ${runs.count} runs are shown; --limit shows more.`);
        }),
    );
}

function showCommand(): Command {
  return new Command('show')
    .description('one run: what changed where, what failed and why, how long it took')
    .argument('[run]', 'its id, or the start of it; the last run unless given')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExamples:\n  rollcall runs show\n  rollcall runs show 73e2874e')
    .action(async (id: string | undefined, { json }: { json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const run = await wholeRun(client, id);
        if (json) return printJson(run);
        await printRun(client, run);
      }),
    );
}

function watchCommand(): Command {
  return new Command('watch')
    .description('follows a run until it ends; exit 1 where it does not end well')
    .argument('[run]', 'its id, or the start of it; the last run unless given')
    .option('--every <seconds>', 'how often to look', '2')
    .addHelpText('after', '\nExample:\n  rollcall runs watch')
    .action(async (id: string | undefined, { every }: { every: string }, self: Command) =>
      withClient(self, async (client) => {
        let run = await wholeRun(client, id);
        let before = '';
        for (;;) {
          const line = lineOf(run);
          if (line !== before) print(line);
          before = line;
          if (run.outcome !== 'running') break;
          await wait(Math.max(0.2, Number(every) || 2) * 1000);
          run = await client.get<WholeRun>(`/runs/${run.run_id}`);
        }
        await printRun(client, run);
        if (run.outcome !== 'ok') process.exitCode = 1;
      }),
    );
}

function blameCommand(): Command {
  return new Command('blame')
    .description('a failed run beside the last one that went well on those hosts: what differs')
    .argument('[run]', 'its id, or the start of it; the last one that failed unless given')
    .option('--json', "the service's own answer")
    .addHelpText('after', '\nExamples:\n  rollcall runs blame\n  rollcall runs blame 73e2874e')
    .action(async (id: string | undefined, { json }: { json?: boolean }, self: Command) =>
      withClient(self, async (client) => {
        const run = await findRun(client, id, { outcome: id === undefined ? 'failed' : undefined });
        const blame = await client.get<Blame & Json>(`/runs/${run.run_id}/blame`);
        if (json) return printJson(blame);
        printBlame(run, blame);
      }),
    );
}

async function wholeRun(client: Client, id: string | undefined): Promise<WholeRun> {
  const { run_id } = await findRun(client, id, {});
  return await client.get<WholeRun>(`/runs/${run_id}`);
}

const mostSearched = 1000;

/** The run of an id, or of the start of one; the newest of its kind where none is named. */
async function findRun(client: Client, id: string | undefined, query: { outcome?: string | undefined }): Promise<Run> {
  if (id !== undefined && id.length >= 36) return await client.get<Run>(`/runs/${encodeURIComponent(id)}`);
  const { items } = await client.list<Run>('/runs', query, id === undefined ? 1 : mostSearched);
  const [run, ...others] = items.filter(({ run_id }) => id === undefined || run_id.startsWith(id.toLowerCase()));
  if (!run)
    throw new StartError(
      id === undefined ? 'There is no such run yet.' : `No run of the last ${mostSearched} begins with ${id}.`,
    );
  if (others.length > 0 && id !== undefined)
    throw new StartError(`${counted(others.length + 1, 'run')} begin with ${id}; name more of it.`);
  return run;
}

function outcomeOf({ outcome, check }: Run): string {
  const word = styled(styles[outcome] ?? 'reset', outcome);
  return check ? `${word} (check)` : word;
}

function lineOf(run: WholeRun): string {
  const { totals, plays } = run;
  const play = plays.at(-1)?.name;
  const counts = `${totals.ok} ok, ${totals.changed} changed, ${totals.failures} failed, ${totals.unreachable} unreachable`;
  return `${outcomeOf(run)}  ${shown(run.playbook)}  ${counts}${play === undefined ? '' : `  (play ${shown(play)})`}`;
}

async function printRun(client: Client, run: WholeRun): Promise<void> {
  const { items, next } = await client.list<Result & Json>(
    `/runs/${run.run_id}/results`,
    { status: told.join(',') },
    mostResults,
  );
  print(headOf(run));
  for (const line of aboutLines(run)) print(line);
  for (const play of run.plays) {
    print('');
    const took =
      play.finished_at === null
        ? ''
        : `  ${spanOf((Date.parse(play.finished_at) - Date.parse(play.started_at)) / 1000)}`;
    print(`${styled('bold', `PLAY ${shown(play.name)}`)}${took}`);
    const lines = play.tasks.flatMap((task) => linesOfTask(task, items));
    print(lines.length === 0 ? '  nothing changed, nothing failed' : lines.join('\n'));
  }
  print('');
  if (run.results_kept === false) note('The results of this run are not kept any more; its totals are.');
  printTable(
    ['HOST', 'OK', 'CHANGED', 'FAILED', 'UNREACHABLE', 'SKIPPED', 'RESCUED', 'IGNORED'],
    Object.entries(run.hosts).map(([host, counts]) => [
      host,
      counts.ok,
      counts.changed,
      counts.failures,
      counts.unreachable,
      counts.skipped,
      counts.rescued,
      counts.ignored,
    ]),
    'It reached no host.',
  );
  const strangers = Object.entries(run.hosts).flatMap(([host, { known }]) => (known ? [] : [shown(host)]));
  if (strangers.length > 0) note(`Not given out by the inventory of this service: ${strangers.join(', ')}.`);
  if (next !== null) note(`More than ${mostResults} results changed or failed; --json and the API show all.`);
  if (run.totals.failures + run.totals.unreachable > 0)
    note(`What differs from the last run that went well: rollcall runs blame ${run.run_id.slice(0, 8)}`);
}

function headOf(run: Run): string {
  const took = run.duration_s === null ? '' : ` after ${spanOf(run.duration_s)}`;
  return `${styled('bold', shown(run.playbook))}  ${outcomeOf(run)}${took}  ${momentOf(run.started_at)}  ${run.run_id}`;
}

/** Who ran it, from where, and with what. */
function aboutLines(run: Run): string[] {
  const { git } = run;
  const commit =
    git.commit === null
      ? []
      : [
          `${git.branch === null ? '' : `${shown(git.branch)} `}${shown(git.commit).slice(0, 12)}${git.dirty ? ' with uncommitted changes' : ''}`,
        ];
  const origin = run.origin as { kind: string | null; url: string | null };
  const who = [run.user, run.controller]
    .filter((word) => word !== null)
    .map(shown)
    .join(' on ');
  const said = [
    who,
    shown(origin.url ?? (origin.kind === 'terminal' || origin.kind === 'other' ? null : origin.kind)),
    ...commit,
    run.ansible_version === null ? '' : `ansible-core ${shown(run.ansible_version)}`,
    run.limit === null ? '' : `limit ${shown(run.limit)}`,
    Array.isArray(run.tags) && run.tags.length > 0 ? `tags ${shown(run.tags)}` : '',
    run.change_ref === null ? '' : `for ${shown(run.change_ref)}`,
  ].filter((word) => word !== '' && word !== '-');
  return said.length > 0 ? [said.join(', ')] : [];
}

const mostHosts = 8;

/** What a task changed, and where; what failed, and why. A task that did neither is not told. */
function linesOfTask(task: Task, results: readonly Result[]): string[] {
  const own = results.filter(({ task_id }) => task_id === task.task_id);
  const place = task.path === null ? '' : `  ${shown(task.path)}${task.line === null ? '' : `:${task.line}`}`;
  return told.flatMap((status) => {
    const found = own.filter((result) => result.status === status);
    if (found.length === 0) return [];
    const word = styled(styles[status] ?? 'reset', status.padEnd(11));
    const name = `${shown(task.name)}${task.handler ? ' (handler)' : ''}`;
    const head = `  ${word}  ${name}  ${spanOf(task.duration_s)}${status === 'changed' ? '' : place}`;
    if (status === 'changed') return [`${head}`, `               ${hostsOf(found)}`];
    return [head, ...found.slice(0, mostHosts).map(reasonOf), ...more(found.length)];
  });
}

function hostsOf(results: readonly Result[]): string {
  const names = results.slice(0, mostHosts).map(({ host }) => shown(host));
  return [...names, ...(results.length > mostHosts ? [`and ${results.length - mostHosts} more`] : [])].join(', ');
}

function reasonOf({ host, msg, attempts }: Result): string {
  const tries = attempts.length > 0 ? ` (after ${attempts.length + 1} attempts)` : '';
  return `               ${styled('bold', shown(host))}${tries}: ${reasonIn(msg, 17)}`;
}

/** A message, with its further lines so far from the edge. */
function reasonIn(msg: string | null, indent: number): string {
  return msg === null ? 'its output is not kept' : shown(msg.trim()).replaceAll('\n', `\n${' '.repeat(indent)}`);
}

function more(count: number): string[] {
  return count > mostHosts ? [`               and ${count - mostHosts} more`] : [];
}

function printBlame(run: Run, { beside, failed, run: differences, inventory, machines, tasks }: Blame): void {
  print(headOf(run));
  print(`beside  ${headOf(beside)}`);
  for (const { host, tasks: own } of failed) {
    print('');
    print(styled('bold', shown(host)));
    for (const task of own) {
      const place = task.path === null ? '' : `  ${shown(task.path)}${task.line === null ? '' : `:${task.line}`}`;
      print(`  ${styled('red', task.status)}  ${shown(task.task_name)}${place}`);
      print(`    ${reasonIn(task.msg, 4)}`);
      print(`    before: ${task.before ?? 'it did not run there'}`);
    }
  }
  const sections: [title: string, lines: string[]][] = [
    ['The run', differences.map(lineOfDifference)],
    [
      'The inventory',
      inventory === null
        ? ['one of the two inventories is not kept any more, or is not of this service']
        : inventory.flatMap(({ host, variables, joined, left }) => [
            ...variables.map((one) => `${shown(host)}  ${lineOfDifference(one)}`),
            ...joined.map((group) => `${shown(host)}  joined ${shown(group)}`),
            ...left.map((group) => `${shown(host)}  left ${shown(group)}`),
          ]),
    ],
    [
      'The machines',
      machines.flatMap(({ host, attributes }) => attributes.map((one) => `${shown(host)}  ${lineOfDifference(one)}`)),
    ],
    [
      'The tasks',
      [...tasks.added.map((name) => `added ${shown(name)}`), ...tasks.removed.map((name) => `removed ${shown(name)}`)],
    ],
  ];
  for (const [title, lines] of sections) {
    print('');
    print(styled('bold', title));
    for (const line of lines.length > 0 ? lines : ['nothing differs']) print(`  ${line}`);
  }
}

function lineOfDifference({ name, before, after }: Difference): string {
  return `${shown(name)}  ${shown(before)} → ${shown(after)}`;
}
