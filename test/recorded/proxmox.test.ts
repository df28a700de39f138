/** What Proxmox VE really answered: each answer is read, and the life of two guests is what it was. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  addressesOf,
  agentFault,
  nodeAddress,
  readInterfaces,
  readNodeNetwork,
  readSystem,
} from '../../src/proxmox/addresses.ts';
import { authorsIn } from '../../src/proxmox/authors.ts';
import { readConfig, readSnapshots } from '../../src/proxmox/guest-config.ts';
import { readRights } from '../../src/proxmox/rights.ts';
import { type GuestType, readResources, tagsOf } from '../../src/proxmox/rows.ts';
import { troubleOf } from '../../src/proxmox/trouble.ts';
import { type Row, type SimCluster, said, startWorld } from '../proxmox/cluster.ts';
import { readRecorded } from './folder.ts';

interface Recording {
  endpoint: string;
  status: number;
  statusText: string;
  pve: string;
  file: string;
}

const recordings = readRecorded('proxmox', 'index.json') as Recording[];
const answersTo = (form: RegExp) => recordings.filter(({ endpoint, status }) => form.test(endpoint) && status === 200);
const dataOf = (file: string): unknown => {
  const answer = readRecorded('proxmox', file);
  return typeof answer === 'object' && answer !== null && 'data' in answer ? answer.data : answer;
};
const rowsOf = (file: string) => (Array.isArray(dataOf(file)) ? (dataOf(file) as Row[]) : []);

describe('every recorded answer is read', () => {
  test.each(answersTo(/^\/cluster\/resources$/))('$file, with each of its rows', ({ file }) => {
    const rows = rowsOf(file);

    const { guests, nodes, storages, unreadable } = readResources(rows);

    const of = (...types: string[]) => rows.filter(({ type }) => types.includes(String(type)));
    const vmids = of('qemu', 'lxc').map(({ vmid, id }) => Number(vmid ?? said(id).split('/')[1]));
    expect(guests.map(({ vmid }) => vmid)).toEqual([...new Set(vmids)].sort((a, b) => a - b));
    expect(nodes).toHaveLength(of('node').length);
    expect(storages).toHaveLength(of('storage').length);
    expect(unreadable).toBe(0);
    for (const guest of guests) {
      const row = of('qemu', 'lxc').findLast(({ vmid }) => Number(vmid) === guest.vmid);
      expect(guest).toMatchObject({ node: row?.node, name: row?.name, status: row?.status, tags: tagsOf(row?.tags) });
    }
  });

  test.each(answersTo(/^\/nodes\/[^/]+\/(qemu|lxc)\/\d+\/config$/))('$file, with its body', ({ file, endpoint }) => {
    const type = endpoint.split('/')[3] as GuestType;
    const written = dataOf(file) as Row;

    const config = readConfig(type, written);

    const text = JSON.stringify(written);
    const uuid = /uuid=([0-9a-f-]{36})/i.exec(said(written.smbios1))?.[1];
    expect(config.uuid).toBe(type === 'qemu' ? uuid : undefined);
    const nets = Object.keys(written).filter((key) => /^net\d+$/.test(key));
    expect(config.nics).toHaveLength(nets.length);
    for (const nic of config.nics) {
      const mac = /([0-9a-f]{2}:){5}[0-9a-f]{2}/i.exec(said(written[nic.name]))?.[0]?.toLowerCase();
      const bridge = /bridge=([^,]+)/.exec(said(written[nic.name]))?.[1];
      expect([nic.mac, nic.bridge]).toEqual([mac, bridge]);
    }
    expect(config.name).toBe(type === 'qemu' ? written.name : written.hostname);
    if (written.memory !== undefined) expect(config.memoryMb).toBe(Number(/\d+/.exec(said(written.memory))?.[0]));
    for (const { storage } of config.disks) if (storage !== undefined) expect(text).toContain(`${storage}:`);
  });

  test.each(answersTo(/\/agent\/network-get-interfaces$/))('$file, with the addresses of each card', ({ file }) => {
    const data = dataOf(file);
    const interfaces = readInterfaces(data);
    const cards = [...new Set(interfaces.flatMap(({ mac }) => mac ?? []))].filter((mac) => !/^(00:00|02:42)/.test(mac));

    const { addresses } = addressesOf(
      cards.map((mac, index) => ({ name: `net${index}`, mac, bridge: undefined, vlan: undefined, addresses: [] })),
      interfaces,
    );

    expect(interfaces.length > 0).toBe(agentFault(data) === undefined);
    expect(addresses.some((address) => /^(127\.|169\.254\.|fe80|::1$)/.test(address) || address.includes('%'))).toBe(
      false,
    );
    for (const address of addresses) expect(JSON.stringify(data)).toContain(`"${address}"`);
  });

  test.each(answersTo(/^\/nodes\/[^/]+\/network$/))('$file, with each interface of the node', ({ file }) => {
    const network = readNodeNetwork(dataOf(file));

    expect(network.map(({ name }) => name)).toEqual(rowsOf(file).map(({ iface }) => iface));
    const gateway = rowsOf(file).find((row) => row.gateway ?? row.gateway6);
    if (gateway?.address) expect(nodeAddress(network)).toBe(said(gateway.address).split('/')[0]);
  });

  test.each(answersTo(/\/snapshot$/))('$file, with its snapshots', ({ file }) => {
    const named = rowsOf(file).flatMap(({ name }) => (name === 'current' ? [] : [name]));

    expect(readSnapshots(dataOf(file)).map(({ name }) => name)).toEqual(named);
  });

  test.each(answersTo(/\/agent\/get-osinfo$/))('$file, with a system', ({ file }) => {
    expect(readSystem(dataOf(file)).os).toEqual(expect.any(String));
  });

  test.each(answersTo(/^\/access\/permissions$/))('$file, with each right', ({ file }) => {
    const written = dataOf(file) as Record<string, object>;

    expect([...readRights(written)].map(([path, rights]) => [path, [...rights.keys()]])).toEqual(
      Object.entries(written).map(([path, rights]) => [path, Object.keys(rights)]),
    );
  });

  test.each(answersTo(/\/tasks$/))('$file, with who did it', ({ file }) => {
    const authors = authorsIn(dataOf(file), Temporal.Instant.fromEpochMilliseconds(0));

    for (const author of authors.values()) expect(author).toMatch(/^[^@]+@\S+ \([a-z]+\)$/);
  });

  test.each(recordings.filter(({ status }) => status >= 400))('$file, as a refusal in words', ({ file, ...answer }) => {
    const body = JSON.stringify(readRecorded('proxmox', file));

    const trouble = troubleOf(answer.endpoint, { ...answer, body, headers: { get: () => null }, address: '' });

    expect(trouble).toMatchObject({ name: 'ProxmoxError', status: answer.status });
    expect(trouble?.message.length).toBeGreaterThan(20);
  });
});

test('two guests are born without a name, migrate by HA, start, and one is deleted', async () => {
  const folder = 'proxmox-go-sdk/TestHAResourceMigrate';
  const nodes = rowsOf(`${folder}/06_cluster_resources_type_node.json`);
  const moments = ['03', '04', '05', '11', '12'].map((number) =>
    rowsOf(`${folder}/${number}_cluster_resources_type_vm.json`),
  );
  const cluster = await startRecorded(nodes);
  const { discover, guests, item } = await startWorld({ clusters: { home: cluster } });
  const seen: unknown[] = [];

  for (const moment of moments) {
    cluster.show(moment);
    const { outcome } = await discover();
    seen.push([outcome, await guests()]);
  }

  const [one, two] = ['sdk-itest-migrate-1', 'sdk-itest-migrate-2'];
  expect(seen).toEqual([
    ['partial', []],
    ['good', [`A ${one} 9301 on pve: stopped`, `B ${two} 9302 on pve: stopped`]],
    ['good', [`A ${one} 9301 on pve2-dogfood: stopped`, `B ${two} 9302 on pve3-dogfood: stopped`]],
    ['good', [`A ${one} 9301 on pve: running`, `B ${two} 9302 on pve3-dogfood: running`]],
    ['good', [`A ${one} 9301 on pve: missing`, `B ${two} 9302 on pve3-dogfood: running`]],
  ]);
  const survivor = await item(two);
  expect(survivor.technical_specs).toEqual({
    vmid: 9302,
    node: 'pve3-dogfood',
    ha_state: 'started',
    booted_at: expect.any(String) as string,
    cpu_cores: 1,
    cpu_sockets: 1,
    memory_mb: 256,
    uuid: uuidOf(9302),
    starts_on_boot: false,
  });
  expect(await item('pve3-dogfood')).toMatchObject({
    ci_type: 'physical_server',
    ci_status: 'running',
    technical_specs: { cpu_cores: 4, memory_mb: 7939.789 },
  });
});

const uuidOf = (vmid: number) => `00000000-0000-4000-8000-00000000${vmid}`;

/** A cluster that shows recorded rows; the bodies of its guests, which were not recorded, are made. */
async function startRecorded(nodes: readonly Row[]): Promise<SimCluster & { show: (rows: readonly Row[]) => void }> {
  let guests: readonly Row[] = [];
  const answers: Readonly<Record<string, () => unknown>> = {
    '/access/permissions': () => ({ '/vms': { 'VM.Audit': 1 } }),
    '/version': () => ({ version: '9.2.0' }),
    '/cluster/resources': () => [...guests, ...nodes],
    '/cluster/tasks': () => [],
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://pve');
    const path = pathname.replace('/api2/json', '');
    const vmid = /\/qemu\/(\d+)\/config$/.exec(path)?.[1];
    const isTaken = guests.some((row) => said(row.vmid) === searchParams.get('vmid'));
    const config = vmid && {
      name: guests.find((row) => said(row.vmid) === vmid)?.name,
      memory: '256',
      smbios1: `uuid=${uuidOf(Number(vmid))}`,
    };
    const data = config ?? answers[path]?.();
    const status = path === '/cluster/nextid' ? (isTaken ? 400 : 200) : data === undefined ? 403 : 200;
    response
      .writeHead(status, { 'content-type': 'application/json;charset=UTF-8' })
      .end(JSON.stringify({ data: data ?? null }));
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  const cluster = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sim: { pass: () => undefined } };
  return {
    ...(cluster as unknown as SimCluster),
    show(rows) {
      guests = rows;
    },
  };
}
