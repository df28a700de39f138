/** A project of playbooks that reports to a service, and what of it has arrived. */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type AnsibleAge, emptyFolder, type Outcome, runAnsible } from '../ansible/run-ansible.ts';
import { readTools } from '../tools/tools.ts';
import type { Call } from './recorder.ts';

export const plugin = new URL('../../ansible/plugins/callback/rollcall.py', import.meta.url).pathname;
/** The plugin, but with parts of a few results: whole plays of the tests fit into one of its own. */
export const ofSmallParts = readFileSync(plugin, 'utf8').replace('PART_RESULTS = 5000', 'PART_RESULTS = 4');
const reference = new URL('reference.py', import.meta.url).pathname;
export const token = 'token-of-this-test';

export const idOf = (host: string) => `00000000-0000-7000-8000-${host.padStart(12, '0').replaceAll(/[^0-9a-f]/g, '0')}`;

/** What the inventory script gives, of hosts that are all this machine. */
export function inventoryOf(...hosts: string[]): string {
  const lines = hosts.map((host) => `    ${host}: {rollcall: {id: "${idOf(host)}"}}`);
  return `all:
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    rollcall_inventory_version: 7-0123456789ab
  hosts:
${lines.join('\n')}
`;
}

/** Two plays of one task each, on one host: what a test runs where it is not about the playbook. */
export const small = `
- {name: one, hosts: a, gather_facts: false, tasks: [{name: first, debug: {msg: hello}}]}
- {name: two, hosts: a, gather_facts: false, tasks: [{name: second, debug: {msg: hello}}]}
`;

const action = (lines: string) => `
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp=None, task_vars=None):
        ${lines}
`;

/** An action that starts no process. */
export const returnsWhatItIsGiven = action('return self._task.args["result"]');

/** In the place of `setup`, which takes as long as all else in a test. */
export const gathers = (facts: object) =>
  action(`import json; return {"ansible_facts": json.loads(${JSON.stringify(JSON.stringify(facts))})}`);

export interface Project {
  folder: string;
  spool: string;
  env: Record<string, string>;
  play: (words?: readonly string[], env?: Record<string, string>) => Promise<Outcome>;
  /** The same with hands on it. */
  start: (env?: Record<string, string>, through?: readonly string[]) => Started;
  /** What Ansible itself called, in order. */
  heard: () => Event[];
  /** The calls that wait for the service. */
  spooled: () => Call[];
  files: () => string[];
}

export interface Started {
  pid: number;
  kill: (signal: NodeJS.Signals) => void;
  done: Promise<Outcome>;
}

/** A hook as Ansible called it; what else stands in it depends on which. */
export interface Event {
  hook: string;
  host?: string;
  task_id?: string;
  task?: string;
  name?: string;
  handler?: boolean;
  changed?: boolean;
  ignored?: boolean;
}

export interface ProjectOptions {
  age?: AnsibleAge;
  url: string;
  hosts?: readonly string[];
  files?: Readonly<Record<string, string>>;
  /** The text of the plugin, where a test needs another. */
  text?: string;
  env?: Record<string, string>;
}

export function project(options: ProjectOptions): Project {
  const folder = emptyFolder();
  const age = options.age ?? 'newest';
  const files = { 'site.yml': small, 'hosts.yml': inventoryOf(...(options.hosts ?? ['a'])), ...options.files };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const plugins = join(folder, 'plugins');
  mkdirSync(plugins);
  if (options.text) writeFileSync(join(plugins, 'rollcall.py'), options.text);
  else symlinkSync(plugin, join(plugins, 'rollcall.py'));
  symlinkSync(reference, join(plugins, 'reference.py'));
  const spool = join(folder, 'spool');
  const log = join(folder, 'reference.log');
  const env = given({
    ANSIBLE_CALLBACK_PLUGINS: plugins,
    ANSIBLE_CALLBACKS_ENABLED: 'rollcall,reference',
    ANSIBLE_LOCALHOST_WARNING: 'false',
    REFERENCE_LOG: log,
    ROLLCALL_URL: options.url,
    ROLLCALL_TOKEN: token,
    ROLLCALL_SPOOL_DIR: spool,
    TERM: 'dumb',
    ...options.env,
  });
  const list = () => (existsSync(spool) ? readdirSync(spool).sort() : []);
  return {
    folder,
    spool,
    env,
    play: (words = ['site.yml'], more = {}) =>
      runAnsible(age, 'ansible-playbook', ['-i', 'hosts.yml', ...words], { cwd: folder, env: { ...env, ...more } }),
    start: (more = {}, through = []) => started(age, folder, { ...env, ...more }, through),
    heard: () => (existsSync(log) ? linesOf(log) : []),
    spooled: () => list().map((name) => spooledCall(join(spool, name))),
    files: list,
  };
}

function started(age: AnsibleAge, cwd: string, env: Record<string, string>, through: readonly string[]): Started {
  const { bin } = readTools().ansible[age];
  const [program, ...words] = [...through, join(bin, 'ansible-playbook'), '-i', 'hosts.yml', 'site.yml'];
  const child = spawn(program, words, {
    cwd,
    env: { PATH: `${bin}:/usr/bin:/bin`, LANG: 'C.UTF-8', HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that a signal to it reaches what a terminal's would.
    detached: true,
  });
  const done = Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    }),
  ]).then(([stdout, stderr, code]) => ({ code, stdout: stdout.join(''), stderr: stderr.join('') }));
  const pid = child.pid as number;
  return { pid, kill: (signal) => process.kill(-pid, signal), done };
}

/** A variable that is set to nothing is not set. */
const given = (env: Record<string, string>) =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));

const linesOf = (path: string): Event[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);

function spooledCall(path: string): Call {
  const data = readFileSync(path);
  const end = data.indexOf('\n');
  const head = JSON.parse(data.subarray(0, end).toString()) as { path: string };
  const [, run = '', what = ''] = /^\/api\/v1\/runs\/([^/]+)(.*)$/.exec(head.path) ?? [];
  return { run, what, body: JSON.parse(gunzipSync(data.subarray(end + 1)).toString()), token: undefined };
}
