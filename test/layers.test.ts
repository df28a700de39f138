/** The shape of the code as data: which part may import which, and where a library or a word has its one place. */

import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

const files = [
  'check.ts',
  'data-folder.ts',
  'environment.ts',
  'errors.ts',
  'faults.ts',
  'folder.ts',
  'glob.ts',
  'ip.ts',
  'json.ts',
  'log.ts',
  'printable.ts',
  'secret-likeness.ts',
  'time.ts',
  'yaml.ts',
];
const ground = ['store', 'http', 'jobs', 'secrets', 'outbound'];
const modules = ['addresses', 'inventory', 'runs', 'credentials', 'proxmox', 'terraform', 'github', 'vaultwarden'];
const views = ['reports', 'web'];
const forModule = [...files, ...ground, 'cmdb', 'type module.ts'];

/** Each part with what it may import, besides itself; `type` where only a type may be. */
const parts: Readonly<Record<string, readonly string[]>> = {
  'rollcall.mjs': ['main.ts'],
  'main.ts': [...files, 'cli', 'app.ts', 'config.ts'],
  cli: [...files, 'app.ts', 'config.ts', 'first-start.ts'],
  'app.ts': [
    'first-start.ts',
    'peer-alerts.ts',
    'checks.ts',
    ...files,
    ...ground,
    'cmdb',
    ...modules,
    ...views,
    'config.ts',
    'type module.ts',
  ],
  'peer-alerts.ts': ['log.ts', 'time.ts', 'store'],
  'checks.ts': ['http', 'type module.ts'],
  'first-start.ts': [...files, ...ground, 'cmdb', ...modules],
  'config.ts': files,
  'module.ts': [...files, ...ground, 'cmdb'].map((part) => `type ${part}`),
  ...Object.fromEntries(views.map((view) => [view, [...forModule, ...modules]])),
  ...Object.fromEntries(modules.map((module) => [module, forModule])),
  credentials: [...forModule, 'github', 'vaultwarden'],
  cmdb: [...files, ...ground, 'type module.ts'],
  jobs: [...files, 'store', 'type http', 'type module.ts'],
  http: [...files, 'store', 'type module.ts'],
  outbound: files,
  secrets: files,
  store: [...files, 'db/migrations'],
  'db/migrations': ['store'],
  'check.ts': ['errors.ts', 'faults.ts'],
  'faults.ts': ['errors.ts', 'secret-likeness.ts'],
  'secret-likeness.ts': [],
  'yaml.ts': ['errors.ts'],
  'folder.ts': [],
  'glob.ts': [],
  'ip.ts': [],
  'json.ts': [],
  'log.ts': ['printable.ts'],
  'printable.ts': [],
  'data-folder.ts': [],
  'environment.ts': [],
  'time.ts': [],
  'errors.ts': [],
};

/** A folder, a file, or a file of that name in any folder. */
const libraries: Readonly<Record<string, readonly string[]>> = {
  '@octokit/plugin-throttling': ['src/github/'],
  '@octokit/rest': ['src/github/'],
  'ical-generator': ['src/credentials/'],
  'csv-parse': ['src/cli/'],
  ajv: ['src/check.ts', 'src/faults.ts'],
  'ajv-formats': ['src/check.ts'],
  'better-sqlite3': ['src/store/'],
  'cli-table3': ['src/cli/', 'src/main.ts'],
  cockatiel: ['src/outbound/'],
  commander: ['src/cli/', 'src/main.ts'],
  cors: ['src/http/'],
  express: ['src/http/'],
  'fastest-levenshtein': ['src/faults.ts'],
  helmet: ['src/http/'],
  'js-yaml': ['src/yaml.ts'],
  'jsonc-parser': ['src/http/'],
  kysely: ['src/store/', 'src/cmdb/store/', 'db/migrations/', 'store.ts'],
  'node-schedule': ['src/jobs/'],
  pino: ['src/log.ts'],
  'prom-client': ['src/http/'],
  'proxmox-api': ['src/proxmox/'],
  'swagger-ui-dist': ['src/http/'],
  typebox: ['src/'],
};

const words: readonly { word: RegExp; called: string; places: readonly string[] }[] = [
  {
    word: /\bprocess\.env\b|\benv\b[^;{}]*\}\s*(?:=\s*process\b|from 'node:process')/,
    called: 'process.env',
    places: ['src/environment.ts'],
  },
  {
    word: /\bsql(?:<[^`]*>)?`|\.(?:selectFrom|insertInto|updateTable|deleteFrom|replaceInto)\(/,
    called: 'SQL',
    places: ['src/store/', 'src/cmdb/store/', 'db/migrations/', 'store.ts'],
  },
  { word: /\b\w*Dialect\b[^;]*\bfrom 'kysely'/, called: "kysely's dialect", places: ['src/store/'] },
  { word: /^export\s+default\b|^export\s*\{[^}]*\bas default\b/m, called: 'a default export', places: [] },
  { word: /^export\b[^;'=(]*\bfrom\s*'/m, called: 'an export of what another file defines', places: [] },
];

test('every import goes down, and everything is in its place', () => {
  const paths = globSync(['src/**/*.{ts,mjs}', 'db/**/*.ts'], { cwd: root }).sort();

  const breaches = paths.flatMap((path) => breachesOf(path, readFileSync(join(root, path), 'utf8')));

  expect(breaches).toEqual([]);
});

describe('a breach is named with its file, its line and its rule:', () => {
  test.each([
    [
      'upward',
      'src/store/open.ts',
      "\nimport { a } from '../http/server.ts';",
      'src/store/open.ts:2 imports ../http/server.ts, but store may import check.ts, data-folder.ts, environment.ts, errors.ts, faults.ts, folder.ts, glob.ts, ip.ts, json.ts, log.ts, printable.ts, secret-likeness.ts, time.ts, yaml.ts, db/migrations',
    ],
    [
      'over several lines',
      'src/time.ts',
      "/* import */\nimport {\n  a,\n  b,\n} from './log.ts';",
      'src/time.ts:2 imports ./log.ts, but time.ts may import nothing',
    ],
    [
      'a value where only a type may be',
      'src/jobs/run.ts',
      "import { type A, b } from '../http/endpoint.ts';",
      'src/jobs/run.ts:1 imports ../http/endpoint.ts, but jobs may import check.ts, data-folder.ts, environment.ts, errors.ts, faults.ts, folder.ts, glob.ts, ip.ts, json.ts, log.ts, printable.ts, secret-likeness.ts, time.ts, yaml.ts, store, type http, type module.ts',
    ],
    [
      'a folder without a floor',
      'src/extra/a.ts',
      '',
      'src/extra/a.ts:1 is in extra, which stands in no line of `parts`',
    ],
    [
      'a library away from home',
      'src/cmdb/item.ts',
      "import express from 'express';",
      'src/cmdb/item.ts:1 imports express, which lives in src/http/',
    ],
    [
      'a part of a library',
      'src/http/body.ts',
      "const x = await import('ajv/dist/2020.js');",
      'src/http/body.ts:1 imports ajv/dist/2020.js, which lives in src/check.ts, src/faults.ts',
    ],
    [
      'a library without a home',
      'src/app.ts',
      "import '@some/thing';",
      'src/app.ts:1 imports @some/thing, which stands in no line of `libraries`',
    ],
    [
      'SQL in a route',
      'src/cmdb/routes/items.ts',
      "// db.selectFrom('b')\n\nread.selectFrom('a');",
      'src/cmdb/routes/items.ts:3 has SQL, which has its place in src/store/, src/cmdb/store/, db/migrations/, store.ts',
    ],
    [
      'an SQL template',
      'src/app.ts',
      'const n = sql<number>`1`;',
      'src/app.ts:1 has SQL, which has its place in src/store/, src/cmdb/store/, db/migrations/, store.ts',
    ],
    [
      'a dialect',
      'src/cmdb/store.ts',
      "import { SqliteDialect } from 'kysely';",
      "src/cmdb/store.ts:1 has kysely's dialect, which has its place in src/store/",
    ],
    [
      'the environment',
      'src/main.ts',
      '\nprocess.env.HOME;',
      'src/main.ts:2 has process.env, which has its place in src/environment.ts',
    ],
    [
      'the environment by another way',
      'src/main.ts',
      'const { env } = process;',
      'src/main.ts:1 has process.env, which has its place in src/environment.ts',
    ],
    [
      'a default export',
      'src/main.ts',
      'export default 1;',
      'src/main.ts:1 has a default export, which has its place in no file',
    ],
    [
      'a barrel',
      'src/cmdb/all.ts',
      "export * from './item.ts';",
      'src/cmdb/all.ts:1 has an export of what another file defines, which has its place in no file',
    ],
    ['an index', 'src/cmdb/index.ts', '', 'src/cmdb/index.ts:1 is an index, and there are none'],
  ])('%s', (_, path, text, breach) => {
    expect(breachesOf(path, text)).toEqual([breach]);
  });

  test.each([
    ['src/cmdb/store.ts', "import { sql } from 'kysely';\nimport type { Trx } from '../store/open.ts';\nsql`1`;"],
    ['src/jobs/run.ts', "import type { Endpoint } from '../http/endpoint.ts';"],
    ['src/cmdb/module.ts', "import type { Module } from '../module.ts';\nexport const a = 'from';"],
    ['src/store/migrate.ts', "import * as first from '../../db/migrations/0001_items.ts';"],
    ['src/app.ts', "import { readFile } from 'node:fs/promises';\nimport { Type } from 'typebox';"],
  ])('and %s may be as it is', (path, text) => {
    expect(breachesOf(path, text)).toEqual([]);
  });
});

function breachesOf(path: string, text: string): string[] {
  const part = partOf(path);
  const allowed = parts[part];
  if (!allowed) return [`${path}:1 is in ${part}, which stands in no line of \`parts\``];
  if (basename(path).startsWith('index.')) return [`${path}:1 is an index, and there are none`];

  const imports = importsOf(text).flatMap(({ line, from, typeOnly }) => {
    if (from.startsWith('node:')) return [];
    const where = `${path}:${line} imports ${from}`;
    if (!from.startsWith('.')) return libraryBreach(path, from).map((breach) => `${where}, ${breach}`);
    const target = partOf(normalize(join(dirname(path), from)));
    const goesDown = target === part || allowed.includes(target) || (typeOnly && allowed.includes(`type ${target}`));
    return goesDown ? [] : [`${where}, but ${part} may import ${allowed.join(', ') || 'nothing'}`];
  });
  const code = withoutComments(text);
  const misplaced = words.flatMap(({ word, called, places }) => {
    const at = code.search(word);
    if (at < 0 || isIn(path, places)) return [];
    return [`${path}:${lineAt(code, at)} has ${called}, which has its place in ${places.join(', ') || 'no file'}`];
  });
  return [...imports, ...misplaced];
}

function libraryBreach(path: string, from: string): string[] {
  const library = from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
  const places = libraries[library];
  if (!places) return ['which stands in no line of `libraries`'];
  return isIn(path, places) ? [] : [`which lives in ${places.join(', ')}`];
}

function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => {
    if (place.endsWith('/')) return path.startsWith(place);
    return place.includes('/') ? path === place : basename(path) === place;
  });
}

/** The folder under src, or the file that lies in src itself. */
function partOf(path: string): string {
  const [top, second] = path.split('/');
  return (top === 'src' ? second : path.split('/').slice(0, -1).join('/')) ?? path;
}

function importsOf(text: string): { line: number; from: string; typeOnly: boolean }[] {
  const statement =
    /^import\s*'(?<bare>[^']+)'|^(?:import|export)\b(?<clause>[^;'=(]*?)\bfrom\s*'(?<named>[^']+)'|\bimport\(\s*'(?<called>[^']+)'/gm;
  const code = withoutComments(text);
  return Array.from(code.matchAll(statement), ({ index, groups }) => ({
    line: lineAt(code, index),
    from: groups?.bare ?? groups?.named ?? groups?.called ?? '',
    typeOnly: /^\s*type\b/.test(groups?.clause ?? ''),
  }));
}

/** Comments go, lines stay. */
function withoutComments(text: string): string {
  return text
    .replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, '$1');
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
