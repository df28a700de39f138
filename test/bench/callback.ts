/**
 * What the callback plugin costs a playbook. Whole runs vary by more than it takes, so the figure is a stopwatch around
 * what Ansible does for it, as a share of the very run; whole runs with and without it, in turns, stand beside it. Of
 * those the processor's time varies least, and shows what the stopwatch would miss.
 * What the stopwatch holds and what not is said in `timed.py`.
 */

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type AnsibleAge, ansibleAges, readTools } from '../tools/tools.ts';
import { mixedItems } from './estate.ts';
import { type Service, startService } from './service.ts';
import { type Figure, median, milliseconds } from './table.ts';

const plugins = join(import.meta.dirname, '../../ansible/plugins/callback');
const timed = join(import.meta.dirname, 'timed.py');
/** Nothing that a playbook does takes less: it is the plugin's worst case. A module starts a process on the host. */
const debug = { debug: { msg: 'hello' } };
const shapes: readonly Shape[] = [
  { hosts: 1, tasks: 200, action: debug, rounds: 3, isLimited: true },
  { hosts: 50, tasks: 40, action: debug, rounds: 2, isLimited: true },
  // Minutes each.
  { hosts: 500, tasks: 10, action: debug, rounds: 1, isLimited: true },
  { hosts: 10, tasks: 10, action: { command: 'true' }, rounds: 1, isLimited: false },
];
const mostShare = 0.03;

interface Shape {
  hosts: number;
  tasks: number;
  action: Record<string, unknown>;
  rounds: number;
  isLimited: boolean;
}

/** Where the time went, in seconds, as `timed.py` tells it. */
interface Took {
  load: number;
  start: number;
  results: number;
  posts: number;
  /** Of its hooks, and of the whole run with all processes of its tasks. */
  processor: number;
  whole: number;
}

interface Run {
  seconds: number;
  took: Took;
}

export async function benchCallback(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const shape of shapes) {
    const service = await startService();
    await service.call('POST', '/api/v1/ci/bulk', JSON.stringify({ items: mixedItems(shape.hosts) }));
    const folder = await projectOf(service, shape);
    for (const age of ansibleAges) figures.push(...(await costOf(service, folder, shape, age)));
    await service.end();
  }
  return figures;
}

async function costOf(service: Service, folder: string, shape: Shape, age: AnsibleAge): Promise<Figure[]> {
  const { hosts, tasks, action, rounds, isLimited } = shape;
  const withIt: Run[] = [];
  const without: Run[] = [];
  for (let round = 0; round < rounds; round += 1) {
    without.push(await run(folder, age, {}));
    withIt.push(await run(folder, age, reportingTo(service)));
    await expectResults(service, hosts * tasks);
  }
  // The run in the middle is told whole: its parts then belong together.
  const { took, seconds } = withIt.toSorted((a, b) => shareOf(a) - shareOf(b))[Math.floor(rounds / 2)] as Run;
  const parts = [`loading ${ms(took.load)}`, `start ${ms(took.start)}`, `posts ${ms(took.posts)}`];
  const each = Math.round((took.results / hosts / tasks) * 1e6);
  const inTurns = (measure: string, of: (run: Run) => number): Figure => {
    const [own, bare] = [median(withIt.map(of)), median(without.map(of))];
    return {
      what: `  whole runs, ${rounds} of each in turns: ${measure}`,
      against: 'the same without the plugin',
      theirs: ms(bare),
      ours: ms(own),
      ratio: own / bare,
      limit: '',
    };
  };
  return [
    {
      what: `callback, ansible-core ${readTools().ansible[age].version}, ${hosts} ${hosts === 1 ? 'host' : 'hosts'} x ${tasks} tasks (${Object.keys(action).join()}): in its hooks`,
      against: 'the whole of the same run',
      theirs: ms(seconds),
      ours: ms(inHooks(took)),
      ratio: shareOf({ took, seconds }),
      limit: isLimited ? `${mostShare} x` : '',
      ...(isLimited ? { isHeld: shareOf({ took, seconds }) <= mostShare } : {}),
    },
    {
      what: `  ${parts.join(', ')}, each result ${each} µs (with posts within the play); processor`,
      against: '',
      ours: ms(took.processor),
      limit: '',
    },
    inTurns('wall', ({ seconds }) => seconds),
    inTurns('processor', ({ took }) => took.whole),
  ];
}

const ms = (seconds: number) => milliseconds(seconds * 1000);

const inHooks = ({ load, start, results, posts }: Took) => load + start + results + posts;

const shareOf = ({ took, seconds }: Run) => inHooks(took) / seconds;

/** A checkout with a playbook, for hosts that the service knows and that all are this machine. */
async function projectOf(service: Service, { hosts, tasks, action }: Shape): Promise<string> {
  const folder = join(dirname(service.data), 'project');
  mkdirSync(folder);
  const { body } = await service.call('GET', '/api/v1/ci?limit=1000');
  const { items } = JSON.parse(body.toString()) as { items: { ci_id: string; ci_name: string }[] };
  const vars = { ansible_connection: 'local', ansible_python_interpreter: '{{ ansible_playbook_python }}' };
  const all = {
    vars: { ...vars, rollcall_inventory_version: '7-0123456789ab' },
    hosts: Object.fromEntries(
      items.slice(0, hosts).map(({ ci_id, ci_name }) => [ci_name, { rollcall: { id: ci_id } }]),
    ),
  };
  const play = {
    name: 'Everything',
    hosts: 'all',
    gather_facts: false,
    tasks: Array.from({ length: tasks }, (_, task) => ({ name: `Task number ${task}`, ...action })),
  };
  writeFileSync(join(folder, 'hosts.yml'), JSON.stringify({ all }));
  writeFileSync(join(folder, 'site.yml'), JSON.stringify([play]));
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...words], { cwd: folder });
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message', 'A playbook');
  return folder;
}

const reportingTo = (service: Service) => ({
  ANSIBLE_CALLBACK_PLUGINS: plugins,
  ANSIBLE_CALLBACKS_ENABLED: 'rollcall',
  ROLLCALL_URL: service.url,
  ROLLCALL_TOKEN: service.adminToken,
});

/** Throws where it fails, or says anything on stderr. */
async function run(folder: string, age: AnsibleAge, env: Record<string, string>): Promise<Run> {
  const { bin } = readTools().ansible[age];
  const report = join(folder, '../took.json');
  const began = performance.now();
  const child = spawn(join(bin, 'python3'), [timed, report, '-i', 'hosts.yml', 'site.yml'], {
    cwd: folder,
    env: { PATH: `${bin}:/usr/bin:/bin`, LANG: 'C.UTF-8', HOME: dirname(folder), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stderr = (await child.stderr.setEncoding('utf8').toArray()).join('');
  const code = await exit;
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0 || stderr !== '') throw new Error(`ansible-playbook ended with ${String(code)}: ${stderr}`);
  return { seconds, took: JSON.parse(readFileSync(report, 'utf8')) as Took };
}

/** What is fast because it reports nothing is not measured. */
async function expectResults(service: Service, count: number): Promise<void> {
  const { body } = await service.call('GET', '/api/v1/runs?limit=1');
  const { items } = JSON.parse(body.toString()) as { items: { totals: { ok: number } }[] };
  const arrived = items[0]?.totals.ok;
  if (arrived !== count) throw new Error(`Of ${count} results ${arrived} have arrived.`);
}
