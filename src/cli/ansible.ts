/** `rollcall ansible setup`: switches Rollcall on in an existing Ansible project, and off again. */

import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { StartError } from '../errors.ts';
import { isConfirmed } from './confirm.ts';
import { changedLines, linesOf, valueIn, withoutKey, withValue } from './ini.ts';
import { print, styled } from './output.ts';

interface Options {
  copy?: boolean;
  remove?: boolean;
  dryRun?: boolean;
  yes?: boolean;
}

const checkout = fileURLToPath(new URL('../../ansible', import.meta.url));
/** By their place in the project, the files of ours. */
const files = {
  'rollcall/inventory.py': join(checkout, 'inventory.py'),
  'rollcall/callback/rollcall.py': join(checkout, 'plugins/callback/rollcall.py'),
} as const;
const record = 'rollcall/setup.json';
const folders = ['rollcall/callback', 'rollcall'];

/** What of ansible.cfg the set-up made: what stood there before, or null where nothing did. */
type Former = Record<string, string | null>;

export function ansibleCommand(): Command {
  const command = new Command('ansible').description('Rollcall in your own Ansible projects');
  command
    .command('setup')
    .description('switch the inventory script and the callback plugin on in a project')
    .argument('<folder>', 'the project: where its ansible.cfg is, or is to be')
    .option('--copy', 'copy the two files instead of linking them, for a project that goes elsewhere')
    .option('--remove', 'take everything back')
    .option('--dry-run', 'show what would be changed, and change nothing')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
It puts rollcall/inventory.py and rollcall/callback/rollcall.py into the project, and sets in its ansible.cfg
callbacks_enabled, callback_plugins and any_unparsed_is_failed; inventory too, where none is set. Comments and all
else stay as they are. Doing it again changes nothing.

Examples:
  rollcall ansible setup ~/infra --dry-run
  rollcall ansible setup ~/infra
  rollcall ansible setup ~/infra --remove`,
    )
    .action(async (folder: string, options: Options) => await setUp(resolve(folder), options));
  return command;
}

async function setUp(
  folder: string,
  { copy = false, remove = false, dryRun = false, yes = false }: Options,
): Promise<void> {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new StartError(`${folder} is no folder.`);
  const config = join(folder, 'ansible.cfg');
  const before = existsSync(config) ? linesOf(readFileSync(config, 'utf8')) : [];
  const recordFile = join(folder, record);
  const known = existsSync(recordFile) ? (JSON.parse(readFileSync(recordFile, 'utf8')) as Former) : undefined;
  const { after, former } = remove
    ? { after: switchedOff(before, known ?? {}), former: {} }
    : switchedOn(before, known);
  const placed = filesToChange(folder, remove, copy);

  const lines = changedLines(before, after);
  if (lines.length + placed.length === 0)
    return print(remove ? 'Nothing of Rollcall is in there.' : 'Everything is set up already.');
  for (const { name, what } of placed) print(`${what}  ${join(folder, name)}`);
  if (lines.length > 0) {
    print(`change  ${config}`);
    for (const line of lines) print(styled(line.startsWith('+') ? 'green' : 'red', `  ${line}`));
  }
  if (dryRun) return;
  if (!yes && process.stdin.isTTY && !(await isConfirmed('Do it?'))) return print('Nothing was changed.');

  for (const { name } of placed) place(folder, name, remove, copy);
  if (remove) {
    rmSync(recordFile, { force: true });
    for (const inner of folders) removeIfEmpty(join(folder, inner));
  } else writeFileSync(recordFile, `${JSON.stringify(former, null, 2)}\n`);
  if (remove && after.length === 0) rmSync(config, { force: true });
  else if (lines.length > 0) writeFileSync(config, `${after.join('\n')}\n`);
  print(remove ? 'Rollcall is switched off here.' : advice(after));
}

function advice(after: readonly string[]): string {
  const inventory = valueIn(after, 'defaults', 'inventory') ?? '';
  const hint = inventory.includes('rollcall/inventory.py')
    ? 'its inventory is the one that ansible reads here.'
    : 'your own inventory stays; add "-i rollcall/inventory.py" to read the one of Rollcall.';
  return `Rollcall is switched on here: what playbooks do is reported, and ${hint}\n"rollcall login" says once for this user where the service is.`;
}

const script = 'rollcall/inventory.py';
const plugins = './rollcall/callback';
const name = 'rollcall';

/** Lists, to which ours is added; and words that are set where they are not. */
const wanted = [
  { section: 'defaults', key: 'callback_plugins', value: plugins, separator: ':' },
  { section: 'defaults', key: 'callbacks_enabled', value: name, separator: ',' },
  { section: 'defaults', key: 'inventory', value: script, separator: undefined },
  { section: 'inventory', key: 'any_unparsed_is_failed', value: 'true', separator: undefined },
] as const;

function switchedOn(before: readonly string[], known: Former | undefined): { after: string[]; former: Former } {
  const former: Former = { ...known };
  let after = [...before];
  for (const { section, key, value, separator } of wanted) {
    const current = valueIn(after, section, key);
    // The path of a plugin replaces Ansible's own; the words that were there stay.
    const next = current === undefined || current === '' ? value : added(current, value, separator, key);
    if (next === current) continue;
    const place = `${section}.${key}`;
    if (!(place in former)) former[place] = current ?? null;
    after = withValue(after, section, key, next);
  }
  return { after, former };
}

function added(current: string, value: string, separator: ',' | ':' | undefined, key: string): string {
  // An operator's own inventory is not mixed with another; a safeguard that was switched off is switched on.
  if (separator === undefined) return key === 'inventory' ? current : value;
  const parts = partsOf(current, separator);
  return parts.includes(value) ? current : [...parts, value].join(separator === ',' ? ', ' : ':');
}

function partsOf(current: string, separator: ',' | ':'): string[] {
  return current
    .split(separator === ',' ? /[,\n]/ : /[:\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** What the set-up made goes; what was changed by hand since is left. */
function switchedOff(before: readonly string[], known: Former): string[] {
  let after = [...before];
  for (const { section, key, value, separator } of wanted) {
    const current = valueIn(after, section, key);
    const former = known[`${section}.${key}`];
    if (current === undefined) continue;
    if (separator === undefined) {
      if (former === undefined || current !== value) continue;
      after = former === null ? withoutKey(after, section, key) : withValue(after, section, key, former);
      continue;
    }
    const parts = partsOf(current, separator);
    if (!parts.includes(value)) continue;
    const rest = parts.filter((part) => part !== value);
    const joined = rest.join(separator === ',' ? ', ' : ':');
    const isFormer = former && partsOf(former, separator).join() === rest.join();
    after =
      rest.length === 0 ? withoutKey(after, section, key) : withValue(after, section, key, isFormer ? former : joined);
  }
  return after;
}

function filesToChange(folder: string, remove: boolean, copy: boolean): { name: keyof typeof files; what: string }[] {
  return (Object.keys(files) as (keyof typeof files)[]).flatMap((file) => {
    const target = join(folder, file);
    if (remove) return isThere(target) ? [{ name: file, what: 'remove' }] : [];
    if (isSame(target, files[file], copy)) return [];
    return [{ name: file, what: copy ? 'copy  ' : 'link  ' }];
  });
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isSame(target: string, source: string, copy: boolean): boolean {
  const found = lstatSync(target, { throwIfNoEntry: false });
  if (!found || !existsSync(target)) return false;
  if (found.isSymbolicLink() === copy) return false;
  return readFileSync(target, 'utf8') === readFileSync(source, 'utf8');
}

function place(folder: string, file: keyof typeof files, remove: boolean, copy: boolean): void {
  const target = join(folder, file);
  rmSync(target, { force: true });
  if (remove) return;
  mkdirSync(dirname(target), { recursive: true });
  if (copy) copyFileSync(files[file], target);
  else symlinkSync(files[file], target);
}

function removeIfEmpty(folder: string): void {
  try {
    // Python leaves its own behind.
    rmSync(join(folder, '__pycache__'), { recursive: true, force: true });
    rmdirSync(folder);
  } catch {
    // Something of the operator's is in it.
  }
}
