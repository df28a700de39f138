/** Looking back at many runs. */

import { expect, test } from 'vitest';
import { type Service, startService } from '../service.ts';
import { callsOf, send } from './calls.ts';

async function runsOf(service: Service): Promise<string[]> {
  const statuses = ['ok', 'failed', 'ok', 'unreachable', 'changed'];
  const ids: string[] = [];
  for (const [day, status] of statuses.entries())
    ids.push(
      await send(
        service,
        callsOf({
          startedAt: `2026-03-0${day + 1}T08:00:00Z`,
          outcome: status === 'changed' ? 'ok' : status,
          more: { playbook: day === 4 ? 'other.yml' : 'site.yml', change_ref: `owner/repo#${day}` },
          plays: [
            {
              name: 'All',
              tasks: {
                Slow: [{ host: 'web-1', status: 'ok', duration_ms: 9000 }],
                Do: [{ host: 'web-1', status, msg: 'said' }, ...(day === 0 ? [{ host: 'db-1', status: 'ok' }] : [])],
              },
            },
          ],
        }),
      ),
    );
  return ids;
}

test('runs are found by host, playbook, outcome, time and change reference, newest first and page by page', async () => {
  const service = await startService({ startsAt: '2026-03-06T10:00:00Z' });
  const ids = await runsOf(service);
  const found = async (query: string) => {
    const { body } = await service.call('GET', `/runs?${query}`);
    return (body as { items: { run_id: string }[] }).items.map(({ run_id }) => ids.indexOf(run_id));
  };

  expect(await found('')).toEqual([4, 3, 2, 1, 0]);
  expect(await found('host=db-1')).toEqual([0]);
  expect(await found('playbook=site.yml')).toEqual([3, 2, 1, 0]);
  expect(await found('outcome=failed')).toEqual([1]);
  expect(await found('change_ref=owner/repo%232')).toEqual([2]);
  expect(await found('since=2026-03-02&until=2026-03-04')).toEqual([2, 1]);
  expect(await service.call('GET', '/runs?since=yesterdayish')).toMatchObject({ status: 400 });

  const pages: number[][] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body } = await service.call('GET', `/runs?limit=2${cursor && `&cursor=${cursor}`}`);
    const page = body as { count: number; items: { run_id: string }[]; next: string | null };
    expect(page.count).toBe(5);
    pages.push(page.items.map(({ run_id }) => ids.indexOf(run_id)));
    cursor = page.next;
  }
  expect(pages).toEqual([[4, 3], [2, 1], [0]]);
});

test('results of a run are found by host, task and status', async () => {
  const service = await startService();
  const [runId] = await runsOf(service);
  const count = async (query: string) =>
    ((await service.call('GET', `/runs/${runId}/results?${query}`)).body as { count: number }).count;

  expect(await count('')).toBe(3);
  expect(await count('host=db-1')).toBe(1);
  expect(await count('task_id=task-0-1')).toBe(2);
  expect(await count('status=ok,changed&host=web-1')).toBe(2);
  expect(await service.call('GET', `/runs/${runId}/results?status=good`)).toMatchObject({ status: 400 });
});

test('the slowest tasks, and hosts that now go well and now do not', async () => {
  const service = await startService({ startsAt: '2026-03-06T10:00:00Z' });
  await runsOf(service);

  const slow = (await service.call('GET', '/runs/slowest-tasks')).body;
  const flaky = (await service.call('GET', '/runs/flaky-hosts')).body;

  expect(slow).toMatchObject({
    items: [
      { task_name: 'Slow', runs: 5, results: 5, total_s: 45, longest_s: 9, mean_s: 9 },
      { task_name: 'Do', runs: 5, results: 6 },
    ],
  });
  expect(flaky).toMatchObject({ items: [{ host: 'web-1', runs: 5, failed_runs: 1, unreachable_runs: 1, turns: 3 }] });
  expect((await service.call('GET', '/runs/slowest-tasks?days=1')).body).toMatchObject({ items: [] });
  expect((await service.call('GET', '/runs/slowest-tasks?playbook=other.yml')).body).toMatchObject({
    items: [{ results: 1 }, { results: 1 }],
  });
});
