/** A cluster of Proxmox VE for a test, and the service that reads it, on one clock that the test moves. */

import { onTestFinished } from 'vitest';
import { listRuns } from '../../src/jobs/store.ts';
import type { Logger } from '../../src/log.ts';
import { type Service, startService } from '../service.ts';
import { type Sim, type SimGuest, type SimRule, type SimStats, startSim } from '../sims/pve-sim.mjs';

export const beginning = '2026-03-02T10:00:00Z';
export const secret = '00000000-0000-4000-8000-000000000001';
export const tokenId = 'sim@pve!test';

export interface SimCluster {
  sim: Sim;
  url: string;
  /** A guest that runs on pve1 with one card and an agent that answers, unless told otherwise. */
  guest: (name: string, values?: Record<string, unknown>) => SimGuest;
  do: (op: string, params?: Record<string, unknown>) => void;
  fault: (rule: SimRule) => void;
  /** Of the calls since it was asked last, by path. */
  calls: () => Record<string, number>;
  truth: (vmid: number) => SimGuest;
}

export async function startCluster(options: readonly string[] = []): Promise<SimCluster> {
  const sim = await startSim(['--port', '0', '--now', beginning, '--guests', '0', '--nodes', '2', ...options]);
  onTestFinished(() => sim.close());
  const truth = (vmid: number) => sim.truth().guests.find((guest) => guest.vmid === vmid) as SimGuest;
  return {
    sim,
    url: sim.url,
    guest(name, { type = 'qemu', node = 'pve1', vmid, ...values } = {}) {
      const made = sim.do('create', { name, type, node, ...(vmid === undefined ? {} : { vmid }) }) as SimGuest & {
        nics: Record<string, unknown>[];
      };
      const [nic] = made.nics;
      const nics = [{ ...nic, model: 'virtio', bridge: 'vmbr0', vlan: 20, v6: undefined, down: false }];
      sim.do('set', { vmid: made.vmid, values: { ...plain, nics, ...values } });
      return truth(made.vmid);
    },
    do: (op, params) => void sim.do(op, params),
    fault: (rule) => sim.fault(rule),
    calls() {
      const { paths } = sim.stats() as SimStats;
      sim.resetStats();
      return paths;
    },
    truth,
  };
}

const plain = {
  agent: '1',
  agentState: 'ok',
  win: false,
  os: ['debian', 'Debian GNU/Linux', 'Debian GNU/Linux 12 (bookworm)', '12', '6.1.0-28-amd64'],
  ostype: 'l26',
  cores: 2,
  sockets: 1,
  memMiB: 2048,
  diskGiB: 32,
  storage: 'local-lvm',
  tags: [],
  tagSep: ';',
  docker: false,
  k8s: false,
  vpn: false,
  cloudinit: false,
  dhcp: false,
  snaps: 0,
  onboot: undefined,
  paused: false,
  lock: undefined,
  hastate: undefined,
  pool: undefined,
  desc: undefined,
  cs: false,
};

export type Row = Record<string, unknown>;
export interface Ran {
  outcome: string;
  error: string | null;
  counts: Record<string, number>;
}

export interface World extends Service {
  /** Runs the job once some time has gone by, and answers how it went. */
  discover: (options?: { light?: boolean; cluster?: string; after?: Temporal.DurationLike }) => Promise<Ran>;
  light: (cluster?: string) => Promise<Ran>;
  get: (path: string) => Promise<Row[]>;
  item: (name: string) => Promise<Row>;
  /** By name, the status of all guests. */
  statuses: () => Promise<Record<string, unknown>>;
  /** A line for each guest, with a letter for the item that it is, and its generation where that is not the first. */
  guests: () => Promise<string[]>;
  /** Names of guests in the inventory. */
  hosts: () => Promise<string[]>;
}

export interface WorldOptions {
  /** By name; the one is called home unless told otherwise. */
  clusters: Record<string, SimCluster | readonly SimCluster[]>;
  /** Of each cluster. */
  cluster?: Row;
  /** By cluster, where it stands. */
  sites?: Record<string, string>;
  settings?: Row;
  log?: Logger;
  folder?: string;
}

/** Values of a row as one line. */
export const said = (...values: readonly unknown[]): string => values.map(String).join(' ');

const letterA = 'A'.codePointAt(0) as number;
/** Those of one moment in the order of their numbers. */
const byAge = (a: Row, b: Row) => String(a.created_at).localeCompare(String(b.created_at)) || numberOf(a) - numberOf(b);
const numberOf = ({ technical_specs }: Row) => Number((technical_specs as Row).vmid);
const isGuest = ({ ci_type }: Row) => ci_type === 'virtual_machine' || ci_type === 'lxc_container';

export async function startWorld({
  clusters,
  cluster = {},
  settings = {},
  sites = {},
  log,
  folder,
}: WorldOptions): Promise<World> {
  const names = Object.keys(clusters);
  const sims = Object.values(clusters).flat();
  const off = { schedule: 'off' };
  const jobs = Object.fromEntries(
    names.flatMap((name) => [
      [`proxmox-${name}`, off],
      [`proxmox-${name}-light`, off],
    ]),
  );
  const { proxmox = {}, ...others } = settings;
  const service = await startService({
    startsAt: beginning,
    ...(log ? { log } : {}),
    ...(folder ? { folder } : {}),
    env: { PVE_TOKEN: `${tokenId}=${secret}` },
    settings: {
      jobs: { ...jobs, sweep: off, backup: off },
      proxmox: {
        clusters: Object.entries(clusters).map(([name, at]) => ({
          name,
          addresses: [at].flat().map(({ url }) => url),
          token: 'env:PVE_TOKEN',
          ...(sites[name] === undefined ? {} : { site: sites[name] }),
          ...cluster,
        })),
        ...(proxmox as Row),
      },
      ...others,
    },
  });
  const moveOn = (time: Temporal.DurationLike) => {
    const before = service.now();
    service.pass(time);
    const seconds = service.now().since(before).total('seconds');
    for (const { sim } of sims) sim.pass(seconds);
  };
  const get = async (path: string) => ((await service.call('GET', path)).body as { items: Row[] }).items;
  const letters: unknown[] = [];
  const world: World = {
    ...service,
    pass: moveOn,
    async discover({ light = false, cluster: name = 'home', after = { minutes: 2 } } = {}) {
      world.pass(after);
      const job = `proxmox-${name}${light ? '-light' : ''}`;
      // What it failed with is in its run.
      await service.app.runJob(job).catch(() => undefined);
      const { rows } = await listRuns(service.app.store.read, { job }, 1);
      const { outcome, error, counts } = rows[0] as unknown as Ran;
      return { outcome, error, counts };
    },
    light: (name = 'home') => world.discover({ light: true, cluster: name }),
    get,
    async item(name) {
      const found = await get(`/ci?ci_name=${encodeURIComponent(name)}`);
      if (found.length !== 1) throw new Error(`${found.length} items are called ${name}.`);
      return found[0] as Row;
    },
    async statuses() {
      const items = (await get('/ci?limit=1000')).filter(isGuest);
      return Object.fromEntries(items.map(({ ci_name, ci_status }) => [ci_name, ci_status]));
    },
    async guests() {
      const items = (await get('/ci?limit=1000')).filter(isGuest);
      for (const { ci_id } of items.sort(byAge)) if (!letters.includes(ci_id)) letters.push(ci_id);
      const lines = items.map(({ ci_id, ci_name, ci_status, generation, technical_specs }) => {
        const { vmid, node } = technical_specs as Row;
        const letter = String.fromCodePoint(letterA + letters.indexOf(ci_id));
        const body = `${letter}${generation === 1 ? '' : String(generation)}`;
        return said(body, ci_name, vmid, 'on', `${String(node)}:`, ci_status);
      });
      return lines.sort();
    },
    async hosts() {
      const { body } = await service.call('GET', '/inventory');
      const hosts = (body as { _meta: { hostvars: Record<string, { rollcall: { vmid: number | null } }> } })._meta
        .hostvars;
      return Object.keys(hosts)
        .filter((name) => hosts[name]?.rollcall.vmid !== null)
        .sort();
    },
  };
  return world;
}

/** One cluster of two nodes, called home, and the service that reads it. */
export async function startHome(
  options: Omit<WorldOptions, 'clusters'> & { sim?: readonly string[] } = {},
): Promise<World & { home: SimCluster }> {
  const home = await startCluster(options.sim);
  return { ...(await startWorld({ ...options, clusters: { home } })), home };
}
