import { describe, expect, test } from 'vitest';
import { findsAny, nameIn, wordsOfPattern } from '../../src/cli/host-patterns.ts';

describe('a pattern falls into its words:', () => {
  test.each([
    ['web', ['web']],
    ['web:db', ['web', 'db']],
    ['web:!old:&prod', ['web', 'old', 'prod']],
    ['web,db , nas', ['web', 'db', 'nas']],
    ['web[0:2]:db[1:]', ['web[0:2]', 'db[1:]']],
    ['{{ target }}', []],
    ["web:{{ x | default('a:b') }}", ['web']],
    ['prefix-{{ x }}', []],
    ['2001:db8::5', ['2001:db8::5']],
    ['~web-\\d+', ['~web-\\d+']],
    ['', []],
  ])('%j', (pattern, words) => {
    expect(wordsOfPattern(pattern)).toEqual(words);
  });
});

describe('a word', () => {
  const served = { hosts: new Set(['web-1', 'web-2', 'nas.lan']), groups: new Set(['web', 'lab']) };

  test.each([
    'web',
    'web-1',
    'we*',
    'nas.*',
    'web-[12]',
    'web-?',
    '~nas\\.',
    'web[0]',
    'web[0:1]',
    'web[1:]',
    'web[-1]',
    'all',
    'localhost',
    '~(?P<x>y',
  ])('%s finds something', (word) => {
    expect(findsAny(word, served)).toBe(true);
  });

  test.each(['wbe', 'web-3', 'WEB*', 'nas', 'web-[!12]', 'db[0]', '~as\\.lan', '*.example.org'])(
    '%s finds nothing',
    (word) => {
      expect(findsAny(word, served)).toBe(false);
    },
  );

  test.each([
    ['wbe', 'wbe'],
    ['wbe[0:1]', 'wbe'],
    ['wb*', undefined],
    ['~wbe', undefined],
  ])('%s may be a slip of the hand for what is near %s', (word, name) => {
    expect(nameIn(word)).toBe(name);
  });
});
