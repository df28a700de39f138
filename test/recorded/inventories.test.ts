/** Inventories that people really use: taken over, and served so that Ansible sees what it saw before. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { literalOf, parseExactly } from '../../src/json.ts';
import { type AnsibleAge, emptyFolder, inventoryScript, runAnsible } from '../ansible/run-ansible.ts';
import { besideOptions, run } from '../cli/run.ts';
import { type Service, startService } from '../service.ts';
import { readTools } from '../tools/tools.ts';
import { recorded } from './folder.ts';

interface Listed {
  _meta: { hostvars: Record<string, Record<string, unknown>> };
  [group: string]: { hosts?: string[]; children?: string[] } | Listed['_meta'];
}

/** What each was given to Ansible with -i. */
const sources: Readonly<Record<string, string>> = {
  'bodleytunes-wizzcloud': 'inventory.ini',
  'chkpwd-iac': 'static.yml',
  'cwage-homelab': 'hosts.yml',
  'geerlingguy-pi-cluster': 'example.hosts.ini',
  'insanitywholesale-ini': 'inventory',
  'ironicbadger-infra': 'hosts.ini',
  'khuedoan-homelab': 'inventories/prod.yml',
};

const cases = Object.keys(sources).flatMap((name) =>
  (['oldest', 'newest'] as const).map((age) => [name, age] as const),
);

describe.each(cases)('the inventory of %s, under the %s Ansible', (name, age) => {
  test('is what Ansible saw before, also once discovery met its machines, and a second import changes nothing', async () => {
    const service = await startService();

    const first = await importOf(service, name, age);
    const served = await listed(service, age);
    await discover(service, name);
    const afterDiscovery = await listed(service, age);
    const version = await versionOf(service);
    const second = await importOf(service, name, age);

    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
    expectTold(served, name);
    expectTold(afterDiscovery, name);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('unchanged. Groups: nothing changes.') });
    expect(await versionOf(service)).toBe(version);
  });

  test('is the same where discovery was there before it', async () => {
    const service = await startService();
    const found = await discover(service, name);

    const { code, stdout } = await importOf(service, name, age);

    expect(code).toBe(0);
    expect(stdout).toContain(`${found} matched`);
    expectTold(await listed(service, age), name);
  });
});

async function importOf(service: Service, name: string, age: AnsibleAge) {
  const path = recorded('ansible-inventories', name, sources[name] as string);
  const isFolder = name === 'insanitywholesale-ini';
  const paths = isFolder
    ? readdirSync(path)
        .filter((file) => file.endsWith('.ini'))
        .sort()
        .map((file) => join(path, file))
    : [path];
  const options = besideOptions(service.folder);
  const env = { ...options.env, PATH: `${readTools().ansible[age].bin}:${dirname(process.execPath)}:/usr/bin:/bin` };
  return await run(['inventory', 'import', ...paths], { ...options, env });
}

/** As a hypervisor whose guests have these names, and addresses of their own. Answers how many there are. */
async function discover({ call }: Service, name: string): Promise<number> {
  const names = hostsOf(expectedOf(name)).filter((host) => host !== 'localhost');
  const items = names.map((ci_name, index) => ({
    ci_type: 'virtual_machine',
    ci_name,
    ci_status: 'running',
    external_id: `home/qemu/${100 + index}`,
    technical_specs: {
      vmid: 100 + index,
      node: 'pve1',
      macs: [`bc:24:11:00:00:${(16 + index).toString(16)}`],
      addresses: [`192.0.2.${index + 1}/24`],
      primary_address: `192.0.2.${index + 1}/24`,
    },
  }));
  const { body } = await call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items });
  expect(body).toMatchObject({ outcome: 'good', waiting: [] });
  return items.length;
}

async function listed({ url, ansibleToken }: Service, age: AnsibleAge): Promise<Listed> {
  const { code, stdout } = await runAnsible(age, 'ansible-inventory', ['-i', inventoryScript, '--list'], {
    cwd: emptyFolder(),
    env: { ROLLCALL_URL: url, ROLLCALL_TOKEN: ansibleToken },
  });
  expect(code).toBe(0);
  return exactly(stdout);
}

async function versionOf({ call }: Service): Promise<unknown> {
  const { body } = await call('GET', '/inventory');
  return (body as { all: { vars: Record<string, unknown> } }).all.vars.rollcall_inventory_version;
}

/** With 8.0 told apart from 8. */
function exactly(text: string): Listed {
  return parseExactly(text, literalOf) as Listed;
}

function expectedOf(name: string): Listed {
  return exactly(readFileSync(recorded('ansible-inventories', 'expected', `${name}.json`), 'utf8'));
}

function expectTold(served: Listed, name: string): void {
  const expected = expectedOf(name);
  const hosts = hostsOf(expected);
  const hostvars = (of: Listed) => hosts.map((host) => [host, withoutOurs(of._meta.hostvars[host])]);
  expect(hostvars(served)).toEqual(hostvars(expected));
  expect(groupsOf(served, hosts, groupsOf(expected, hosts))).toEqual(groupsOf(expected, hosts));
}

function hostsOf(inventory: Listed): string[] {
  return [
    ...new Set(
      Object.entries(inventory).flatMap(([group, body]) =>
        group === '_meta' ? [] : ((body as { hosts?: string[] }).hosts ?? []),
      ),
    ),
  ].sort();
}

/** The groups that the operator named, or only those that `among` has too: hosts that are in them, and groups below. */
function groupsOf(inventory: Listed, hosts: readonly string[], among?: object): Record<string, object> {
  const ours = new Set(['_meta', 'all', 'ungrouped']);
  const children = Object.values(inventory).flatMap((body) => (body as { children?: string[] }).children ?? []);
  const names = [...new Set([...Object.keys(inventory), ...children])].filter(
    (group) => !ours.has(group) && (among === undefined || Object.hasOwn(among, group)),
  );
  return Object.fromEntries(
    names.map((group) => {
      const body = (inventory[group] ?? {}) as { hosts?: string[]; children?: string[] };
      const own = (body.hosts ?? []).filter((host) => hosts.includes(host));
      return [group, { hosts: own.toSorted(), children: (body.children ?? []).toSorted() }];
    }),
  );
}

function withoutOurs(variables: Record<string, unknown> | undefined): Record<string, unknown> {
  const { rollcall: _about, rollcall_inventory_version: _version, ...own } = variables ?? {};
  return own;
}
