import { expect, test } from 'vitest';
import { startService } from '../service.ts';
import { besides } from './run.ts';

async function world() {
  const service = await startService();
  return { ...service, rollcall: besides(service) };
}

test('the history of an item says when, who, for what, and every attribute that was changed', async () => {
  const { call, pass, rollcall } = await world();
  await call('POST', '/ci', {
    ci_name: 'web-1',
    tags: ['old', 'web'],
    technical_specs: { cpu_cores: 2 },
    ansible: { groups: ['blue'] },
  });
  pass({ hours: 1 });
  await call(
    'PUT',
    '/ci/web-1',
    {
      tags: ['new', 'web'],
      notes: 'x'.repeat(300),
      technical_specs: { cpu_cores: 4 },
      ansible: { groups: ['blue', 'green'] },
    },
    { 'X-Change-Ref': 'acme/infra#42' },
  );
  pass({ hours: 1 });
  await call('PUT', '/ci/web-1', { managed_by: 'proxmox-api', technical_specs: { node: 'pve1' } });

  const { code, stdout, stderr } = await rollcall('history', 'web-1');

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n')).toEqual([
    '2026-03-02T12:00:00.000Z  #4  updated by proxmox-api:admin (token admin)',
    '    discovered_by         manual → proxmox-api:admin',
    '    managed_by            - → proxmox-api',
    '    technical_specs.node  - → pve1',
    '2026-03-02T11:00:00.000Z  #3  updated by manual:admin for acme/infra#42',
    '    ansible.groups             +green',
    `    notes                      - → ${'x'.repeat(99)}…`,
    '    tags                       +new -old',
    '    technical_specs.cpu_cores  2 → 4',
    '2026-03-02T10:00:00.000Z  #2  created by manual:admin',
    '    ansible.groups             blue',
    '    ansible_name               web-1',
    '    ci_name                    web-1',
    '    ci_status                  active',
    '    ci_type                    machine',
    '    discovered_by              manual',
    '    generation                 1',
    '    lifecycle                  active',
    '    site_id                    site-home',
    '    tags                       old, web',
    '    technical_specs.cpu_cores  2',
    '',
  ]);
});

test('holds and pins are told in words', async () => {
  const { call, rollcall } = await world();
  await call('POST', '/ci', { ci_name: 'web-1' });
  await call('PUT', '/ci/web-1/hold', { reason: 'new disk', until: '2026-03-02T12:00:00Z' });
  await call('PUT', '/ci/web-1/pins/owner', { value: 'alice', reason: 'hers' });

  const { stdout } = await rollcall('history', 'web-1', '--limit', '2');

  expect(stdout.split('\n')).toEqual([
    '2026-03-02T10:00:00.000Z  #4  pinned by manual:admin: hers',
    '    owner       - → alice',
    '    pins.owner  - → alice (hers)',
    '2026-03-02T10:00:00.000Z  #3  held by manual:admin: new disk',
    '    ci_status  active → maintenance',
    '    hold       - → new disk, until 2026-03-02T12:00:00.000Z',
    '',
  ]);
});

test('only so many changes are shown as are asked for, and it says how many there are', async () => {
  const { call, rollcall } = await world();
  await call('POST', '/ci', { ci_name: 'web-1' });
  for (const notes of ['a', 'b', 'c']) await call('PUT', '/ci/web-1', { notes });

  const few = await rollcall('history', 'web-1', '--limit', '2');
  const json = await rollcall('history', 'web-1', '--json');
  const ghost = await rollcall('history', 'ghost');

  expect(few.stdout.match(/^\S+ {2}#\d+ {2}updated/gm)).toHaveLength(2);
  expect(few.stderr).toBe('2 of 4 changes are shown; --limit shows more.\n');
  expect(JSON.parse(json.stdout)).toMatchObject({ count: 4, items: { length: 4 }, next: null });
  expect(ghost).toMatchObject({ code: 1, stderr: expect.stringContaining('No configuration item is named ghost.') });
});

test('an item is shown as it was', async () => {
  const { call, pass, rollcall } = await world();
  await call('POST', '/ci', { ci_name: 'web-1', notes: 'first' });
  pass({ hours: 1 });
  await call('PUT', '/ci/web-1', { notes: 'second' });

  const then = await rollcall('ci', 'show', 'web-1', '--at', '2026-03-02T10:30:00Z');
  const before = await rollcall('ci', 'show', 'web-1', '--at', '2026-03-01');

  expect(then.stdout).toMatch(/^notes +first$/m);
  expect(before).toMatchObject({ code: 1, stderr: expect.stringContaining('it is known since 2026-03-02T10:00:00') });
});
