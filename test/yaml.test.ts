import { describe, expect, test } from 'vitest';
import { DomainError } from '../src/errors.ts';
import { faultLine, faultLines, readYaml } from '../src/yaml.ts';

const file = `# The house
http:
  listen: 7373
'b/c~d': |
  text
list:
  - 1
  -
  - - 2
    - key: value
  - &base {m: 1, "n": 2}
  - *base
0x10: sixteen
? long
: 1
`;

describe('a pointer leads to', () => {
  const { placeOf } = readYaml(file, 'some.yml');
  test.each([
    ['the first thing in the file', '', 2, 1],
    ['a section', '/http', 2, 1],
    ['the key of a value', '/http/listen', 3, 3],
    ['a quoted key', '/b~1c~0d', 4, 1],
    ['an entry of a list', '/list/0', 7, 5],
    ['the list of an empty entry', '/list/1', 6, 1],
    ['a key within lists', '/list/2/1/key', 10, 7],
    ['a key within braces', '/list/3/n', 11, 18],
    ['the place where something is repeated', '/list/4/n', 12, 5],
    ['a key by its value', '/16', 13, 1],
    ['a key behind a question mark', '/long', 14, 3],
    ['the section of what is missing', '/http/tls/cert', 2, 1],
    ['the whole, for what is missing at the top', '/nothing', 2, 1],
  ])('%s', (_, pointer, line, column) => {
    expect(placeOf(pointer)).toEqual({ line, column });
  });

  test.each([['\r\n'], ['\r'], ['\n']])('its line with line ends %j', (end) => {
    const yaml = readYaml(`\uFEFF# one${end}a:${end}  b: 1${end}`, 'some.yml');

    expect(yaml.placeOf('/a/b')).toEqual({ line: 3, column: 3 });
  });
});

describe('a value is', () => {
  test.each([
    ['null in an empty file', '', null],
    ['null in a file that is all comment', '# nothing\n\n', null],
    ['null in an empty document', '---\n', null],
    ['text where YAML 1.1 had yes and no', 'a: yes\nb: off\nc: 2026-03-02', { a: 'yes', b: 'off', c: '2026-03-02' }],
    ['merged', 'base: &base {a: 1, b: 2}\nall: {<<: *base, b: 3}', { base: { a: 1, b: 2 }, all: { a: 1, b: 3 } }],
    ['an own key, whatever its name', '__proto__: 1', JSON.parse('{"__proto__": 1}')],
  ])('%s', (_, text, value) => {
    expect(readYaml(text, 'some.yml').value).toEqual(value);
  });
});

describe('what is no YAML is refused with its place and what stands there:', () => {
  const deep = `${'['.repeat(200)}${']'.repeat(200)}`;
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let n = 1; n < 8; n++) bomb.push(`a${n}: &a${n} [${Array.from({ length: 10 }, () => `*a${n - 1}`).join(', ')}]`);
  test.each([
    ['a colon in a value', 'a: b: c', '1:5: bad indentation of a mapping entry: a: b: c'],
    [
      'braces without quotes',
      'b: 1\na: {{ x }}',
      '2:5: a key must be text; put text that begins with { or [ in quotes: a: {{ x }}',
    ],
    ['a tab', 'a:\n\tb: 1', '2:1: tab characters must not be used in indentation: b: 1'],
    ['a key twice', 'a: 1\na: 2', '2:1: duplicated mapping key: a: 2'],
    ['an unknown tag', 'a: !vault x', '1:4: unknown scalar tag !<!vault>: a: !vault x'],
    ['an unknown alias', 'a: *x', '1:5: unidentified alias "x": a: *x'],
    ['two documents', 'a: 1\n---\nb: 2', '3:1: one document is read, and a second begins: b: 2'],
    ['an open list', 'a: [1,\n', '2:1: deficient indentation'],
    ['a null byte', 'a: \0', '1:4: null byte is not allowed in input: a: \uFFFD'],
    ['a long line', `a: b: ${'x'.repeat(99)}`, `1:5: bad indentation of a mapping entry: a: b: ${'x'.repeat(73)}…`],
    ['too deep', deep, `1:100: nesting exceeded maxDepth (100): ${deep.slice(0, 79)}…`],
    [
      'a circle',
      'a: &a [*a]',
      '1:1: its aliases (*name) lead into themselves, or to more than 1000000 values: a: &a [*a]',
    ],
    [
      'a bomb',
      bomb.join('\n'),
      `1:1: its aliases (*name) lead into themselves, or to more than 1000000 values: ${bomb[0]}`,
    ],
    ['a secret that begins with a star', 'token: *hunter2', '1:9: unidentified alias: token: …'],
    ['a secret that begins with a mark', 'password: !hunter2 x', '1:11: unknown scalar tag: password: …'],
    ['a secret', 'github:\n  api_token: my_pass: 3', '2:21: bad indentation of a mapping entry: api_token: …'],
  ])('%s', (_, text, message) => {
    const read = () => readYaml(text, 'some.yml');

    expect(read).toThrow(DomainError);
    expect(read).toThrow(expect.objectContaining({ code: 'invalid', message: `some.yml:${message}` }));
  });
});

test('faults stand in the order of the file, each with its place and its dotted path', () => {
  const faults = [
    { pointer: '/list/3/n', detail: 'must be text, not 2' },
    { pointer: '/b~1c~0d/x', detail: '"x" is missing' },
    { pointer: '/http/listen', detail: 'must be text, not 7373' },
    { pointer: '', detail: 'must be a list, not an object' },
  ];

  expect(faultLines(readYaml(file, 'some.yml'), faults)).toEqual([
    'some.yml:2:1: must be a list, not an object',
    'some.yml:3:3: http.listen must be text, not 7373',
    'some.yml:4:1: ["b/c~d"].x: "x" is missing',
    'some.yml:11:18: list[3].n must be text, not 2',
  ]);
});

test('a fault of a variable is told in the same way', () => {
  const fault = { pointer: '/log/level', detail: 'must be one of "info", "debug", not "loud"' };

  expect(faultLine('ROLLCALL_LOG_LEVEL', fault)).toBe(
    'ROLLCALL_LOG_LEVEL: log.level must be one of "info", "debug", not "loud"',
  );
});
