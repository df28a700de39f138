import { describe, expect, test } from 'vitest';
import { type Service, startService } from '../service.ts';
import { openFloor } from './floor.ts';
import { send } from './send.ts';

const wrong = { Authorization: 'Bearer rollcall_wrong' };

async function makeToken(
  service: Service,
  token: Record<string, unknown>,
): Promise<{ token: string; token_id: string }> {
  const { body } = await service.call('POST', '/tokens', { scopes: ['ci:read', 'ci:write'], ...token });
  return body as { token: string; token_id: string };
}

function by(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

describe('a call without a good token is refused, and told why:', () => {
  test.each([
    ['no token', () => ({ Authorization: '' }), 'Send a token as "Authorization: Bearer TOKEN"'],
    ['another way to sign in', () => ({ Authorization: 'Basic cm9vdDpyb290' }), 'Send a token as'],
    ['a token that is not known', () => wrong, 'This token is not known here.'],
    ['half a token', ({ adminToken }: Service) => by(adminToken.slice(0, 20)), 'This token is not known here.'],
  ])('%s', async (_, headersOf, detail) => {
    const service = await startService();

    const { status, body, headers } = await service.call('GET', '/ci', undefined, headersOf(service));

    expect(status).toBe(401);
    expect(body).toMatchObject({ type: '/problems/unauthorized', status: 401 });
    expect((body as { detail: string }).detail).toContain(detail);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="Rollcall"');
  });

  test('one that has expired', async () => {
    const service = await startService();
    const { token } = await makeToken(service, { token_name: 'guest', expires_at: '2026-03-02T11:00:00Z' });
    const before = await service.call('GET', '/ci', undefined, by(token));

    service.pass({ hours: 1 });
    const { status, body } = await service.call('GET', '/ci', undefined, by(token));

    expect(before.status).toBe(200);
    expect(status).toBe(401);
    expect(body).toMatchObject({ detail: 'This token (guest) expired on 2026-03-02T11:00:00.000Z.' });
  });

  test('one that was revoked, and with it no other of its name', async () => {
    const service = await startService();
    const first = await makeToken(service, { token_name: 'hook' });
    const second = await makeToken(service, { token_name: 'hook' });

    const revoked = await service.call('DELETE', `/tokens/${first.token_id}`);

    expect(revoked.body).toEqual({ revoked: 1 });
    expect((await service.call('GET', '/ci', undefined, by(first.token))).body).toMatchObject({
      detail: 'This token (hook) was revoked.',
    });
    expect((await service.call('GET', '/ci', undefined, by(second.token))).status).toBe(200);
  });
});

test('the word Bearer is read in any case', async () => {
  const { call, adminToken } = await startService();

  const { status } = await call('GET', '/ci', undefined, { Authorization: `bearer  ${adminToken} ` });

  expect(status).toBe(200);
});

test('all tokens of a name are revoked by the name, and an unknown one is a problem', async () => {
  const service = await startService();
  const tokens = [await makeToken(service, { token_name: 'hook' }), await makeToken(service, { token_name: 'hook' })];

  const revoked = await service.call('DELETE', '/tokens/hook');

  expect(revoked.body).toEqual({ revoked: 2 });
  for (const { token } of tokens) expect((await service.call('GET', '/ci', undefined, by(token))).status).toBe(401);
  expect((await service.call('DELETE', '/tokens/hook')).status).toBe(404);
});

test.each([
  ['a time in the past', { expires_at: '2026-03-02T09:59:59Z' }, '/expires_at', 'lies in the past'],
  ['no time', { expires_at: 'soon' }, '/expires_at', 'must be a time such as 2027-01-31T00:00:00Z'],
  ['an unknown scope', { scopes: ['ci:rule'] }, '/scopes/0', 'must be one of'],
  ['no scope', { scopes: [] }, '/scopes', 'must not be empty'],
  ['a name with a space', { token_name: 'the hook' }, '/token_name', 'must'],
])('a token with %s is not made', async (_, part, pointer, detail) => {
  const { call } = await startService();

  const { status, body } = await call('POST', '/tokens', { token_name: 'hook', scopes: ['ci:read'], ...part });

  expect(status).toBe(400);
  expect(body).toMatchObject({ errors: [{ pointer, detail: expect.stringContaining(detail) as string }] });
});

test('several tokens of one name are one speaker', async () => {
  const service = await startService();
  const old = await makeToken(service, { token_name: 'alice' });
  const rotated = await makeToken(service, { token_name: 'alice' });
  const item = { ci_type: 'physical_server', ci_name: 'nas-1' };
  await service.call('POST', '/ci', { ...item, notes: 'in the cellar' }, by(old.token));

  await service.call('PUT', '/ci/nas-1', { notes: null }, by(rotated.token));

  expect((await service.call('GET', '/ci/nas-1')).body).toMatchObject({ notes: null });
  const { body } = await service.call('GET', '/changes?source=manual:alice');
  expect(body).toMatchObject({ count: 2 });
});

test('a token is shown once, and never again', async () => {
  const service = await startService();

  const { token } = await makeToken(service, { token_name: 'hook' });

  expect(token).toMatch(/^rollcall_[\w-]{43}$/);
  const listed = JSON.stringify((await service.call('GET', '/tokens')).body);
  expect(listed).not.toContain(token);
  expect(listed).not.toContain('hash');
});

test('after 20 wrong tokens within a minute an address waits, and a good token still passes', async () => {
  const service = await startService();
  const ask = (headers: Record<string, string>) => service.call('GET', '/ci', undefined, headers);
  for (let count = 0; count < 20; count += 1) expect((await ask(wrong)).status).toBe(401);
  service.pass({ seconds: 20 });

  const { status, headers, body } = await ask(wrong);

  expect(status).toBe(429);
  expect(headers.get('retry-after')).toBe('40');
  expect(body).toMatchObject({ type: '/problems/too_many', detail: expect.stringContaining('wait 40 s') as string });
  expect((await ask(by(service.adminToken))).status).toBe(200);
  service.pass({ seconds: 40 });
  expect((await ask(wrong)).status).toBe(401);
});

test('the time of last use is in the list at once, and is there after a restart', async () => {
  const service = await startService();
  const { token, token_id } = await makeToken(service, { token_name: 'hook' });
  const lastUse = async () => {
    const { items } = (await service.call('GET', '/tokens')).body as {
      items: { token_id: string; last_used_at: string | null }[];
    };
    return items.find((one) => one.token_id === token_id)?.last_used_at;
  };
  const before = await lastUse();
  service.pass({ minutes: 5 });
  await service.call('GET', '/ci', undefined, by(token));

  await service.restart();

  expect(before).toBeNull();
  expect(await lastUse()).toBe('2026-03-02T10:05:00.000Z');
});

test('the address of a caller is taken from a proxy only where that proxy is trusted', async () => {
  const forwarded = { ...wrong, 'X-Forwarded-For': '203.0.113.9' };
  const plain = await startService();
  const proxied = await startService({ settings: { http: { trust_proxy: ['loopback'] } } });
  for (const service of [plain, proxied]) await service.call('POST', '/ci', {}, forwarded);

  const addresses = await Promise.all(
    [plain, proxied].map(async ({ call }) => {
      const { items } = (await call('GET', '/refusals')).body as { items: { address: string }[] };
      return items.map(({ address }) => address);
    }),
  );

  expect(addresses).toEqual([['127.0.0.1'], ['203.0.113.9']]);
});

test('a proxy that is neither an address nor a network is refused at the start', async () => {
  const starting = startService({ settings: { http: { trust_proxy: ['my-proxy'] } } });

  await expect(starting).rejects.toThrow(/^http\.trust_proxy: .*my-proxy.* Write addresses or networks/);
});

test('with http.rate_limit each token has so many calls a minute', async () => {
  const service = await startService({ settings: { http: { rate_limit: 3 } } });
  const { token } = await makeToken(service, { token_name: 'hook' });
  const ask = (as: string) => service.call('GET', '/ci', undefined, by(as));
  for (let count = 0; count < 3; count += 1) await ask(token);

  const { status, headers } = await ask(token);

  expect(status).toBe(429);
  expect(headers.get('retry-after')).toBe('60');
  expect((await ask(service.adminToken)).status).toBe(200);
  service.pass({ minutes: 1 });
  expect((await ask(token)).status).toBe(200);
});

test('a write that reaches no call needs a token too, and is kept under its name', async () => {
  const service = await startService();
  const { token } = await makeToken(service, { token_name: 'hook' });
  const put = (path: string, headers: Record<string, string>) =>
    send(service.url, { method: 'PUT', path, headers, body: '{}' });

  const strange = await put('/api/v1/cis/web-1', {});
  const lost = await put('/api/v1/cis/web-1', by(token));
  const halfWord = await put('/api/v1/ci/by-name/100%', by(token));

  expect([strange.status, lost.status, halfWord.status]).toEqual([401, 404, 400]);
  const { items } = (await service.call('GET', '/refusals')).body as { items: Record<string, unknown>[] };
  expect(items.map(({ token_name, path, status }) => ({ token_name, path, status })).reverse()).toEqual([
    { token_name: null, path: '/api/v1/cis/web-1', status: 401 },
    { token_name: 'hook', path: '/api/v1/cis/web-1', status: 404 },
    { token_name: 'hook', path: '/api/v1/ci/by-name/100%', status: 400 },
  ]);
});

test('wrong tokens past the limit are counted, and fill no disk', async () => {
  const service = await startService();

  for (let count = 0; count < 25; count += 1) await service.call('POST', '/nowhere', {}, wrong);

  expect((await service.call('GET', '/refusals')).body).toMatchObject({ count: 20 });
  expect((await service.call('GET', '/metrics')).body).toContain('rollcall_http_refused_writes_total{path="none"} 25');
});

test('a database that once did not answer locks nobody out', async () => {
  const floor = await openFloor([]);
  const token = await floor.token('hook');
  const ask = () => floor.auth.tokenOf(`Bearer ${token}`, '127.0.0.1');
  await floor.store.write((trx) => trx.schema.alterTable('tokens').renameTo('away').execute());
  await expect(ask()).rejects.toThrow('no such table: tokens');

  await floor.store.write((trx) => trx.schema.alterTable('away').renameTo('tokens').execute());

  expect(await ask()).toMatchObject({ token_name: 'hook' });
});

test('times of use that could not be written are written later', async () => {
  const floor = await openFloor([]);
  const token = await floor.token('hook');
  await floor.auth.tokenOf(`Bearer ${token}`, '127.0.0.1');
  const gate = Promise.withResolvers<void>();
  const writes = Array.from({ length: 101 }, () => floor.store.write(() => gate.promise));
  await expect(floor.auth.flush()).rejects.toThrow('100 writes are waiting already');
  gate.resolve();
  await Promise.all(writes);

  await floor.auth.flush();

  const rows = await floor.store.read.selectFrom('tokens').select('last_used_at').execute();
  expect(rows).toEqual([{ last_used_at: '2026-03-02T10:00:00.000Z' }]);
});
