/**
 * Runs the real `ansible-inventory` over a copy of an inventory. Of the user's settings it has those that change how
 * files are read, and never a vault password: what is encrypted comes back as it is.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { type Environment, readEnvironment } from '../environment.ts';
import { StartError } from '../errors.ts';
import { linesOf, valueIn } from './ini.ts';
import type { CopiedFile, InventoryCopy } from './inventory-copy.ts';
import { type Places, placesIn } from './inventory-places.ts';
import { wrong } from './machines-file.ts';

export interface Told {
  /** `--list`: the variables of each host, all that it has from its groups among them. */
  listed: string;
  /** `--list --export`: the variables of each host and group, each its own. */
  exported: string;
  /** What Ansible warns of. */
  warnings: string[];
}

/** Throws StartError with the file and the line of what Ansible cannot read. */
export async function askAnsible(program: string, copy: InventoryCopy, signal: AbortSignal): Promise<Told> {
  const env = cleanEnvironment(copy.folder);
  // Where it is run, group_vars would count as those of playbooks.
  const cwd = join(copy.folder, 'empty');
  mkdirSync(cwd, { mode: 0o700 });
  const words = ['--list', ...copy.sources.flatMap((source) => ['-i', source.copy])];
  const [listed, exported] = await Promise.all([
    run(program, words, { cwd, env, signal }),
    run(program, [...words, '--export'], { cwd, env, signal }),
  ]);
  const failed = [listed, exported].find(({ code }) => code !== 0);
  if (failed) throw wrong(copy.sources.map(({ shown }) => shown).join(' '), faultsIn(failed.stderr, copy));
  return { listed: listed.stdout, exported: exported.stdout, warnings: warningsIn(listed.stderr, copy) };
}

/** The program as it is named, or where PATH has it. Throws StartError that says how to get it. */
export function findAnsibleInventory(named: string | undefined): string {
  const env = readEnvironment();
  const name = named ?? (env.ROLLCALL_ANSIBLE_INVENTORY || 'ansible-inventory');
  const candidates = name.includes('/')
    ? [resolve(name)]
    : (env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new StartError(
    named === undefined && !env.ROLLCALL_ANSIBLE_INVENTORY
      ? 'An import needs Ansible on this machine, and PATH has no ansible-inventory. Install it ("pipx install ansible-core", or your system\'s package ansible-core), or name the program with --ansible-inventory.'
      : `There is no program ${name}.`,
  );
}

/** By their variable and their place in ansible.cfg: what changes how the files of an inventory are read. */
const kept = [
  ['ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS', 'defaults', 'force_valid_group_names'],
  ['ANSIBLE_HASH_BEHAVIOUR', 'defaults', 'hash_behaviour'],
  ['ANSIBLE_YAML_FILENAME_EXT', 'defaults', 'yaml_valid_extensions'],
  ['ANSIBLE_INVENTORY_IGNORE', 'defaults', 'inventory_ignore_extensions'],
  ['ANSIBLE_INVENTORY_IGNORE', 'inventory', 'ignore_extensions'],
  ['ANSIBLE_INVENTORY_IGNORE_REGEX', 'defaults', 'inventory_ignore_patterns'],
  ['ANSIBLE_INVENTORY_IGNORE_REGEX', 'inventory', 'ignore_patterns'],
] as const;

function cleanEnvironment(folder: string): Record<string, string> {
  const env = readEnvironment();
  const file = join(folder, 'ansible.cfg');
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary, { mode: 0o700 });
  writeFileSync(
    file,
    `[defaults]\nlocal_tmp = ${temporary}\ndeprecation_warnings = false\n[inventory]\nany_unparsed_is_failed = true\nunparsed_is_failed = true\n`,
    { mode: 0o600 },
  );
  const own = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('ANSIBLE_'),
  );
  // Python takes no other locale.
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG ? {} : { LANG: 'C.UTF-8' };
  return { ...Object.fromEntries(own), ...locale, ...keptSettings(env), ANSIBLE_CONFIG: file, ANSIBLE_NOCOLOR: '1' };
}

function keptSettings(env: Environment): Record<string, string> {
  // In the order in which Ansible looks for it.
  const file = [env.ANSIBLE_CONFIG, 'ansible.cfg', join(homedir(), '.ansible.cfg'), '/etc/ansible/ansible.cfg'].find(
    (path) => path !== undefined && path !== '' && existsSync(path),
  );
  const lines = file === undefined ? [] : linesOf(readFileSync(file, 'utf8'));
  return Object.fromEntries(
    kept.flatMap(([variable, section, key]) => {
      const value = env[variable] ?? valueIn(lines, section, key);
      return value === undefined || value === '' ? [] : [[variable, value]];
    }),
  );
}

interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function run(
  program: string,
  words: readonly string[],
  options: { cwd: string; env: Record<string, string>; signal: AbortSignal },
): Promise<Ran> {
  // A session of its own, so that all that it starts is ended with it, and nothing asks a terminal for a password.
  const child = spawn(program, words, {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.signal.addEventListener('abort', () => child.pid !== undefined && process.kill(-child.pid), { once: true });
  const ended = new Promise<number | null>((done, fail) => {
    child.once('close', done).once('error', fail);
  });
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    ended.catch((error: Error) => {
      throw new StartError(`${program} cannot be run: ${error.message}.`, { cause: error });
    }),
  ]);
  return { code, stdout: stdout.join(''), stderr: stderr.join('') };
}

/** What Ansible printed, one text for each thing it says, without the breaks that it makes at 79 columns. */
function blocksOf(stderr: string): string[] {
  return stderr
    .split(/^(?=\[[A-Z ]+\]:|ERROR!)/m)
    .map((block) =>
      block
        .replaceAll(/(\w-)\n(?=\S)/g, '$1')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .filter((block) => block !== '');
}

function warningsIn(stderr: string, copy: InventoryCopy): string[] {
  return blocksOf(stderr)
    .filter((block) => block.startsWith('[WARNING]'))
    .map((block) => withOriginals(block.replace(/^\[WARNING\]:\s*/, ''), copy));
}

/** The copies are gone when it is read. */
function withOriginals(text: string, { files, sources }: InventoryCopy): string {
  // A longer path may begin with a shorter one.
  const longestFirst = [...files, ...sources].sort((a, b) => b.copy.length - a.copy.length);
  return longestFirst.reduce((told, { copy, shown }) => told.replaceAll(copy, shown), text);
}

/** `hosts.ini:3: Expected key=value host variable assignment, got: foo` for each file that Ansible cannot read. */
export function faultsIn(stderr: string, copy: InventoryCopy): string[] {
  const { files } = copy;
  const blocks = blocksOf(stderr);
  const places = placesIn(files);
  const faults = files.flatMap((file) => {
    const own = blocks.filter((block) => block.includes(file.copy) && isOfItsKind(block, file));
    if (own.length === 0) return [];
    const placed = own.map((block) => placedFault(block, file, places));
    return [placed.find(({ hasLine }) => hasLine)?.text ?? (placed[0]?.text as string)];
  });
  if (faults.length > 0) return faults;
  // A file of variables that cannot be read is not named by every version.
  const inYaml = files.flatMap((file) => places.yamlFault(file) ?? []);
  if (inYaml.length > 0) return inYaml;
  const unread = copy.sources.filter((source) =>
    blocks.some((block) => block.endsWith(`inventory source ${source.copy}`)),
  );
  return unread.length > 0 ? unread.map(nothingIn) : blocks.map((block) => withOriginals(block, copy));
}

/** Ansible found no file there that it reads. */
export function nothingIn({ copy, shown }: { copy: string; shown: string }): string {
  const hasIni = statSync(copy).isDirectory() && readdirSync(copy).some((name) => name.endsWith('.ini'));
  return `${shown}: Ansible reads no host from it.${hasIni ? ' In a folder it skips *.ini: name each of these files.' : ''}`;
}

/** Each plugin is tried in turn, and what the others say of the file is of no use. */
function isOfItsKind(block: string, file: CopiedFile): boolean {
  if (/Completely failed to parse/.test(block)) return false;
  const plugin = /Failed to parse (?:\S+|inventory) with '?([\w.]+)'? plugin/.exec(block)?.[1]?.replace(/^.*\./, '');
  if (plugin === undefined) return true;
  if (file.isExecutable) return plugin === 'script';
  return /\.(?:ya?ml|json)$/i.test(file.shown) ? plugin === 'yaml' || plugin === 'auto' : plugin === 'ini';
}

function placedFault(block: string, file: CopiedFile, places: Places): { text: string; hasLine: boolean } {
  const path = file.copy.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const [, line, column] = new RegExp(`${path}'?:(?: line)? ?(\\d+)(?:(?::|, column )(\\d+))?`).exec(block) ?? [];
  const reason = reasonIn(block, file);
  if (line !== undefined)
    return { text: `${file.shown}:${line}${column === undefined ? '' : `:${column}`}: ${reason}`, hasLine: true };
  const inYaml = places.yamlFault(file);
  if (inYaml !== undefined) return { text: inYaml, hasLine: true };
  const unclosed = /not enough values to unpack/.test(reason) ? unclosedBracket(file) : undefined;
  if (unclosed !== undefined) return { text: `${file.shown}:${unclosed}: a [ is not closed`, hasLine: true };
  // What it found in the place of something else, or what it calls undefined, stands last.
  const words = /(?:got|group|Host|entry|line): '?(.+?)'?$/.exec(reason)?.[1] ?? /'([^']+)'/.exec(reason)?.[1];
  const place = words === undefined ? undefined : places.ofWords(file, words);
  return { text: `${place ?? file.shown}: ${reason}`, hasLine: place !== undefined };
}

/** Over a section or a range without its end Ansible stumbles, and names no line. */
function unclosedBracket({ copy }: CopiedFile): number | undefined {
  const lines = readFileSync(copy, 'utf8').split('\n');
  const at = lines.findIndex((line) => /^[^#;]*\[[^\]#;]*$/.test(line));
  return at < 0 ? undefined : at + 1;
}

function reasonIn(block: string, file: CopiedFile): string {
  const reason = block
    .replace(/^(?:\[[A-Z]+\]:|ERROR!)\s*/, '')
    .replace(/^\*?\s*Failed to parse (?:\S+|inventory) with '?[\w.]+'? plugin:\s*/, '')
    .replace(/^Failed to parse inventory:\s*/, '')
    .replace(/^We were unable to read either as JSON nor YAML.*?Syntax Error while loading YAML\.\s*/, '')
    .replace(/^Inventory script \(\S+\) had an execution error:\s*/, 'it fails, and says: ')
    .replace(/\s*(?:Failed to parse inventory with|<<< caused by >>>|Origin:|The error appears to be in).*$/s, '');
  const script = /Standard error from inventory script: (.*)$/.exec(block)?.[1];
  const path = file.copy.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const told = reason.replace(new RegExp(`^${path}:\\d+:\\s*`), '');
  return script === undefined ? told : `${told} It says: ${script}`;
}
