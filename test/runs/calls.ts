/** A run as the callback plugin calls it in: two plays, several tasks, one part for each play unless told. */

import { randomUUID } from 'node:crypto';
import type { Service } from '../service.ts';

export interface Sent {
  method: 'PUT';
  path: string;
  body: Record<string, unknown>;
}

export interface Told {
  host: string;
  ci_id?: string | undefined;
  status: string;
  msg?: string;
  [more: string]: unknown;
}

export interface PlayTold {
  name: string;
  /** By the name of the task, what it did on hosts. */
  tasks: Record<string, Told[]>;
  facts?: { host: string; ci_id?: string | undefined; facts: Record<string, unknown> }[];
}

export interface RunTold {
  runId?: string;
  startedAt?: string;
  plays: PlayTold[];
  outcome?: string;
  more?: Record<string, unknown>;
  /** Results of one part at most. */
  perPart?: number;
}

const counted: Record<string, string[]> = {
  ok: ['ok'],
  changed: ['ok', 'changed'],
  failed: ['failures'],
  unreachable: ['unreachable'],
  skipped: ['skipped'],
  ignored: ['ok', 'ignored'],
};

export function callsOf({ runId = randomUUID(), plays, more, ...told }: RunTold): Sent[] {
  const startedAt = Date.parse(told.startedAt ?? '2026-03-02T10:00:00Z');
  const path = `/runs/${runId}`;
  const at = (milliseconds: number) => new Date(startedAt + milliseconds).toISOString();
  const calls: Sent[] = [
    {
      method: 'PUT',
      path,
      body: { playbook: 'site.yml', path: '/srv/site.yml', started_at: at(0), ansible_version: '2.19.14', ...more },
    },
  ];
  const hosts: Record<string, Record<string, number>> = {};
  let n = 0;
  let clock = 0;
  for (const [number, play] of plays.entries()) {
    const playId = `play-${number}`;
    const tasks = Object.keys(play.tasks).map((name, index) => ({
      task_id: `task-${number}-${index}`,
      name,
      action: 'ansible.builtin.command',
      path: '/srv/site.yml',
      line: 10 * (index + 1),
      tags: [],
      handler: false,
    }));
    const results = Object.values(play.tasks).flatMap((list, index) =>
      list.map((result) => {
        n += 1;
        clock += 100;
        hosts[result.host] ??= Object.fromEntries(
          ['ok', 'changed', 'failures', 'unreachable', 'skipped', 'rescued', 'ignored'].map((key) => [key, 0]),
        );
        for (const key of counted[result.status] ?? [])
          (hosts[result.host] as Record<string, number>)[key] = (hosts[result.host]?.[key] ?? 0) + 1;
        return { n, task_id: `task-${number}-${index}`, started_at: at(clock), duration_ms: 50, ...result };
      }),
    );
    const size = told.perPart ?? Math.max(results.length, 1);
    for (let part = 0; part === 0 || part * size < results.length; part += 1) {
      const own = results.slice(part * size, (part + 1) * size);
      const isLast = (part + 1) * size >= results.length;
      calls.push({
        method: 'PUT',
        path: `${path}/plays/${playId}/parts/${part}`,
        body: {
          number,
          name: play.name,
          started_at: at(number),
          ...(isLast ? { finished_at: at(clock + 50) } : {}),
          tasks: tasks.filter(({ task_id }) => own.some((result) => result.task_id === task_id)),
          results: own,
          ...(part === 0 && play.facts ? { facts: play.facts } : {}),
        },
      });
    }
  }
  calls.push({
    method: 'PUT',
    path: `${path}/stats`,
    body: { finished_at: at(clock + 1000), outcome: told.outcome ?? 'ok', hosts },
  });
  return calls;
}

/** Sends the calls one after the other; throws for one that is refused. Answers the run's id. */
export async function send(service: Service, calls: readonly Sent[], token?: string): Promise<string> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  for (const { method, path, body } of calls) {
    const { status, body: answer } = await service.call(method, path, body, headers);
    if (status !== 200) throw new Error(`${method} ${path} was answered with ${status}: ${JSON.stringify(answer)}`);
  }
  return calls[0]?.path.split('/')[2] as string;
}

/** Everything that is told of a run. */
export async function exported(service: Service, runId: string): Promise<unknown> {
  const whole = (await service.call('GET', `/runs/${runId}`)).body;
  const results = (await service.call('GET', `/runs/${runId}/results?limit=1000`)).body;
  return { whole, results };
}
