/**
 * Puts in place what the tests run with beyond npm: the oldest and the newest ansible-core that this
 * machine's Python takes, Ansible's own callback that tells a run as JSON, ruff, Bitwarden's CLI, Chromium and what
 * systemd has to say of units. What is there is kept;
 * delete `.tools` for newer ones.
 */

import { execFile } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { alone, environmentIn, findPython, MissingError, makeEnvironment, type Python, pip, ruff } from './python.ts';
import { type AnsibleAge, type AnsibleTools, readTools, type Tools, toolsFolder } from './tools.ts';

const execute = promisify(execFile);
const oldestMinor = 14;
const newestMinor = 40;

// It has the callback as it works with every ansible-core from 2.14 on.
const communityVersion = '7.7.0';
const unpackCallback = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    posix = "ansible_collections/ansible/posix/"
    wanted = ("MANIFEST.json", "COPYING", "meta/runtime.yml", "plugins/callback/json.py")
    wheel.extractall(sys.argv[2], [posix + name for name in wanted])
`;

// A release must fit the server; this one was tried against the stand-in for one, `test/sims/vaultwarden-sim.mjs`.
const bitwardenVersion = '2026.6.0';

const say = (line: string) => process.stdout.write(`prepare: ${line}\n`);

try {
  const tools = (await toolsInPlace()) ?? (await alone(async () => (await toolsInPlace()) ?? (await prepare())));
  const { oldest, newest } = tools.ansible;
  say(`ready: ansible-core ${oldest.version} and ${newest.version}, ruff, bw, Chromium, systemd-analyze`);
} catch (error) {
  const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  process.stderr.write(`prepare: ${error instanceof MissingError ? error.message : `${String(error)}\n${output}`}\n`);
  process.exitCode = 1;
}

/** What an earlier run noted, if all of it is still there and runs. */
async function toolsInPlace(): Promise<Tools | undefined> {
  try {
    const tools = readTools();
    const { oldest, newest } = tools.ansible;
    const programs = [
      tools.ruff,
      tools.chromium,
      tools.systemdAnalyze,
      tools.python,
      tools.collections,
      tools.bw,
      join(oldest.bin, 'ansible'),
      join(newest.bin, 'ansible'),
    ];
    // An earlier version of this noted less.
    if (!programs.every((path: string | undefined) => path !== undefined && existsSync(path))) return undefined;
    if (environmentIn('ansible-oldest') !== oldest.bin || environmentIn('ansible-newest') !== newest.bin)
      return undefined;
    const versions = await Promise.all([versionIn(oldest.bin), versionIn(newest.bin)]);
    return versions[0] === oldest.version && versions[1] === newest.version ? tools : undefined;
  } catch {
    return undefined;
  }
}

async function prepare(): Promise<Tools> {
  const python = findPython();
  const [oldest, newest, ruffPath, bw, found] = await Promise.all([
    ansible('oldest', python, (bin) => oldestFor(bin, python)),
    ansible('newest', python, () => `ansible-core>=2.${oldestMinor}`),
    ruff(),
    bitwarden(),
    programs(),
  ]);
  const collections = await jsonCallback(newest.bin);
  const tools: Tools = { ansible: { oldest, newest }, collections, ...found, ruff: ruffPath, python: python.path, bw };
  const draft = join(toolsFolder, `tools.json.${process.pid}`);
  writeFileSync(draft, JSON.stringify(tools, null, 2));
  renameSync(draft, join(toolsFolder, 'tools.json'));
  return tools;
}

async function ansible(
  age: AnsibleAge,
  python: Python,
  requirement: (bin: string) => string | Promise<string>,
): Promise<AnsibleTools> {
  const name = `ansible-${age}`;
  const there = environmentIn(name);
  if (there) {
    const version = await versionIn(there).catch(() => undefined);
    if (version) return { version, bin: there };
  }
  say(`installing the ${age} ansible-core for Python ${python.version} into .tools/${name}`);
  const bin = await makeEnvironment(name, python, requirement);
  return { version: await versionIn(bin), bin };
}

/** From PyPI, where Ansible's collections come as one package: Galaxy is another place to reach. */
async function jsonCallback(bin: string): Promise<string> {
  const folder = join(toolsFolder, `ansible-json-${communityVersion}`);
  if (existsSync(folder)) return folder;
  say(`fetching the callback ansible.posix.json of Ansible ${communityVersion}`);
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  const words = ['--quiet', '--no-cache-dir', '--no-deps', '--only-binary', ':all:', '--ignore-requires-python'];
  await pip(bin, ['download', ...words, '--dest', draft, `ansible==${communityVersion}`]);
  const wheel = readdirSync(draft).find((name) => name.endsWith('.whl')) as string;
  await execute(join(bin, 'python'), ['-I', '-c', unpackCallback, join(draft, wheel), draft]);
  rmSync(join(draft, wheel));
  renameSync(draft, folder);
  return folder;
}

/** From npm, in a folder of its own: of its 223 packages none is among ours. */
async function bitwarden(): Promise<string> {
  const folder = join(toolsFolder, `bitwarden-cli-${bitwardenVersion}`);
  const bw = join(folder, 'node_modules/.bin/bw');
  if (existsSync(bw)) return bw;
  say(`fetching the CLI of Bitwarden ${bitwardenVersion}`);
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  const words = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save', '--loglevel', 'error'];
  await execute('npm', ['install', '--prefix', draft, ...words, `@bitwarden/cli@${bitwardenVersion}`]);
  renameSync(draft, folder);
  return bw;
}

/** The oldest release that names this Python as one of its own: the only upper bound that ansible-core states. */
async function oldestFor(bin: string, python: Python): Promise<string> {
  for (let minor = oldestMinor; minor <= newestMinor; minor += 1) {
    const wanted = `ansible-core>=2.${minor},<2.${minor + 1}`;
    const report = await pip(bin, ['install', '--quiet', '--dry-run', '--no-deps', '--report', '-', wanted]).catch(
      () => '',
    );
    if (!report) continue;
    const { install } = JSON.parse(report) as { install: { metadata: { version: string; classifier?: string[] } }[] };
    const metadata = install[0]?.metadata;
    if (metadata?.classifier?.includes(`Programming Language :: Python :: ${python.version}`)) {
      return `ansible-core==${metadata.version}`;
    }
  }
  throw new MissingError(
    `No ansible-core from 2.${oldestMinor} on is made for Python ${python.version}, or PyPI is not reached.`,
  );
}

async function versionIn(bin: string): Promise<string> {
  const program = 'from ansible.release import __version__; print(__version__)';
  const { stdout } = await execute(join(bin, 'python'), ['-I', '-c', program]);
  return stdout.trim();
}

function find(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

/** On the PATH by one of its names, or as a Debian package. */
async function program(names: readonly string[], packageName: string): Promise<string> {
  const found = find(names);
  if (found) return found;
  const missing = `The tests need ${names[0]} on the PATH: install the package ${packageName}.`;
  if (process.getuid?.() !== 0 || !find(['apt-get'])) throw new MissingError(missing);
  say(`installing ${packageName} by apt-get`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const output = { env, maxBuffer: 64 * 1024 * 1024 };
  await execute('apt-get', ['update', '-q'], output);
  await execute('apt-get', ['install', '-q', '-y', '--no-install-recommends', packageName], output);
  const installed = find(names);
  if (!installed) throw new MissingError(missing);
  return installed;
}

/** One after the other: apt-get is for one at a time. */
async function programs(): Promise<Pick<Tools, 'chromium' | 'systemdAnalyze'>> {
  const chromium = await program(['chromium', 'chromium-browser', 'google-chrome'], 'chromium');
  return { chromium, systemdAnalyze: await program(['systemd-analyze'], 'systemd') };
}
