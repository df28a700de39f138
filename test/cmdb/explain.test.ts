/** Why an item is as it is. */

import { describe, expect, test } from 'vitest';
import { type Service, startService } from '../service.ts';

interface Entry {
  attribute: string;
  value: unknown;
  winner: string | null;
  rule: string;
  since: string | null;
  others: { source: string; value: unknown; said_at: string }[];
}

type Row = Record<string, unknown>;

const guest = {
  ci_type: 'virtual_machine',
  ci_name: 'web-1',
  ci_status: 'running',
  managed_by: 'proxmox-api',
  external_id: 'home/qemu/102',
  technical_specs: { vmid: 102, node: 'pve1', cpu_cores: 2 },
  tags: ['prod', 'old'],
};

async function explained({ call }: Service, name: string): Promise<Map<string, Entry>> {
  const { status, body } = await call('GET', `/ci/${name}/explain`);
  expect(status).toBe(200);
  return new Map((body as { attributes: Entry[] }).attributes.map((entry) => [entry.attribute, entry]));
}

test('the winner is told with its rule and since when, and what the others say and when they said it', async () => {
  const service = await startService();
  await service.call('POST', '/ci', guest);
  service.pass({ hours: 1 });
  await service.call('PUT', '/ci/web-1', { technical_specs: { cpu_cores: 8 } });

  const entries = await explained(service, 'web-1');

  expect(entries.get('technical_specs.cpu_cores')).toEqual({
    attribute: 'technical_specs.cpu_cores',
    value: 2,
    winner: 'proxmox-api:admin',
    rule: 'ranks: proxmox-api, ansible, terraform, import, manual',
    since: '2026-03-02T10:00:00.000Z',
    others: [{ source: 'manual:admin', value: 8, said_at: '2026-03-02T11:00:00.000Z' }],
  });
});

test('a pin is told with its reason and its end, and what is under it', async () => {
  const service = await startService();
  await service.call('POST', '/ci', guest);
  service.pass({ hours: 1 });
  await service.call('PUT', '/ci/web-1/pins/technical_specs.cpu_cores', { value: 8, reason: 'it lies', until: '1d' });

  const entries = await explained(service, 'web-1');

  expect(entries.get('technical_specs.cpu_cores')).toEqual({
    attribute: 'technical_specs.cpu_cores',
    value: 8,
    winner: 'pin',
    rule: 'pinned by manual:admin',
    reason: 'it lies',
    until: '2026-03-03T11:00:00.000Z',
    since: '2026-03-02T11:00:00.000Z',
    others: [{ source: 'proxmox-api:admin', value: 2, said_at: '2026-03-02T10:00:00.000Z' }],
  });
});

test('of a union it is told who said what, and what a person took off', async () => {
  const service = await startService();
  await service.call('POST', '/ci', guest);
  const { body } = await service.call('GET', '/ci/web-1');
  const { created_at } = body as { created_at: string };
  await service.call('PUT', '/ci/web-1', { created_at, tags: ['prod', 'web'], ansible: { groups: ['webservers'] } });

  const entries = await explained(service, 'web-1');

  const at = '2026-03-02T10:00:00.000Z';
  expect(entries.get('tags')).toEqual({
    attribute: 'tags',
    value: ['prod', 'web'],
    winner: null,
    rule: 'union, less what a person took off: old',
    since: null,
    others: [
      { source: 'proxmox-api:admin', value: ['old', 'prod'], said_at: at },
      { source: 'manual:admin', value: ['web'], said_at: at },
    ],
  });
  expect(entries.get('ansible.groups')).toMatchObject({ value: ['webservers'], rule: 'union' });
});

test('among sources of one kind the rule says that the value was said last', async () => {
  const service = await startService();
  const items = (environment: string) => [{ ...guest, environment }];
  const terraform = { complete: true, items: [{ ...guest, environment: 'prod', managed_by: 'terraform' }] };
  await service.call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items: items('lab') });
  await service.call('POST', '/passes', { source: 'terraform:a', ...terraform });
  service.pass({ minutes: 1 });
  await service.call('POST', '/passes', {
    source: 'terraform:b',
    complete: true,
    items: [{ ...guest, environment: 'test', managed_by: 'terraform' }],
  });

  const entries = await explained(service, 'web-1');

  expect(entries.get('environment')).toMatchObject({
    value: 'test',
    winner: 'terraform:b',
    rule: 'said last among terraform:a, terraform:b; ranks: manual, import, terraform, proxmox-api',
  });
});

describe('the status is told by the part that it follows:', () => {
  test.each<[string, (service: Service) => Promise<unknown>, object]>([
    ['power', () => Promise.resolve(), { value: 'running', rule: 'its power' }],
    [
      'a hold',
      ({ call }) => call('PUT', '/ci/web-1/hold', { reason: 'new disk', until: '2h' }),
      { value: 'maintenance', rule: 'held by manual:admin', reason: 'new disk', until: '2026-03-02T12:00:00.000Z' },
    ],
    [
      'lifecycle',
      ({ call }) => call('PUT', '/ci/web-1', { ci_status: 'retired' }),
      { value: 'retired', rule: 'its lifecycle' },
    ],
  ])('%s', async (_what, act, expected) => {
    const service = await startService();
    await service.call('POST', '/ci', guest);

    await act(service);

    expect((await explained(service, 'web-1')).get('ci_status')).toMatchObject(expected);
  });
});

test('each claim is listed as its source said it', async () => {
  const service = await startService();
  await service.call('POST', '/ci', guest);
  service.pass({ hours: 1 });
  await service.call('POST', '/ci', guest);
  await service.call('PUT', '/ci/web-1', { owner: 'alice' });

  const { status, body } = await service.call('GET', '/ci/web-1/claims');

  const first = '2026-03-02T10:00:00.000Z';
  const second = '2026-03-02T11:00:00.000Z';
  const plain = { claim_id: expect.any(String) as unknown, gone_since: null, muted: false, alarm: null };
  expect(status).toBe(200);
  expect(body).toMatchObject({
    count: 2,
    items: [
      {
        ...plain,
        source: 'proxmox-api:admin',
        native_key: 'home/qemu/102',
        said: { ci_name: 'web-1', technical_specs: guest.technical_specs },
        said_at: first,
        first_said_at: first,
        seen_at: second,
      },
      { ...plain, source: 'manual:admin', said: { owner: 'alice' }, said_at: second, seen_at: second },
    ],
  });
});

/** The same numbers each time. */
function dice(seed: number) {
  let state = seed;
  return (sides: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % sides;
  };
}

const words: Record<string, unknown[]> = {
  environment: ['prod', 'lab', null],
  role: ['web', 'db', null],
  criticality: ['high', 'low'],
  site_id: ['site-ranch', 'site-barn'],
  owner: ['alice', 'bob', null],
  notes: ['a', 'b'],
  ci_status: ['running', 'stopped', 'active', 'retired', 'planned'],
  ci_type: ['virtual_machine', 'machine'],
  tags: [['a', 'b'], ['b', 'c'], []],
};
const specs: Record<string, unknown[]> = {
  cpu_cores: [2, 4, null],
  os: ['Debian', 'linux'],
  'rack.unit': [1, { row: 2 }],
  addresses: [['10.0.0.1'], ['10.0.0.2', '10.0.0.1']],
};
const ansible: Record<string, unknown[]> = {
  host: ['10.0.0.1', '10.0.0.2', null],
  port: [22, 2222],
  enabled: [true, false],
  groups: [['web'], ['db', 'web']],
  vars: [{ a: 1 }, { 'b.c': 2, a: null }],
};
const pins: [attribute: string, value: unknown][] = [
  ['technical_specs.cpu_cores', 16],
  ['technical_specs.rack', 'r1'],
  ['owner', 'carol'],
  ['lifecycle', 'active'],
  ['ansible.vars.a', 'pinned'],
  ['ansible.host', '10.9.9.9'],
];

test.each([1, 2, 3, 4, 5, 6])(
  'whatever was said, by whom and in whatever order (%i): what is explained is what is in force',
  async (seed) => {
    const service = await startService();
    const roll = dice(seed * 7919);
    const pick = <T>(all: readonly T[]): T => all[roll(all.length)] as T;
    const some = (from: Record<string, unknown[]>) =>
      Object.fromEntries(Object.entries(from).flatMap(([key, values]) => (roll(3) === 0 ? [[key, pick(values)]] : [])));
    const tokens = ['admin', 'hook'];
    const secrets: Record<string, string> = { admin: service.adminToken };
    const made = await service.call('POST', '/tokens', { token_name: 'hook', scopes: ['ci:write'] });
    secrets.hook = (made.body as { token: string }).token;
    const names = ['web-1', 'web-2'];
    const ids: string[] = [];
    for (const ci_name of names) {
      const { body } = await service.call('POST', '/ci', { ci_name, ci_type: 'virtual_machine' });
      ids.push((body as { ci_id: string }).ci_id);
    }

    const write = async (...call: Parameters<Service['call']>) => {
      expect((await service.call(...call)).status).toBe(200);
    };
    for (let step = 0; step < 60; step += 1) {
      service.pass({ minutes: roll(3) * 10 });
      const id = pick(ids);
      const authorized = { Authorization: `Bearer ${secrets[pick(tokens)]}` };
      const kind = roll(8);
      if (kind === 0) {
        const source = pick(['proxmox-api:home', 'terraform:a', 'terraform:b', 'import:hosts.yml']);
        const items = names.slice(roll(2)).map((ci_name) => ({
          ci_name,
          ci_type: 'virtual_machine',
          external_id: `${source}/${ci_name}`,
          tags: pick(words.tags as unknown[][]),
          technical_specs: some(specs),
        }));
        await write('POST', '/passes', { source, complete: true, items });
      } else if (kind === 1) {
        const [attribute, value] = pick(pins);
        await write('PUT', `/ci/${id}/pins/${attribute}`, { value, reason: 'a test' }, authorized);
      } else if (kind === 2) {
        await write('DELETE', `/ci/${id}/pins/${pick(pins)[0]}`, undefined, authorized);
      } else {
        const managed_by = pick([undefined, undefined, 'proxmox-api', 'terraform', 'ansible']);
        const body = { ...some(words), technical_specs: some(specs), ansible: some(ansible), managed_by };
        await write('PUT', `/ci/${id}`, body, authorized);
      }
    }

    const all = (await service.call('GET', '/ci')).body as { items: (Row & { ci_id: string })[] };
    let disputed = 0;
    for (const item of all.items) {
      const entries = await explained(service, item.ci_id);
      const inForce = attributesOf(item);
      const winners = await winnersOf(service, item.ci_id);
      for (const [attribute, { value, winner, since, others }] of entries) {
        const known = inForce.get(attribute) ?? (Array.isArray(value) ? [] : null);
        expect({ attribute, value }).toEqual({ attribute, value: known });
        if (winner !== null) expect([attribute, winner, since]).toEqual([attribute, ...(winners.get(attribute) ?? [])]);
        if (others.length > 0) disputed += 1;
      }
      const unexplained = [...inForce.keys()].filter((attribute) => !entries.has(attribute) && !unsaid.has(attribute));
      expect(unexplained).toEqual([]);
    }
    expect(disputed).toBeGreaterThan(10);
  },
);

/** What is nobody's word: Rollcall's own, and what holds where nobody says anything. */
const unsaid = new Set(
  'ci_id discovered_by generation hold lifecycle site_id ansible.name first_seen_at last_seen_at last_discovered_at last_configured_at created_at updated_at deleted_at'.split(
    ' ',
  ),
);

/** Everything that is known of it, by dotted path. */
function attributesOf({ technical_specs, ansible: words, ...plain }: Row): Map<string, unknown> {
  const { vars, ...others } = words as Row;
  const all = [
    ...Object.entries(plain),
    ...Object.entries(technical_specs as Row).map(([key, value]) => [`technical_specs.${key}`, value] as const),
    ...Object.entries(others).map(([key, value]) => [`ansible.${key}`, value] as const),
    ...Object.entries(vars as Row).map(([key, value]) => [`ansible.vars.${key}`, value] as const),
  ];
  return new Map(all.filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0)));
}

/** As the merge stored them. */
async function winnersOf({ app }: Service, id: string): Promise<Map<string, [source: string, since: string]>> {
  const { winners } = await app.store.read
    .selectFrom('configuration_items')
    .select('winners')
    .where('ci_id', '=', id)
    .executeTakeFirstOrThrow();
  const packed = JSON.parse(winners) as [source: string, since: string, attributes: string[]][];
  return new Map(
    packed.flatMap(([source, since, attributes]) => attributes.map((one) => [one, [source, since]] as const)),
  );
}
