import { describe, expect, test, vi } from 'vitest';
import { DomainError } from '../src/errors.ts';
import { type LogFormat, type LogLevel, openLog } from '../src/log.ts';

function openedLog(format: LogFormat, level: LogLevel = 'debug') {
  const lines: string[] = [];
  return { lines, log: openLog(level, format, (line) => lines.push(line)) };
}

describe('for people, a line', () => {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /;
  type Log = ReturnType<typeof openLog>;
  test.each<[string, (log: Log) => void, string]>([
    ['has its words', (log) => log.info('started'), 'started\n'],
    [
      'has its fields after its words',
      (log) => log.info({ guests: 41, held: false }, 'discovered'),
      'discovered guests=41 held=false\n',
    ],
    [
      'puts text with spaces in quotes',
      (log) => log.info({ file: 'a b', url: 'http://x:1/' }, 'read'),
      'read file="a b" url=http://x:1/\n',
    ],
    [
      'has nested fields as JSON',
      (log) => log.info({ seen: { vm: 1 }, names: ['a'], none: null }, 'seen'),
      'seen seen={"vm":1} names=["a"] none=null\n',
    ],
    ['names a level that is not info', (log) => log.warn('again'), 'warn: again\n'],
    ['may have no words', (log) => log.info({ guests: 41 }), 'guests=41\n'],
    ['is one, whatever the words', (log) => log.info('a\nb\r\nc'), 'a b\uFFFD c\n'],
    [
      'does not steer a terminal',
      (log) => log.info({ name: '\u001B[2J\u009B2J\u202Eabc' }, 'x\u0007'),
      'x\uFFFD name="\\u001b[2J\uFFFD2J\uFFFDabc"\n',
    ],
    [
      'takes an error that is none',
      (log) => log.error({ err: 'no route' }, 'failed'),
      'error: failed err="no route"\n',
    ],
    ['takes an error that is empty', (log) => log.error({ err: null }, 'failed'), 'error: failed\n'],
  ])('%s', (_, write, line) => {
    const { lines, log } = openedLog('text');

    write(log);

    expect(lines.map((written) => written.replace(time, ''))).toEqual([line]);
    expect(lines[0]).toMatch(time);
  });

  test('is followed by the stack of an error and of its cause', () => {
    const { lines, log } = openedLog('text');
    const error = new DomainError('unavailable', 'no answer', { cause: new Error('connection refused') });

    log.error({ err: error, peer: 'pve1' }, 'could not ask');

    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /Z error: could not ask peer=pve1\nDomainError: no answer\n {4}at .*caused by: Error: connection refused\n/s,
    );
  });
});

test('for programs, a line is JSON with its time, level and fields', () => {
  const { lines, log } = openedLog('json');

  log.warn({ guests: 41 }, 'discovered');

  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), guests: 41, msg: 'discovered' },
  ]);
  expect(lines[0]).toMatch(/\n$/);
});

test.each<[LogLevel, string[]]>([
  ['debug', ['error', 'warn', 'info', 'debug']],
  ['info', ['error', 'warn', 'info']],
  ['warn', ['error', 'warn']],
  ['error', ['error']],
  ['silent', []],
])('the level %s lets pass what weighs as much or more', (level, passed) => {
  const { lines, log } = openedLog('json', level);

  for (const weight of ['error', 'warn', 'info', 'debug'] as const) log[weight]('x');

  expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(passed);
});

test('it is written to stderr, so that stdout holds answers alone', () => {
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);

  openLog('info', 'json').info('started');

  expect(stderr).toHaveBeenCalledOnce();
  stderr.mockRestore();
});
