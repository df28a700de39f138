import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startService } from '../service.ts';
import { besides } from './run.ts';

const canary = 'canary "hunter2" \\ ü';

async function world() {
  const service = await startService({ settings: { inventory: { hostvars: ['notes'] } } });
  const { call } = service;
  const reading = {
    source: 'proxmox-api:home',
    complete: true,
    items: [
      { ci_name: 'web', ci_type: 'virtual_machine', technical_specs: { vmid: 1, node: 'pve1', description: canary } },
    ],
  };
  await call('POST', '/passes', reading);
  await call('PUT', '/ci/web', { notes: `note: ${canary}`, owner: 'al' });
  await call('PUT', '/ci/web', { notes: canary, ansible: { vars: { deep: [{ secret: canary }] } } });
  await call('PUT', '/groups/lab', { vars: { secret: canary } });
  await call('PUT', '/ci/web', { technical_specs: { note: canary, cpu_cores: 'many' } });
  await call('GET', '/inventory');
  await call('PUT', '/ci/web', { notes: null });
  await call('GET', '/inventory');
  const { items } = (await call('GET', '/ci/web/changes')).body as {
    items: { change_no: number; after: Record<string, unknown> }[];
  };
  const numberOf = (attribute: string, value: string) =>
    String(items.find(({ after }) => after[attribute] === value)?.change_no);
  return { service, reading, numberOf, rollcall: besides(service) };
}

const filesWith = (folder: string, text: string) =>
  readdirSync(join(folder, 'data')).filter((name) => readFileSync(join(folder, 'data', name)).includes(text));

test('a value is blanked wherever it stands, and a change says so', async () => {
  const { service, reading, numberOf, rollcall } = await world();
  const { folder, call, app, restart } = service;
  const change = numberOf('notes', canary);
  const running = await rollcall('redact', change, 'notes', '--yes');
  await app.close();

  const before = filesWith(folder, 'hunter2');
  const looked = await rollcall('redact', change, 'notes', '--dry-run');
  const still = filesWith(folder, 'hunter2');
  const done = await rollcall('redact', change, 'notes', '--yes', '--reason', 'a password');
  const after = filesWith(folder, 'hunter2');
  await restart();

  expect(running).toMatchObject({ code: 1, stderr: expect.stringContaining('The service is running. Stop it first') });
  expect([before, still, after]).toEqual([['rollcall.db'], ['rollcall.db'], []]);
  expect(looked).toMatchObject({ code: 0, stderr: expect.stringContaining('Nothing was changed.') });
  for (const table of ['changes', 'claims', 'configuration_items', 'groups', 'refusals', 'inventory_versions'])
    expect(looked.stdout).toMatch(new RegExp(`^${table}: \\d+ places?$`, 'm'));
  expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('It is blanked everywhere') });
  expect(done.stderr).toContain('or it comes back: manual:admin, proxmox-api:home said it.');
  expect(done.stdout + done.stderr + looked.stdout).not.toContain('hunter2');
  expect((await call('GET', '/ci/web')).body).toMatchObject({
    owner: 'al',
    technical_specs: { description: '[redacted]', vmid: 1 },
    ansible: { vars: { deep: [{ secret: '[redacted]' }] } },
  });
  expect((await call('GET', '/ci/web/changes')).body).toMatchObject({
    items: [
      { action: 'redacted', source: 'manual:admin', reason: 'a password', after: { notes: '[redacted]' } },
      { before: { notes: '[redacted]' }, after: { notes: null } },
      { after: { notes: '[redacted]' } },
      { after: { notes: 'note: [redacted]' } },
      {},
    ],
  });
  // What is said again is heard again.
  await call('POST', '/passes', reading);
  expect((await call('GET', '/ci/web')).body).toMatchObject({ technical_specs: { description: canary } });
});

test('what was is as unalterable after that as before', async () => {
  const { service, numberOf, rollcall } = await world();
  await service.app.close();

  await rollcall('redact', numberOf('notes', canary), 'notes', '--yes');
  await service.restart();

  await expect(
    service.app.store.write((trx) => trx.updateTable('changes').set({ reason: 'x' }).execute()),
  ).rejects.toThrow('append-only');
  await expect(service.app.store.write((trx) => trx.deleteFrom('changes').execute())).rejects.toThrow('append-only');
});

test.each([
  [
    'a change that is not there',
    ['999', 'notes'],
    'There is no change 999; "rollcall history NAME" shows their numbers.',
  ],
  ['an attribute that it does not show', ['#2', 'role'], 'has no attribute role; it has '],
  ['a value that is too short', ['owner'], 'owner has no text of 6 characters or more'],
])('%s is refused, and nothing is blanked', async (_, words, refusal) => {
  const { service, numberOf, rollcall } = await world();
  await service.app.close();
  const all = words.length === 1 ? [numberOf('owner', 'al'), ...words] : words;

  const refused = await rollcall('redact', ...all, '--yes');

  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(refusal) });
  expect(filesWith(service.folder, 'hunter2')).toEqual(['rollcall.db']);
});
