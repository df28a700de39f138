/** Whatever machines are called, each is in the inventory, under a name of its own that Ansible can take. */

import { describe, expect, test } from 'vitest';
import { isHostName } from '../../src/inventory/names.ts';
import { ansibleAges } from '../ansible/run-ansible.ts';
import { type Service, startService } from '../service.ts';
import { controllerOf, inventoryOf } from './controller.ts';

/** Names, as they stand in the JSON that is sent, and as they are kept. */
const names: readonly { sent: string; kept: string }[] = [
  ...[
    '../evil',
    '/etc/passwd',
    'with spaces',
    'web:2222',
    '🐧',
    'grüppe',
    'x'.repeat(10_000),
    'all',
    'ALL',
    'ungrouped',
    '_meta',
    'localhost',
    '127.0.0.1',
    '::1',
    '-rf',
    '!n',
    'web[1:3]',
    'a..b',
    'a,b',
    '@file',
    '~web',
    '%',
    '{{ 7 * 7 }}',
    '__proto__',
    'line\nbreak',
    '\u001b[31mred',
    'tag_prod',
    'no_address',
    'web-1',
  ].map((name) => ({ sent: JSON.stringify(name), kept: name })),
  { sent: '"lone \\ud800 surrogate"', kept: 'lone \ufffd surrogate' },
  { sent: '"\\udc00"', kept: '\ufffd' },
  { sent: '"nul \\u0000 byte"', kept: 'nul \ufffd byte' },
];

/** Ansible warns of these and takes them; where a person imported them, they are what was meant. */
const warnedOf = ['127.0.0.1', 'no_address'];

const namesIn = async (service: Service) => Object.keys((await inventoryOf(service))._meta.hostvars);

async function nameOf(service: Service, id: string): Promise<string | null> {
  const { body } = await service.call('GET', `/ci/${id}`);
  return (body as { ansible: { name: string | null } }).ansible.name;
}

describe.each(ansibleAges)('under the %s Ansible', (age) => {
  test('every machine is kept under its name, and has one that Ansible takes', async () => {
    const service = await startService();
    const kinds = ['proxmox-api', 'terraform', 'import', 'nobody'];
    const said = kinds.flatMap((kind) =>
      names
        .filter(({ kept }) => kind !== 'import' || !warnedOf.includes(kept))
        // But for a hypervisor's guests, which have numbers, names that differ in case alone mean one machine.
        .filter(({ kept }) => kind === 'proxmox-api' || kept !== 'ALL')
        .map(({ sent, kept }, index) => ({
          kept,
          item: `{"ci_name":${sent},"site_id":"${kind}","managed_by":"${kind}","external_id":"${kind}-${index}"}`,
        })),
    );
    const items = said.map(({ item }) => item);

    const { body } = await service.call('POST', '/ci/bulk', `{"items":[${items.join(',')}]}`);
    const { results } = body as { results: { status: number; ci_id: string }[] };
    const listed = await controllerOf(service, age).run('ansible-inventory', '--list');

    expect(results.map((result) => result.status)).toEqual(items.map(() => 201));
    const stored = new Map<string, { ci_name: string; managed_by: string; ansible: { name: string } }>();
    for (const kind of kinds) {
      const page = (await service.call('GET', `/ci?site_id=${kind}&limit=1000`)).body as { items: { ci_id: string }[] };
      for (const item of page.items) stored.set(item.ci_id, item as never);
    }
    expect(results.map(({ ci_id }) => stored.get(ci_id)?.ci_name)).toEqual(said.map(({ kept }) => kept));
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    const hosts = Object.keys(JSON.parse(listed.stdout)._meta.hostvars);
    expect(hosts).toHaveLength(items.length + 1);
    expect(hosts.toSorted()).toEqual((await namesIn(service)).toSorted());
    const observed = [...stored.values()]
      .filter((item) => item.managed_by !== 'import')
      .map((item) => item.ansible.name);
    expect(observed.filter((name) => !isHostName(name))).toEqual([]);
  });
});

test('a host that an operator named, or imported, keeps that name where Ansible can take it', async () => {
  const service = await startService();
  const add = async (body: object) => (await service.call('POST', '/ci', body)).body as { ci_id: string };
  const chosen = await add({ ci_name: 'a', ansible: { name: 'grüppe_1' } });
  const localhost = await add({ ci_name: 'localhost', managed_by: 'import' });
  const impossible = await add({ ci_name: '{{ 7 * 7 }}', managed_by: 'import' });

  expect(await nameOf(service, chosen.ci_id)).toBe('grüppe_1');
  expect(await nameOf(service, localhost.ci_id)).toBe('localhost');
  expect(await nameOf(service, impossible.ci_id)).toBe(`ci-${impossible.ci_id.slice(-8)}`);
});

test.each(['all', 'ungrouped', '_meta', '-rf', '../evil', '!n', 'a b', '{{ x }}', 'a:b', 'a\u0085b', '\ud800'])(
  'an operator cannot choose the name %j',
  async (name) => {
    const { call } = await startService();

    const { status, body } = await call('POST', '/ci', { ci_name: 'a', ansible: { name } });

    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ pointer: '/ansible/name' }] });
  },
);

test.each(['_meta', '../evil', '!n', 'a b', '{{ x }}', 'a:b', 'a\u0085b', 'x\ud800'])(
  'a host cannot be put into a group %j',
  async (group) => {
    const { call } = await startService();

    const { status, body } = await call('POST', '/ci', { ci_name: 'a', ansible: { groups: [group] } });

    expect(status).toBe(400);
    expect(body).toMatchObject({ errors: [{ pointer: '/ansible/groups/0' }] });
  },
);

describe('of two living machines of one name, the older keeps it', () => {
  const two: readonly { where: string; second: object; secondName: string }[] = [
    { where: 'in two sites', second: { site_id: 'site-b' }, secondName: 'web.site-b' },
    { where: 'in one site', second: {}, secondName: 'web.site-home' },
    { where: 'in one site, with numbers', second: { technical_specs: { vmid: 102 } }, secondName: 'web-102' },
  ];

  test.each(two)('$where, whatever comes later', async ({ second, secondName }) => {
    const service = await startService();
    const { call } = service;
    const said = (key: string, more: object = {}) => ({
      ci_name: 'web',
      managed_by: 'proxmox-api',
      ci_status: 'running',
      external_id: key,
      ...more,
    });
    const add = async (key: string, more: object = {}) =>
      ((await call('POST', '/ci', said(key, more))).body as { ci_id: string }).ci_id;
    const older = await add('one');
    service.pass({ minutes: 1 });
    const younger = await add('two', second);
    const both = async () => [await nameOf(service, older), await nameOf(service, younger)];
    expect(await both()).toEqual(['web', secondName]);

    service.pass({ minutes: 1 });
    await add('two', { ...second, tags: ['new'] });
    await add('one', { tags: ['new'] });
    expect(await both()).toEqual(['web', secondName]);

    // The older is renamed at its source: its own name follows, and nobody else's does.
    await add('one', { ci_name: 'web-new' });
    expect(await both()).toEqual(['web-new', secondName]);
    await add('one');
    expect(await both()).toEqual(['web', secondName]);

    // The younger is retired, deleted, and comes back.
    await call('PUT', `/ci/${younger}`, { ci_status: 'retired' });
    expect(await both()).toEqual(['web', secondName]);
    await add('two', second);
    expect(await both()).toEqual(['web', secondName]);
    await call('DELETE', `/ci/${younger}`);
    expect(await both()).toEqual(['web', null]);
    await add('two', second);
    expect(await both()).toEqual(['web', secondName]);

    // A third comes.
    await add('three', { site_id: 'site-c' });
    expect(await both()).toEqual(['web', secondName]);
    expect(await namesIn(service)).toHaveLength(4);

    // The older is retired by a person: it is dead, but named, until something else is to bear the name.
    await call('PUT', `/ci/${older}`, { ci_status: 'retired' });
    expect(await both()).toEqual(['web', secondName]);
  });
});

test('a rename never leads onto a taken name', async () => {
  const service = await startService();
  const add = async (external_id: string, ci_name: string) =>
    ((await service.call('POST', '/ci', { ci_name, managed_by: 'proxmox-api', external_id })).body as { ci_id: string })
      .ci_id;
  const taken = await add('1', 'web');
  const other = await add('2', 'db');

  await add('2', 'web');

  expect(await nameOf(service, taken)).toBe('web');
  expect(await nameOf(service, other)).not.toBe('web');
  expect(await namesIn(service)).toHaveLength(3);
});

test.each([
  ['described', async ({ call }: Service) => call('PUT', '/groups/web', { vars: { a: 1 } })],
  ['the child of another', async ({ call }: Service) => call('PUT', '/groups/fleet', { children: ['web'] })],
  [
    'that hosts are put into',
    async ({ call }: Service) => call('POST', '/ci', { ci_name: 'a', ansible: { groups: ['web'] } }),
  ],
])('no host bears the name of a group %s', async (_, make) => {
  const service = await startService();
  await make(service);

  const { body } = await service.call('POST', '/ci', { ci_name: 'web' });

  expect((body as { ansible: { name: string } }).ansible.name).toBe('web.site-home');
  for (const age of ansibleAges) {
    const listed = await controllerOf(service, age).run('ansible-inventory', '--list');
    expect(listed).toMatchObject({ code: 0, stderr: '' });
  }
});

test('a group that is named after a host is served, and somebody is told', async () => {
  const service = await startService();
  await service.call('POST', '/ci', { ci_name: 'web' });
  await service.call('POST', '/ci', { ci_name: 'a', ansible: { groups: ['web'] } });

  expect(await namesIn(service)).toContain('web');
  await service.call('GET', '/inventory');
  await service.app.store.write(() => Promise.resolve());
  const { body } = await service.call('GET', '/alerts');
  expect(body).toMatchObject({ items: [{ kind: 'host_named_like_group', subject: 'web', until: null }] });
});
