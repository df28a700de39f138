/** What calls say of a run, in the form in which it is compared with what Ansible called. */

import type { Event } from './project.ts';
import type { Call } from './recorder.ts';

export interface Result {
  n: number;
  task_id: string;
  host: string;
  ci_id?: string;
  status: string;
  started_at: string;
  duration_ms: number;
  msg?: string;
  diff?: string;
  delegated_to?: string;
  items?: { n: number; status: string; msg?: string }[];
  attempts?: { n: number; at: string; msg?: string }[];
}

export interface Part {
  number: number;
  name: string;
  started_at: string;
  finished_at?: string;
  tasks: {
    task_id: string;
    name: string;
    action: string;
    path: string | null;
    line: number | null;
    handler: boolean;
  }[];
  results: Result[];
  facts?: { host: string; ci_id?: string; facts: Record<string, unknown> }[];
}

export interface Stats {
  finished_at: string;
  outcome: string;
  hosts: Record<string, Record<string, number>>;
}

export interface Arrived {
  run: Record<string, unknown>;
  parts: (Part & { play_id: string; part: number })[];
  stats: Stats | undefined;
}

/** Each run, by its id. A call that came twice counts once, and must have said the same. */
export function arrivedIn(calls: readonly Call[]): Map<string, Arrived> {
  const runs = new Map<string, Arrived>();
  for (const { run, what, body } of onceEach(calls)) {
    const arrived = runs.get(run) ?? { run: {}, parts: [], stats: undefined };
    runs.set(run, arrived);
    const [, play, part] = /^\/plays\/([^/]+)\/parts\/(\d+)$/.exec(what) ?? [];
    if (what === '') arrived.run = body as Record<string, unknown>;
    else if (what === '/stats') arrived.stats = body as Stats;
    else if (play) arrived.parts.push({ ...(body as Part), play_id: play, part: Number(part) });
    else throw new Error(`no such call: ${what}`);
  }
  return runs;
}

function onceEach(calls: readonly Call[]): Call[] {
  const seen = new Map<string, Call>();
  for (const call of calls) {
    const key = call.run + call.what;
    const before = seen.get(key);
    if (before && JSON.stringify(before.body) !== JSON.stringify(call.body)) throw new Error(`${key} said two things`);
    seen.set(key, call);
  }
  return [...seen.values()];
}

/** The only run in these calls. */
export function oneRun(calls: readonly Call[]): Arrived {
  const runs = [...arrivedIn(calls).values()];
  if (runs.length !== 1 || !runs[0]) throw new Error(`${runs.length} runs arrived`);
  return runs[0];
}

/** Play, task, host and status of each result, with items and attempts: sorted, because Ansible tells results of hosts in any order. */
export function told({ parts }: Arrived): string[] {
  return parts
    .flatMap((part) => {
      const names = new Map(part.tasks.map((task) => [task.task_id, task]));
      return part.results.map(({ task_id, host, status, items = [], attempts = [] }) => {
        const task = names.get(task_id);
        if (!task) throw new Error(`a part without the task of its result ${task_id}`);
        const words = [part.name, task.handler ? 'HANDLER' : 'TASK', task.name, host, status];
        return [...words, items.map((item) => item.status).join(), attempts.length].join(' | ');
      });
    })
    .sort();
}

/** The same of what Ansible called. */
export function heard(events: readonly Event[]): string[] {
  const lines: string[] = [];
  const names = new Map<string, Event>();
  const items = new Map<string, string[]>();
  const retries = new Map<string, number>();
  let play = '';
  for (const event of events) {
    const { host = '', task_id = '' } = event;
    const key = `${host} ${task_id}`;
    const plain = event.changed ? 'changed' : 'ok';
    if (event.hook === 'play') play = event.name ?? '';
    else if (event.hook === 'task') {
      if (!names.has(task_id)) names.set(task_id, event);
    } else if (event.hook === 'retry') retries.set(key, (retries.get(key) ?? 0) + 1);
    else if (event.hook.startsWith('item_')) {
      const status = event.hook === 'item_ok' ? plain : event.hook.slice('item_'.length);
      items.set(key, [...(items.get(key) ?? []), status]);
    } else if (event.task_id !== undefined) {
      const status = event.hook === 'ok' ? plain : event.ignored ? 'ignored' : event.hook;
      const task = names.get(task_id);
      const words = [play, task?.handler ? 'HANDLER' : 'TASK', task?.name ?? event.task, host, status];
      lines.push([...words, (items.get(key) ?? []).join(), retries.get(key) ?? 0].join(' | '));
      items.delete(key);
      retries.delete(key);
    }
  }
  return lines.sort();
}

/** A run as Ansible's own callback `ansible.posix.json` prints it. */
export interface OwnRecord {
  plays: {
    play: { name: string };
    tasks: { task: { name: string }; hosts: Record<string, Record<string, unknown>> }[];
  }[];
  stats: Record<string, Record<string, number>>;
}

/** Play, task, host and status of each result, as far as that callback tells them: what was ignored is failed to it. */
export function recordedIn({ plays }: OwnRecord): string[] {
  const statuses = ['unreachable', 'failed', 'skipped', 'changed'];
  return plays
    .flatMap(({ play, tasks }) =>
      tasks.flatMap(({ task, hosts }) =>
        Object.entries(hosts).map(([host, result]) =>
          [play.name, task.name, host, statuses.find((status) => result[status]) ?? 'ok'].join(' | '),
        ),
      ),
    )
    .sort();
}

/** The same of what arrived. */
export function toldAsIn({ parts }: Arrived): string[] {
  return parts
    .flatMap(({ name, tasks, results }) =>
      results.map(({ task_id, host, status }) => {
        const task = tasks.find((one) => one.task_id === task_id);
        return [name, task?.name, host, status === 'ignored' ? 'failed' : status].join(' | ');
      }),
    )
    .sort();
}
