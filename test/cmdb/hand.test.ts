/** What a person does to one item by hand: pins and holds. */

import { describe, expect, test } from 'vitest';
import { startService } from '../service.ts';

type Row = Record<string, unknown>;

const measured = {
  ci_type: 'virtual_machine',
  ci_name: 'web-1',
  ci_status: 'running',
  managed_by: 'proxmox-api',
  external_id: 'home/qemu/102',
  technical_specs: { vmid: 102, node: 'pve1', cpu_cores: 2, memory_mb: 4096 },
  tags: ['prod'],
};

async function world() {
  const service = await startService();
  await service.call('POST', '/ci', measured);
  const pin = async (attribute: string, body: unknown) =>
    await service.call('PUT', `/ci/web-1/pins/${encodeURIComponent(attribute)}`, body);
  const changes = async (): Promise<Row[]> =>
    ((await service.call('GET', '/ci/web-1/changes')).body as { items: Row[] }).items;
  return { ...service, pin, changes };
}

describe('a pin', () => {
  test('is above every source, until it is taken off', async () => {
    const { call, pin } = await world();

    const pinned = await pin('technical_specs.cpu_cores', { value: 8, reason: 'the API lies' });
    const again = await call('POST', '/ci', { ...measured, technical_specs: { cpu_cores: 4 } });
    const unpinned = await call('DELETE', '/ci/web-1/pins/technical_specs.cpu_cores');

    expect(pinned).toMatchObject({ status: 200, body: { technical_specs: { cpu_cores: 8, memory_mb: 4096 } } });
    expect(again.body).toMatchObject({
      technical_specs: { cpu_cores: 8 },
      shadowed: [{ pointer: '/technical_specs/cpu_cores', value: 8, by: 'pin', rule: 'pinned by a person' }],
    });
    expect(unpinned).toMatchObject({ status: 200, body: { technical_specs: { cpu_cores: 4 } } });
  });

  test('is listed with who set it, why, and until when', async () => {
    const { call, pin } = await world();

    await pin('owner', { value: 'alice', reason: 'she has the key', until: '2026-04-01' });
    await pin('environment', { value: 'lab', reason: 'for now', until: '3d' });

    expect((await call('GET', '/ci/web-1/pins')).body).toEqual({
      count: 2,
      next: null,
      items: [
        {
          attribute: 'environment',
          value: 'lab',
          reason: 'for now',
          pinned_by: 'manual:admin',
          since: '2026-03-02T10:00:00.000Z',
          until: '2026-03-05T10:00:00.000Z',
        },
        {
          attribute: 'owner',
          value: 'alice',
          reason: 'she has the key',
          pinned_by: 'manual:admin',
          since: '2026-03-02T10:00:00.000Z',
          until: '2026-04-01T00:00:00.000Z',
        },
      ],
    });
  });

  test('is one change of the person, with the reason and what stood before; the same again is none', async () => {
    const { pin, call, pass, changes } = await world();
    await pin('environment', { value: 'lab', reason: 'tests' });
    pass({ hours: 1 });
    await pin('environment', { value: 'prod', reason: 'it went live' });
    await pin('environment', { value: 'prod', reason: 'it went live' });
    await call('DELETE', '/ci/web-1/pins/environment?reason=over');
    await call('DELETE', '/ci/web-1/pins/environment');

    const [unpinned, second, first, created] = await changes();

    const pinned = { value: 'lab', reason: 'tests', pinned_by: 'manual:admin', since: first?.changed_at, until: null };
    const later = { ...pinned, value: 'prod', reason: 'it went live', since: second?.changed_at };
    expect(created).toMatchObject({ action: 'created' });
    expect(first).toMatchObject({
      action: 'pinned',
      source: 'manual:admin',
      actor: 'admin',
      reason: 'tests',
      before: { environment: null, 'pins.environment': null },
      after: { environment: 'lab', 'pins.environment': pinned },
    });
    expect(second).toMatchObject({
      action: 'pinned',
      reason: 'it went live',
      before: { environment: 'lab', 'pins.environment': pinned },
      after: { environment: 'prod', 'pins.environment': later },
    });
    expect(unpinned).toMatchObject({
      action: 'unpinned',
      reason: 'over',
      before: { environment: 'prod', 'pins.environment': later },
      after: { environment: null, 'pins.environment': null },
    });
    expect(await changes()).toHaveLength(4);
  });

  test('of the value that is in force already is a change all the same', async () => {
    const { pin, changes, call, pass } = await world();
    pass({ hours: 1 });

    const { body } = await pin('technical_specs.cpu_cores', { value: 2, reason: 'licensed for two' });

    const [change] = await changes();
    expect(change).toMatchObject({ action: 'pinned', before: { 'pins.technical_specs.cpu_cores': null } });
    expect(Object.keys(change?.after as Row)).toEqual(['pins.technical_specs.cpu_cores']);
    expect(body).toMatchObject({ updated_at: change?.changed_at });
    const after = await call('PUT', '/ci/web-1', { managed_by: 'proxmox-api', technical_specs: { cpu_cores: 4 } });
    expect(after.body).toMatchObject({ technical_specs: { cpu_cores: 2 } });
  });

  test('of another reason or end keeps since when the value stands', async () => {
    const { pin, call, pass } = await world();
    await pin('owner', { value: 'alice', reason: 'a' });
    pass({ hours: 1 });

    await pin('owner', { value: 'alice', reason: 'b', until: '1d' });

    expect((await call('GET', '/ci/web-1/pins')).body).toMatchObject({
      items: [{ reason: 'b', since: '2026-03-02T10:00:00.000Z', until: '2026-03-03T11:00:00.000Z' }],
    });
  });

  test.each([
    ['ci_name', 'web-one', { ci_name: 'web-one' }],
    ['ci_type', 'lxc_container', { ci_type: 'lxc_container' }],
    ['site_id', 'site-ranch', { site_id: 'site-ranch' }],
    ['power', 'stopped', { power: 'stopped', ci_status: 'stopped' }],
    ['managed_by', 'terraform', { managed_by: 'terraform' }],
    ['external_id', 'x/1', { external_id: 'x/1' }],
    [
      'technical_specs.addresses',
      ['10.0.0.9', '10.0.0.10'],
      { technical_specs: { addresses: ['10.0.0.10', '10.0.0.9'] } },
    ],
    ['technical_specs.rack.unit', { row: 1 }, { technical_specs: { 'rack.unit': { row: 1 } } }],
    ['ansible.host', '10.0.0.5', { ansible: { host: '10.0.0.5' } }],
    ['ansible.enabled', false, { ansible: { enabled: false } }],
    ['ansible.vars.http/port', 8080, { ansible: { vars: { 'http/port': 8080 } } }],
    ['ansible.vars.a', [2, 1], { ansible: { vars: { a: [2, 1] } } }],
  ])('holds for %s', async (attribute, value, expected) => {
    const { call, pin } = await world();
    const { ci_id } = (await call('GET', '/ci/web-1')).body as { ci_id: string };

    const { status } = await pin(attribute, { value, reason: 'so it is' });

    expect(status).toBe(200);
    expect((await call('GET', `/ci/${ci_id}`)).body).toMatchObject(expected);
  });

  test('reaches Ansible at once', async () => {
    const { call, pin } = await world();
    await call('GET', '/inventory');

    await pin('ansible.vars.http_port', { value: 8080, reason: 'moved' });

    expect((await call('GET', '/inventory?host=web-1')).body).toMatchObject({ http_port: 8080 });
  });

  test('of a power that is off takes the host out of the inventory at once', async () => {
    const { call, pin } = await world();

    await pin('power', { value: 'stopped', reason: 'the plug is out' });

    const { body } = await call('GET', '/inventory');
    expect(Object.keys((body as { _meta: { hostvars: object } })._meta.hostvars)).not.toContain('web-1');
  });

  test('is part of the item as it was', async () => {
    const { call, pin, pass } = await world();
    pass({ hours: 1 });
    await pin('owner', { value: 'alice', reason: 'hers' });
    pass({ hours: 1 });
    await call('DELETE', '/ci/web-1/pins/owner');

    const at = async (time: string) => (await call('GET', `/ci/web-1?at=${time}`)).body;

    expect(await at('2026-03-02T10:30:00Z')).toMatchObject({ owner: null });
    expect(await at('2026-03-02T11:30:00Z')).toMatchObject({ owner: 'alice', updated_at: '2026-03-02T11:00:00.000Z' });
    expect(await at('2026-03-02T12:30:00Z')).toMatchObject({ owner: null });
  });

  test('is no word of the person: an item that is read and written back claims nothing of it', async () => {
    const { call, pin } = await world();
    await pin('technical_specs.cpu_cores', { value: 8, reason: 'the API lies' });

    await call('PUT', '/ci/web-1', (await call('GET', '/ci/web-1')).body);
    const { body } = await call('DELETE', '/ci/web-1/pins/technical_specs.cpu_cores');

    expect(body).toMatchObject({ technical_specs: { cpu_cores: 2 } });
    expect((await call('GET', '/ci/web-1/claims')).body).toMatchObject({ count: 1 });
  });

  test('of a retired lifecycle is lifted by no measuring source and no registration', async () => {
    const { call, pin, pass } = await world();
    await pin('lifecycle', { value: 'retired', reason: 'sold' });

    pass({ hours: 2 });
    await call('POST', '/ci', measured);
    await call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items: [measured] });
    await call('POST', '/ci', { ci_name: 'web-1', lifecycle: 'active' });

    expect((await call('GET', '/ci/web-1')).body).toMatchObject({ ci_status: 'retired', lifecycle: 'retired' });
    const { body } = await call('DELETE', '/ci/web-1/pins/lifecycle');
    expect(body).toMatchObject({ ci_status: 'running' });
  });

  test.each<[what: string, attribute: string, body: Row, pointer: string, detail: RegExp]>([
    [
      'a status, which is worked out',
      'ci_status',
      { value: 'running' },
      '/attribute',
      /pin lifecycle or power, or hold/,
    ],
    ['a list that adds up', 'tags', { value: ['a'] }, '/attribute', /"tags" adds up over all sources/],
    ['groups, which add up', 'ansible.groups', { value: ['a'] }, '/attribute', /adds up over all sources/],
    ['a name in the inventory', 'ansible.name', { value: 'a' }, '/attribute', /given once/],
    [
      'a whole section',
      'technical_specs',
      { value: {} },
      '/attribute',
      /key by key, such as technical_specs.memory_mb/,
    ],
    ["what is Rollcall's own", 'generation', { value: 2 }, '/attribute', /Rollcall's own/],
    ['a slip of the hand', 'enviroment', { value: 'a' }, '/attribute', /did you mean "environment"\?/],
    [
      'a key without its section',
      'cpu_cores',
      { value: 2 },
      '/attribute',
      /did you mean "technical_specs.cpu_cores"\?/,
    ],
    ['an unknown key of ansible', 'ansible.hots', { value: 'a' }, '/attribute', /did you mean "ansible.host"\?/],
    ['nothing like an attribute', 'xyzzyxyzzy', { value: 'a' }, '/attribute', /what can be pinned are ci_name, /],
    ['a time that is kept otherwise', 'technical_specs.uptime', { value: 9 }, '/attribute', /booted_at/],
    ['a figure of the moment', 'technical_specs.loadavg', { value: 9 }, '/attribute', /figure of the moment/],
    [
      'a value of the wrong kind',
      'technical_specs.cpu_cores',
      { value: 'two' },
      '/value',
      /^must be a number, not "two"$/,
    ],
    [
      'an unknown word',
      'power',
      { value: 'on' },
      '/value',
      /^must be one of "running", "stopped", "paused", not "on"$/,
    ],
    ['a port that is none', 'ansible.port', { value: 70_000 }, '/value', /must be 65535 or less/],
    ['nothing', 'owner', { value: null }, '/value', /DELETE takes a pin off/],
    ['a time that is over', 'owner', { value: 'a', until: '2026-03-02T10:00:00Z' }, '/until', /lies in the past/],
    ['what is no time', 'owner', { value: 'a', until: 'soon' }, '/until', /must be a time such as/],
    ['a bare number as an end', 'owner', { value: 'a', until: '90' }, '/until', /must be a time such as/],
    ['an end out of all time', 'owner', { value: 'a', until: '99999999999d' }, '/until', /must be a time such as/],
    ['an unknown key', 'owner', { value: 'a', untill: '2h' }, '/untill', /did you mean "until"\?/],
    ['no reason', 'owner', { value: 'a', reason: ' ' }, '/reason', /why: a few words/],
  ])('is refused for %s', async (_what, attribute, body, pointer, detail) => {
    const { pin, changes } = await world();

    const refused = await pin(attribute, { reason: 'because', ...body });

    expect(refused).toMatchObject({
      status: 400,
      body: { errors: [{ pointer, detail: expect.stringMatching(detail) as unknown }] },
    });
    expect(await changes()).toHaveLength(1);
  });

  test('taken off where there is none changes nothing, and of an unknown attribute it is refused', async () => {
    const { call, changes } = await world();

    expect(await call('DELETE', '/ci/web-1/pins/owner')).toMatchObject({ status: 200, body: { owner: null } });
    expect(await call('DELETE', '/ci/web-1/pins/ownr')).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/attribute', detail: '"ownr" is not known; did you mean "owner"?' }] },
    });
    expect(await changes()).toHaveLength(1);
  });
});

describe('a hold', () => {
  test('puts an item into maintenance and out of the inventory until it is released', async () => {
    const { call } = await world();

    const held = await call('PUT', '/ci/web-1/hold', { reason: 'new disk', until: '2h' });
    const during = await call('GET', '/inventory');
    const released = await call('DELETE', '/ci/web-1/hold');
    const after = await call('GET', '/inventory');

    expect(held).toMatchObject({
      status: 200,
      body: {
        ci_status: 'maintenance',
        power: 'running',
        hold: { reason: 'new disk', by: 'manual:admin', until: '2026-03-02T12:00:00.000Z' },
      },
    });
    const hosts = ({ body }: { body: unknown }) =>
      Object.keys((body as { _meta: { hostvars: object } })._meta.hostvars);
    expect(hosts(during)).not.toContain('web-1');
    expect(released).toMatchObject({ status: 200, body: { ci_status: 'running', hold: null } });
    expect(hosts(after)).toContain('web-1');
  });

  test('is one change each way, with the reason; the same again is none', async () => {
    const { call, changes } = await world();
    const hold = { reason: 'new disk' };
    await call('PUT', '/ci/web-1/hold', hold, { 'X-Change-Ref': 'acme/infra#7' });
    await call('PUT', '/ci/web-1/hold', hold);
    await call('DELETE', '/ci/web-1/hold?reason=done');
    await call('DELETE', '/ci/web-1/hold');

    const [released, held, ...others] = await changes();

    const standing = { ...hold, by: 'manual:admin', until: null };
    expect(held).toMatchObject({
      action: 'held',
      source: 'manual:admin',
      change_ref: 'acme/infra#7',
      reason: 'new disk',
      before: { hold: null, ci_status: 'running' },
      after: { hold: standing, ci_status: 'maintenance' },
    });
    expect(released).toMatchObject({
      action: 'released',
      reason: 'done',
      before: { hold: standing, ci_status: 'maintenance' },
      after: { hold: null, ci_status: 'running' },
    });
    expect(others).toHaveLength(1);
  });

  test('takes the place of one that a status word set, and a status word does not release it', async () => {
    const { call } = await world();
    await call('PUT', '/ci/web-1', { ci_status: 'maintenance' });

    await call('PUT', '/ci/web-1/hold', { reason: 'new disk' });
    const { body } = await call('PUT', '/ci/web-1', { ci_status: 'running' });

    expect(body).toMatchObject({ ci_status: 'maintenance', hold: { reason: 'new disk' } });
  });

  test('wants a reason, and an end that is to come', async () => {
    const { call } = await world();

    expect(await call('PUT', '/ci/web-1/hold', {})).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/reason', detail: '"reason" is missing' }] },
    });
    expect(await call('PUT', '/ci/web-1/hold', { reason: 'x', until: '2026-03-01' })).toMatchObject({
      status: 400,
      body: { detail: 'The hold is not right at /until: lies in the past.' },
    });
  });
});

test('what is unknown or hidden is neither pinned nor held', async () => {
  const { call, pin } = await world();
  const { ci_id } = (await call('GET', '/ci/web-1')).body as { ci_id: string };

  expect(await call('PUT', '/ci/ghost/hold', { reason: 'x' })).toMatchObject({ status: 404 });
  await call('DELETE', '/ci/web-1');
  expect(await pin('owner', { value: 'a', reason: 'x' })).toMatchObject({ status: 404 });
  expect(await call('PUT', `/ci/${ci_id}/hold`, { reason: 'x' })).toMatchObject({
    status: 409,
    body: { detail: 'web-1 is hidden since 2026-03-02T10:00:00.000Z; register it again first.' },
  });
});
