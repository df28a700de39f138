/** Which items are meant by what somebody knows of some things. */

import { expect, test } from 'vitest';
import { startService } from '../service.ts';

const uuid = (digit: number) => `4c4c4544-0000-1000-8000-00000000000${digit}`;
const guest = (name: string, vmid: number, more: object = {}) => ({
  ci_type: 'virtual_machine',
  ci_name: name,
  external_id: `home/qemu/${vmid}`,
  technical_specs: { vmid, node: 'pve1', ...more },
});

async function world() {
  const service = await startService();
  const { call } = service;
  const guests = [
    guest('web', 101, { uuid: uuid(1), macs: ['bc:24:11:00:00:01'] }),
    guest('db', 102, { uuid: uuid(2) }),
    guest('twin', 103),
  ];
  await call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items: guests });
  const from = (address: string, item: object) => ({
    managed_by: 'terraform',
    terraform_resource_id: address,
    ...item,
  });
  await call(
    'POST',
    '/ci',
    from('infra/prod/hcloud_server.edge["a/b"]', { ci_name: 'edge', ci_type: 'virtual_machine' }),
  );
  await call('POST', '/ci', { ci_name: 'twin', ci_type: 'virtual_machine', site_id: 'site-b' });
  for (const parent of ['host-1', 'host-2'])
    await call('POST', '/ci', { ci_name: 'nginx', ci_type: 'container', technical_specs: { parent } });
  await call('POST', '/ci', { ci_name: 'old', ci_type: 'virtual_machine', ci_status: 'retired' });
  const ask = async (...things: object[]) => {
    const { status, body } = await call('POST', '/ci/match', { things });
    expect(status, JSON.stringify(body)).toBe(200);
    const { results } = body as {
      results: { ci: { ci_name: string } | null; by: string | null; candidates: object[] }[];
    };
    return results.map(({ ci, by, candidates }) => [ci?.ci_name, by, candidates.length].filter(Boolean).join(' '));
  };
  return { ...service, ask };
}

test('a thing is found by what identifies it, the strongest first, then by Terraform and by name', async () => {
  const { ask } = await world();

  expect(
    await ask(
      { technical_specs: { vmid: 101, node: 'PVE1' }, ci_name: 'called otherwise' },
      { terraform_resource_id: 'pve1/qemu/102' },
      { technical_specs: { uuid: uuid(1).toUpperCase() } },
      { technical_specs: { macs: ['BC:24:11:00:00:01'] } },
      { terraform_addresses: ['hcloud_server.edge["a/b"]'] },
      { terraform_addresses: ['hcloud_server.new', 'prod/hcloud_server.edge["a/b"]'] },
      { ci_name: 'WEB', ci_type: 'virtual_machine' },
    ),
  ).toEqual(['web pve', 'db pve', 'web uuid', 'web mac', 'edge terraform', 'edge terraform', 'web name']);
});

test('what could be several is none of them, unless something else tells which', async () => {
  const { ask } = await world();

  expect(
    await ask(
      { ci_name: 'twin' },
      { ci_name: 'twin', site_id: 'site-b' },
      { ci_name: 'twin', technical_specs: { vmid: 103, node: 'pve1' } },
      { ci_name: 'nginx', ci_type: 'container' },
    ),
  ).toEqual(['2', 'twin name', 'twin pve', '2']);
});

test('nothing is found by a name that another number, UUID or type holds apart, nor what is not in use', async () => {
  const { ask } = await world();

  expect(
    await ask(
      { ci_name: 'web', technical_specs: { vmid: 999, node: 'elsewhere' } },
      { ci_name: 'db', technical_specs: { uuid: uuid(9) } },
      { ci_name: 'web', ci_type: 'container' },
      { ci_name: 'old' },
      { terraform_addresses: ['edge["a/b"]', 'b"]x'] },
      {},
    ),
  ).toEqual(['', '', '', '', '', '']);
});

test('it is a question: nothing is written, and who may read may ask', async () => {
  const { ask, call, ansibleToken } = await world();
  const before = (await call('GET', '/changes')).body;

  await ask({ ci_name: 'nobody' });
  const reader = await call('POST', '/ci/match', { things: [] }, { Authorization: `Bearer ${ansibleToken}` });
  const wrong = await call('POST', '/ci/match', { things: [{ password: 'x' }] });

  expect((await call('GET', '/changes')).body).toEqual(before);
  expect([reader.status, wrong.status]).toEqual([200, 400]);
});
