/** One run whole: its plays and tasks in their order, its hosts, and how each task went on each host. Pure. */

import { type Status, statuses } from '../wire.ts';
import type { Cell, ReadHost, ReadPlay, ReadTask } from './store.ts';

/** The letter of each status; and of several results of one task on one host, that of the greatest weight is shown. */
const shownAs: Record<Status, { letter: string; weight: number }> = {
  ok: { letter: 'o', weight: 1 },
  changed: { letter: 'c', weight: 3 },
  failed: { letter: 'f', weight: 6 },
  unreachable: { letter: 'u', weight: 5 },
  skipped: { letter: 's', weight: 0 },
  ignored: { letter: 'i', weight: 4 },
};
const byNumber = statuses.map((status) => shownAs[status]);
const none = { letter: '.', weight: -1 };

export function wholeOf(
  plays: readonly ReadPlay[],
  tasks: readonly ReadTask[],
  hosts: readonly ReadHost[],
  cells: readonly Cell[],
  hostNames: ReadonlyMap<number, string>,
) {
  const spans = new Map<number, { first: number; begun: number; ended: number }>();
  for (const { n, task_no, at_ms, duration_ms } of cells) {
    const span = spans.get(task_no);
    const ended = at_ms + duration_ms;
    if (!span) spans.set(task_no, { first: n, begun: at_ms, ended });
    else {
      span.begun = Math.min(span.begun, at_ms);
      span.ended = Math.max(span.ended, ended);
    }
  }
  const order = (task: ReadTask) => spans.get(task.task_no)?.first ?? Number.MAX_SAFE_INTEGER;
  const inOrder = tasks.toSorted((a, b) => order(a) - order(b) || (a.task_id < b.task_id ? -1 : 1));
  const byPlay = new Map(plays.map(({ play_id }) => [play_id, [] as ReadTask[]]));
  for (const task of inOrder) byPlay.get(task.play_id)?.push(task);
  const columns = new Map<number, number>();
  for (const list of byPlay.values()) for (const { task_no } of list) columns.set(task_no, columns.size);
  return {
    plays: plays.map((play) => ({
      ...play,
      tasks: (byPlay.get(play.play_id) ?? []).map(({ task_no, play_id: _, tags, handler, ...task }) => {
        const span = spans.get(task_no);
        return {
          ...task,
          tags: JSON.parse(tags) as string[],
          handler: handler === 1,
          duration_s: span ? (span.ended - span.begun) / 1000 : 0,
        };
      }),
    })),
    hosts: Object.fromEntries(hosts.map(({ host, ...row }) => [host, { ...row, known: row.ci_id !== null }])),
    matrix: matrixOf(cells, columns, hostNames),
  };
}

function matrixOf(
  cells: readonly Cell[],
  columns: ReadonlyMap<number, number>,
  hostNames: ReadonlyMap<number, string>,
): Record<string, string> {
  const rows = new Map<number, (typeof none)[]>();
  for (const { host_no, task_no, status } of cells) {
    const column = columns.get(task_no);
    if (column === undefined) continue;
    const row = rows.get(host_no) ?? Array<typeof none>(columns.size).fill(none);
    rows.set(host_no, row);
    const shown = byNumber[status] ?? none;
    if (shown.weight > (row[column] ?? none).weight) row[column] = shown;
  }
  const named = [...rows].map(
    ([host, row]) => [hostNames.get(host) ?? '', row.map(({ letter }) => letter).join('')] as const,
  );
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}
