/** A failed run beside the last one that went well: everything that differs is told, and nothing else. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';
import { callsOf, send } from './calls.ts';

test('a failed run is told beside the last one that went well on those hosts', async () => {
  const service = await startService({ startsAt: '2026-03-02T09:00:00Z' });
  const ids: string[] = [];
  for (const ci_name of ['web-1', 'web-2']) {
    const item = { ci_type: 'virtual_machine', ci_name, ci_status: 'running', ansible: { vars: { port: 80 } } };
    ids.push(((await service.call('POST', '/ci', item)).body as { ci_id: string }).ci_id);
  }
  const [web1, web2] = ids;
  const version = async () =>
    ((await service.call('GET', '/inventory')).body as { all: { vars: Record<string, string> } }).all.vars
      .rollcall_inventory_version;
  const measured = (memory_mb: number, node: string) =>
    service.call('POST', '/passes', {
      source: 'proxmox-api:home',
      complete: true,
      items: [
        {
          ci_type: 'virtual_machine',
          ci_name: 'web-1',
          external_id: 'home/qemu/1',
          technical_specs: { vmid: 1, memory_mb, node },
        },
      ],
    });
  await measured(2048, 'pve1');
  service.pass({ hours: 1 });
  const good = await send(
    service,
    callsOf({
      startedAt: '2026-03-02T10:00:00Z',
      more: { inventory_version: await version(), git: { commit: 'aaa', branch: 'main', dirty: false } },
      plays: [
        {
          name: 'Web',
          tasks: {
            Install: [
              { host: 'web-1', ci_id: web1, status: 'changed' },
              { host: 'web-2', ci_id: web2, status: 'ok' },
            ],
            'Old task': [{ host: 'web-1', ci_id: web1, status: 'ok' }],
          },
        },
      ],
    }),
  );
  service.pass({ hours: 1 });
  // One of another playbook, and one in check mode, are no measure.
  await send(
    service,
    callsOf({
      startedAt: '2026-03-02T11:00:00Z',
      more: { playbook: 'other.yml' },
      plays: [{ name: 'Web', tasks: { X: [{ host: 'web-1', status: 'ok' }] } }],
    }),
  );
  await measured(1024, 'pve2');
  await service.call('PUT', '/ci/web-1', { ansible: { vars: { port: 8080 } }, tags: ['new'] });
  await service.call('PUT', '/ci/web-2', { notes: 'of the other host' });
  service.pass({ hours: 1 });
  const bad = await send(
    service,
    callsOf({
      startedAt: '2026-03-02T12:00:00Z',
      outcome: 'failed',
      more: { inventory_version: await version(), git: { commit: 'bbb', branch: 'main', dirty: true } },
      plays: [
        {
          name: 'Web',
          tasks: {
            Install: [
              { host: 'web-1', ci_id: web1, status: 'failed', msg: 'out of memory' },
              { host: 'web-2', ci_id: web2, status: 'ok' },
            ],
            'New task': [{ host: 'web-2', ci_id: web2, status: 'ok' }],
          },
        },
      ],
    }),
  );

  const { status, body } = await service.call('GET', `/runs/${bad}/blame`);

  expect(status).toBe(200);
  expect(body).toMatchObject({
    run_id: bad,
    beside: { run_id: good },
    failed: [
      { host: 'web-1', tasks: [{ task_name: 'Install', status: 'failed', msg: 'out of memory', before: 'changed' }] },
    ],
    run: [
      { name: 'commit', before: 'aaa', after: 'bbb' },
      { name: 'uncommitted changes', before: false, after: true },
    ],
    tasks: { added: ['New task'], removed: ['Old task'] },
  });
  const { inventory, machines } = body as {
    inventory: { host: string; joined: string[]; left: string[]; variables: { name: string }[] }[];
    machines: { host: string; attributes: { name: string; before: unknown; after: unknown }[] }[];
  };
  expect(inventory.map(({ host }) => host)).toEqual(['web-1']);
  expect(inventory[0]?.variables).toEqual(
    expect.arrayContaining([
      { name: 'port', before: 80, after: 8080 },
      { name: 'rollcall.node', before: 'pve1', after: 'pve2' },
    ]),
  );
  expect(inventory[0]?.joined).toContain('node_pve2');
  expect(inventory[0]?.left).toContain('node_pve1');
  // How the good run went is no cause.
  const moved = [...(inventory[0]?.joined ?? []), ...(inventory[0]?.left ?? [])];
  expect(moved.filter((group) => /^(last_run_|never_configured|stale)/.test(group))).toEqual([]);
  expect(machines).toHaveLength(1);
  expect(machines[0]).toMatchObject({
    host: 'web-1',
    attributes: expect.arrayContaining([
      { name: 'technical_specs.memory_mb', before: 2048, after: 1024 },
      { name: 'technical_specs.node', before: 'pve1', after: 'pve2' },
    ]) as unknown,
  });
});

test('a run that failed nowhere, and one that never went well, have nothing beside them', async () => {
  const service = await startService();
  const fine = await send(service, callsOf({ plays: [{ name: 'All', tasks: { Do: [{ host: 'a', status: 'ok' }] } }] }));
  const first = await send(
    service,
    callsOf({ outcome: 'failed', plays: [{ name: 'All', tasks: { Do: [{ host: 'b', status: 'failed' }] } }] }),
  );

  expect(await service.call('GET', `/runs/${fine}/blame`)).toMatchObject({
    status: 409,
    body: { detail: `Run ${fine} failed on no host.` },
  });
  expect(await service.call('GET', `/runs/${first}/blame`)).toMatchObject({
    status: 409,
    body: { detail: 'site.yml never went well on b before that.' },
  });
});
