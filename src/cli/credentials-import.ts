/** Many credentials from a file that people keep: read whole, rehearsed, and recorded only if all of it is right. */

import { readFileSync } from 'node:fs';
import { DomainError, type Fault, faultInWords, StartError } from '../errors.ts';
import { nearestName } from '../faults.ts';
import { readYaml } from '../yaml.ts';
import { type Client, type Json, Refusal } from './client.ts';
import { counted, print, printJson, printTable } from './output.ts';

const shortKeys: Readonly<Record<string, string>> = {
  name: 'credential_name',
  type: 'credential_type',
  owner: 'owner_email',
  item: 'vaultwarden_item_id',
  state: 'lifecycle_state',
  rotated: 'last_rotated_at',
  period: 'rotation_period_days',
  due: 'next_rotation_due',
  expires: 'expires_at',
  runbook: 'runbook_url',
  used_by: 'associations',
};
const knownKeys = [...Object.keys(shortKeys), ...Object.values(shortKeys), 'notes'];

interface Entry {
  /** Where it stands, as people find it: a line of a CSV, or the number of the entry. */
  place: string;
  body: Json;
}

export async function importCredentials(
  client: Client,
  file: string,
  { dryRun, json }: { dryRun?: boolean; json?: boolean },
): Promise<void> {
  const { entries, faults } = await readEntries(file);
  const rehearsed: Json[] = [];
  for (const { place, body } of entries) {
    try {
      rehearsed.push(await client.send('POST', '/credentials', body, { dry_run: true }));
    } catch (error) {
      if (!(error instanceof Refusal) || error.status === 403) throw error;
      const told: readonly Fault[] = error.faults.length > 0 ? error.faults : [{ pointer: '', detail: error.message }];
      faults.push(...told.map((fault) => `${place}: ${faultInWords(fault)}`));
    }
  }
  if (faults.length > 0)
    throw new StartError(
      [`${file} is not right, and nothing was recorded:`, ...faults.map((one) => `  ${one}`)].join('\n'),
    );
  const records: Json[] = [];
  if (!dryRun) for (const { body } of entries) records.push(await client.send('POST', '/credentials', body));
  const told = dryRun ? rehearsed : records;
  if (json) return printJson(told);
  printTable(
    ['NAME', 'TYPE', 'DUE', 'DAYS LEFT', 'OWNER'],
    told.map((row) => [row.credential_name, row.credential_type, row.due, row.days_left, row.owner_email]),
    'It holds no credential.',
  );
  print(dryRun ? 'Nothing was recorded: this was a dry run.' : `Recorded ${counted(records.length, 'credential')}.`);
}

/** `web-1:deploy`. */
export function userIn(written: string): Json {
  const [ci_name = '', ...role] = written.split(':');
  return { ci_name: ci_name.trim(), ...(role.length > 0 ? { role: role.join(':').trim() } : {}) };
}

async function readEntries(file: string): Promise<{ entries: Entry[]; faults: string[] }> {
  const rows = /\.csv$/i.test(file) ? await readCsv(file) : readList(file);
  const faults: string[] = [];
  const entries = rows.flatMap(({ place, value }): Entry[] => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      faults.push(`${place}: must be keys with values`);
      return [];
    }
    return [{ place, body: bodyOf(value as Json, place, faults) }];
  });
  return { entries, faults };
}

function bodyOf(value: Json, place: string, faults: string[]): Json {
  const body: Json = {};
  for (const [written, inner] of Object.entries(value)) {
    const key = shortKeys[written] ?? written;
    if (!knownKeys.includes(written)) {
      const near = nearestName(written, knownKeys);
      faults.push(
        `${place}: ${written} is not a known key here; ${near ? `did you mean ${near}?` : `known are ${knownKeys.join(', ')}`}`,
      );
    } else if (inner !== '' && inner !== undefined) body[key] = key === 'associations' ? usersIn(inner) : inner;
  }
  return body;
}

function usersIn(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((user: unknown) => (typeof user === 'string' ? userIn(user) : user));
}

/** A list, or one under `credentials`. */
function readList(file: string): { place: string; value: unknown }[] {
  try {
    const { value } = readYaml(textOf(file), file);
    const list = Array.isArray(value) ? value : (value as Json | null)?.credentials;
    if (!Array.isArray(list))
      throw new StartError(`${file} holds no list of credentials: begin each with "- name: …".`);
    return list.map((one: unknown, index) => ({ place: `entry ${index + 1}`, value: one }));
  } catch (error) {
    if (error instanceof DomainError) throw new StartError(error.message, { cause: error });
    throw error;
  }
}

async function readCsv(file: string): Promise<{ place: string; value: unknown }[]> {
  const { parse } = await import('csv-parse/sync');
  let rows: { info: { lines: number }; record: Json }[];
  try {
    const options = { bom: true, columns: true, trim: true, skip_empty_lines: true, info: true } as const;
    rows = parse(textOf(file), options) as unknown as typeof rows;
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`${file} is no CSV: ${(error as Error).message}.`, { cause: error });
  }
  return rows.map(({ info, record }) => ({ place: `line ${info.lines}`, value: typed(record) }));
}

/** In a CSV all is text. */
function typed(record: Json): Json {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => {
      const text = String(value);
      if (shortKeys[key] === 'rotation_period_days' || key === 'rotation_period_days')
        return [key, /^\d+$/.test(text) ? Number(text) : text];
      if (key === 'used_by' || key === 'associations')
        return [key, text === '' ? undefined : text.split(';').map((user) => user.trim())];
      return [key, text];
    }),
  );
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new StartError(code === 'ENOENT' ? `There is no file ${file}.` : `${file}: ${message}.`, { cause: error });
  }
}
