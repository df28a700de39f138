/** Many registrations at once. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';

type Results = { results: { index: number; status: number; ci_id?: string; errors?: { pointer: string }[] }[] };

const machine = (ci_name: string, more: Record<string, unknown> = {}) => ({
  ci_type: 'machine',
  ci_name,
  role: 'web',
  ...more,
});

test('each item answers as it would have alone, and a faulty one does not stop the others', async () => {
  const { call } = await startService();
  await call('POST', '/ci', machine('a'));

  const items = [
    machine('a'),
    machine('b'),
    machine('b'),
    { ci_name: 'c', ci_typo: 1 },
    'd',
    machine('e', { ci_status: 'on' }),
  ];
  const { status, body } = await call('POST', '/ci/bulk', { items });

  expect(status).toBe(200);
  expect((body as Results).results.map((result) => [result.status, result.errors?.[0]?.pointer])).toEqual([
    [200, undefined],
    [201, undefined],
    [200, undefined],
    [400, '/ci_typo'],
    [400, ''],
    [400, '/ci_status'],
  ]);
  expect((await call('GET', '/refusals')).body).toMatchObject({ items: [{ detail: '3 of 6 items were refused.' }] });
});

test('a name that is taken refuses its own item alone', async () => {
  const { call } = await startService();
  await call('POST', '/ci', machine('a'));

  const items = [machine('b'), machine('c', { ansible: { name: 'a' } }), machine('d')];
  const { body } = await call('POST', '/ci/bulk', { items });

  expect((body as Results).results.map((result) => result.status)).toEqual([201, 409, 201]);
  expect((await call('GET', '/ci?ci_name=c')).body).toMatchObject({ count: 0 });
});

test('words that are sent again count again, where something else was said in between', async () => {
  const { call } = await startService();
  const items = [machine('a', { managed_by: 'terraform', terraform_resource_id: 'x', owner: 'alice' }), machine('b')];
  await call('POST', '/ci/bulk', { items });
  await call('PUT', '/ci/a', { managed_by: 'terraform', role: 'db', owner: 'bob' });
  await call('PUT', '/ci/b', { role: 'db' });

  await call('POST', '/ci/bulk', { items });

  expect((await call('GET', '/ci/a')).body).toMatchObject({ role: 'web', owner: 'alice' });
  expect((await call('GET', '/ci/b')).body).toMatchObject({ role: 'web' });
});

test('the same words of two tokens are the words of two', async () => {
  const { call } = await startService();
  const made = await call('POST', '/tokens', { token_name: 'other', scopes: ['ci:write'] });
  const other = { Authorization: `Bearer ${(made.body as { token: string }).token}` };
  const items = [machine('a', { managed_by: 'terraform', terraform_resource_id: 'x' })];
  await call('POST', '/ci/bulk', { items });

  await call('POST', '/ci/bulk', { items }, other);
  await call('PUT', '/ci/a', { managed_by: 'terraform', role: null });

  expect((await call('GET', '/ci/a')).body).toMatchObject({ role: 'web' });
});

test('an uptime that stays the same is a machine that was started again', async () => {
  const { call, pass } = await startService();
  const items = [machine('a', { managed_by: 'proxmox-api', technical_specs: { uptime: 3600 } })];
  await call('POST', '/ci/bulk', { items });

  pass({ hours: 1 });
  await call('POST', '/ci/bulk', { items });

  expect((await call('GET', '/ci/a')).body).toMatchObject({
    technical_specs: { booted_at: '2026-03-02T10:00:00.000Z' },
  });
});
