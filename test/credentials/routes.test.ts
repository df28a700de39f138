/** Credentials over the API: what is kept of them, what is refused, and what follows. */

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Service, startService } from '../service.ts';

type Json = Record<string, unknown>;

const made = { credential_name: 'pve token', credential_type: 'api_token' };

async function add(service: Service, words: Json): Promise<Json> {
  const { status, body } = await service.call('POST', '/credentials', { ...made, ...words });
  expect(status, JSON.stringify(body)).toBe(201);
  return body as Json;
}

const itemsOf = (body: unknown) => (body as { items: Json[] }).items;

test('a credential is kept with every key, and what follows from its dates', async () => {
  const service = await startService();

  const { credential_id, ...credential } = await add(service, {
    owner_email: 'ann@example.org',
    vaultwarden_item_id: 'cmdb/pve',
    last_rotated_at: '2026-01-01',
    rotation_period_days: 70,
  });

  expect(credential_id).toMatch(/^[0-9a-f-]{36}$/);
  expect(credential).toEqual({
    ...made,
    owner_email: 'ann@example.org',
    vaultwarden_item_id: 'cmdb/pve',
    lifecycle_state: 'active',
    last_rotated_at: '2026-01-01T00:00:00.000Z',
    rotation_period_days: 70,
    next_rotation_due: '2026-03-12',
    expires_at: null,
    days_left: 10,
    urgency: 'medium',
    notes: null,
    runbook_url: null,
    created_at: '2026-03-02T10:00:00.000Z',
    updated_at: '2026-03-02T10:00:00.000Z',
    due: '2026-03-12',
    snooze: null,
    waiver: null,
    issue: null,
  });
});

test('it is registered once, however often that is said, and written back as it was read', async () => {
  const service = await startService();
  const first = await add(service, { notes: 'behind the router' });

  const again = await service.call('POST', '/credentials', { ...made, owner_email: 'ann@example.org' });
  const back = await service.call('PATCH', '/credentials/pve token', again.body);
  const other = await service.call('POST', '/credentials', { ...made, credential_type: 'password' });

  expect(again).toMatchObject({
    status: 200,
    body: { credential_id: first.credential_id, notes: 'behind the router' },
  });
  expect(back.body).toEqual(again.body);
  expect(other).toMatchObject({ status: 409, body: { credential_id: first.credential_id } });
});

describe('a secret', () => {
  const secret = ['ghp', '_', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'].join('');

  test.each([
    ['POST', '/credentials', { ...made, notes: `use ${secret}` }, '/notes'],
    ['PATCH', '/credentials/pve token', { owner_email: secret }, '/owner_email'],
    ['POST', '/credentials/pve token/rotated', { note: secret }, '/note'],
    ['POST', '/credentials/pve token/snooze', { until: '5d', reason: secret }, '/reason'],
    ['PUT', '/credentials/pve token/associations/web-1', { role: secret }, '/role'],
    ['PATCH', '/credentials/pve token', { rotation_period_days: secret }, '/rotation_period_days'],
  ])('is refused by %s %s, and kept nowhere', async (method, path, body, pointer) => {
    const service = await startService();
    await add(service, {});
    await service.call('POST', '/ci', { ci_name: 'web-1', ci_type: 'virtual_machine' });

    const answer = await service.call(method, path, body);
    const refusals = await service.call('GET', '/refusals');

    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
    expect(itemsOf(refusals.body)).toHaveLength(1);
    expect(JSON.stringify([answer.body, refusals.body])).not.toContain(secret.slice(0, 12));
  });

  test('under a name of its own is refused, and its value is not kept', async () => {
    const service = await startService();

    const answer = await service.call('POST', '/credentials', { ...made, password: 'hunter22' });
    const refusals = await service.call('GET', '/refusals');

    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/password' }] } });
    expect(JSON.stringify(answer.body)).toContain('Rollcall keeps no secret');
    expect(JSON.stringify([answer.body, refusals.body])).not.toContain('hunter22');
  });
});

test('an address of a document is none, whatever its ids look like', async () => {
  const service = await startService();
  const runbook_url = 'https://www.notion.so/Rotate-4f6a8c0b2d4e6f8a0c2e4a6b8d0f1e3c';

  expect(await add(service, { runbook_url })).toMatchObject({ runbook_url });
});

test('what is due is listed most urgent first: overdue, and from today to the last day', async () => {
  const service = await startService();
  const dates = { over: '2026-01-01', today: '2026-03-02', last: '2026-03-16', after: '2026-03-17' };
  for (const [name, next_rotation_due] of Object.entries(dates))
    await add(service, { credential_name: name, next_rotation_due });
  await add(service, { credential_name: 'end', expires_at: '2026-03-05T00:00:00Z' });
  await add(service, { credential_name: 'dateless' });
  for (const lifecycle_state of ['planned', 'compromised', 'retired', 'rotating'])
    await add(service, { credential_name: lifecycle_state, lifecycle_state, next_rotation_due: '2026-03-03' });

  const usual = await service.call('GET', '/credentials/expiring');
  const today = await service.call('GET', '/credentials/expiring?days=0');
  const page = await service.call('GET', '/credentials/expiring?limit=2');

  const names = (body: unknown) => itemsOf(body).map(({ credential_name }) => credential_name);
  expect(names(usual.body)).toEqual(['over', 'today', 'rotating', 'end', 'last']);
  expect(names(today.body)).toEqual(['over', 'today']);
  expect(page.body).toMatchObject({ count: 5, next: expect.any(String) });
});

describe('rotated', () => {
  test('the next date counts from the rotation, and what was put off is so no more', async () => {
    const service = await startService();
    await add(service, { rotation_period_days: 90, next_rotation_due: '2026-03-01', lifecycle_state: 'compromised' });
    await service.call('POST', '/credentials/pve token/snooze', { until: '5d', reason: 'moving' });

    const { body } = await service.call('POST', '/credentials/pve token/rotated', { note: 'by hand' });
    const explained = await service.call('GET', '/credentials/pve token/explain');

    expect(body).toMatchObject({
      lifecycle_state: 'active',
      last_rotated_at: '2026-03-02T10:00:00.000Z',
      next_rotation_due: '2026-05-31',
      snooze: null,
    });
    expect((explained.body as { rotations: Json[] }).rotations).toMatchObject([
      { evidence: 'word', note: 'by hand', recorded_by: 'admin', rotated_at: '2026-03-02T10:00:00.000Z' },
    ]);
  });

  test.each([
    ['ahead', { rotated_at: '2026-03-03' }, 400, '/rotated_at'],
    ['before the last one', { rotated_at: '2025-12-31' }, 400, '/rotated_at'],
    ['without the end of the new one', {}, 400, '/expires_at'],
  ])('not %s', async (_, body, status, pointer) => {
    const service = await startService();
    await add(service, { last_rotated_at: '2026-01-01', expires_at: '2026-04-01' });

    expect(await service.call('POST', '/credentials/pve token/rotated', body)).toMatchObject({
      status,
      body: { errors: [{ pointer }] },
    });
  });

  test('not on a word, where the policy wants the vault to show it', async () => {
    const settings = { credentials: { policies: { api_token: { evidence: 'vault' } } } };
    const service = await startService({ settings });
    await add(service, {});

    expect((await service.call('POST', '/credentials/pve token/rotated')).status).toBe(409);
  });
});

test('a snooze and a waiver have a reason, a person and an end, and are taken back', async () => {
  const service = await startService();
  await add(service, { next_rotation_due: '2026-03-10' });

  const snoozed = await service.call('POST', '/credentials/pve token/snooze', { until: '14d', reason: 'moving' });
  const waived = await service.call('POST', '/credentials/pve token/waive', {
    until: '2026-04-01',
    reason: 'the system is switched off',
    by: 'ann',
  });
  const past = await service.call('POST', '/credentials/pve token/snooze', { until: '2026-03-01', reason: 'no' });
  const back = await service.call('DELETE', '/credentials/pve token/snooze');
  const changes = await service.call('GET', '/changes?limit=4');

  expect(snoozed.body).toMatchObject({ snooze: { reason: 'moving', by: 'admin', until: '2026-03-16' } });
  expect(waived.body).toMatchObject({ waiver: { by: 'ann', until: '2026-04-01' } });
  expect(past.status).toBe(400);
  expect(back.body).toMatchObject({ snooze: null, waiver: { by: 'ann' } });
  expect(itemsOf(changes.body).map(({ action, reason }) => [action, reason])).toEqual([
    ['unsnoozed', null],
    ['waived', 'the system is switched off'],
    ['snoozed', 'moving'],
    ['created', null],
  ]);
});

test('items that use a credential are told with their role, and by an impact', async () => {
  const service = await startService();
  for (const ci_name of ['web-1', 'web-2', 'web-3'])
    await service.call('POST', '/ci', { ci_name, ci_type: 'virtual_machine' });
  await add(service, { associations: [{ ci_name: 'web-1', role: 'deploy' }] });

  const put = await service.call('PUT', '/credentials/pve token/associations/web-2', { role: 'backup' });
  await service.call('PUT', '/credentials/pve token/associations/web-3');
  await service.call('DELETE', '/credentials/pve token/associations/web-3');
  const list = await service.call('GET', '/credentials/pve token/associations');
  const own = await service.call('GET', '/ci/web-1/credentials');
  const impact = await service.call('GET', '/ci/web-1/impact?change_type=rotate_credential');

  expect(put).toMatchObject({ status: 200, body: { ci_name: 'web-2', role: 'backup', site_id: 'site-home' } });
  expect(itemsOf(list.body).map(({ ci_name, role }) => [ci_name, role])).toEqual([
    ['web-1', 'deploy'],
    ['web-2', 'backup'],
  ]);
  expect(itemsOf(own.body)).toMatchObject([{ credential_name: 'pve token', role: 'deploy' }]);
  expect(impact.body).toMatchObject({
    credentials_affected: [
      { credential_name: 'pve token', ci_name: 'web-2', role: 'backup', path: [{ ci_name: 'web-2' }] },
    ],
  });
});

test('who takes the place of an item has its credentials, until that is undone', async () => {
  const service = await startService();
  for (const ci_name of ['old', 'new']) await service.call('POST', '/ci', { ci_name, ci_type: 'virtual_machine' });
  await add(service, { associations: [{ ci_name: 'old' }] });
  const users = async () =>
    itemsOf((await service.call('GET', '/credentials/pve token/associations')).body).map(({ ci_id }) => ci_id);
  const before = await users();

  const { body: heir } = await service.call('GET', '/ci/new');
  await service.call('POST', `/ci/${String((heir as Json).ci_id)}/merge`, { other: 'old', reason: 'one machine' });
  const merged = await users();
  const { body: changes } = await service.call('GET', '/changes');
  const merge = itemsOf(changes).find(({ reason }) => reason === 'one machine') as Json;
  await service.call('POST', `/changes/${String(merge.change_id)}/revert`, {});

  expect(merged).toEqual([(heir as Json).ci_id]);
  expect(await users()).toEqual(before);
  expect(before).not.toEqual(merged);
});

test('a retired one gives its name up', async () => {
  const service = await startService();
  const first = await add(service, {});
  await service.call('PATCH', '/credentials/pve token', { lifecycle_state: 'retired' });

  const second = await add(service, { credential_type: 'password' });
  const back = await service.call('PATCH', `/credentials/${String(first.credential_id)}`, {
    lifecycle_state: 'active',
  });

  expect(second.credential_id).not.toBe(first.credential_id);
  expect(back.status).toBe(409);
});

test.each(['America/Los_Angeles', 'UTC', 'Asia/Tokyo'])(
  'the calendar has each day, for a token that may do nothing else, on a machine in %s',
  async (zone) => {
    vi.stubEnv('TZ', zone);
    onTestFinished(() => void vi.unstubAllEnvs());
    const service = await startService();
    await add(service, { credential_name: 'pve, the token; here', next_rotation_due: '2026-03-10' });
    await add(service, { credential_name: 'planned', next_rotation_due: '2026-03-10', lifecycle_state: 'planned' });
    const token = async (scopes: string[]) =>
      ((await service.call('POST', '/tokens', { token_name: 'phone', scopes })).body as Json).token;

    const get = (value: unknown) => fetch(`${service.url}/credentials.ics?token=${String(value)}`);
    const read = await get(await token(['credentials:calendar']));
    const text = await read.text();
    const refused = [await get(service.adminToken), await get('wrong'), await fetch(`${service.url}/credentials.ics`)];

    expect(read.headers.get('content-type')).toContain('text/calendar');
    expect(text.match(/BEGIN:VEVENT/g)).toHaveLength(1);
    expect(text).toContain('DTSTART;VALUE=DATE:20260310');
    expect(text).toContain('SUMMARY:Rotate credential: pve\\, the token\\; here');
    expect(refused.map(({ status }) => status)).toEqual([403, 401, 401]);
  },
);
