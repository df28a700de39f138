import { type TSchema, Type } from 'typebox';
import { describe, expect, test } from 'vitest';
import { checker, faultFinder, settingsFaultFinder } from '../src/check.ts';
import { DomainError, type Fault } from '../src/errors.ts';

const strict = { additionalProperties: false };
const Listen = Type.String({ pattern: '^.+:\\d+$', description: 'where it listens', examples: ['127.0.0.1:7373'] });
const Secret = Type.String({
  pattern: '^env:',
  writeOnly: true,
  examples: ['env:NAME'],
  description: 'no plain secret',
});
const Peer = Type.Union([
  Type.Object({ kind: Type.Literal('file'), path: Type.String() }, strict),
  Type.Object({ kind: Type.Literal('http'), url: Type.String() }, strict),
]);

describe('a fault says what is wrong and what would be right', () => {
  const long = 'x'.repeat(10_000);
  const cases: [string, TSchema, unknown, Fault[]][] = [
    ['a wrong type', Type.String(), 7373, [{ pointer: '', detail: 'must be text, not 7373' }]],
    ['null', Type.Integer(), null, [{ pointer: '', detail: 'must be a whole number, not null' }]],
    ['a list', Type.Boolean(), [1], [{ pointer: '', detail: 'must be true or false, not a list' }]],
    ['no number', Type.Number(), Number.NaN, [{ pointer: '', detail: 'must be a number, not NaN' }]],
    [
      'a long text',
      Type.Integer(),
      long,
      [{ pointer: '', detail: `must be a whole number, not "${'x'.repeat(57)}…"` }],
    ],
    ['an empty text', Type.String({ minLength: 1 }), '', [{ pointer: '', detail: 'must not be empty' }]],
    [
      'a text too long',
      Type.String({ maxLength: 9 }),
      long,
      [{ pointer: '', detail: 'must have at most 9 characters, and has 10000' }],
    ],
    ['too little', Type.Integer({ minimum: 1 }), 0, [{ pointer: '', detail: 'must be 1 or more, not 0' }]],
    ['too much', Type.Integer({ maximum: 9 }), 10, [{ pointer: '', detail: 'must be 9 or less, not 10' }]],
    [
      'an unknown word',
      Type.Enum(['text', 'json']),
      'xml',
      [{ pointer: '', detail: 'must be one of "text", "json", not "xml"' }],
    ],
    ['one word alone', Type.Literal('a'), 7, [{ pointer: '', detail: 'must be "a", not 7' }]],
    [
      'a choice of words',
      Type.Union([Type.Literal('a'), Type.Literal('b')]),
      'c',
      [{ pointer: '', detail: 'must be "a" or "b", not "c"' }],
    ],
    [
      'a choice of types',
      Type.Union([Type.String(), Type.Null()]),
      7,
      [{ pointer: '', detail: 'must be text or null, not 7' }],
    ],
    [
      'a choice where one is meant',
      Type.Union([Type.String({ minLength: 1 }), Type.Null()]),
      '',
      [{ pointer: '', detail: 'must not be empty' }],
    ],
    [
      'a form',
      Listen,
      '7373',
      [{ pointer: '', detail: 'must look like 127.0.0.1:7373, not "7373" (where it listens)' }],
    ],
    [
      'a bare pattern',
      Type.String({ pattern: '^a$' }),
      'b',
      [{ pointer: '', detail: 'must match pattern "^a$", not "b"' }],
    ],
    [
      'a form in words',
      Type.String({ pattern: '^a$', description: 'the letter a' }),
      'b',
      [{ pointer: '', detail: 'must be written as described, not "b" (the letter a)' }],
    ],
    [
      'a time',
      Type.String({ format: 'date-time' }),
      'soon',
      [{ pointer: '', detail: 'must be a time with its zone, such as 2026-03-02T10:00:00Z, not "soon"' }],
    ],
    [
      'a choice that a word decides',
      Peer,
      { kind: 'http', path: 'x' },
      [
        { pointer: '/url', detail: '"url" is missing' },
        { pointer: '/path', detail: '"path" is not a known key here; known are kind, url' },
      ],
    ],
    [
      'a choice that nothing decides',
      Peer,
      {},
      [{ pointer: '', detail: 'must be an object with kind, path or an object with kind, url, not an object' }],
    ],
  ];
  test.each(cases)('%s', (_, schema, input, faults) => {
    expect(faultFinder(schema)(input)).toEqual(faults);
  });
});

describe('an unknown key', () => {
  const find = faultFinder(
    Type.Object({ listen: Type.Optional(Type.String()), public_url: Type.Optional(Type.String()) }, strict),
  );
  test.each([
    ['lisen', '/lisen', 'did you mean "listen"?'],
    ['LISTEN', '/LISTEN', 'did you mean "listen"?'],
    ['colour', '/colour', 'known are listen, public_url'],
    ['a/b~c', '/a~1b~0c', 'known are listen, public_url'],
    ['__proto__', '/__proto__', 'known are listen, public_url'],
    ['constructor', '/constructor', 'known are listen, public_url'],
    ['', '/', 'known are listen, public_url'],
  ])('%j is named with its pointer', (name, pointer, hint) => {
    expect(find(JSON.parse(`{${JSON.stringify(name)}: 1}`))).toEqual([
      { pointer, detail: `${JSON.stringify(name)} is not a known key here; ${hint}` },
    ]);
  });

  test('of ten thousand characters is named by its start', () => {
    const [fault] = find({ ['x'.repeat(10_000)]: 1 });

    expect(fault?.detail).toBe(`"${'x'.repeat(57)}…" is not a known key here; known are listen, public_url`);
  });
});

test('faults without end are cut', () => {
  const find = faultFinder(Type.Array(Type.String()));

  expect(find(Array.from({ length: 50_000 }, () => 1))).toHaveLength(1000);
});

test('every fault is told, and the sentence names the first', () => {
  const check = checker('The item', Type.Object({ name: Type.String(), cores: Type.Integer() }, strict));

  const refused = thrownBy(() => check({ nme: 'web-1', cores: 'two' }));

  expect(refused.code).toBe('invalid');
  expect(refused.message).toBe('The item is not right at /name: "name" is missing, and 2 more.');
  expect(refused.errors.map((fault) => fault.pointer)).toEqual(['/name', '/nme', '/cores']);
});

describe('what could be a secret is not shown', () => {
  const find = faultFinder(
    Type.Object({
      token: Type.Optional(Secret),
      either: Type.Optional(Type.Union([Secret, Type.Null()])),
      github: Type.Optional(Type.Object({})),
      all: Type.Optional(Type.Array(Secret)),
    }),
  );
  test.each([
    [{ token: 'hunter2' }, 'must look like env:NAME (no plain secret)'],
    [{ token: 70707 }, 'must be text'],
    [{ either: 70707 }, 'must be text or null'],
    [{ either: 'hunter2' }, 'must look like env:NAME (no plain secret)'],
    [{ github: 'hunter2' }, 'must be an object, not text'],
    [{ all: 'hunter2' }, 'must be a list, not text'],
    [{ all: ['hunter2'] }, 'must look like env:NAME (no plain secret)'],
  ])('%j', (input, detail) => {
    expect(find(input).map((fault) => fault.detail)).toEqual([detail]);
  });
});

describe('settings', () => {
  const find = settingsFaultFinder(
    Type.Object(
      {
        http: Type.Object({
          listen: Type.String({ default: '127.0.0.1:7373' }),
          limits: Type.Object({ body: Type.Integer({ default: 32 }) }),
        }),
        tls: Type.Optional(Type.Object({ cert: Type.String(), port: Type.Integer({ default: 443 }) })),
        jobs: Type.Object({ keep: Type.Integer() }, { default: { keep: 7 } }),
        clusters: Type.Array(Type.Object({ limits: Type.Object({ calls: Type.Integer({ default: 6 }) }) }), {
          default: [],
        }),
      },
      strict,
    ),
  );
  const http = { listen: '127.0.0.1:7373', limits: { body: 32 } };
  const jobs = { keep: 7 };
  test.each([
    ['nothing', {}, { http, jobs, clusters: [] }],
    ['empty sections', { http: null, jobs: null }, { http, jobs, clusters: [] }],
    ['some', { http: { limits: { body: 1 } } }, { http: { ...http, limits: { body: 1 } }, jobs, clusters: [] }],
    ['sections in a list', { clusters: [{}] }, { http, jobs, clusters: [{ limits: { calls: 6 } }] }],
    [
      'an optional section',
      { tls: { cert: 'a.pem' } },
      { http, jobs, clusters: [], tls: { cert: 'a.pem', port: 443 } },
    ],
  ])('are filled from %s', (_, input, filled) => {
    expect(find(input)).toEqual([]);
    expect(input).toEqual(filled);
  });

  test('an optional section that is left empty lacks what it must have', () => {
    expect(find({ tls: null })).toEqual([{ pointer: '/tls/cert', detail: '"cert" is missing' }]);
  });

  test.each([[null], ['text'], [[1]]])('%j are none', (input) => {
    expect(find(input).map((fault) => fault.pointer)).toEqual(['']);
  });
});

function thrownBy(act: () => unknown): DomainError {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
