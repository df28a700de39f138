import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Service, type ServiceOptions, startService } from '../service.ts';

interface Inventory {
  _meta: { hostvars: Record<string, Record<string, unknown>> };
  all: { vars: { rollcall_inventory_version: string } };
  [group: string]: { hosts?: string[]; vars?: Record<string, unknown> } & Record<string, unknown>;
}

/** Without this machine, which is a host too. */
async function emptyService(options: ServiceOptions = {}): Promise<Service> {
  const service = await startService(options);
  const { items } = (await service.call('GET', '/ci')).body as { items: { ci_id: string }[] };
  for (const { ci_id } of items) await service.call('DELETE', `/ci/${ci_id}`);
  return service;
}

const inventory = async ({ call }: Service, query = '') => (await call('GET', `/inventory${query}`)).body as Inventory;
const hosts = async (service: Service, query = '') => Object.keys((await inventory(service, query))._meta.hostvars);

/** As a hypervisor's own discovery says it. */
async function measure({ call }: Service, name: string, more: object = {}): Promise<string> {
  const said = { ci_name: name, ci_type: 'virtual_machine', managed_by: 'proxmox-api', external_id: name, ...more };
  const { status, body } = await call('POST', '/ci', said);
  expect([200, 201]).toContain(status);
  return (body as { ci_id: string }).ci_id;
}

async function bytes(service: Service, query: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${service.url}/api/v1/inventory${query}`, {
    headers: { Authorization: `Bearer ${service.ansibleToken}`, 'Accept-Encoding': 'identity', ...headers },
  });
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
}

test('the inventory can be asked for by site, group and status, and for one host', async () => {
  const service = await emptyService();
  await measure(service, 'a', { site_id: 'site-a', ci_status: 'running', tags: ['prod'] });
  await measure(service, 'b', { site_id: 'site-b', ci_status: 'running' });
  await service.call('POST', '/ci', { ci_name: 'c', site_id: 'site-b', ansible: { groups: ['webservers'] } });

  expect(await hosts(service)).toEqual(['a', 'b', 'c']);
  expect(await hosts(service, '?site_id=site-b')).toEqual(['b', 'c']);
  expect(await hosts(service, '?site_id=site-b&status=running')).toEqual(['b']);
  expect(await hosts(service, '?group=webservers')).toEqual(['c']);
  expect(await hosts(service, '?group=tag_prod')).toEqual(['a']);
  expect(await hosts(service, '?site_id=nowhere')).toEqual([]);
  const whole = await inventory(service);
  expect((await service.call('GET', '/inventory?host=b')).body).toEqual(whole._meta.hostvars.b);
  expect((await service.call('GET', '/inventory?host=ghost')).status).toBe(404);
  expect((await service.call('GET', '/inventory?include=everything')).status).toBe(400);
  expect((await service.call('GET', '/inventory?sites=a')).status).toBe(400);
});

test('a host leaves for stopped only once it is seen so for half an hour, and comes back when asked for', async () => {
  const service = await emptyService();
  await measure(service, 'a', { ci_status: 'running' });
  await measure(service, 'a', { ci_status: 'stopped' });
  expect(await hosts(service)).toEqual(['a']);

  service.pass({ minutes: 29 });
  await measure(service, 'a', { ci_status: 'stopped' });
  expect(await hosts(service)).toEqual(['a']);
  service.pass({ minutes: 1 });
  await measure(service, 'a', { ci_status: 'stopped' });

  expect(await hosts(service)).toEqual([]);
  expect(await hosts(service, '?include=stopped')).toEqual(['a']);
  await measure(service, 'a', { ci_status: 'running' });
  expect(await hosts(service)).toEqual(['a']);
});

test('a host that is held, or whose site holds new ones, or that has the tag no-ansible, is not served', async () => {
  const service = await emptyService();
  await measure(service, 'old', { ci_status: 'running' });
  await measure(service, 'held', { ci_status: 'running' });
  await measure(service, 'tagged', { ci_status: 'running', tags: ['no-ansible'] });
  await measure(service, 'template', { ci_status: 'stopped', technical_specs: { template: 1 } });
  await measure(service, 'node', { ci_type: 'physical_server' });
  await service.call('PUT', '/ci/held', { ci_status: 'maintenance' });
  await service.call('PUT', '/sites/site-home', { new_hosts: 'hold' });
  service.pass({ minutes: 1 });
  await measure(service, 'new', { ci_status: 'running' });

  expect(await hosts(service)).toEqual(['old']);
  expect(await hosts(service, '?include=held')).toEqual(['held', 'old']);
  for (const name of ['node', 'new', 'tagged'])
    await service.call('PUT', `/ci/${name}`, { ansible: { enabled: true } });
  expect(await hosts(service)).toEqual(['new', 'node', 'old', 'tagged']);
});

test.each([
  ['new', /new_hosts/],
  ['tagged', /no-ansible/],
  ['off', /enabled is false/],
  ['old', /^it is running$/],
])('why says of %s what decided', async (name, reason) => {
  const service = await emptyService();
  await measure(service, 'old', { ci_status: 'running', technical_specs: { addresses: ['10.0.0.5'] } });
  await measure(service, 'tagged', { tags: ['no-ansible'] });
  await service.call('POST', '/ci', { ci_name: 'off', ansible: { enabled: false } });
  await service.call('PUT', '/sites/site-home', { new_hosts: 'hold' });
  service.pass({ minutes: 1 });
  await measure(service, 'new');

  const { body } = await service.call('GET', `/inventory/why/${name}`);

  expect(body).toMatchObject({ ci_name: name, name, reason: expect.stringMatching(reason) });
  if (name === 'old') expect(body).toMatchObject({ served: true, address: { value: '10.0.0.5' } });
  expect((await service.call('GET', '/inventory/why/ghost')).status).toBe(404);
});

describe('a version', () => {
  test('is the answer to who has it: 304, and packed where that is understood', async () => {
    const service = await emptyService();
    await measure(service, 'a');
    const plain = await bytes(service, '');
    const etag = plain.headers.get('etag') as string;

    const again = await bytes(service, '', { 'If-None-Match': `"other", W/${etag}` });
    const packed = await fetch(`${service.url}/api/v1/inventory`, {
      headers: { Authorization: `Bearer ${service.ansibleToken}`, 'Accept-Encoding': 'gzip' },
    });

    expect(etag).toBe(`"${(JSON.parse(plain.body.toString()) as Inventory).all.vars.rollcall_inventory_version}"`);
    expect({ status: again.status, length: again.body.length }).toEqual({ status: 304, length: 0 });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(Buffer.from(await packed.arrayBuffer())).toEqual(plain.body);
    const stored = await service.app.store.read.selectFrom('inventory_versions').select('body').execute();
    expect(stored.map(({ body }) => gunzipSync(body))).toContainEqual(plain.body);
  });

  test('stays while nothing changes that it shows', async () => {
    const service = await emptyService();
    await measure(service, 'a', { technical_specs: { motto: 'x' } });
    const before = (await bytes(service, '')).headers.get('etag');

    service.pass({ hours: 1 });
    await measure(service, 'a', { technical_specs: { motto: 'x' } });
    await measure(service, 'a', { technical_specs: { motto: 'y' } });
    await service.call('PUT', '/ci/a', { owner: 'alice', notes: 'hers' });
    await service.call('POST', '/ci', { ci_name: 'nas', ci_type: 'storage' });
    expect((await bytes(service, '')).headers.get('etag')).toBe(before);

    await service.call('PUT', '/ci/a', { environment: 'prod' });
    expect((await bytes(service, '')).headers.get('etag')).not.toBe(before);
  });

  test('can be asked for again byte for byte, by itself and by any moment of its time, over a restart too', async () => {
    const service = await emptyService();
    const told: { at: string; version: string; body: Buffer }[] = [];
    for (const name of ['a', 'b', 'c']) {
      await measure(service, name);
      const { body, headers } = await bytes(service, '');
      told.push({ at: service.now().toString(), version: (headers.get('etag') as string).slice(1, -1), body });
      service.pass({ minutes: 10 });
    }
    await service.restart();

    for (const { at, version, body } of told) {
      expect((await bytes(service, `?at=${version}`)).body).toEqual(body);
      expect((await bytes(service, `?at=${at}`)).body).toEqual(body);
      const later = Temporal.Instant.from(at).add({ minutes: 9 }).toString();
      expect((await bytes(service, `?at=${later}`)).body).toEqual(body);
    }
    expect((await bytes(service, '?at=1-000000000000')).status).toBe(404);
    expect((await bytes(service, '?at=2020-01-01T00:00:00Z')).status).toBe(404);
    expect((await bytes(service, '?at=yesterday')).status).toBe(400);
    const [first, , third] = told;
    const { body } = await service.call('GET', `/inventory/diff?from=${first?.version}&to=${third?.version}`);
    expect(body).toMatchObject({ hosts: { added: ['b', 'c'], removed: [], changed: [] } });
  });

  test('is kept for a week after it was last served', async () => {
    const service = await emptyService();
    await measure(service, 'a');
    const version = ((await bytes(service, '')).headers.get('etag') as string).slice(1, -1);
    await measure(service, 'b');
    await bytes(service, '');

    service.pass({ hours: 24 * 7 - 1 });
    await service.app.runJob('prune-inventory');
    expect((await bytes(service, `?at=${version}`)).status).toBe(200);
    service.pass({ hours: 2 });
    await service.app.runJob('prune-inventory');

    expect((await bytes(service, `?at=${version}`)).status).toBe(404);
    expect((await bytes(service, '')).status).toBe(200);
  });
});

test('an address that two hosts have is withheld from both, kept by whom an operator gave it, and told', async () => {
  const service = await emptyService();
  const shared = { ci_status: 'running', technical_specs: { addresses: ['10.0.0.5'] } };
  await measure(service, 'a', shared);
  await measure(service, 'b', shared);
  const addresses = async () => {
    const { _meta, no_address } = await inventory(service);
    const entries = Object.entries(_meta.hostvars).map(([name, vars]) => [name, vars.ansible_host ?? null]);
    return { ...Object.fromEntries(entries), none: no_address?.hosts ?? [] };
  };
  const alerts = async () => {
    await service.app.store.write(() => Promise.resolve());
    const { items } = (await service.call('GET', '/alerts')).body as {
      items: { kind: string; until: string | null }[];
    };
    return items.filter(({ kind }) => kind === 'shared_address');
  };

  expect(await addresses()).toEqual({ a: null, b: null, none: ['a', 'b'] });
  expect(await alerts()).toMatchObject([{ subject: '10.0.0.5', until: null }]);

  await service.call('PUT', '/ci/b', { ansible: { host: '10.0.0.5' } });
  expect(await addresses()).toEqual({ a: null, b: { __ansible_unsafe: '10.0.0.5' }, none: ['a'] });

  await measure(service, 'a', { ci_status: 'running', technical_specs: { addresses: ['10.0.0.6'] } });
  expect(await addresses()).toMatchObject({ a: { __ansible_unsafe: '10.0.0.6' }, none: [] });
  expect(await alerts()).toMatchObject([
    { subject: '10.0.0.5', until: service.now().toString().replace('Z', '.000Z') },
  ]);
});

describe('groups', () => {
  test('that close a circle are refused, whichever of them says so', async () => {
    const service = await emptyService({ settings: { inventory: { groups: { c: { children: ['a'] } } } } });
    await service.call('PUT', '/groups/a', { children: ['b'] });

    const { status, body } = await service.call('PUT', '/groups/b', { children: ['c'] });

    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ pointer: '/children', detail: expect.stringContaining('circle') }] });
    expect((await service.call('PUT', '/groups/b', { children: ['b'] })).status).toBe(400);
    expect((await service.call('PUT', '/groups/b', { children: ['all'] })).status).toBe(400);
    expect((await inventory(service)).b).toEqual({ hosts: [] });
  });

  test('in a circle in rollcall.yml do not start', async () => {
    const groups = { a: { children: ['b'] }, b: { children: ['a'] } };

    await expect(startService({ settings: { inventory: { groups } } })).rejects.toThrow(/circle, a → b → a/);
  });

  test('are what rollcall.yml says of them, key by key, before the API', async () => {
    const groups = { web: { vars: { from: 'file' } } };
    const service = await emptyService({ settings: { inventory: { groups } } });
    await service.call('POST', '/ci', { ci_name: 'web-1' });

    const { body } = await service.call('PUT', '/groups/web', { vars: { from: 'api' }, match: { ci_name: 'web-*' } });

    expect(body).toMatchObject({ vars: { from: 'file' }, said_by: { vars: 'rollcall.yml', match: 'api' } });
    expect((await inventory(service)).web).toEqual({ hosts: ['web-1'], vars: { from: 'file' } });
    await service.call('PUT', '/groups/web', {});
    expect((await inventory(service)).web).toEqual({ hosts: [], vars: { from: 'file' } });
  });

  test.each(['../evil', 'a b', '{{ x }}', '_meta', 'a:b', '!n', 'a\u0000b'])('cannot be named %j', async (name) => {
    const service = await emptyService();

    expect((await service.call('PUT', `/groups/${encodeURIComponent(name)}`, { vars: { a: 1 } })).status).toBe(400);
    expect(((await service.call('GET', '/groups')).body as { count: number }).count).toBe(0);
  });
});

test('what time and activity alone do leaves the inventory as it was', async () => {
  const service = await emptyService();
  await measure(service, 'a', { ci_status: 'running', technical_specs: { uptime: 1000 } });
  const before = await bytes(service, '');

  for (let hour = 1; hour <= 3; hour += 1) {
    service.pass({ hours: 6 });
    await measure(service, 'a', { ci_status: 'running', technical_specs: { uptime: 1000 + hour * 6 * 3600 } });
  }

  expect((await bytes(service, '')).body).toEqual(before.body);
});
