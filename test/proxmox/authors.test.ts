import { expect, test } from 'vitest';
import { authorsIn } from '../../src/proxmox/authors.ts';

const since = Temporal.Instant.from('2026-03-02T12:00:00Z');
const at = (minutes: number) => since.epochMilliseconds / 1000 + minutes * 60;
const task = (more: object) => ({
  id: '100',
  type: 'qmstart',
  user: 'alice@pve',
  starttime: at(1),
  upid: 'UPID:…',
  ...more,
});
const authorOf = (...tasks: object[]) => authorsIn(tasks, since).get(100);

test.each([
  ['who began the task', [task({})], 'alice@pve (qmstart)'],
  [
    'who began the last one, in any order',
    [task({ starttime: at(2), user: 'bob@pam' }), task({})],
    'bob@pam (qmstart)',
  ],
  ['a token', [task({ user: 'ci@pve!deploy' })], 'ci@pve!deploy (qmstart)'],
  ['nobody, where it was before', [task({ starttime: at(-1) })], undefined],
  ['nobody of another guest', [task({ id: '101' })], undefined],
  ['nobody who only looked', [task({ type: 'vncproxy' }), task({ type: 'vzdump' })], undefined],
  ['nobody, where the task is of a node', [task({ id: '' }), task({ id: 'pve1' })], undefined],
  ['nobody, where the row is broken', [{ id: '100' }, {}, task({ user: null })], undefined],
])('the author is %s', (_, tasks, author) => {
  expect(authorOf(...tasks)).toBe(author);
});

test.each([[null], [{}], ['text']])('what is no list of tasks names nobody: %j', (data) => {
  expect(authorsIn(data, since)).toEqual(new Map());
});
