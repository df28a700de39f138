/** rollcall.yml and the environment, read and checked once: a typed configuration, or every fault with its place. */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Static, type TObject, Type } from 'typebox';
import { settingsFaultFinder } from './check.ts';
import type { Environment } from './environment.ts';
import { DomainError, StartError } from './errors.ts';
import { logFormats, logLevels } from './log.ts';
import { faultLine, faultLines, readYaml, type Yaml } from './yaml.ts';

/** The settings that belong to no module. */
export const ownSettings = {
  data: Type.String({
    default: './data',
    minLength: 1,
    description: 'the folder of the database, its backups and the tokens; relative to the file that names it',
  }),
  log: Type.Object(
    {
      level: Type.Enum([...logLevels], { default: 'info', description: 'what is logged: this and what weighs more' }),
      format: Type.Enum([...logFormats], { default: 'text', description: 'text for people, json for programs' }),
    },
    { additionalProperties: false, description: 'what is written to stderr' },
  ),
};

export interface Sources {
  /** From --config, as it was written. */
  file?: string | undefined;
  /** From --data. */
  data?: string | undefined;
  env: Environment;
  cwd: string;
}

const usualFile = 'rollcall.yml';

/** What the environment says is believed over the file. */
const variables = {
  ROLLCALL_DATA: '/data',
  ROLLCALL_LISTEN: '/http/listen',
  ROLLCALL_LOG_LEVEL: '/log/level',
  ROLLCALL_LOG_FORMAT: '/log/format',
} as const;

/**
 * The settings of `schema`, with its defaults; `data` is an absolute path. Throws `StartError` with a line
 * for every fault.
 */
export function readConfig<Schema extends TObject>(schema: Schema, sources: Sources): Static<Schema> {
  const { yaml, folder } = readFile(sources);
  const settings = yaml.value ?? {};
  const dataFrom = isSection(settings) && 'data' in settings ? folder : sources.cwd;
  const given = settingsGiven(sources);
  for (const [pointer, { value }] of given) setAt(settings, pointer, value);

  const faults = settingsFaultFinder(schema)(settings);
  const fromOutside = faults.flatMap((fault) => {
    const origin = given.get(fault.pointer)?.origin;
    return origin === undefined ? [] : [faultLine(origin, fault)];
  });
  const fromFile = faultLines(
    yaml,
    faults.filter(({ pointer }) => !given.has(pointer)),
  );
  if (faults.length > 0) throw wrong([...fromOutside, ...fromFile]);

  const checked = settings as Record<string, unknown>;
  if (typeof checked.data === 'string')
    checked.data = resolve(given.has('/data') ? sources.cwd : dataFrom, checked.data);
  return checked as Static<Schema>;
}

function readFile({ file, env, cwd }: Sources): { yaml: Yaml; folder: string } {
  const named = file ?? (env.ROLLCALL_CONFIG || undefined);
  const fileName = named ?? usualFile;
  const path = resolve(cwd, fileName);
  try {
    return { yaml: readYaml(readFileSync(path, 'utf8'), fileName), folder: dirname(path) };
  } catch (error) {
    if (error instanceof DomainError) throw wrong([error.message]);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT')
      throw new StartError(`The configuration file ${fileName} cannot be read: ${message}.`, { cause: error });
    if (named === undefined) return { yaml: readYaml('', fileName), folder: cwd };
    const by = file === undefined ? 'ROLLCALL_CONFIG' : '--config';
    throw new StartError(
      `The configuration file ${path}, named by ${by}, does not exist. Create it, or leave ${by} out.`,
    );
  }
}

/** By pointer: what arguments and variables say. A variable that is set to nothing is not set. */
function settingsGiven({ data, env }: Sources): Map<string, { value: string; origin: string }> {
  const given = new Map<string, { value: string; origin: string }>();
  for (const [origin, pointer] of Object.entries(variables)) {
    const value = env[origin];
    if (value) given.set(pointer, { value, origin });
  }
  if (data !== undefined) given.set('/data', { value: data, origin: '--data' });
  return given;
}

/** Opens sections on the way, but replaces nothing that is no section: that is a fault to be told. */
function setAt(settings: unknown, pointer: string, value: string): void {
  const path = pointer.split('/').slice(1);
  const last = path.pop() ?? '';
  let section: unknown = settings;
  for (const name of path) {
    if (!isSection(section)) return;
    section[name] ??= {};
    section = section[name];
  }
  if (isSection(section)) section[last] = value;
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(lines: readonly string[]): StartError {
  return new StartError(`The configuration is not right:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}
