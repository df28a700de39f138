import { describe, expect, test } from 'vitest';
import { bodyOf, itemKeys, readKey, readWords, wordAt, wordsOver } from '../../src/cli/words.ts';
import { startService } from '../service.ts';

describe('a key with dots is a path of the API:', () => {
  test.each([
    ['ansible.host', ['ansible', 'host']],
    ['address', ['ansible', 'host']],
    ['technical_specs.memory_mb', ['technical_specs', 'memory_mb']],
    ['specs.my.own', ['technical_specs', 'my.own']],
    ['vars.http_port', ['ansible', 'vars', 'http_port']],
    ['ansible.vars.a.b', ['ansible', 'vars', 'a.b']],
    ['groups', ['ansible', 'groups']],
    ['owner', ['owner']],
  ])('%s', (written, path) => {
    expect(readKey(written)).toEqual(path);
  });
});

describe('a key that is none is told with what was probably meant:', () => {
  test.each([
    ['adress', 'is not a known key here; did you mean address?'],
    ['ansible.hots', 'is not a known key here; did you mean host?'],
    ['specs', 'name a key in it, as specs.KEY'],
    ['ansible.vars', 'name a key in it, as ansible.vars.KEY'],
    ['owner.name', 'has no keys in it, such as name'],
    ['constructor', expect.stringContaining('is not a known key here; known are name, type,')],
  ])('%s', (written, fault) => {
    expect(readKey(written)).toEqual({ fault });
  });
});

test('short keys and those of the API make the same body', () => {
  const short = readWords(
    {
      name: 'a',
      type: 'machine',
      address: '10.0.0.1',
      port: 22,
      groups: 'web',
      vars: { x: 1 },
      specs: { os: 'Debian' },
    },
    '',
  );
  const long = readWords(
    {
      ci_name: 'a',
      ci_type: 'machine',
      ansible: { host: '10.0.0.1', port: 22, groups: ['web'], vars: { x: 1 } },
      technical_specs: { os: 'Debian' },
    },
    '',
  );

  expect(short.faults).toEqual([]);
  expect(bodyOf(short.words)).toEqual(bodyOf(long.words));
});

test('one thing that is said twice, by its short key and by its own, is a fault at the second', () => {
  const { faults } = readWords({ address: '10.0.0.1', ansible: { host: '10.0.0.2' } }, '/machines/a');

  expect(faults).toEqual([{ pointer: '/machines/a/ansible/host', detail: 'says ansible.host a second time' }]);
});

test('the word of one goes before that of all, lists add up, and null takes a word away', () => {
  const all = readWords({ user: 'root', tags: ['a'], owner: 'alice', specs: { os: 'Debian' } }, '/defaults').words;
  const one = readWords({ user: 'pi', tags: ['b', 'a'], owner: null, specs: { cpu_cores: 4 } }, '/machines/0').words;

  expect(bodyOf(wordsOver(all, one))).toEqual({
    ansible: { user: 'pi' },
    tags: ['a', 'b'],
    technical_specs: { os: 'Debian', cpu_cores: 4 },
  });
});

test('a fault of the API leads to the place where the word stands', () => {
  const { words } = readWords({ address: 'x', specs: { disks: [1] }, tags: ['t'] }, '/machines/0');

  const places = ['/ansible/host', '/technical_specs/disks/0', '/tags/0', '/ansible', '/ci_name'];
  expect(places.map((pointer) => wordAt(words, pointer)?.pointer)).toEqual([
    '/machines/0/address',
    '/machines/0/specs/disks',
    '/machines/0/tags',
    '/machines/0/address',
    undefined,
  ]);
});

test('the keys are those that the API takes', async () => {
  const { call } = await startService();

  const { body } = await call('GET', '/openapi.json');

  const { properties } = (body as { components: { schemas: Record<string, { properties: Record<string, object> }> } })
    .components.schemas.ItemPatch as { properties: Record<string, { description?: string }> };
  const taken = Object.keys(properties).filter((key) => properties[key]?.description !== 'accepted and ignored');
  expect([...itemKeys].sort()).toEqual(taken.sort());
});
