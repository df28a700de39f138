/** A file, or a folder of files, that people write: which machines there are, and where each word of them stands. */

import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DomainError, escapePointer, type Fault, StartError } from '../errors.ts';
import { faultLines, readYaml, type Yaml } from '../yaml.ts';
import { shown } from './output.ts';
import { bodyOf, isMapping, readWords, unknownKey, type Word, wordAt, wordsOver } from './words.ts';

export interface Machines {
  /** The source that the file itself names. */
  source: string | undefined;
  baseName: string;
  /** Where it lies, whole and without links. */
  path: string;
  items: readonly Entry[];
}

/** One item: what it says, and where. */
export interface Entry {
  yaml: Yaml;
  pointer: string;
  words: readonly Word[];
  body: Record<string, unknown>;
}

const fileKeys = ['source', 'site', 'defaults', 'machines', 'items'];

/** Reads all of it. Throws StartError with a line for every fault: file, line, column, and what would be right. */
export function readMachines(path: string): Machines {
  const files = filesAt(path);
  const items: Entry[] = [];
  const lines: string[] = [];
  const sources = new Set<string>();
  for (const file of files) {
    try {
      const yaml = readYaml(readFileSync(file, 'utf8'), file);
      const read = readFile(yaml);
      items.push(...read.entries);
      if (read.source !== undefined) sources.add(read.source);
      lines.push(...faultLines(yaml, read.faults));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      lines.push(error.message);
    }
  }
  lines.push(...twiceNamed(items));
  if (sources.size > 1)
    lines.push(`${path}: its files name several sources (${[...sources].join(', ')}), and it is read as one`);
  if (lines.length > 0) throw wrong(path, lines);
  const whole = realpathSync(path);
  return { source: [...sources][0], baseName: basename(whole), path: whole, items };
}

/** What the service found wrong in items, with the places in the files. */
export function faultsInFile(items: readonly Entry[], errors: readonly { index: number; errors: Fault[] }[]): string[] {
  const byFile = new Map<Yaml, Fault[]>(items.map((entry) => [entry.yaml, []]));
  for (const { index, errors: faults } of errors) {
    const entry = items[index];
    if (!entry) continue;
    for (const { pointer, detail } of faults)
      byFile.get(entry.yaml)?.push({ pointer: wordAt(entry.words, pointer)?.pointer ?? entry.pointer, detail });
  }
  // What is wrong in the defaults is wrong in many items, and is told once.
  return [...new Set([...byFile].flatMap(([yaml, faults]) => faultLines(yaml, faults)))];
}

export function wrong(path: string, lines: readonly string[]): StartError {
  return new StartError(
    [`${path} is not right, and nothing was changed:`, ...lines.map((line) => `  ${line}`)].join('\n'),
  );
}

function filesAt(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /\.ya?ml$/i.test(name) && !name.startsWith('.'));
    if (names.length > 0) return names.sort().map((name) => join(path, name));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new StartError(code === 'ENOENT' ? `There is no file or folder ${path}.` : `${path}: ${message}.`, {
      cause: error,
    });
  }
  throw new StartError(`The folder ${path} has no file that ends in .yml or .yaml.`);
}

interface Read {
  source: string | undefined;
  entries: Entry[];
  faults: Fault[];
}

function readFile(yaml: Yaml): Read {
  const { value } = yaml;
  if (Array.isArray(value)) return { source: undefined, ...readEntries(yaml, value, '', []) };
  if (!isMapping(value))
    return {
      source: undefined,
      entries: [],
      faults: [{ pointer: '', detail: value === null ? 'it is empty: list the machines under "machines:"' : expected }],
    };
  const faults: Fault[] = Object.keys(value)
    .filter((key) => !fileKeys.includes(key))
    .map((key) => ({ pointer: `/${escapePointer(key)}`, detail: unknownKey(key, fileKeys) }));
  if (faults.length === 0 && !('machines' in value) && !('items' in value))
    faults.push({ pointer: '', detail: 'it lists nothing: put what there is under "machines:" or "items:"' });
  const source = sourceIn(value.source, faults);
  const common = [...commonWords(value, 'site', '', faults), ...commonWords(value.defaults, '', '/defaults', faults)];
  const entries: Entry[] = [];
  for (const key of ['machines', 'items']) {
    const read = readEntries(yaml, value[key], `/${key}`, common);
    entries.push(...read.entries);
    faults.push(...read.faults);
  }
  return { source, entries, faults };
}

const expected = 'must be a list of machines, or "machines:" with a list or with names below it';

function sourceIn(value: unknown, faults: Fault[]): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && isSourceName(value)) return value;
  faults.push({ pointer: '/source', detail: sourceForm });
  return undefined;
}

const sourceForm = 'must be a name such as homelab, or import:homelab';

/** `homelab` and `import:homelab` are the same; another kind of source is no file that people write. */
export function isSourceName(text: string): boolean {
  return /^(import:)?[^:\s][^:]*$/.test(text);
}

export function checkedSource(text: string, origin: string): string {
  if (!isSourceName(text)) throw new StartError(`${origin} ${sourceForm}.`);
  return text.startsWith('import:') ? text : `import:${text}`;
}

/** What holds for all items of a file: its site, and its defaults. */
function commonWords(value: unknown, only: string, pointer: string, faults: Fault[]): Word[] {
  if (value === undefined || value === null) return [];
  if (!isMapping(value)) {
    faults.push({ pointer, detail: 'must be keys with values, one a line below it' });
    return [];
  }
  const chosen = only === '' ? value : Object.fromEntries(Object.entries(value).filter(([key]) => key === only));
  const read = readWords(chosen, pointer);
  faults.push(...read.faults);
  return read.words;
}

function readEntries(yaml: Yaml, value: unknown, pointer: string, common: readonly Word[]): Omit<Read, 'source'> {
  const entries: Entry[] = [];
  const faults: Fault[] = [];
  const add = (entry: unknown, place: string, name: string | undefined) => {
    // A name alone says that there is such a machine.
    const said = typeof entry === 'string' && name === undefined ? { name: entry } : (entry ?? {});
    if (!isMapping(said)) {
      faults.push({ pointer: place, detail: 'must be keys with values, such as "address: 10.0.0.5"' });
      return;
    }
    const read = readWords(said, place);
    faults.push(...read.faults);
    const own = [...read.words];
    const named = own.find((word) => word.path[0] === 'ci_name');
    if (name !== undefined && named)
      faults.push({ pointer: named.pointer, detail: `says the name a second time: it is ${name}` });
    else if (name !== undefined) own.unshift({ path: ['ci_name'], value: name, pointer: place });
    else if (!named) faults.push({ pointer: place, detail: 'has no name: write "name: …" in it' });
    const words = wordsOver(common, own);
    entries.push({ yaml, pointer: place, words, body: bodyOf(words) });
  };
  if (Array.isArray(value)) for (const [index, entry] of value.entries()) add(entry, `${pointer}/${index}`, undefined);
  else if (isMapping(value))
    for (const [name, entry] of Object.entries(value)) add(entry, `${pointer}/${escapePointer(name)}`, name);
  else if (value !== undefined && value !== null) faults.push({ pointer, detail: expected });
  return { entries, faults };
}

/** One thing that stands in two places says two things of itself. */
function twiceNamed(items: readonly Entry[]): string[] {
  const first = new Map<string, Entry>();
  return items.flatMap((entry) => {
    const { ci_name, ci_type, site_id, external_id, terraform_resource_id, technical_specs } = entry.body;
    const parent = (technical_specs as { parent?: unknown } | undefined)?.parent;
    const key = JSON.stringify(external_id ?? terraform_resource_id ?? [ci_name, ci_type, site_id, parent]);
    const former = first.get(key);
    if (!former) first.set(key, entry);
    if (!former || ci_name === undefined) return [];
    const [there, here] = [former, entry].map(({ yaml, pointer }) => {
      const { line, column } = yaml.placeOf(pointer);
      return `${yaml.fileName}:${line}:${column}`;
    });
    return [`${here}: ${shown(ci_name)} stands in ${there} already`];
  });
}
