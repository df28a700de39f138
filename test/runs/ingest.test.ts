/** What the callback plugin calls in, in any order and more than once, and what it comes to. */

import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Service, startService } from '../service.ts';
import { callsOf, exported, type RunTold, send } from './calls.ts';

interface Host {
  ci_id: string;
  name: string;
}

async function withHosts(service: Service, ...names: string[]): Promise<Host[]> {
  const hosts: Host[] = [];
  for (const ci_name of names) {
    const item = { ci_type: 'virtual_machine', ci_name, ci_status: 'running', ansible: { host: '10.0.0.9' } };
    const { body } = await service.call('POST', '/ci', item);
    hosts.push({ ci_id: (body as { ci_id: string }).ci_id, name: ci_name });
  }
  return hosts;
}

const run: RunTold = {
  runId: '0190c0de-0000-4000-8000-000000000001',
  outcome: 'failed',
  more: {
    user: 'alice',
    controller: 'desk',
    check: false,
    diff: true,
    limit: 'web*',
    tags: ['deploy'],
    git: { repo: 'git@example.org:infra.git', commit: 'abc123', branch: 'main', dirty: true },
    origin: { kind: 'github-actions', url: 'https://example.org/run/1' },
    change_ref: 'owner/repo#7',
    shim_version: '1.0.0',
    unknown_to_us: true,
  },
  plays: [
    {
      name: 'Web servers',
      tasks: {
        'Gather facts': [
          { host: 'web-1', status: 'ok' },
          { host: 'web-2', status: 'unreachable', msg: 'no route to host' },
        ],
        'Write the configuration': [{ host: 'web-1', status: 'changed', diff: [{ after: 'x' }], delegated_to: 'desk' }],
      },
    },
    {
      name: 'Databases',
      tasks: {
        'Try thrice': [
          {
            host: 'web-1',
            status: 'failed',
            msg: 'no space left',
            attempts: [
              { n: 1, at: '2026-03-02T10:00:01Z', msg: 'not yet' },
              { n: 2, at: '2026-03-02T10:00:02Z' },
            ],
          },
        ],
        Loop: [
          {
            host: 'web-1',
            status: 'ignored',
            msg: 'one of them failed',
            items: [
              { n: 1, status: 'ok' },
              { n: 2, status: 'failed', msg: 'bad' },
            ],
          },
        ],
        Nothing: [{ host: 'web-1', status: 'skipped' }],
      },
    },
  ],
};

test('a run is told as it was called in', async () => {
  const service = await startService();

  await send(service, callsOf(run));

  const { whole, results } = (await exported(service, run.runId as string)) as Record<string, Record<string, unknown>>;
  expect(whole).toMatchObject({
    run_id: run.runId,
    playbook: 'site.yml',
    path: '/srv/site.yml',
    outcome: 'failed',
    started_at: '2026-03-02T10:00:00.000Z',
    finished_at: '2026-03-02T10:00:01.600Z',
    duration_s: 1.6,
    check: false,
    diff: true,
    limit: 'web*',
    tags: ['deploy'],
    git: { repo: 'git@example.org:infra.git', commit: 'abc123', branch: 'main', dirty: true },
    user: 'alice',
    controller: 'desk',
    ansible_version: '2.19.14',
    origin: { kind: 'github-actions', url: 'https://example.org/run/1' },
    change_ref: 'owner/repo#7',
    results_kept: true,
    host_count: 2,
    unknown_hosts: 2,
    totals: { ok: 3, changed: 1, failures: 1, unreachable: 1, skipped: 1, rescued: 0, ignored: 1 },
    hosts: {
      'web-1': { ci_id: null, known: false, ok: 3, changed: 1, failures: 1, skipped: 1, ignored: 1 },
      'web-2': { unreachable: 1 },
    },
    matrix: { 'web-1': 'ocfis', 'web-2': 'u....' },
  });
  expect(whole?.plays).toMatchObject([
    {
      number: 0,
      name: 'Web servers',
      tasks: [
        { name: 'Gather facts', action: 'ansible.builtin.command', line: 10, duration_s: 0.15 },
        { name: 'Write the configuration' },
      ],
    },
    { number: 1, name: 'Databases', tasks: [{ name: 'Try thrice' }, { name: 'Loop' }, { name: 'Nothing' }] },
  ]);
  expect(results).toMatchObject({
    count: 6,
    items: [
      { n: 1, host: 'web-1', task_name: 'Gather facts', status: 'ok', msg: null, attempts: [], items: [] },
      { n: 2, host: 'web-2', status: 'unreachable', msg: 'no route to host' },
      { n: 3, status: 'changed', diff: [{ after: 'x' }], delegated_to: 'desk' },
      { n: 4, status: 'failed', msg: 'no space left', attempts: [{ n: 1, msg: 'not yet' }, { n: 2 }] },
      {
        n: 5,
        status: 'ignored',
        items: [
          { n: 1, status: 'ok' },
          { n: 2, msg: 'bad' },
        ],
      },
      { n: 6, status: 'skipped', started_at: '2026-03-02T10:00:00.600Z', duration_ms: 50 },
    ],
  });
});

test('in whatever order the calls come, and however often, it is the same run on the same items', async () => {
  const told = async (shuffle: (calls: ReturnType<typeof callsOf>) => ReturnType<typeof callsOf>) => {
    const service = await startService();
    const [web] = await withHosts(service, 'web-1');
    const plays = run.plays.map((play) => ({
      ...play,
      tasks: Object.fromEntries(
        Object.entries(play.tasks).map(([name, list]) => [
          name,
          list.map((result) => (result.host === 'web-1' ? { ...result, ci_id: web?.ci_id } : result)),
        ]),
      ),
    }));
    const calls = callsOf({ ...run, plays, perPart: 2 });
    await send(service, shuffle(calls));
    const item = (await service.call('GET', '/ci/web-1')).body as { last_configured_at: string | null };
    const why = (await service.call('GET', '/inventory/why/web-1')).body as { groups: { group: string }[] };
    const seen = JSON.stringify({
      run: await exported(service, run.runId as string),
      groups: why.groups.map(({ group }) => group).filter((group) => /^(last_|never_)/.test(group)),
      at: item.last_configured_at,
    });
    return JSON.parse(seen.replaceAll(web?.ci_id as string, 'WEB-1')) as Record<string, unknown>;
  };
  const inOrder = await told((calls) => calls);

  const others = [
    await told((calls) => calls.toReversed()),
    await told((calls) => [...calls, ...calls]),
    await told((calls) => [...calls.slice(2), ...calls.slice(0, 2), ...calls.slice(1, 3)]),
  ];

  expect(inOrder).toMatchObject({ groups: ['last_run_failed', 'never_configured'], at: null });
  for (const other of others) expect(other).toEqual(inOrder);
});

test('of several runs of a playbook the last one counts on each host, and check mode counts nothing', async () => {
  const service = await startService();
  const hosts = await withHosts(service, 'web-1', 'web-2');
  const one = (status: string, startedAt: string, more = {}) =>
    send(
      service,
      callsOf({
        startedAt,
        outcome: status === 'failed' ? 'failed' : 'ok',
        plays: [
          { name: 'All', tasks: { Do: hosts.map(({ name, ci_id }) => ({ host: name, ci_id, status, msg: 'said' })) } },
        ],
        more,
      }),
    );
  const groups = async () => {
    const inventory = (await service.call('GET', '/inventory')).body as Record<string, { hosts: string[] }>;
    return Object.fromEntries(
      Object.entries(inventory)
        .filter(([group]) => /^(last_run|never|stale)/.test(group))
        .map(([group, { hosts: members }]) => [group, members]),
    );
  };
  const both = ['web-1', 'web-2'];

  expect((await groups()).never_configured).toEqual(expect.arrayContaining(both));
  await one('failed', '2026-03-02T10:00:00Z');
  expect(await groups()).toMatchObject({
    last_run_failed: both,
    never_configured: expect.arrayContaining(both) as unknown,
  });
  await one('changed', '2026-03-02T11:00:00Z', { playbook: 'other.yml' });
  expect(await groups()).toMatchObject({ last_run_failed: both, last_run_changed: both });
  await one('ok', '2026-03-02T12:00:00Z', { check: true });
  expect(await groups()).toMatchObject({ last_run_failed: both, last_run_changed: both });
  // An older one that comes late.
  await one('changed', '2026-03-02T09:00:00Z');
  expect(await groups()).toMatchObject({ last_run_failed: both, last_run_changed: both });
  await one('ok', '2026-03-02T13:00:00Z');
  expect(Object.keys(await groups()).filter((group) => group.startsWith('last_run'))).toEqual([]);
  const { body } = await service.call('GET', '/ci/web-1');
  expect(body).toMatchObject({ last_configured_at: '2026-03-02T13:00:01.200Z' });

  service.pass({ hours: 31 * 24 });
  await service.app.runJob('follow-runs');
  expect(await groups()).toMatchObject({ stale: both });
});

test('facts of hosts that the inventory gave out are kept with the item, and others are not invented', async () => {
  const service = await startService();
  const [web] = await withHosts(service, 'web-1');
  const facts = {
    ansible_distribution: 'Debian',
    ansible_distribution_version: '13',
    ansible_kernel: '6.12.48',
    ansible_architecture: 'x86_64',
    ansible_processor_vcpus: 4,
    ansible_memtotal_mb: 7950,
    ansible_all_ipv4_addresses: ['10.0.0.9', '127.0.0.1'],
    ansible_all_ipv6_addresses: ['fe80::1'],
    interfaces: {
      eth0: { macaddress: 'BC:24:11:6B:D9:52', addresses: ['10.0.0.9', 'fe80::1'] },
      lo: { type: 'loopback' },
    },
    default_ipv4: { address: '10.0.0.9', macaddress: 'bc:24:11:6b:d9:52' },
    ansible_product_uuid: 'AB3DB84E-C0E2-4769-A9F7-1E579D00FB69',
    ansible_product_serial: 'NA',
    ansible_machine_id: 'abd344142f533600e3e5f5c9ebf1f38d',
    ansible_hostname: 'web-1',
    ansible_fqdn: 'web-1.home.lab',
    ansible_uptime_seconds: 3600,
    ansible_python_version: '3.13.5',
    ansible_ssh_host_key_ed25519_public: 'AAAAC3Nz',
    ansible_env: { SECRET: 'canary-secret' },
    ansible_local: { own: 'canary-secret' },
  };
  const calls = callsOf({
    plays: [
      {
        name: 'All',
        tasks: {
          'Gathering Facts': [
            { host: 'web-1', ci_id: web?.ci_id, status: 'ok' },
            { host: 'ghost', status: 'ok' },
            { host: 'gone', ci_id: randomUUID(), status: 'ok' },
          ],
        },
        facts: [
          { host: 'web-1', ci_id: web?.ci_id, facts },
          { host: 'ghost', facts: { ansible_hostname: 'ghost', ansible_distribution: 'Debian' } },
        ],
      },
    ],
  });

  const runId = await send(service, calls, service.ansibleToken);

  const { body: item } = await service.call('GET', '/ci/web-1');
  expect(item).toMatchObject({
    ci_id: web?.ci_id,
    technical_specs: {
      os: 'Debian',
      os_version: '13',
      kernel: '6.12.48',
      architecture: 'x86_64',
      cpu_cores: 4,
      memory_mb: 7950,
      addresses: ['10.0.0.9'],
      interfaces: [{ name: 'eth0', mac: 'bc:24:11:6b:d9:52', addresses: ['10.0.0.9'] }],
      macs: ['bc:24:11:6b:d9:52'],
      machine_id: 'abd344142f533600e3e5f5c9ebf1f38d',
      fqdn: 'web-1.home.lab',
      booted_at: '2026-03-02T09:00:00.100Z',
      python_version: '3.13.5',
      ssh_host_keys: { ed25519: 'ssh-ed25519 AAAAC3Nz' },
    },
  });
  expect((item as { technical_specs: object }).technical_specs).not.toHaveProperty('serial');
  expect(JSON.stringify(await exported(service, runId))).not.toContain('canary');
  expect((await service.call('GET', '/ci?ci_name=ghost')).body).toMatchObject({ count: 0 });
  expect((await service.call('GET', `/runs/${runId}`)).body).toMatchObject({
    unknown_hosts: 2,
    hosts: { ghost: { known: false }, gone: { known: false, ci_id: null }, 'web-1': { known: true } },
  });
  expect((await service.call('GET', '/ci/web-1/runs')).body).toMatchObject({ count: 1, items: [{ run_id: runId }] });
});

test('where the settings say so, facts of a host that is not known make an item', async () => {
  const service = await startService({ settings: { runs: { register_hosts: true } } });
  const facts = { ansible_hostname: 'ghost', ansible_distribution: 'Debian' };

  await send(
    service,
    callsOf({
      plays: [{ name: 'All', tasks: { Gather: [{ host: 'ghost', status: 'ok' }] }, facts: [{ host: 'ghost', facts }] }],
    }),
  );

  expect((await service.call('GET', '/ci/ghost')).body).toMatchObject({ technical_specs: { os: 'Debian' } });
});

test('facts of another machine raise the alarm, and change nothing', async () => {
  const service = await startService();
  const [web] = await withHosts(service, 'web-1');
  const gathered = (uuid: string, startedAt: string) =>
    send(
      service,
      callsOf({
        startedAt,
        plays: [
          {
            name: 'All',
            tasks: { Gather: [{ host: 'web-1', ci_id: web?.ci_id, status: 'ok' }] },
            facts: [
              {
                host: 'web-1',
                ci_id: web?.ci_id,
                facts: {
                  ansible_hostname: 'web-1',
                  ansible_product_uuid: uuid,
                  ansible_distribution: uuid.slice(0, 4),
                },
              },
            ],
          },
        ],
      }),
    );
  await service.call('POST', '/passes', {
    source: 'proxmox-api:home',
    complete: true,
    items: [
      {
        ci_type: 'virtual_machine',
        ci_name: 'web-1',
        external_id: 'home/qemu/100',
        technical_specs: { vmid: 100, uuid: 'aaaa0000-c0e2-4769-a9f7-1e579d00fb69' },
      },
    ],
  });
  service.pass({ minutes: 10 });

  await gathered('bbbb0000-c0e2-4769-a9f7-1e579d00fb69', '2026-03-02T10:05:00Z');

  const { body } = await service.call('GET', '/alerts');
  expect(body).toMatchObject({
    items: expect.arrayContaining([expect.objectContaining({ kind: 'another_machine_answered' })]) as unknown,
  });
});

test('what is not right is refused with its place, and nothing of it is kept', async () => {
  const service = await startService();
  const [, part] = callsOf(run);
  const wrong = structuredClone(part as NonNullable<typeof part>);
  const [result] = wrong.body.results as { task_id: string; started_at: string }[];
  Object.assign(result as object, { task_id: 'none', started_at: 'yesterday' });

  const refused = await service.call('PUT', wrong.path, wrong.body);

  expect(refused).toMatchObject({
    status: 400,
    body: {
      errors: [
        { pointer: '/results/0/task_id', detail: 'is none of the tasks of this part' },
        { pointer: '/results/0/started_at', detail: expect.stringContaining('must be a time') as unknown },
      ],
    },
  });
  expect((await service.call('GET', '/runs')).body).toMatchObject({ count: 0 });
  expect(await service.call('PUT', '/runs/ghost', {})).toMatchObject({ status: 400 });
  expect(await service.call('GET', `/runs/${randomUUID()}`)).toMatchObject({ status: 404 });
});

test('a run that never ends is given up a day after its last call, and a late call wakes it', async () => {
  const service = await startService();
  const calls = callsOf(run);
  await send(service, calls.slice(0, -2));
  const outcome = async () => ((await service.call('GET', `/runs/${run.runId}`)).body as { outcome: string }).outcome;

  service.pass({ hours: 23 });
  await service.app.runJob('follow-runs');
  expect(await outcome()).toBe('running');
  service.pass({ hours: 2 });
  await service.app.runJob('follow-runs');
  expect(await outcome()).toBe('interrupted');
  expect((await service.call('GET', `/runs/${run.runId}`)).body).toMatchObject({
    hosts: { 'web-1': { ok: 2, changed: 1 }, 'web-2': { unreachable: 1 } },
  });
  await send(service, calls.slice(-2, -1));
  expect(await outcome()).toBe('running');
  await send(service, calls.slice(-1));
  expect(await outcome()).toBe('failed');
});

test('results are kept for as long as the settings say, and totals for ever', async () => {
  const service = await startService({ settings: { runs: { keep_days: 7 } } });
  await send(service, callsOf(run));
  const { runId } = { runId: run.runId as string };
  const half = callsOf({ ...run, runId: randomUUID() }).slice(0, 2);
  await send(service, half);
  const before = (await service.call('GET', `/runs/${runId}`)).body as { totals: unknown };

  service.pass({ hours: 8 * 24 });
  await service.app.runJob('prune-runs');

  expect((await service.call('GET', `/runs/${runId}`)).body).toMatchObject({
    results_kept: false,
    totals: before.totals,
    hosts: { 'web-2': { unreachable: 1 } },
    plays: [],
    matrix: {},
  });
  expect((await service.call('GET', `/runs/${runId}/results`)).body).toMatchObject({ count: 0 });
  expect((await service.call('GET', half[0]?.path as string)).body).toMatchObject({ hosts: { 'web-1': { ok: 2 } } });
  // A part that comes after that is not kept any more.
  await send(service, callsOf(run).slice(1, 2));
  expect((await service.call('GET', `/runs/${runId}/results`)).body).toMatchObject({ count: 0 });
});

test('the inventory that a run read is kept with it, byte for byte', async () => {
  const service = await startService();
  await withHosts(service, 'web-1');
  const told = (await service.call('GET', '/inventory')).body as { all: { vars: Record<string, string> } };
  const inventory_version = told.all.vars.rollcall_inventory_version;
  const runId = await send(service, callsOf({ ...run, more: { inventory_version } }));
  await service.call('POST', '/ci', { ci_type: 'virtual_machine', ci_name: 'web-2', ci_status: 'running' });
  await service.call('GET', '/inventory');

  service.pass({ hours: 30 * 24 });
  await service.app.runJob('prune-inventory');
  await service.call('POST', '/ci', { ci_type: 'virtual_machine', ci_name: 'web-3', ci_status: 'running' });
  await service.call('GET', '/inventory');

  expect((await service.call('GET', `/runs/${runId}/inventory`)).body).toEqual(told);
  service.pass({ hours: 90 * 24 });
  await service.app.runJob('prune-inventory');
  expect(await service.call('GET', `/runs/${runId}/inventory`)).toMatchObject({ status: 404 });
});
