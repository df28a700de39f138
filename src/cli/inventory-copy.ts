/**
 * A copy of what Ansible would read of inventories: without files that are encrypted as a whole, and without those
 * that a plugin turns into another system's machines. It is readable by its owner alone, and gone afterwards.
 */

import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { StartError } from '../errors.ts';

export interface InventoryCopy {
  folder: string;
  /** What is given to Ansible with -i, and how it was named. */
  sources: { copy: string; shown: string }[];
  files: CopiedFile[];
  /** Encrypted as a whole; with the path beside the playbooks where Ansible finds it as well, if it holds variables. */
  encrypted: { path: string; beside: string | undefined }[];
  /** Read by a plugin of a collection, out of another system. */
  foreign: { path: string; plugin: string }[];
}

/** One file that Ansible may read: where it lies, where its copy does, and how it is called. */
export interface CopiedFile {
  original: string;
  copy: string;
  /** As the one who named its folder would write it. */
  shown: string;
  isExecutable: boolean;
}

const variableFolders = ['group_vars', 'host_vars'] as const;
const signals = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** Does the work with a copy, which is removed in every case; `signal` is aborted where the process is told to stop. */
export async function withCopy<T>(
  paths: readonly string[],
  work: (copy: InventoryCopy, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // In a short path without hyphens, so that Ansible breaks fewer lines within it.
  const folder = mkdtempSync(join(tmpdir(), 'rollcall_'));
  const stopping = new AbortController();
  const stops = Object.entries(signals).map(([name, number]) => {
    const stop = () => {
      stopping.abort();
      rmSync(folder, { recursive: true, force: true });
      process.exit(128 + number);
    };
    process.once(name, stop);
    return () => process.off(name, stop);
  });
  try {
    return await work(copyInto(folder, paths), stopping.signal);
  } finally {
    for (const undo of stops) undo();
    rmSync(folder, { recursive: true, force: true });
  }
}

function copyInto(folder: string, paths: readonly string[]): InventoryCopy {
  const copy: InventoryCopy = { folder, sources: [], files: [], encrypted: [], foreign: [] };
  const parents = new Map<string, string>();
  for (const path of paths) {
    const whole = resolve(path);
    const stats = statOf(whole, path);
    const parent = dirname(whole);
    let target = parents.get(parent);
    if (target === undefined) {
      target = join(folder, String(parents.size + 1));
      mkdirSync(target, { mode: 0o700 });
      parents.set(parent, target);
      for (const name of variableFolders) {
        const variables = join(parent, name);
        if (existsSync(variables)) copyTree(copy, variables, join(target, name), join(dirname(path), name), []);
      }
    }
    const source = join(target, basename(whole));
    if (!existsSync(source)) copyTree(copy, whole, source, path, []);
    // Without a copy it was left out, and is told.
    if (existsSync(source)) copy.sources.push({ copy: source, shown: path });
    if (stats.isFile() && isExecutable(stats)) linkSiblings(parent, target);
  }
  return copy;
}

function statOf(path: string, shown: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new StartError(code === 'ENOENT' ? `There is no file or folder ${shown}.` : `${shown}: ${message}.`, {
      cause: error,
    });
  }
}

/** `above` are the folders that it stands in, so that links do not lead around in a circle. */
function copyTree(copy: InventoryCopy, from: string, to: string, shown: string, above: readonly string[]): void {
  const stats = statOf(from, shown);
  if (stats.isDirectory()) {
    const real = realpathSync(from);
    if (above.includes(real)) return;
    mkdirSync(to, { mode: 0o700 });
    for (const name of readdirSync(from).sort()) {
      if (name === '.git' || !existsSync(join(from, name))) continue;
      copyTree(copy, join(from, name), join(to, name), join(shown, name), [...above, real]);
    }
    return;
  }
  if (!stats.isFile()) return;
  if (isEncrypted(from)) {
    copy.encrypted.push({ path: shown, beside: besidePlaybooks(from) });
    return;
  }
  const plugin = pluginOf(from, stats);
  if (plugin !== undefined && besidePlaybooks(from) === undefined) {
    copy.foreign.push({ path: shown, plugin });
    return;
  }
  copyFileSync(from, to);
  chmodSync(to, isExecutable(stats) ? 0o700 : 0o600);
  copy.files.push({ original: from, copy: to, shown, isExecutable: isExecutable(stats) });
}

/** What a program refers to beside itself. */
function linkSiblings(parent: string, target: string): void {
  for (const name of readdirSync(parent)) {
    const link = join(target, name);
    if (!existsSync(link)) symlinkSync(join(parent, name), link);
  }
}

function isExecutable(stats: Stats): boolean {
  return (stats.mode & 0o111) !== 0;
}

const sopsForm = /^(?:sops:|\s*"sops":\s*\{)/m;

function isEncrypted(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(64);
    const read = readSync(file, start, 0, start.length, 0);
    if (/^\s*\$ANSIBLE_VAULT;/.test(start.toString('latin1', 0, read))) return true;
  } finally {
    closeSync(file);
  }
  return /\.sops\.(?:ya?ml|json)$/.test(path) && sopsForm.test(readFileSync(path, 'utf8'));
}

/** `group_vars/…` or `host_vars/…` of a path; undefined for what holds no variables. */
function besidePlaybooks(path: string): string | undefined {
  const parts = path.split(sep);
  const at = parts.findLastIndex((part) => (variableFolders as readonly string[]).includes(part));
  return at < 0 ? undefined : parts.slice(at).join('/');
}

/** These read files alone, and come with Ansible itself. */
const ownPlugins = /^(?:ansible\.builtin\.)?(?:constructed|generator|yaml|ini|toml|auto|host_list|advanced_host_list)$/;

function pluginOf(path: string, stats: Stats): string | undefined {
  if (!/\.(?:ya?ml)$/i.test(path) || isExecutable(stats)) return undefined;
  const plugin = /^plugin:\s*["']?([\w.]+)/m.exec(readFileSync(path, 'utf8'))?.[1];
  return plugin === undefined || ownPlugins.test(plugin) ? undefined : plugin;
}
