import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Type } from 'typebox';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ownSettings, readConfig, type Sources } from '../src/config.ts';
import { readEnvironment } from '../src/environment.ts';
import { StartError } from '../src/errors.ts';

const strict = { additionalProperties: false };
const schema = Type.Object(
  {
    ...ownSettings,
    http: Type.Object(
      {
        listen: Type.String({ default: '127.0.0.1:7373', pattern: ':\\d+$', examples: ['127.0.0.1:7373'] }),
        tls: Type.Optional(Type.Object({ cert: Type.String(), key: Type.String() }, strict)),
      },
      strict,
    ),
    github: Type.Optional(
      Type.Object({ token: Type.String({ pattern: '^(env|file|vaultwarden):.', writeOnly: true }) }, strict),
    ),
  },
  strict,
);

const defaults = { log: { level: 'info', format: 'text' }, http: { listen: '127.0.0.1:7373' } };

function folderWith(files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** The sentence that a start with this is refused with. */
function refusal(sources: Sources): string {
  try {
    readConfig(schema, sources);
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('no file is needed', () => {
  const cwd = folderWith();

  expect(readConfig(schema, { env: {}, cwd })).toEqual({ ...defaults, data: join(cwd, 'data') });
});

test.each([
  ['empty', ''],
  ['all comment', '# http:\n#   listen: 1\n'],
  ['all empty sections', 'http:\n  # listen: x\nlog:\n'],
])('a file that is %s changes nothing', (_, text) => {
  const cwd = folderWith({ 'rollcall.yml': text });

  expect(readConfig(schema, { env: {}, cwd })).toEqual({ ...defaults, data: join(cwd, 'data') });
});

describe('the file is', () => {
  const files = {
    'rollcall.yml': 'log: {level: error}',
    'etc/a.yml': 'log: {level: warn}',
    'etc/b.yml': 'log: {level: debug}',
  };
  test.each([
    ['rollcall.yml in the working directory', {}, 'error'],
    ['named by ROLLCALL_CONFIG', { env: { ROLLCALL_CONFIG: 'etc/a.yml' } }, 'warn'],
    ['not named by an empty ROLLCALL_CONFIG', { env: { ROLLCALL_CONFIG: '' } }, 'error'],
    [
      'named by --config, whatever the variable says',
      { file: 'etc/b.yml', env: { ROLLCALL_CONFIG: 'etc/a.yml' } },
      'debug',
    ],
  ])('%s', (_, sources, level) => {
    expect(readConfig(schema, { env: {}, cwd: folderWith(files), ...sources }).log.level).toBe(level);
  });
});

describe('the data folder', () => {
  const files = { 'etc/rollcall.yml': 'data: db', 'etc/bare.yml': '' };
  test.each([
    ['is relative to the file that names it', { file: 'etc/rollcall.yml' }, 'etc/db'],
    ['is relative to the working directory where no file names it', { file: 'etc/bare.yml' }, 'data'],
    ['is moved by ROLLCALL_DATA', { file: 'etc/rollcall.yml', env: { ROLLCALL_DATA: 'elsewhere' } }, 'elsewhere'],
    ['is moved by --data, whatever the variable says', { data: 'there', env: { ROLLCALL_DATA: 'elsewhere' } }, 'there'],
  ])('%s', (_, sources, data) => {
    const cwd = folderWith(files);

    expect(readConfig(schema, { env: {}, cwd, ...sources }).data).toBe(join(cwd, data));
  });

  test('is taken as it is where it is absolute', () => {
    expect(readConfig(schema, { env: { ROLLCALL_DATA: '/var/lib/rollcall' }, cwd: folderWith() }).data).toBe(
      '/var/lib/rollcall',
    );
  });
});

test('a variable is believed over the file, and an empty one is not set', () => {
  const cwd = folderWith({ 'rollcall.yml': 'http: {listen: "127.0.0.1:1"}\nlog:\n' });
  const env = { ROLLCALL_LISTEN: '[::]:7373', ROLLCALL_LOG_LEVEL: 'debug', ROLLCALL_LOG_FORMAT: '' };

  const config = readConfig(schema, { env, cwd });

  expect([config.http.listen, config.log]).toEqual(['[::]:7373', { level: 'debug', format: 'text' }]);
});

test('every fault is told with its place, and what would be right', () => {
  const text = `# mine
http:
  lisen: 127.0.0.1:7373
  listen: 7373
  tls:
    cert: a.pem
log: loud
colour: red
`;
  const cwd = folderWith({ 'rollcall.yml': text });

  expect(refusal({ env: { ROLLCALL_DATA: 'd' }, cwd })).toBe(`The configuration is not right:
  rollcall.yml:3:3: http.lisen: "lisen" is not a known key here; did you mean "listen"?
  rollcall.yml:4:3: http.listen must be text, not 7373
  rollcall.yml:5:3: http.tls.key: "key" is missing
  rollcall.yml:7:1: log must be an object, not text
  rollcall.yml:8:1: colour: "colour" is not a known key here; known are data, log, http, github`);
});

describe('a start is refused', () => {
  test.each([
    [
      'for a wrong variable',
      '',
      { env: { ROLLCALL_LISTEN: 'here', ROLLCALL_LOG_LEVEL: 'loud' } },
      `The configuration is not right:
  ROLLCALL_LOG_LEVEL: log.level must be one of "error", "warn", "info", "debug", "silent", not "loud"
  ROLLCALL_LISTEN: http.listen must look like 127.0.0.1:7373, not "here"`,
    ],
    ['for an empty --data', '', { data: '' }, 'The configuration is not right:\n  --data: data must not be empty'],
    [
      'for a section that is none, though a variable would go into it',
      'http: 1',
      { env: { ROLLCALL_LISTEN: ':1' } },
      'The configuration is not right:\n  rollcall.yml:1:1: http must be an object, not 1',
    ],
    [
      'for a list',
      '- 1',
      { env: { ROLLCALL_LISTEN: ':1' } },
      'The configuration is not right:\n  rollcall.yml:1:1: must be an object, not a list',
    ],
    [
      'for a key twice',
      'data: a\ndata: b',
      {},
      'The configuration is not right:\n  rollcall.yml:2:1: duplicated mapping key: data: b',
    ],
    [
      'for a plain secret, without showing it',
      'github:\n  token: hunter2',
      {},
      'The configuration is not right:\n  rollcall.yml:2:3: github.token must match pattern "^(env|file|vaultwarden):."',
    ],
    [
      'for a secret in the place of its section',
      'github: hunter2',
      {},
      'The configuration is not right:\n  rollcall.yml:1:1: github must be an object, not text',
    ],
  ])('%s', (_, text, sources, sentence) => {
    expect(refusal({ env: {}, cwd: folderWith({ 'rollcall.yml': text }), ...sources })).toBe(sentence);
  });

  test.each([
    ['--config', { file: 'none.yml' }],
    ['ROLLCALL_CONFIG', { env: { ROLLCALL_CONFIG: 'none.yml' } }],
  ])('for a file named by %s that does not exist', (by, sources) => {
    const cwd = folderWith();

    expect(refusal({ env: {}, cwd, ...sources })).toBe(
      `The configuration file ${join(cwd, 'none.yml')}, named by ${by}, does not exist. Create it, or leave ${by} out.`,
    );
  });

  test('for a folder in the place of the file', () => {
    const cwd = folderWith({ 'rollcall.yml/x': '' });

    expect(refusal({ env: {}, cwd })).toMatch(/^The configuration file rollcall\.yml cannot be read: EISDIR/);
  });
});

test('the environment is the one of the process', () => {
  expect(readEnvironment().PATH).toBe(process.env.PATH);
});
