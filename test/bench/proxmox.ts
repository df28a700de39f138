/**
 * Discovery of clusters of Proxmox VE: the first reading, and one of a cluster in which nothing changed, against the
 * very calls alone. The cluster is the simulator, which takes 20 ms for each answer, in a process of its own.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { addressOf, send, startService, stopped, temporaryFolder } from './service.ts';
import { type Figure, median, milliseconds } from './table.ts';

const token = 'sim@pve!test=00000000-0000-4000-8000-000000000001';
const latencyMs = 20;
const rounds = 7;
const firstLimitMs = 10_000;
const ratioLimit = 1.2;
const memoryLimitMb = 250;
const callsAtOnce = 6;

export async function benchProxmox(): Promise<Figure[]> {
  return [...(await readings(1000)), ...(await readings(5000))];
}

interface Run {
  outcome: string;
  error: string | null;
  updated: number;
  created: number;
  unchanged: number;
  started_at: string;
  finished_at: string;
}

async function readings(guests: number): Promise<Figure[]> {
  const cluster = await startCluster(guests);
  const home = temporaryFolder();
  writeSettings(home, cluster.url);
  const service = await startService(join(home, 'data'));
  try {
    const read = async () => {
      const began = performance.now();
      const { body } = await service.call('POST', '/api/v1/jobs/proxmox-home/run', JSON.stringify({ wait: true }));
      return { ms: performance.now() - began, run: JSON.parse(body.toString()) as Run };
    };
    await cluster.reset();
    const first = await read();
    if (first.run.outcome === 'failed') throw new Error(`The first reading failed: ${first.run.error}`);
    const { peak, connections, total } = await cluster.stats();

    const own: number[] = [];
    const alone: number[] = [];
    let calls = 0;
    // The systems of many guests are left to the next passes: until nothing is left to be read.
    for (let reading = 0; reading < 100; reading += 1) {
      await cluster.reset();
      await read();
      if ((await cluster.stats()).total <= 3) break;
    }
    const changesBefore = await countOfChanges(service);
    for (let round = 0; round < rounds; round += 1) {
      await cluster.reset();
      own.push((await read()).ms);
      calls = Math.max(calls, (await cluster.stats()).total);
      alone.push(await cluster.callsAlone());
    }
    const written = (await countOfChanges(service)) - changesBefore;
    const { residentMb } = await service.probe('look');
    const ratio = median(own.map((ms, round) => ms / (alone[round] as number)));
    return [
      {
        what: `first discovery, ${guests} guests, ${latencyMs} ms a call (${total} calls, ${connections} connections, ${peak} at once)`,
        against: '',
        ours: milliseconds(first.ms),
        ...(guests === 1000
          ? { limit: '10 s, 6 at once', isHeld: first.ms <= firstLimitMs && peak <= callsAtOnce }
          : { limit: '' }),
      },
      {
        what: `discovery again, ${guests} guests, nothing changed`,
        against: 'the same calls alone',
        theirs: milliseconds(median(alone)),
        ours: milliseconds(median(own)),
        ratio,
        limit: `${ratioLimit} x`,
        isHeld: ratio <= ratioLimit,
      },
      {
        what: `calls of a reading in which nothing changed, ${guests} guests; changes that it wrote`,
        against: '',
        ours: `${calls}; ${written}`,
        limit: '3; 0',
        isHeld: calls <= 3 && written === 0,
      },
      {
        what: `resident memory after that, ${guests} guests`,
        against: '',
        ours: `${Math.round(residentMb)} MB`,
        limit: `${memoryLimitMb} MB`,
        isHeld: residentMb <= memoryLimitMb,
      },
    ];
  } finally {
    await service.end();
    await cluster.end();
  }
}

async function countOfChanges(service: Awaited<ReturnType<typeof startService>>): Promise<number> {
  const { body } = await service.call('GET', '/api/v1/changes?limit=1');
  return (JSON.parse(body.toString()) as { count: number }).count;
}

function writeSettings(home: string, url: string): void {
  mkdirSync(join(home, 'data'), { recursive: true });
  writeFileSync(join(home, 'pve.token'), token, { mode: 0o600 });
  const cluster = { name: 'home', addresses: [url], token: 'file:pve.token' };
  const off = { schedule: 'off' };
  // YAML is a superset of JSON.
  const settings = { proxmox: { clusters: [cluster] }, jobs: { 'proxmox-home': off, 'proxmox-home-light': off } };
  writeFileSync(join(home, 'rollcall.yml'), JSON.stringify(settings));
}

interface Stats {
  total: number;
  peak: number;
  connections: number;
}

async function startCluster(guests: number) {
  const words = ['--port', '0', '--guests', String(guests), '--nodes', '5', '--latency', String(latencyMs)];
  const file = join(import.meta.dirname, '../sims/pve-sim.mjs');
  const child: ChildProcess = spawn(process.execPath, [file, ...words, '--quiet'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await addressOf(child);
  const control = async (path: string, method = 'GET') => {
    const { body } = await send(`${url}/__sim/${path}`, { method });
    return JSON.parse(body.toString()) as unknown;
  };
  const headers = { Authorization: `PVEAPIToken=${token}`, 'Accept-Encoding': 'gzip' };
  return {
    url,
    reset: () => control('reset', 'POST'),
    stats: async () => (await control('stats')) as Stats,
    /** What a reading in which nothing changed asks for, as it asks, one after the other. */
    async callsAlone(): Promise<number> {
      const began = performance.now();
      for (const path of ['access/permissions', 'cluster/status', 'cluster/resources']) {
        const { body, headers: answered } = await send(`${url}/api2/json/${path}`, { headers });
        JSON.parse((answered['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString());
      }
      return performance.now() - began;
    },
    end: () => stopped(child),
  };
}
