/** An Ansible project that moves in: its files, the real Ansible, and a service. */

import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { literalOf, parseExactly } from '../../src/json.ts';
import { type AnsibleAge, emptyFolder, inventoryScript, runAnsible } from '../ansible/run-ansible.ts';
import { type Service, type ServiceOptions, startService } from '../service.ts';
import { readTools } from '../tools/tools.ts';
import { besideOptions, launcher, type Ran, run, runProgram } from './run.ts';

export type Vars = Record<string, unknown>;

export interface Listed {
  hosts: Record<string, Vars>;
  /** By group, its hosts and the groups below it. */
  groups: Record<string, { hosts: string[]; children: string[] }>;
}

export interface ImportWorld {
  service: Service;
  /** Writes files by their paths in the project; what begins with #! can be run. */
  write(files: Readonly<Record<string, string>>): void;
  /** `rollcall inventory import` in the project, with that Ansible; as the arguments of another program, if one is named. */
  take(words: readonly string[], env?: Readonly<Record<string, string>>, under?: string): Promise<Ran>;
  /** What Ansible says of inventories of the project. */
  before(...paths: string[]): Promise<Listed>;
  /** What Ansible says of Rollcall's, without what Rollcall adds. */
  after(): Promise<Listed>;
  versionOf(): Promise<unknown>;
}

export async function importWorld(age: AnsibleAge = 'newest', options: ServiceOptions = {}): Promise<ImportWorld> {
  const service = await startService(options);
  const { bin } = readTools().ansible[age];
  const beside = besideOptions(service.folder);
  const list = async (words: readonly string[], env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await runAnsible(age, 'ansible-inventory', [...words, '--list'], {
      cwd: emptyFolder(),
      env,
    });
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    return parseExactly(stdout, literalOf) as Record<string, Vars>;
  };
  return {
    service,
    write: (files) => writeFiles(service.folder, files),
    async take(words, env = {}, under) {
      const path = `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`;
      const options = { ...beside, env: { ...beside.env, PATH: path, ...env } };
      const all = ['inventory', 'import', ...words];
      return await (under ? runProgram(under, [process.execPath, launcher, ...all], options) : run(all, options));
    },
    before: async (...paths) => listedOf(await list(paths.flatMap((path) => ['-i', join(service.folder, path)]))),
    async after() {
      const env = { ROLLCALL_URL: service.url, ROLLCALL_TOKEN: service.ansibleToken };
      return listedOf(await list(['-i', inventoryScript], env), isOurs);
    },
    async versionOf() {
      const { body } = await service.call('GET', '/inventory');
      return (body as { all: { vars: Vars } }).all.vars.rollcall_inventory_version;
    },
  };
}

/** Groups that Rollcall makes of what it knows. */
const isOurs = (group: string) =>
  /^(?:site|type|status|os|managed_by|node)_|^(?:never_configured|no_address)$/.test(group);

function listedOf(
  { _meta, ...groups }: Record<string, Vars>,
  isLeftOut: (group: string) => boolean = () => false,
): Listed {
  const told = groups as Record<string, { hosts?: string[]; children?: string[] }>;
  const children = Object.values(told).flatMap((group) => group.children ?? []);
  const names = [...new Set([...Object.keys(told), ...children])].filter(
    (name) => name !== 'all' && name !== 'ungrouped' && !isLeftOut(name),
  );
  const hostvars = (_meta?.hostvars ?? {}) as Record<string, Vars>;
  const hosts = new Set(Object.values(told).flatMap((group) => group.hosts ?? []));
  return {
    hosts: Object.fromEntries([...hosts].sort().map((name) => [name, withoutOurs(hostvars[name] ?? {})])),
    groups: Object.fromEntries(
      names
        .sort()
        .map((name) => [
          name,
          { hosts: (told[name]?.hosts ?? []).toSorted(), children: (told[name]?.children ?? []).toSorted() },
        ]),
    ),
  };
}

function withoutOurs({ rollcall: _about, rollcall_inventory_version: _version, ...own }: Vars): Vars {
  return own;
}

/** Without the machine that the service runs on, which is a host too. */
export async function withoutThisMachine({ service }: ImportWorld): Promise<void> {
  const { items } = (await service.call('GET', '/ci')).body as { items: { ci_id: string }[] };
  for (const { ci_id } of items) await service.call('DELETE', `/ci/${ci_id}`);
}

/** What a hypervisor says of guests, by their names. */
export async function discover({ service }: ImportWorld, addresses: Readonly<Record<string, string>>): Promise<void> {
  const items = Object.entries(addresses).map(([ci_name, address], index) => ({
    ci_type: 'virtual_machine',
    ci_name,
    ci_status: 'running',
    external_id: `home/qemu/${100 + index}`,
    technical_specs: {
      vmid: 100 + index,
      node: 'pve1',
      addresses: [`${address}/24`],
      primary_address: `${address}/24`,
    },
  }));
  const { body } = await service.call('POST', '/passes', { source: 'proxmox-api:home', complete: true, items });
  expect(body).toMatchObject({ outcome: 'good' });
}

/** All that the service keeps, as it lies on the disk. */
export function everythingWritten({ service }: ImportWorld): string {
  const data = join(service.folder, 'data');
  return readdirSync(data)
    .filter((name) => name.startsWith('rollcall.db'))
    .map((name) => readFileSync(join(data, name), 'latin1'))
    .join('\n');
}

/** What begins with #! can be run. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    if (text.startsWith('#!')) chmodSync(path, 0o755);
  }
}
