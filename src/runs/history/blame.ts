/**
 * A failed run beside the last one of the same playbook that went well on those hosts: what differs between them, in
 * the playbook, in the inventory, on the machines, and in the tasks. Pure.
 */

import type { ItemChange, ReadResult, ReadRun, ReadTask } from './store.ts';

export interface Blame {
  /** Hosts on which it failed, with the tasks that did. */
  failed: { host: string; tasks: FailedTask[] }[];
  /** Of the run and what it was run with. */
  run: Difference[];
  /** Of what Ansible was told of these hosts; null where one of the two inventories is not kept. */
  inventory: { host: string; variables: Difference[]; joined: string[]; left: string[] }[] | null;
  /** Of the machines themselves, as Rollcall knows them. */
  machines: { host: string; attributes: Difference[] }[];
  tasks: { added: string[]; removed: string[] };
}

export interface Difference {
  name: string;
  before: unknown;
  after: unknown;
}

export interface FailedTask {
  task_name: string;
  action: string;
  path: string | null;
  line: number | null;
  status: string;
  msg: string | null;
  /** How the same task went on the host before; null where it did not run there. */
  before: string | null;
}

/** What two inventories differ by, as the inventory tells it. */
export interface ToldDifference {
  hosts: { changed: { name: string; variables: Difference[] }[] };
  groups: {
    changed: { name: string; joined: string[]; left: string[]; variables: Difference[] }[];
  };
}

export interface BlameParts {
  run: ReadRun;
  /** The hosts on which it failed, and the items that they are. */
  hosts: readonly { host: string; ci_id: string | null }[];
  failures: readonly ReadResult[];
  tasks: readonly ReadTask[];
  good: {
    run: ReadRun;
    tasks: readonly ReadTask[];
    /** How tasks went on these hosts, by host and by name of the task. */
    statuses: ReadonlyMap<string, ReadonlyMap<string, string>>;
  };
  told: ToldDifference | null;
  changes: readonly ItemChange[];
}

export function blameOf({ run, hosts, failures, tasks, good, told, changes }: BlameParts): Blame {
  return {
    failed: hosts.map(({ host }) => ({
      host,
      tasks: failures
        .filter((failure) => failure.host === host)
        .map(({ task_name, action, path, line, status, texts }) => ({
          task_name,
          action,
          path,
          line,
          status: status === 3 ? 'unreachable' : 'failed',
          msg: (JSON.parse(texts ?? '{}') as { msg?: string }).msg ?? null,
          before: good.statuses.get(host)?.get(task_name) ?? null,
        })),
    })),
    run: runDifferences(good.run, run),
    inventory: told && toldOf(told, new Set(hosts.map(({ host }) => host))),
    machines: hosts.flatMap(({ host, ci_id }) => {
      const attributes = ci_id === null ? [] : netOf(changes.filter(({ subject_id }) => subject_id === ci_id));
      return attributes.length > 0 ? [{ host, attributes }] : [];
    }),
    tasks: { added: without(tasks, good.tasks), removed: without(good.tasks, tasks) },
  };
}

/** What of a run may be why it went otherwise. */
const compared: readonly (readonly [name: string, read: (run: ReadRun) => unknown])[] = [
  ['commit', (run) => run.git_commit],
  ['branch', (run) => run.git_branch],
  ['uncommitted changes', (run) => (run.git_dirty === null ? null : run.git_dirty === 1)],
  ['repository', (run) => run.git_repo],
  ['ansible-core', (run) => run.ansible_version],
  ['controller', (run) => run.controller],
  ['user', (run) => run.user_name],
  ['limit', (run) => run.limited_to],
  ['tags', (run) => JSON.parse(run.tags)],
  ['skipped tags', (run) => JSON.parse(run.skip_tags)],
  ['origin', (run) => run.origin_kind],
];

function runDifferences(before: ReadRun, after: ReadRun): Difference[] {
  return compared.map(([name, read]) => ({ name, before: read(before), after: read(after) })).filter(isDifferent);
}

function isDifferent({ before, after }: Difference): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}

/** What was told of these hosts, by themselves and by their groups. */
function toldOf({ hosts, groups }: ToldDifference, wanted: ReadonlySet<string>): NonNullable<Blame['inventory']> {
  const found = new Map<string, { host: string; variables: Difference[]; joined: string[]; left: string[] }>();
  const of = (host: string) => {
    const entry = found.get(host) ?? { host, variables: [], joined: [], left: [] };
    found.set(host, entry);
    return entry;
  };
  for (const { name, variables } of hosts.changed) if (wanted.has(name)) of(name).variables.push(...variables);
  for (const { name, joined, left } of groups.changed) {
    for (const host of joined) if (wanted.has(host)) of(host).joined.push(name);
    for (const host of left) if (wanted.has(host)) of(host).left.push(name);
  }
  return [...found.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
}

/** How runs went is no cause, and times are always others. */
const notTold = /^(generation|last_|updated_at|ansible_name|winners|relationships)/;

/** Of several changes of one attribute, from the first to the last. */
function netOf(changes: readonly ItemChange[]): Difference[] {
  const net = new Map<string, Difference>();
  for (const { before, after } of changes)
    for (const [name, value] of Object.entries(after)) {
      if (notTold.test(name)) continue;
      const known = net.get(name);
      if (known) known.after = value;
      else net.set(name, { name, before: before[name] ?? null, after: value });
    }
  return [...net.values()].filter(isDifferent);
}

function without(tasks: readonly ReadTask[], others: readonly ReadTask[]): string[] {
  const known = new Set(others.map(({ name }) => name));
  return [...new Set(tasks.map(({ name }) => name))].filter((name) => !known.has(name)).sort();
}
