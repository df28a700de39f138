import { describe, expect, test } from 'vitest';
import { startService } from '../service.ts';
import { send } from './send.ts';

const item = { ci_type: 'physical_server', ci_name: 'nas-1' };

describe('every fault is told with its place and what would be right:', () => {
  test('of a body', async () => {
    const { call } = await startService();

    const { status, body, headers } = await call('POST', '/ci', {
      ci_type: 'physical_server',
      tags: ['a', 7],
      ansible: { port: 'ssh' },
      memory_mb: 2048,
    });

    expect(status).toBe(400);
    expect(headers.get('content-type')).toBe('application/problem+json');
    const { errors } = body as { errors: { pointer: string }[] };
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(['/ansible/port', '/ci_name', '/memory_mb', '/tags/1']);
  });

  test.each([
    ['a number that is none', '/ci?vmid=one', '/vmid', 'must be a whole number, not "one"'],
    ['a limit below one', '/ci?limit=0', '/limit', 'must be 1 or more, not 0'],
    ['one that comes twice', '/ci?ci_name=a&ci_name=b', '/ci_name', 'must be text, not a list'],
    ['an unknown one', '/ci?ci_nmae=a', '/ci_nmae', '"ci_nmae" is not a known key here; did you mean "ci_name"?'],
    ['one with the name of a prototype', '/ci?__proto__=a', '/__proto__', '"__proto__" is not a known key here'],
    ['a time that is none', '/ci?updated_since=soon', '/updated_since', 'must be a time such as 2026-03-02T10:00:00Z'],
  ])('of a query: %s', async (_, path, pointer, detail) => {
    const { call } = await startService();

    const { status, body } = await call('GET', path);

    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ pointer, detail: expect.stringContaining(detail) as string }] });
  });
});

test.each([
  ['ci_nam', 'ci_name'],
  ['technical_spec', 'technical_specs'],
  ['CI_TYPE', 'ci_type'],
  ['site', 'site_id'],
  ['name', 'ci_name'],
  ['id', 'ci_id'],
  ['specs', 'technical_specs'],
])('an item with the unknown key %s is refused, and the nearest name is given', async (wrong, right) => {
  const { call } = await startService();

  const { status, body } = await call('POST', '/ci', { ...item, [wrong]: 'x' });

  expect(status).toBe(400);
  expect(body).toMatchObject({
    errors: [{ pointer: `/${wrong}`, detail: expect.stringContaining(`did you mean "${right}"?`) as string }],
  });
});

describe('a call is known to its caller by its request id:', () => {
  test.each([
    ['one that is sent comes back', 'hook-2026/03:02', 'hook-2026/03:02'],
    ['without one it gets one', undefined, /^[0-9a-f-]{36}$/],
    ['one that is too long is not taken', 'x'.repeat(129), /^[0-9a-f-]{36}$/],
    ['one with other characters is not taken', 'a b', /^[0-9a-f-]{36}$/],
  ])('%s', async (_, sent, got) => {
    const { call } = await startService();

    const { headers } = await call('GET', '/ci/ghost', undefined, sent === undefined ? {} : { 'X-Request-Id': sent });

    expect(headers.get('x-request-id')).toMatch(got);
  });

  test('and so is the change that it made', async () => {
    const { call } = await startService();
    await call('POST', '/ci', item, { 'X-Request-Id': 'hook-7' });

    const { body } = await call('GET', '/ci/nas-1/changes');

    expect(body).toMatchObject({ items: [{ request_id: 'hook-7' }] });
  });
});

describe('a write says what it is done for:', () => {
  test.each([
    ['in a header', { 'X-Change-Ref': 'acme/infra#42' }, {}, 'acme/infra#42'],
    ['in its body', {}, { change_ref: 'acme/infra.net#7' }, 'acme/infra.net#7'],
    ['in both, and the body is believed', { 'X-Change-Ref': 'acme/infra#42' }, { change_ref: 'a/b#1' }, 'a/b#1'],
    ['in neither', {}, {}, null],
    ['with nothing', { 'X-Change-Ref': '' }, { change_ref: null }, null],
  ])('%s', async (_, headers, words, change_ref) => {
    const { call } = await startService();

    const { status } = await call('POST', '/ci', { ...item, ...words }, headers as Record<string, string>);

    expect(status).toBe(201);
    expect((await call('GET', '/ci/nas-1/changes')).body).toMatchObject({ items: [{ change_ref }] });
  });

  test('changes are found by it', async () => {
    const { call } = await startService();
    await call('POST', '/ci', item);
    await call('DELETE', '/ci/nas-1', undefined, { 'X-Change-Ref': 'acme/infra#42' });

    const { body } = await call('GET', '/changes?change_ref=acme%2Finfra%2342');

    expect(body).toMatchObject({ count: 1, items: [{ action: 'deleted', change_ref: 'acme/infra#42' }] });
  });

  test.each([
    ['in a header', { 'X-Change-Ref': '#42' }, {}, ''],
    ['in its body', {}, { change_ref: 'acme/infra' }, '/change_ref'],
    ['as a number', {}, { change_ref: 42 }, '/change_ref'],
  ])('a reference of another form is refused, %s', async (_, headers, words, pointer) => {
    const { call } = await startService();

    const { status, body } = await call('POST', '/ci', { ...item, ...words }, headers as Record<string, string>);

    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ pointer, detail: 'must be owner/repo#123' }] });
    expect((await call('GET', '/ci?ci_name=nas-1')).body).toMatchObject({ count: 0 });
  });
});

describe('a path', () => {
  test('may hold an encoded slash, space or per cent sign in a name', async () => {
    const { call } = await startService();
    const ci_name = 'rack 1/50%';
    await call('POST', '/ci', { ...item, ci_name });

    const found = await call('GET', `/ci/${encodeURIComponent(ci_name)}`);
    const written = await call('PUT', `/ci/by-name/${encodeURIComponent(ci_name)}`, { notes: 'new' });

    expect(found.body).toMatchObject({ ci_name });
    expect(written.body).toMatchObject({ ci_name, notes: 'new' });
  });

  test.each([
    ['that is unknown', '/api/v1/cis', 404],
    ['with two slashes', '//api/v1/ci', 404],
    ['with two slashes inside', '/api/v1//ci', 404],
    ['with dots', '/api/v1/../v1/ci', 404],
    ['with a slash at its end', '/api/v1/ci/', 200],
    ['that is no UTF-8', '/api/v1/ci/%ff', 400],
    ['with half an escape', '/api/v1/ci/100%', 400],
    ['with a whole address', 'http://elsewhere.example/api/v1/ci', 200],
  ])('%s is a problem or an answer, and never an outage', async (_, path, status) => {
    const { url, adminToken } = await startService();

    const got = await send(url, { path, headers: { Authorization: `Bearer ${adminToken}` } });

    expect(got.status).toBe(status);
    expect(JSON.parse(got.text)).toBeTypeOf('object');
  });
});

test('HEAD answers as GET does, without the body', async () => {
  const { url, adminToken } = await startService();
  const headers = { Authorization: `Bearer ${adminToken}` };

  const head = await send(url, { method: 'HEAD', path: '/api/v1/inventory', headers });
  const get = await send(url, { path: '/api/v1/inventory', headers });
  const refused = await send(url, { method: 'HEAD', path: '/api/v1/inventory' });

  expect(head).toMatchObject({ status: 200, text: '' });
  expect(head.headers.etag).toBe(get.headers.etag);
  expect(head.headers['content-length']).toBe(get.headers['content-length']);
  expect(refused).toMatchObject({ status: 401, text: '' });
});

test('a method that a path does not have is a problem', async () => {
  const { call } = await startService();

  const { status, body } = await call('PATCH', '/ci', {});

  expect(status).toBe(404);
  expect(body).toMatchObject({ detail: 'There is no PATCH /api/v1/ci; /docs lists every call.' });
});
