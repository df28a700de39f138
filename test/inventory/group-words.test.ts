/** What an import says of groups, in one reading with its hosts. */

import { expect, test } from 'vitest';
import { type Service, startService } from '../service.ts';

interface Told {
  [group: string]: { hosts: string[]; vars?: Record<string, unknown>; children?: string[] };
}

const source = 'import:hosts.ini';
const web = { ci_name: 'web-1', ansible: { groups: ['web'] } };

async function take({ call }: Service, groups: object[] | undefined, more: object = {}) {
  const { status, body } = await call('POST', '/passes', { source, complete: true, items: [web], groups, ...more });
  return { status, body: body as Record<string, unknown> };
}

const told = async ({ call }: Service) => (await call('GET', '/inventory')).body as Told;
const versionOf = async (service: Service) => (await told(service)).all?.vars?.rollcall_inventory_version;
const groupsOf = async ({ call }: Service) =>
  ((await call('GET', '/groups')).body as { items: { group_name: string }[] }).items.map((group) => group.group_name);

test('its groups are served with their variables and children, and a second reading changes nothing', async () => {
  const service = await startService();
  const groups = [
    { group_name: 'all', vars: { ntp: '{{ site_ntp }}' } },
    { group_name: 'lab', children: ['web'] },
    { group_name: 'web', vars: { port: 80, key: { __ansible_vault: '$ANSIBLE_VAULT;1.1;AES256\n6162' } } },
    { group_name: 'empty' },
  ];

  const first = await take(service, groups);
  const version = await versionOf(service);
  const second = await take(service, groups);

  expect(first.body).toMatchObject({
    created: 1,
    group_changes: [
      { group_name: 'all', action: 'created' },
      { group_name: 'empty', action: 'created' },
      { group_name: 'lab', action: 'created' },
      { group_name: 'web', action: 'created' },
    ],
    group_shadows: [],
  });
  expect(second.body).toMatchObject({ unchanged: 1, changes: [], group_changes: [] });
  expect(await versionOf(service)).toBe(version);
  expect(await told(service)).toMatchObject({
    all: { vars: { ntp: '{{ site_ntp }}' } },
    empty: { hosts: [] },
    lab: { hosts: [], children: ['web'] },
    web: { hosts: ['web-1'], vars: { port: 80, key: { __ansible_vault: '$ANSIBLE_VAULT;1.1;AES256\n6162' } } },
  });
});

test('what rollcall.yml and the API say of a group beats it, key by key, and that is said', async () => {
  const settings = { inventory: { groups: { web: { vars: { from: 'file' } } } } };
  const service = await startService({ settings });
  await service.call('PUT', '/groups/lab', { children: ['db'] });

  const { body } = await take(service, [
    { group_name: 'web', vars: { from: 'import' }, children: ['inner'] },
    { group_name: 'lab', children: ['web'] },
  ]);

  expect(body.group_shadows).toEqual([
    { group_name: 'web', key: 'vars', by: 'rollcall.yml' },
    { group_name: 'lab', key: 'children', by: 'api' },
  ]);
  expect(await told(service)).toMatchObject({
    web: { vars: { from: 'file' }, children: ['inner'] },
    lab: { children: ['db'] },
  });
});

test('a group that it names no more is gone, unless the reading was not whole or said nothing of groups', async () => {
  const service = await startService();
  await take(service, [{ group_name: 'old', vars: { a: 1 } }, { group_name: 'web' }]);

  await take(service, [{ group_name: 'web' }], { complete: false });
  const afterPart = await groupsOf(service);
  await take(service, undefined);
  const afterNone = await groupsOf(service);
  const whole = await take(service, [{ group_name: 'web' }]);

  expect(afterPart).toEqual(['old', 'web']);
  expect(afterNone).toEqual(['old', 'web']);
  expect(whole.body.group_changes).toEqual([
    { group_name: 'old', action: 'deleted', before: { vars: { a: 1 } }, after: { vars: {} } },
  ]);
  expect(await groupsOf(service)).toEqual(['web']);
});

test('one fault in a group refuses the whole reading, hosts and all', async () => {
  const service = await startService();

  const circle = await take(service, [
    { group_name: 'a', children: ['b'] },
    { group_name: 'b', children: ['a'] },
  ]);
  const name = await take(service, [{ group_name: 'web' }, { group_name: 'a b' }]);
  const twice = await take(service, [{ group_name: 'web' }, { group_name: 'web' }]);

  expect(circle).toMatchObject({ status: 400, body: { errors: [{ pointer: '/groups/0/children' }] } });
  expect(name).toMatchObject({ status: 400, body: { errors: [{ pointer: '/groups/1/group_name' }] } });
  expect(twice).toMatchObject({ status: 400, body: { errors: [{ pointer: '/groups/1' }] } });
  expect((await service.call('GET', '/ci/web-1')).status).toBe(404);
  expect(await groupsOf(service)).toEqual([]);
});

test('a source that measures says nothing of groups', async () => {
  const service = await startService();

  const { status, body } = await take(service, [{ group_name: 'web' }], { source: 'proxmox-api:home', items: [] });

  expect({ status, errors: body.errors }).toMatchObject({ status: 400, errors: [{ pointer: '/groups' }] });
});

test('a dry run says what it would change and writes nothing; withdrawn, the source takes its groups along', async () => {
  const service = await startService();

  const dry = await take(service, [{ group_name: 'web', vars: { a: 1 } }], { dry_run: true });
  const afterDry = await groupsOf(service);
  await take(service, [{ group_name: 'web', vars: { a: 1 } }]);
  const withdrawn = await service.call('DELETE', `/sources/${source}`);

  expect(dry.body.group_changes).toMatchObject([{ group_name: 'web', action: 'created' }]);
  expect(afterDry).toEqual([]);
  expect(withdrawn.body).toMatchObject({ group_changes: [{ group_name: 'web', action: 'deleted' }] });
  expect(await groupsOf(service)).toEqual([]);
});

test('its changes are in the history, as those of the source', async () => {
  const service = await startService();
  await take(service, [{ group_name: 'web', vars: { a: 1 } }]);

  await take(service, [{ group_name: 'web', vars: { a: 2 } }]);

  const { items } = (await service.call('GET', '/changes')).body as { items: object[] };
  expect(items[0]).toMatchObject({
    subject: 'group',
    subject_id: 'web',
    action: 'updated',
    source,
    before: { vars: { a: 1 } },
    after: { vars: { a: 2 } },
  });
});

test('what was found does not overrule an address that a group gives, or a name that the operator has it reached by', async () => {
  const service = await startService();
  const found = (ci_name: string, address: string) => ({
    ci_type: 'virtual_machine',
    ci_name,
    ci_status: 'running',
    external_id: ci_name,
    technical_specs: { addresses: [address], primary_address: address },
  });
  const measured = [found('web-1', '10.0.0.1'), found('by-name', '10.0.0.2'), found('found', '10.0.0.3')];
  await service.call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items: measured });
  const items = [web, { ci_name: 'by-name', ansible: { host: 'by-name' } }, { ci_name: 'found' }];

  await take(
    service,
    [
      { group_name: 'lab', children: ['web'], vars: { ansible_host: '{{ inventory_hostname }}.lan' } },
      { group_name: 'web' },
    ],
    { items },
  );

  const { _meta, ...groups } = (await told(service)) as unknown as Told & {
    _meta: { hostvars: Record<string, Record<string, unknown>> };
  };
  const addresses = ['web-1', 'by-name', 'found'].map((name) => _meta.hostvars[name]?.ansible_host ?? null);
  expect(addresses).toEqual([null, null, { __ansible_unsafe: '10.0.0.3' }]);
  expect(groups.no_address?.hosts ?? []).not.toContain('web-1');
  expect(groups.no_address?.hosts ?? []).not.toContain('by-name');
  expect((await service.call('GET', '/inventory/why/web-1')).body).toMatchObject({
    address: { value: 'as its group says', from: 'a variable of the group web, or of one above it' },
  });
});

test('a number and a null that JSON would lose are told as they were written', async () => {
  const service = await startService();
  const vars = {
    php: { __rollcall_literal: '8.0' },
    none: { __rollcall_literal: 'null' },
    text: { __rollcall_literal: 'x' },
  };

  await take(service, [], { items: [{ ...web, ansible: { vars } }] });

  const response = await fetch(`${service.url}/api/v1/inventory`, {
    headers: { Authorization: `Bearer ${service.ansibleToken}` },
  });
  const one = await fetch(`${service.url}/api/v1/inventory?host=web-1`, {
    headers: { Authorization: `Bearer ${service.ansibleToken}` },
  });
  expect(await response.text()).toContain('"none":null,"php":8.0,"text":{"__rollcall_literal":"x"}');
  expect(await one.text()).toContain('"php":8.0');
});
