import { expect, test } from 'vitest';
import { besides } from '../cli/run.ts';
import { startService } from '../service.ts';

// Apart from the machine on which the test runs, which is an item as well.
const site_id = 'site-lab';
const subnets = { lan: { cidr: '10.0.0.0/29', site: site_id, reserved: ['10.0.0.1'] } };

async function world() {
  const service = await startService({ settings: { addresses: { subnets } } });
  const guest = (ci_name: string, vmid: number, technical_specs: object) => ({
    ci_type: 'virtual_machine',
    ci_name,
    site_id,
    ci_status: 'running',
    technical_specs: { vmid, node: 'pve1', ...technical_specs },
  });
  const items = [
    guest('web', 100, {
      addresses: ['10.0.0.2', '10.9.0.2'],
      primary_address: '10.0.0.2',
      interfaces: [{ name: 'net0', mac: 'bc:24:11:00:00:01', addresses: ['10.0.0.2'] }],
    }),
    guest('db', 101, { addresses: ['10.0.0.3'] }),
    guest('copy', 102, { addresses: ['10.0.0.3'] }),
  ];
  await service.call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items });
  await service.call('POST', '/ci', {
    ci_name: 'nas',
    site_id,
    ci_type: 'physical_server',
    ansible: { host: '10.0.0.6' },
  });
  await service.call('POST', '/ci', {
    ci_name: 'former',
    site_id,
    ci_status: 'retired',
    technical_specs: { addresses: ['10.0.0.4'] },
  });
  const get = async (path: string) => (await service.call('GET', path)).body as Record<string, unknown>;
  const list = async (query: string) => {
    const { items } = await get(`/addresses?site_id=${site_id}&${query}`);
    return (items as Record<string, unknown>[]).map((row) =>
      [row.address, row.ci_name, row.interface, row.source].map(String).join(' '),
    );
  };
  return { ...service, get, list, rollcall: besides(service) };
}

test('addresses of living items are listed with interface and source, by address, network, item and site', async () => {
  const { list, get, call } = await world();
  const web = '10.0.0.2 web net0 proxmox-api:home';
  const { items } = (await call('GET', '/ci?ci_name=db')).body as { items: { ci_id: string }[] };

  expect(await list('')).toEqual([
    web,
    '10.0.0.3 copy null proxmox-api:home',
    '10.0.0.3 db null proxmox-api:home',
    '10.0.0.6 nas null manual:admin',
    '10.9.0.2 web null proxmox-api:home',
  ]);
  expect(await list('address=10.0.0.2')).toEqual([web]);
  expect(await list('within=10.9.0.0/16')).toEqual(['10.9.0.2 web null proxmox-api:home']);
  expect(await list(`ci_id=${items[0]?.ci_id}`)).toEqual(['10.0.0.3 db null proxmox-api:home']);
  expect(await list('duplicates=true')).toEqual([
    '10.0.0.3 copy null proxmox-api:home',
    '10.0.0.3 db null proxmox-api:home',
  ]);
  const first = await get(`/addresses?site_id=${site_id}&limit=2`);
  const second = await get(`/addresses?site_id=${site_id}&limit=3&cursor=${String(first.next)}`);
  expect([first.count, (first.items as object[]).length, (second.items as object[]).length, second.next]).toEqual([
    5,
    2,
    3,
    null,
  ]);
  for (const within of ['here', 'fd00::/999', '10.0.0.0/33'])
    expect((await call('GET', `/addresses?within=${within}`)).status).toBe(400);
});

test('free addresses are those that nobody has and nothing reserves', async () => {
  const { get, call } = await world();

  expect(await get('/addresses/free/lan')).toEqual({
    cidr: '10.0.0.0/29',
    size: 6,
    used: 3,
    reserved: 1,
    free: 2,
    addresses: ['10.0.0.4', '10.0.0.5'],
  });
  expect(await get('/addresses/free/203.0.113.0%2F30?limit=1')).toMatchObject({ addresses: ['203.0.113.1'], free: 2 });
  expect(await call('GET', '/addresses/free/wan')).toMatchObject({
    status: 404,
    body: {
      detail: expect.stringContaining('There is no subnet wan in the settings under addresses.subnets, only lan;'),
    },
  });
});

test('a subnet that is none does not start', async () => {
  await expect(
    startService({ settings: { addresses: { subnets: { lan: { cidr: '10.0.0.0/40' } } } } }),
  ).rejects.toThrow('addresses.subnets.lan: 10.0.0.0/40 is no network of IPv4 such as 10.0.0.0/24.');
});

test('rollcall addresses shows them to people', async () => {
  const { rollcall, pass } = await world();

  pass({ minutes: 5 });
  const all = await rollcall('addresses', '--site', site_id);
  const twice = await rollcall('addresses', '--duplicates', '--site', site_id);
  const none = await rollcall('addresses', '10.0.0.9');
  const free = await rollcall('addresses', '--free', 'lan');
  const json = await rollcall('addresses', '10.0.0.2', '--json');

  expect(all.stdout).toMatch(
    /^10\.0\.0\.2 +web +virtual_machine +running +site-lab +net0 +proxmox-api:home +5 min 0 s$/m,
  );
  expect(twice.stdout.match(/^10\.0\.0\.3 /gm)).toHaveLength(2);
  expect(none.stdout).toBe('No item has such an address.\n');
  expect(free.stdout).toBe('10.0.0.4\n10.0.0.5\n10.0.0.0/29: of 6 hosts, 3 used, 1 reserved, 2 free.\n');
  expect(JSON.parse(json.stdout)).toMatchObject({ count: 1, items: [{ address: '10.0.0.2' }] });
});
