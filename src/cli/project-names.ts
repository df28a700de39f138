/** Which hosts and groups the files of an Ansible project name, and where. Reads files; knows no inventory. */

import { lstatSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { wordsOfPattern } from './host-patterns.ts';

/** One name in a project. */
export interface Named {
  /** As the one who named the folder would write it. */
  file: string;
  line: number;
  kind: 'group_vars' | 'host_vars' | 'pattern' | 'group';
  word: string;
}

export interface ProjectNames {
  /** In the order of the files. */
  named: Named[];
  /** Globs of the groups that a play makes while it runs, by add_host and group_by. */
  made: string[];
}

const largestBytes = 1024 * 1024;
/** What is not the project's own. */
const skipped = new Set(['.git', 'node_modules', '.venv', 'venv', '__pycache__', '.tox', 'ansible_collections']);
const variableFolders = ['group_vars', 'host_vars'] as const;

export function namesIn(folder: string): ProjectNames {
  const found: ProjectNames = { named: [], made: [] };
  walk(folder, folder, found);
  return found;
}

function walk(folder: string, shown: string, found: ProjectNames): void {
  for (const { name, path, stats } of entriesOf(folder)) {
    const place = join(shown, name);
    if (stats.isDirectory()) {
      if (skipped.has(name)) continue;
      const kind = variableFolders.find((one) => one === name);
      if (kind) found.named.push(...namesOfVariables(path, place, kind));
      // What links to elsewhere is no part of the project.
      if (!lstatSync(path).isSymbolicLink()) walk(path, place, found);
    } else if (/\.(?:ya?ml|j2|jinja2?)$/i.test(name) && stats.size <= largestBytes) {
      const { named, made } = namesOfText(readFileSync(path, 'utf8'), place);
      found.named.push(...named);
      found.made.push(...made);
    }
  }
}

function entriesOf(folder: string): { name: string; path: string; stats: Stats }[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats ? [{ name, path, stats }] : [];
    });
}

/** What a file or folder in group_vars or host_vars is called is whose variables it holds. */
function namesOfVariables(folder: string, shown: string, kind: 'group_vars' | 'host_vars'): Named[] {
  return entriesOf(folder).flatMap(({ name, stats }) => {
    const word = stats.isDirectory() ? name : name.replace(/(?:\.sops)?\.(?:ya?ml|json)$/i, '');
    // Ansible reads neither these nor a file there with another ending; a host may be called web.lan.
    const isOther = stats.isFile() && word === name && /\.\w{1,4}$/.test(name) && kind === 'group_vars';
    if (isOther || /^\.|~$|\.(?:md|txt|orig|bak|retry|swp)$/i.test(name)) return [];
    return [{ file: join(shown, name), line: 1, kind, word }];
  });
}

const hostsLine = /^(-\s+|\s+)(["']?)hosts\2\s*:(?:\s+(.*))?$/;
const inBrackets = /(?<![\w.'"])groups\s*\[\s*(["'])([^"'\]]+)\1\s*\]/g;
const behindDot = /(?<![\w.'"/-])groups\.(?:get\(\s*(["'])([^"']+)\1|([A-Za-z_]\w*))/g;
/** What a dictionary can do. */
const methods = new Set(['keys', 'values', 'items', 'get', 'update', 'pop', 'copy']);

/** The patterns of plays, and the groups that expressions ask for. */
export function namesOfText(text: string, file: string): ProjectNames {
  const found: ProjectNames = { named: [], made: [] };
  const isYaml = /\.ya?ml$/i.test(file);
  const lines = text.split(/\r?\n/).map((line) => (isYaml ? line.replace(/(^|\s)#.*$/, '$1') : line));
  for (const [index, line] of lines.entries()) {
    const add = (kind: Named['kind'], words: readonly string[], at = index) => {
      for (const word of words) found.named.push({ file, line: at + 1, kind, word });
    };
    const [, indent, , value = ''] = (isYaml && hostsLine.exec(line)) || [];
    if (indent !== undefined && isOfPlay(lines, index, indent))
      for (const { words, at } of patternsAt(lines, index, value.trim())) add('pattern', words, at);
    for (const [, , name] of line.matchAll(inBrackets)) add('group', [name as string]);
    if (isYaml || /\{[{%]/.test(line))
      for (const [, , got, dotted] of line.matchAll(behindDot))
        if (got !== undefined || !methods.has(dotted as string)) add('group', [(got ?? dotted) as string]);
    if (isYaml) found.made.push(...madeAt(lines, index));
  }
  return found;
}

/** A play is an entry of the list that the file is: what it says begins with its dash, or right below. */
function isOfPlay(lines: readonly string[], index: number, indent: string): boolean {
  if (indent.startsWith('-')) return true;
  for (const line of lines.slice(0, index).reverse()) {
    if (line.trim() === '' || line.startsWith('---')) continue;
    const dash = /^-\s+/.exec(line)?.[0];
    if (dash !== undefined) return dash.length === indent.length;
    if ((/^\s*/.exec(line)?.[0].length ?? 0) < indent.length) return false;
  }
  return false;
}

/** `hosts:` with a pattern, or with a list of them: in brackets, or one a line. */
function patternsAt(lines: readonly string[], index: number, value: string): { words: string[]; at: number }[] {
  if (value.startsWith('[')) {
    const inner = value.replace(/^\[|\]$/g, '').split(',');
    return inner.map((word) => ({ words: wordsOfPattern(unquoted(word.trim())), at: index }));
  }
  // A text over several lines.
  if (/^[>|]/.test(value)) return [{ words: wordsOfPattern(lines[index + 1]?.trim() ?? ''), at: index + 1 }];
  if (value !== '') return [{ words: wordsOfPattern(unquoted(value)), at: index }];
  const end = lines.findIndex((line, at) => at > index && !/^\s*(?:-\s+[^:]+(?::\S[^:]*)*\s*)?$/.test(line));
  return lines.slice(index + 1, end < 0 ? undefined : end).flatMap((line, at) => {
    const [, entry] = /^\s*-\s+(.+?)\s*$/.exec(line) ?? [];
    return entry === undefined ? [] : [{ words: wordsOfPattern(unquoted(entry)), at: index + 1 + at }];
  });
}

const value = /"[^"\n]*"|'[^'\n]*'|[^\n]+/.source;
const made = {
  group_by: new RegExp(`\\bkey[ \\t]*[:=][ \\t]*(${value})`, 'g'),
  add_host: new RegExp(`\\bgroup(?:s|name)?[ \\t]*[:=][ \\t]*(${value})|^\\s*-\\s+(${value})`, 'gm'),
};

/** The groups of `add_host` and `group_by`, with a star for what a template makes up. */
function madeAt(lines: readonly string[], index: number): string[] {
  const [, indent = '', call, first = ''] =
    /^([\s-]*)(?:ansible\.builtin\.)?(add_host|group_by)\s*:(.*)$/.exec(lines[index] as string) ?? [];
  if (call === undefined) return [];
  const isBelow = (line: string) => line.trim() === '' || line.startsWith(' '.repeat(indent.length + 1));
  const end = lines.findIndex((line, at) => at > index && !isBelow(line));
  const body = [first, ...lines.slice(index + 1, end < 0 ? undefined : end)].join('\n');
  return [...body.matchAll(made[call as keyof typeof made])].flatMap(([, inline, listed]) =>
    unquoted(
      (inline ?? listed ?? '')
        .replaceAll(/\{\{.*?\}\}/g, '*')
        .trim()
        .replaceAll(/^\[|[\]}]+$/g, ''),
    )
      .split(',')
      .map((name) => unquoted(name.trim()))
      .filter((name) => name !== '' && name !== '*'),
  );
}

function unquoted(text: string): string {
  const [, , inner] = /^(["'])(.*)\1$/.exec(text) ?? [];
  return inner ?? text;
}
