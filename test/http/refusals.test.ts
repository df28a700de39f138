import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { endpoint } from '../../src/http/endpoint.ts';
import { type Service, startService } from '../service.ts';
import { openFloor } from './floor.ts';
import { send } from './send.ts';

interface Kept {
  count: number;
  items: Record<string, unknown>[];
}

async function refusalsOf({ call }: Pick<Service, 'call'>): Promise<Kept> {
  return (await call('GET', '/refusals')).body as Kept;
}

const item = { ci_type: 'physical_server', ci_name: 'nas-1' };

test('a refused write is kept with who, what and why, and without its secrets', async () => {
  const service = await startService();
  const body = { ...item, ci_stattus: 'active', ansible: { vars: { db_password: 'hunter2' } } };

  const { status } = await service.call('POST', '/ci?', body, { 'X-Request-Id': 'hook-7' });

  expect(status).toBe(400);
  expect(await refusalsOf(service)).toEqual({
    count: 1,
    next: null,
    items: [
      {
        refusal_id: expect.any(String) as string,
        refused_at: '2026-03-02T10:00:00.000Z',
        token_name: 'admin',
        address: '127.0.0.1',
        method: 'POST',
        path: '/api/v1/ci?',
        status: 400,
        detail: expect.stringContaining('The item is not right at /ci_stattus') as string,
        errors: [{ pointer: '/ci_stattus', detail: expect.stringContaining('did you mean "ci_status"?') as string }],
        body: '{"ci_type":"physical_server","ci_name":"nas-1","ci_stattus":"active","ansible":{"vars":{"db_password":"***"}}}',
        request_id: 'hook-7',
      },
    ],
  });
});

test('each way to refuse a write is kept and counted, and a refused read is not', async () => {
  const service = await startService();
  const { call, ansibleToken } = service;
  await call('GET', '/ci/ghost');
  await call('GET', '/ci?limit=none');

  await call('POST', '/ci', '{"ci_name": ');
  await call('POST', '/ci', item, { Authorization: `Bearer ${ansibleToken}` });
  await call('POST', '/ci', item, { Authorization: 'Bearer wrong' });
  await call('PUT', '/ci/ghost', { notes: 'boo' });
  await call('PUT', '/ci/ghost?name=x', { notes: 'boo' });
  await call('POST', '/ci', { ...item, ci_status: 'asleep' }, { 'X-Change-Ref': 'later' });
  await call('DELETE', '/ci/ghost');

  const { items } = await refusalsOf(service);
  expect(items.map(({ method, status, token_name, body }) => [method, status, token_name, body]).reverse()).toEqual([
    ['POST', 400, 'admin', '{"ci_name": '],
    ['POST', 403, 'ansible', null],
    ['POST', 401, null, null],
    ['PUT', 404, 'admin', '{"notes":"boo"}'],
    ['PUT', 400, 'admin', '{"notes":"boo"}'],
    ['POST', 400, 'admin', '{"ci_type":"physical_server","ci_name":"nas-1","ci_status":"asleep"}'],
    ['DELETE', 404, 'admin', null],
  ]);
  const metrics = (await call('GET', '/metrics')).body as string;
  expect(metrics.match(/^rollcall_http_refused_writes_total.*$/gm)?.sort()).toEqual([
    'rollcall_http_refused_writes_total{path="/api/v1/ci"} 4',
    'rollcall_http_refused_writes_total{path="/api/v1/ci/{ci_id}"} 3',
  ]);
});

test('the faulty items of a bulk are kept, though the call is answered with 200', async () => {
  const service = await startService();

  const { status } = await service.call('POST', '/ci/bulk', {
    items: [item, { ci_type: 'physical_server' }, { ...item, ci_name: 'nas-2', vars: { password: 'hunter2' } }],
  });

  expect(status).toBe(200);
  const { count, items } = await refusalsOf(service);
  expect(count).toBe(1);
  expect(items[0]).toMatchObject({
    path: '/api/v1/ci/bulk',
    status: 400,
    detail: '2 of 3 items were refused.',
    errors: [
      { pointer: '/items/1/ci_name', detail: expect.any(String) as string },
      { pointer: '/items/2/vars', detail: expect.any(String) as string },
    ],
    body: '[{"ci_type":"physical_server"},{"ci_type":"physical_server","ci_name":"nas-2","vars":{"password":"***"}}]',
  });
  expect((await service.call('GET', '/metrics')).body).toContain(
    'rollcall_http_refused_writes_total{path="/api/v1/ci/bulk"} 1',
  );
});

test('a write that comes while a hundred wait is told to come again, and is kept once the store is free', async () => {
  const service = await startService();
  const { store } = service.app;
  const gate = Promise.withResolvers<void>();
  const waiting = Array.from({ length: 101 }, () => store.write(() => gate.promise));

  const { status, headers, body } = await service.call('POST', '/ci', item);

  expect(status).toBe(503);
  expect(headers.get('retry-after')).toBe('5');
  expect(body).toMatchObject({ type: '/problems/unavailable' });
  gate.resolve();
  await Promise.all(waiting);
  expect((await refusalsOf(service)).items).toMatchObject([{ status: 503, token_name: 'admin', path: '/api/v1/ci' }]);
  expect((await service.call('POST', '/ci', item)).status).toBe(201);
});

test('what was refused while the store was busy is kept when the service stops before it is free', async () => {
  const service = await startService();
  const gate = Promise.withResolvers<void>();
  const waiting = Array.from({ length: 101 }, () => service.app.store.write(() => gate.promise));
  await service.call('POST', '/ci', item);
  await service.call('POST', '/nowhere', item);

  const restarted = service.restart();
  gate.resolve();
  await Promise.all(waiting);
  await restarted;

  expect((await refusalsOf(service)).items.map(({ status }) => status)).toEqual([404, 503]);
});

test('while refusals are many, as many as came are kept', async () => {
  const service = await startService();

  await Promise.all(Array.from({ length: 300 }, () => service.call('POST', '/nowhere', {})));

  expect((await refusalsOf(service)).count).toBe(300);
});

test('a refusal is forgotten after 30 days, and stands as an alert for one', async () => {
  const service = await startService();
  await service.call('POST', '/nowhere', {});
  const alerts = async () => (await service.call('GET', '/alerts')).body;

  await service.app.runJob('prune-refusals');
  const first = await alerts();
  service.pass({ hours: 25 });
  await service.app.runJob('prune-refusals');
  const second = await alerts();
  service.pass({ hours: 29 * 24 });
  const pruned = await service.app.runJob('prune-refusals');

  expect(first).toMatchObject({ count: 1, items: [{ kind: 'refused_writes', subject: 'api', until: null }] });
  expect(second).toMatchObject({ items: [{ since: '2026-03-02T10:00:00.000Z', until: '2026-03-03T11:00:00.000Z' }] });
  expect(pruned).toEqual({ deleted: 1, recent: 0 });
  expect((await refusalsOf(service)).count).toBe(0);
});

test('what goes wrong inside is logged whole, told to nobody, and kept if it was a write', async () => {
  const broken = endpoint({
    method: 'POST',
    path: '/broken',
    scope: 'ci:write',
    tag: 'test',
    summary: 'Breaks',
    body: Type.Unknown(),
    answers: { 200: Type.Unknown() },
    handle: () => Promise.reject(new Error('the reactor is on fire')),
  });
  const floor = await openFloor([broken]);
  const token = await floor.token('hook');

  const { status, text } = await send(floor.url, {
    method: 'POST',
    path: '/api/v1/broken',
    headers: { Authorization: `Bearer ${token}`, 'X-Request-Id': 'r-1' },
    body: '{"a":1}',
  });

  expect(status).toBe(500);
  expect(JSON.parse(text)).toMatchObject({ type: '/problems/internal', status: 500 });
  expect(text).not.toContain('reactor');
  const [line] = floor.lines.filter((one) => one.includes('a request failed'));
  expect(JSON.parse(line as string)).toMatchObject({
    level: 'error',
    request: 'r-1',
    err: { message: 'the reactor is on fire' },
  });
  await floor.refusals.flush();
  const rows = await floor.store.read.selectFrom('refusals').select(['status', 'body', 'token_name']).execute();
  expect(rows).toEqual([{ status: 500, body: '{"a":1}', token_name: 'hook' }]);
});
