import { expect, test } from 'vitest';
import { changedLines, linesOf, valueIn, withoutKey, withValue } from '../../src/cli/ini.ts';

const text = `# the project's own
[defaults]
; hosts
inventory = hosts.ini   ; ours
Callbacks_Enabled=timer,
   profile_tasks
# end of it

[ssh_connection]
pipelining: True
`;
const lines = linesOf(text);

test('values are read as Ansible reads them', () => {
  expect(valueIn(lines, 'defaults', 'inventory')).toBe('hosts.ini');
  expect(valueIn(lines, 'defaults', 'callbacks_enabled')).toBe('timer,\nprofile_tasks');
  expect(valueIn(lines, 'ssh_connection', 'pipelining')).toBe('True');
  expect(valueIn(lines, 'ssh_connection', 'inventory')).toBeUndefined();
  expect(valueIn(lines, 'galaxy', 'server')).toBeUndefined();
});

test('a value is set in its place, and everything else stays', () => {
  const set = withValue(lines, 'defaults', 'callbacks_enabled', 'timer, rollcall');

  expect(changedLines(lines, set)).toEqual([
    '-Callbacks_Enabled=timer,',
    '-   profile_tasks',
    '+callbacks_enabled = timer, rollcall',
  ]);
  expect(changedLines(lines, withValue(lines, 'defaults', 'forks', '20'))).toEqual(['+forks = 20']);
  expect(withValue(lines, 'inventory', 'any', 'true').slice(-3)).toEqual(['', '[inventory]', 'any = true']);
  expect(withValue([], 'defaults', 'forks', '5')).toEqual(['[defaults]', 'forks = 5']);
});

test('what was set is taken back to the last line', () => {
  const set = withValue(withValue(lines, 'inventory', 'any', 'true'), 'defaults', 'forks', '20');

  expect(withoutKey(withoutKey(set, 'inventory', 'any'), 'defaults', 'forks')).toEqual(lines);
  expect(withoutKey(['[defaults]', 'forks = 5'], 'defaults', 'forks')).toEqual([]);
  expect(withoutKey(['[a]', 'x = 1', '', '[b]', 'y = 2'], 'a', 'x')).toEqual(['[b]', 'y = 2']);
  expect(withoutKey(lines, 'defaults', 'nothing')).toEqual(lines);
});
