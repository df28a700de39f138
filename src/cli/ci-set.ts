/** `rollcall ci set`: a person's word on some attributes of one item, which it registers if it is new. */

import { Command } from 'commander';
import { DomainError, type Fault, StartError } from '../errors.ts';
import { faultLine, readYaml } from '../yaml.ts';
import { printDifference } from './change.ts';
import { type Client, type Json, Refusal } from './client.ts';
import { attributesOf, type Narrow, narrowQuery } from './item.ts';
import { print, printJson, shown } from './output.ts';
import { withClient } from './service.ts';
import { bodyOf, isList, readKey, type Word } from './words.ts';

/** One `key=value`, `key+=value` or `key-=value`. */
interface Assignment {
  written: string;
  path: readonly string[];
  how: '=' | '+=' | '-=';
  value: unknown;
}

interface Shadow {
  pointer: string;
  value: unknown;
  by: string;
  rule: string;
}

export function setCommand(): Command {
  return new Command('set')
    .description('say something of an item; makes it if there is none of that name')
    .argument('<name>', 'its name or id')
    .argument(
      '<key=value...>',
      'the keys of the API or the short ones of "rollcall apply", with dots for what is inside',
    )
    .option('--type <type>', 'where several bear the name; of a new item, its type')
    .option('--site <site>', 'where several bear the name; of a new item, its site')
    .option('--json', "the service's own answer")
    .addHelpText(
      'after',
      [
        '\nValues are read as YAML: 4096 is a number, true is true, [a, b] is a list; null takes your word back.',
        '\nExamples:',
        '  rollcall ci set web-1 address=10.0.0.5 user=ansible groups+=webservers',
        '  rollcall ci set web-1 specs.memory_mb=4096 vars.http_port=8080 tags+=web tags-=old',
        '  rollcall ci set nas type=physical_server ansible.host=10.0.0.20 "notes=behind the shelf"',
        '  rollcall ci set web-1 status=retired',
      ].join('\n'),
    )
    .action(async (name: string, given: string[], options: Narrow & { json?: boolean }, self: Command) => {
      const assignments = readAssignments(given);
      await withClient(self, async (client) => {
        const former = await findItem(client, name, options);
        const item = await write(client, name, former, assignments, options);
        if (options.json) return printJson(item);
        report(former, item);
      });
    });
}

/** Throws StartError with a line for each that cannot be read. */
export function readAssignments(given: readonly string[]): Assignment[] {
  const faults: string[] = [];
  const assignments = given.flatMap((written): Assignment[] => {
    const match = /^([^=]+?)(\+=|-=|=)(.*)$/s.exec(written);
    if (!match) {
      faults.push(`${written}: must be key=value, such as ansible.host=10.0.0.5`);
      return [];
    }
    const [, key, how, text] = match as unknown as [string, string, Assignment['how'], string];
    const path = readKey(key);
    if ('fault' in path) faults.push(`${key} ${path.fault}`);
    else if (path[0] === 'relationships') faults.push(`${key}: rollcall ci link and unlink say what it is to others`);
    else if (how !== '=' && !isList(path)) faults.push(`${key}: ${how} is for lists: tags and groups`);
    else {
      try {
        return [{ written: key, path, how, value: valueIn(path, text) }];
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        faults.push(`${key}: ${error.errors[0]?.detail ?? error.message}`);
      }
    }
    return [];
  });
  if (faults.length > 0) throw new StartError(faults.join('\n'));
  return assignments;
}

/** Of these a number would be a slip: 22.04 is a version, and 0123 a serial number. */
const texts =
  /^(ci_\w+|site_id|environment|role|criticality|external_id|terraform_resource_id|owner|notes|ansible\.(name|host|user|connection)|technical_specs\.(serial|uuid|machine_id|node|fqdn|os|os_version|kernel|version))$/;

function valueIn(path: readonly string[], text: string): unknown {
  const value = readYaml(text, '').value;
  const key = path.join('.');
  if (isList(path)) return Array.isArray(value) ? value.map(String) : value === null ? null : [String(text)];
  return texts.test(key) && (typeof value === 'number' || typeof value === 'boolean') ? text : value;
}

async function findItem(client: Client, name: string, narrow: Narrow): Promise<Json | undefined> {
  try {
    return await client.get(`/ci/${encodeURIComponent(name)}`, narrowQuery(narrow));
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return undefined;
    throw error;
  }
}

async function write(
  client: Client,
  name: string,
  former: Json | undefined,
  assignments: readonly Assignment[],
  narrow: Narrow,
): Promise<Json> {
  const words: Word[] = [];
  for (const { path, how, value } of assignments) {
    const before = words.find((word) => word.path.join('.') === path.join('.'));
    const next = how === '=' ? value : withoutOrWith(how, listIn(before ? before.value : former, path, !before), value);
    if (before) before.value = next;
    else words.push({ path, value: next, pointer: '' });
  }
  const body = bodyOf(words);
  try {
    // What it was read with says that it is written back: what was taken out of a list is then taken off.
    if (former)
      return await client.send('PUT', `/ci/${shown(former.ci_id)}`, { ...body, created_at: former.created_at });
    const { type, site } = narrow;
    const fresh = { ci_name: name, ...(type ? { ci_type: type } : {}), ...(site ? { site_id: site } : {}) };
    return await client.send('POST', '/ci', { ...fresh, ...withoutNulls(body) });
  } catch (error) {
    throw error instanceof Refusal ? inTheirWords(error, assignments) : error;
  }
}

function listIn(from: unknown, path: readonly string[], isItem: boolean): string[] {
  const value = isItem ? path.reduce<unknown>((part, key) => (part as Json | undefined)?.[key], from) : from;
  return Array.isArray(value) ? value.map(String) : [];
}

function withoutOrWith(how: '+=' | '-=', list: readonly string[], value: unknown): string[] {
  const given = Array.isArray(value) ? value.map(String) : [];
  return how === '+=' ? [...new Set([...list, ...given])] : list.filter((entry) => !given.includes(entry));
}

function withoutNulls(body: Json): Json {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

/** A fault of the service, under the key as it was written here. */
function inTheirWords(refusal: Refusal, assignments: readonly Assignment[]): Error {
  if (refusal.faults.length === 0) return refusal;
  const lines = refusal.faults.map(({ pointer, detail }: Fault) => {
    const found = assignments.find(({ path }) => `${pointer}/`.startsWith(`/${path.join('/')}/`));
    if (!found) return faultLine('the item', { pointer, detail });
    return `${found.written}${detail.startsWith('must ') ? '' : ':'} ${detail}`;
  });
  return new StartError(['Nothing was changed.', ...lines].join('\n'), { cause: refusal });
}

function report(former: Json | undefined, item: Json): void {
  const name = shown(item.ci_name);
  const before = former ? attributesOf(former) : {};
  const after = attributesOf(item);
  const differing = Object.keys({ ...before, ...after }).filter(
    (key) => !own.has(key) && JSON.stringify(before[key] ?? null) !== JSON.stringify(after[key] ?? null),
  );
  const head = former ? (differing.length === 0 ? 'nothing to change' : 'changed') : 'new';
  print(`${name}: ${head}${item.ci_status === 'retired' ? ' (it is retired)' : ''}`);
  if (former) {
    const pick = (from: Json) => Object.fromEntries(differing.map((key) => [key, from[key] ?? null]));
    printDifference(pick(before), pick(after), false);
  } else {
    printDifference({}, Object.fromEntries(differing.map((key) => [key, after[key]])), true);
  }
  for (const { pointer, value, by, rule } of (item.shadowed ?? []) as Shadow[])
    print(`  ${pointer.slice(1).replaceAll('/', '.')} stays ${shown(value)}: ${by} goes before you (${rule})`);
}

/** What the service says of its own. */
const own = new Set(
  'ci_id first_seen_at last_seen_at last_discovered_at last_configured_at created_at updated_at shadowed generation'.split(
    ' ',
  ),
);
