/** What the inventory script costs Ansible, against a script that prints the same JSON with `cat`. */

import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AnsibleAge, readTools } from '../tools/tools.ts';
import { mixedItems } from './estate.ts';
import { type Service, startService } from './service.ts';
import { type Figure, median, milliseconds } from './table.ts';

const script = join(import.meta.dirname, '../../ansible/inventory.py');
const runs: readonly { age: AnsibleAge; hosts: number; rounds: number }[] = [
  { age: 'newest', hosts: 100, rounds: 9 },
  { age: 'newest', hosts: 1000, rounds: 7 },
  { age: 'oldest', hosts: 1000, rounds: 7 },
  { age: 'newest', hosts: 10_000, rounds: 3 },
];
const scriptRounds = 25;
const mostRatio = 1.05;
const mostCpuMs = 100;

interface Cost {
  wallMs: number;
  /** Of the program and all that it started, user and system. */
  cpuMs: number;
}

export async function benchAnsible(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const hosts of new Set(runs.map((run) => run.hosts))) {
    const service = await startService();
    await service.call('POST', '/api/v1/ci/bulk', JSON.stringify({ items: mixedItems(hosts) }));
    const world = await worldOf(service);
    const alone = await scriptAlone(world, hosts, figures);
    for (const run of runs.filter((one) => one.hosts === hosts)) {
      figures.push(...(await underAnsible(world, run, alone)));
    }
    await service.end();
  }
  return figures;
}

interface World {
  folder: string;
  cat: string;
  env: Record<string, string>;
}

/** A user with the token, and beside the script one that prints what it printed. */
async function worldOf(service: Service): Promise<World> {
  const folder = join(dirname(service.data), 'ansible');
  mkdirSync(folder);
  const env = {
    ROLLCALL_URL: service.url,
    ROLLCALL_TOKEN: service.adminToken,
    ROLLCALL_CACHE_DIR: join(folder, 'cache'),
  };
  const world = { folder, env, cat: join(folder, 'cat.sh') };
  const printed = await run(world, 'newest', script, ['--list']);
  writeFileSync(join(folder, 'inventory.json'), printed.stdout);
  writeFileSync(world.cat, `#!/bin/sh\nexec cat ${join(folder, 'inventory.json')}\n`);
  chmodSync(world.cat, 0o755);
  return world;
}

/** The script against cat, without Ansible: the one measure of it that Ansible's own noise does not drown. */
async function scriptAlone(world: World, hosts: number, figures: Figure[]): Promise<{ wallMs: number; cpuMs: number }> {
  const { ours, theirs } = await inTurns(scriptRounds, (program) => run(world, 'newest', program, ['--list']), world);
  const extra = { wallMs: ours.wallMs - theirs.wallMs, cpuMs: ours.cpuMs - theirs.cpuMs };
  figures.push({
    what: `inventory.py --list alone, ${hosts} hosts: wall (processor ${milliseconds(ours.cpuMs)} against ${milliseconds(theirs.cpuMs)})`,
    against: 'a script that cats the same JSON',
    theirs: milliseconds(theirs.wallMs),
    ours: milliseconds(ours.wallMs),
    limit: hosts === 1000 ? `${mostCpuMs} ms of processor above it` : '',
    ...(hosts === 1000 ? { isHeld: extra.cpuMs <= mostCpuMs } : {}),
  });
  return extra;
}

async function underAnsible(
  world: World,
  { age, hosts, rounds }: (typeof runs)[number],
  extra: { wallMs: number; cpuMs: number },
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [command, words] of [
    ['ansible-inventory', (inventory: string) => ['-i', inventory, '--list']],
    ['ansible', (inventory: string) => ['all', '-i', inventory, '--list-hosts']],
  ] as const) {
    const program = join(readTools().ansible[age].bin, command);
    const { ours, theirs } = await inTurns(rounds, (inventory) => run(world, age, program, words(inventory)), world);
    // Ansible itself varies by more than the script takes, so its share is told by what the script takes alone.
    const share = (theirs.wallMs + extra.wallMs) / theirs.wallMs;
    const isLimited = command === 'ansible-inventory' && hosts === 10_000;
    figures.push(
      {
        what: `${command} ${readTools().ansible[age].version}, ${hosts} hosts: as it was measured, wall`,
        against: 'a script that cats the same JSON',
        theirs: milliseconds(theirs.wallMs),
        ours: milliseconds(ours.wallMs),
        ratio: ours.wallMs / theirs.wallMs,
        limit: '',
      },
      {
        what: '  processor, of Ansible and the script',
        against: '',
        theirs: milliseconds(theirs.cpuMs),
        ours: milliseconds(ours.cpuMs),
        ratio: ours.cpuMs / theirs.cpuMs,
        limit: '',
      },
      {
        what: '  its time with cat, and what the script alone takes longer than cat',
        against: '',
        theirs: milliseconds(theirs.wallMs),
        ours: milliseconds(theirs.wallMs + extra.wallMs),
        ratio: share,
        limit: isLimited ? `${mostRatio} x` : '',
        ...(isLimited ? { isHeld: share <= mostRatio } : {}),
      },
    );
  }
  return figures;
}

/** Medians of both sides, in turns; the first of each warms up and does not count. */
async function inTurns(rounds: number, measure: (inventory: string) => Promise<Cost>, { cat }: World) {
  const theirs: Cost[] = [];
  const ours: Cost[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    theirs.push(await measure(cat));
    ours.push(await measure(script));
  }
  const middle = (costs: Cost[]): Cost => ({
    wallMs: median(costs.slice(1).map((cost) => cost.wallMs)),
    cpuMs: median(costs.slice(1).map((cost) => cost.cpuMs)),
  });
  return { ours: middle(ours), theirs: middle(theirs) };
}

// Python waits for the program, since it alone can say what its descendants took.
const measured = `
import json, resource, subprocess, sys, time
began = time.monotonic()
code = subprocess.call(sys.argv[1:])
wall = time.monotonic() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.stderr.write("\\nmeasured " + json.dumps([code, wall, used.ru_utime + used.ru_stime]))
`;

/** Runs a program as where nothing is configured. Throws where it fails. */
async function run(
  world: World,
  age: AnsibleAge,
  program: string,
  words: readonly string[],
): Promise<Cost & { stdout: string }> {
  const { bin } = readTools().ansible[age];
  const child = spawn(join(bin, 'python3'), ['-c', measured, program, ...words], {
    cwd: world.folder,
    env: { PATH: `${bin}:/usr/bin:/bin`, LANG: 'C.UTF-8', HOME: world.folder, ...world.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
  ]);
  const told = stderr.join('').split('\nmeasured ');
  const [code, wall, cpu] = JSON.parse(told[1] ?? '[1,0,0]') as [number, number, number];
  if (code !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${code}: ${told[0]}`);
  return { stdout: stdout.join(''), wallMs: wall * 1000, cpuMs: cpu * 1000 };
}
