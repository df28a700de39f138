/** The calls of real playbooks in any order, several times, and through a service that is killed: the same runs. */

import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ansibleAges } from '../ansible/run-ansible.ts';
import { idOf, inventoryOf, ofSmallParts, project, returnsWhatItIsGiven } from '../callback/project.ts';
import { type Call, startRecorder } from '../callback/recorder.ts';
import { seeded, shuffled } from '../estates/run.ts';
import { temporaryFolder } from '../service.ts';
import { startProcess } from './service-process.ts';

/** Each Ansible has hosts of its own: what two runs say of one host is told by their times. */
const hostsOf = { oldest: ['a', 'b', 'c'], newest: ['d', 'e', 'f'] };
const hosts = Object.values(hostsOf).flat();
const orders = process.env.ROLLCALL_LONG ? 20 : 2;

const playbook = `
- name: In batches
  hosts: all
  gather_facts: false
  serial: 2
  handlers:
    - {name: Restart, debug: }
  tasks:
    - {name: Gathers, setup: {result: {ansible_facts: {ansible_distribution: Debian, ansible_kernel: "6.1", ansible_memtotal_mb: 2048}}}}
    - {name: Notifies, debug: , changed_when: true, notify: Restart}
    - {name: Flush, meta: flush_handlers}
    - {name: Notifies again, debug: , changed_when: inventory_hostname in 'be', notify: Restart}
    - {name: Flush again, meta: flush_handlers}
    - {name: Loops, debug: , loop: [1, 2]}
    - {name: Tries again, debug: , register: tried, until: tried.attempts | default(1) == 3, retries: 3, delay: 0, ignore_errors: true}

- name: Free
  hosts: all
  gather_facts: false
  strategy: free
  tasks:
    - {name: Free one, debug: }
    - {name: Gathers again, setup: {result: {ansible_facts: {ansible_memtotal_mb: 4096, ansible_hostname: "its-own-{{ inventory_hostname }}"}}}}
    - {name: Free two, debug: , when: inventory_hostname not in 'be'}

- name: Fails
  hosts: all
  gather_facts: false
  tasks:
    - {name: Gathers more, setup: {result: {ansible_facts: {ansible_kernel: "6.2", ansible_service_mgr: systemd}}}}
    - block:
        - {name: Fails on one, fail: {msg: on purpose}, when: inventory_hostname in 'be'}
      rescue:
        - {name: Is rescued, debug: }
    - {name: Fails for good, fail: {msg: for good}, when: inventory_hostname in 'cf'}
`;

/** The data of a service that knows the hosts, and the calls of a playbook of each age to it, as they came. */
async function recorded(): Promise<{ data: string; calls: Call[] }> {
  const data = temporaryFolder();
  const service = startProcess(data);
  const ask = asking(await service.serves, data);
  let known = inventoryOf(...hosts);
  for (const ci_name of hosts) {
    const item = await ask('/ci', { method: 'POST', body: { ci_type: 'machine', ci_name } });
    known = known.replace(idOf(ci_name), (item as { ci_id: string }).ci_id);
  }
  const { all } = (await ask('/inventory')) as { all: { vars: { rollcall_inventory_version: string } } };
  known = known.replace(/(?<=version: ).*/, all.vars.rollcall_inventory_version);
  service.child.kill('SIGTERM');
  await service.ended;

  const played = ansibleAges.map(async (age) => {
    const recorder = await startRecorder();
    const { play } = project({
      age,
      url: recorder.url,
      text: ofSmallParts,
      files: { 'site.yml': playbook, 'hosts.yml': known, 'action_plugins/setup.py': returnsWhatItIsGiven },
    });
    expect(await play(['site.yml', '--limit', hostsOf[age].join()])).toMatchObject({
      code: 2,
      stderr: expect.not.stringContaining('Rollcall') as unknown,
    });
    return recorder.calls;
  });
  return { data, calls: (await Promise.all(played)).flat() };
}

type Ask = (path: string, more?: { method?: string; body?: unknown }) => Promise<unknown>;

/** Throws for what is refused, and where nobody is there. */
function asking(url: string, data: string): Ask {
  const token = readFileSync(join(data, 'admin.token'), 'utf8').trim();
  return async (path, { method = 'GET', body } = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Encoding': 'gzip' },
      ...(body === undefined ? {} : { body: gzipSync(JSON.stringify(body)) }),
    });
    const said: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(said)}`);
    return said;
  };
}

/** What the service tells of it all, once it has these calls; it is killed while it has this one. */
async function told(from: string, calls: readonly Call[], killedAt?: number): Promise<unknown> {
  const data = temporaryFolder();
  cpSync(from, data, { recursive: true });
  let service = startProcess(data);
  let ask = asking(await service.serves, data);
  for (const [index, { run, what, body }] of calls.entries()) {
    const put = () => ask(`/runs/${run}${what}`, { method: 'PUT', body });
    if (index === killedAt) {
      const answer = put().catch(() => undefined);
      service.child.kill('SIGKILL');
      await Promise.all([answer, service.ended]);
      service = startProcess(data);
      ask = asking(await service.serves, data);
    }
    await put();
  }
  return await exported(ask, new Set(calls.map(({ run }) => run)));
}

async function exported(ask: Ask, runs: ReadonlySet<string>): Promise<unknown> {
  const paths = [
    ...[...runs]
      .sort()
      .flatMap((run) => ['', '/results?limit=1000', '/inventory'].map((what) => `/runs/${run}${what}`)),
    ...hosts.flatMap((host) => ['', '/runs'].map((what) => `/ci/${host}${what}`)),
    '/runs',
    '/runs/slowest-tasks',
    '/runs/flaky-hosts',
    '/inventory',
    '/alerts',
  ];
  const answers = await Promise.all(paths.map(async (path) => [path, await ask(path)] as const));
  // When the service itself wrote, and how often.
  const text = JSON.stringify(Object.fromEntries(answers)).replaceAll(
    /"updated_at":"[^"]*",|(?<=version":")\d+(?=-)/g,
    '',
  );
  return JSON.parse(text);
}

test('shuffled, doubled, and through a kill of the service, the calls of a playbook come to what they do in order', async () => {
  const { data, calls } = await recorded();
  const inOrder = await told(data, calls);
  const stats = calls.filter(({ what }) => what === '/stats');
  const parts = calls.filter(({ what }) => what.startsWith('/plays/'));
  const runs = calls.filter(({ what }) => what === '');
  expect(parts.length).toBeGreaterThan(20);
  expect(inOrder).toMatchObject({
    '/ci/a': {
      technical_specs: { os: 'Debian', kernel: '6.2', memory_mb: 4096, service_manager: 'systemd' },
      last_configured_at: expect.any(String) as unknown,
    },
    '/ci/f/runs': { count: 1, items: [{ outcome: 'failed', unknown_hosts: 0, totals: { rescued: 1, failures: 1 } }] },
    '/inventory': { last_run_failed: { hosts: ['c', 'f'] } },
  });

  for (let seed = 1; seed <= orders; seed += 1) {
    const random = seeded(seed);
    const again = calls.filter(() => random() < 0.5);
    const order =
      seed === 1
        ? [...stats, ...shuffled([...parts, ...again], random), ...runs]
        : shuffled([...calls, ...again], random);

    expect(await told(data, order, Math.floor(random() * order.length)), `order ${seed}`).toEqual(inOrder);
  }
});
