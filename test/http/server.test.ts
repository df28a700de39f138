import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';
import { endpoint } from '../../src/http/endpoint.ts';
import { startService } from '../service.ts';
import { openFloor } from './floor.ts';
import { send } from './send.ts';

describe('a web page of another origin', () => {
  const origin = 'https://dashboard.example.org';

  test('may call the API where its origin is named, and asks first without a token', async () => {
    const { url, call } = await startService({ settings: { http: { cors_origins: [origin] } } });

    const asked = await send(url, {
      method: 'OPTIONS',
      path: '/api/v1/ci',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization,x-change-ref',
      },
    });
    const { headers } = await call('GET', '/ci', undefined, { Origin: origin });

    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization,x-change-ref',
      'access-control-allow-methods': expect.stringContaining('POST') as string,
    });
    expect(headers.get('access-control-allow-origin')).toBe(origin);
    expect(headers.get('access-control-expose-headers')).toBe('ETag,X-Request-Id,Retry-After');
    expect(headers.get('vary')).toContain('Origin');
  });

  test.each([
    ['where none is named', []],
    ['where others are named', ['https://other.example.org']],
  ])('may not %s', async (_, cors_origins) => {
    const { call } = await startService({ settings: { http: { cors_origins } } });

    const { headers } = await call('GET', '/ci', undefined, { Origin: origin });

    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

test('browsers are told to run nothing of others, and answers do not say what made them', async () => {
  const { call } = await startService();

  const { headers } = await call('GET', '/ci');

  expect(headers.get('content-security-policy')).toContain("default-src 'self'");
  expect(headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('strict-transport-security')).toBeNull();
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('etag')).toBeNull();
});

describe('the probes', () => {
  test('say that the process runs, and that the database answers', async () => {
    const { url } = await startService();

    const [health, ready] = await Promise.all(['/healthz', '/readyz'].map((path) => send(url, { path })));

    expect(JSON.parse(health?.text ?? '')).toEqual({ status: 'ok', version: expect.any(String) as string });
    expect(JSON.parse(ready?.text ?? '')).toEqual({ status: 'ok', database: 'ok', waiting_writes: 0, peers: [] });
  });

  test('are answered while a write is open, and say how many wait', async () => {
    const { url, app } = await startService();
    const gate = Promise.withResolvers<void>();
    const writes = [1, 2, 3].map(() => app.store.write(() => gate.promise));

    const [health, ready] = await Promise.all(['/healthz', '/readyz'].map((path) => send(url, { path })));

    gate.resolve();
    await Promise.all(writes);
    expect(health?.status).toBe(200);
    expect(JSON.parse(ready?.text ?? '')).toMatchObject({ waiting_writes: 3 });
  });

  test('say 503 when the database does not answer, while the process runs', async () => {
    const { url, app } = await startService();
    await app.store.read.destroy();

    const [health, ready] = await Promise.all(['/healthz', '/readyz'].map((path) => send(url, { path })));

    expect(health?.status).toBe(200);
    expect(ready?.status).toBe(503);
    expect(JSON.parse(ready?.text ?? '')).toMatchObject({ detail: 'The database does not answer.' });
  });
});

describe('the metrics', () => {
  test('count requests by the path of their definition, whatever was asked for', async () => {
    const { call } = await startService();
    await call('GET', '/ci/ghost-1');
    await call('GET', '/ci/ghost-2');
    await call('GET', '/nowhere/at/all');

    const { body, headers } = await call('GET', '/metrics');

    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(body).toContain('rollcall_http_requests_total{method="GET",path="/api/v1/ci/{ci_id}",status="404"} 2');
    expect(body).toContain('rollcall_http_requests_total{method="GET",path="none",status="404"} 1');
    expect(body).toContain('rollcall_http_request_duration_seconds_bucket');
    expect(body).toContain('rollcall_store_waiting_writes 0');
    expect(body).toContain('rollcall_process_resident_memory_bytes');
    expect(body).not.toContain('ghost');
  });

  test('need a token, unless they are open', async () => {
    const closed = await startService();
    const open = await startService({ settings: { http: { open_metrics: true } } });

    const answers = await Promise.all([closed, open].map(({ url }) => send(url, { path: '/metrics' })));

    expect(answers.map(({ status }) => status)).toEqual([401, 200]);
  });
});

test('an answer that cannot be sent as it was meant is an outage, and has nothing of that answer', async () => {
  const circle: Record<string, unknown> = {};
  circle.circle = circle;
  const endless = endpoint({
    method: 'GET',
    path: '/endless',
    scope: null,
    tag: 'test',
    summary: 'Has no end',
    answers: { 200: Type.Unknown() },
    handle: () => Promise.resolve([200, circle, { ETag: '"1"', 'Content-Encoding': 'gzip' }]),
  });
  const { url } = await openFloor([endless]);

  const { status, headers, text } = await send(url, { path: '/api/v1/endless' });

  expect(status).toBe(500);
  expect(JSON.parse(text)).toMatchObject({ type: '/problems/internal' });
  expect(headers.etag).toBeUndefined();
  expect(headers['content-encoding']).toBeUndefined();
});

test('an answer may bring its own type', async () => {
  const yaml = endpoint({
    method: 'GET',
    path: '/yaml',
    scope: null,
    tag: 'test',
    summary: 'Brings its own type',
    answers: { 200: { mediaType: 'application/yaml' } },
    handle: () => Promise.resolve([200, Buffer.from('a: 1\n'), { 'Content-Type': 'application/yaml' }]),
  });
  const { url } = await openFloor([yaml]);

  const { headers, text } = await send(url, { path: '/api/v1/yaml' });

  expect(headers['content-type']).toBe('application/yaml');
  expect(text).toBe('a: 1\n');
});
