/** A tracker that refuses, asks for a pause, answers nonsense or not at all: what is told, and what is never sent twice. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Tracker } from '../../src/github/tracker.ts';
import type { SimFault } from '../sims/github-sim.mjs';
import { beginning, draft, everything, refusalOf, startWorld, token, trackerAt } from './world.ts';

const comment = { marker: 'm', body: 'm', mayBeThere: false };
const lost = 'the connection was lost before the whole answer was here.';

describe('an issue whose end is not known', () => {
  test.each([
    ['commit-then-502', 'GitHub answered POST /repos/octo/infra/issues with 502. It will be tried again.'],
    ['commit-then-500', 'GitHub answered POST /repos/octo/infra/issues with 500. It will be tried again.'],
    ['commit-then-reset', lost],
    ['commit-then-hang', 'there was no whole answer in 0.15 s.'],
  ] as const)('is asked for once, and may be there all the same: %s', async (action, words) => {
    const { tracker, sim, calls } = await startWorld({ limits: { totalMs: 150, attempts: 3 } });
    sim.addFault({ method: 'POST', path: '/issues$', action, times: -1 });

    const refusal = await refusalOf(tracker.open(draft));
    const posts = calls().filter((call) => call.startsWith('POST'));
    sim.clearFaults();

    expect(refusal).toMatchObject({ name: 'TrackerError', trouble: 'outage', mayBeDone: true });
    expect(refusal.message).toContain(words);
    expect(posts).toEqual(['POST /issues']);
    expect((await tracker.findByMarker(everything)).issues).toHaveLength(1);
  });

  test.each([
    ['a page of HTML', { raw: '<html>Log in</html>', headers: { 'content-type': 'text/html' }, status: 200 }],
    ['HTML that is called JSON', { raw: '<html>Log in</html>', status: 201 }],
    ['an empty answer', { raw: '', status: 201 }],
    ['something else', { body: { ok: true }, status: 201 }],
  ] as const)('may be there where the answer is %s', async (_, answer) => {
    const { tracker, sim } = await startWorld();
    sim.addFault({ method: 'POST', action: 'status', ...answer } as SimFault);

    expect(await refusalOf(tracker.open(draft))).toMatchObject({
      trouble: 'outage',
      mayBeDone: true,
      message: expect.stringContaining('Is github.base_url the address of its API') as string,
    });
  });

  test.each([
    ['updated', 'PATCH', (tracker: Tracker) => tracker.update(1, { title: 'b' })],
    ['labelled', 'POST', (tracker: Tracker) => tracker.update(1, { addLabels: ['due'] })],
    ['commented on', 'POST', (tracker: Tracker) => tracker.update(1, { comment })],
    ['closed', 'PATCH', (tracker: Tracker) => tracker.close(1, { reason: 'completed' })],
  ])('may be %s where HTML says that all is well', async (_, method, work) => {
    const { tracker, sim, act } = await startWorld();
    await act('POST', '/issues', [{ title: 'a' }]);
    const headers = { 'content-type': 'text/html' };
    sim.addFault({ method, action: 'status', status: 200, raw: '<html>Log in</html>', headers });

    expect(await refusalOf(work(tracker))).toMatchObject({ trouble: 'outage', mayBeDone: true });
  });

  test('may be there where its answer is cut off', async () => {
    const { tracker, sim, calls } = await startWorld();
    sim.addFault({ method: 'POST', action: 'bad-json' });

    expect(await refusalOf(tracker.open(draft))).toMatchObject({ trouble: 'outage', mayBeDone: true });
    expect(calls()).toEqual(['POST /issues']);
  });
});

test('what was never sent is not there', async () => {
  const { tracker, sim } = await startWorld();
  await tracker.findByMarker(everything);
  await sim.close();

  expect(await refusalOf(tracker.open(draft))).toMatchObject({ trouble: 'outage', mayBeDone: false });
});

describe('a list of which a part is not to be had is no list', () => {
  test.each([
    ['answers 502', { action: 'status', status: 502 }],
    ['is cut off', { action: 'bad-json' }],
    [
      'is a page of HTML',
      { action: 'status', status: 200, raw: '<html></html>', headers: { 'content-type': 'text/html' } },
    ],
    ['is an object', { action: 'status', status: 200, body: { message: 'hello' } }],
    ['holds what is no issue', { action: 'status', status: 200, body: [{ number: 1 }] }],
    ['is never sent', { action: 'reset' }],
    ['does not end', { action: 'hang' }],
    ['is empty', { action: 'status', status: 200, raw: '' }],
    ['says that a repository is empty', { action: 'status', status: 409, message: 'Git Repository is empty.' }],
  ] as const)('where its second page %s', async (_, fault) => {
    const { tracker, sim, act } = await startWorld({ limits: { totalMs: 150 } });
    const seeded = Array.from({ length: 120 }, (_, index) => ({ title: `issue ${index}` }));
    await act('POST', '/issues', seeded);
    sim.addFault({ path: 'page=2', times: -1, ...fault } as SimFault);

    expect(await refusalOf(tracker.findByMarker(everything))).toMatchObject({ name: 'TrackerError', mayBeDone: false });
  });

  test('but a page that failed once is asked for again', async () => {
    const { tracker, sim, act } = await startWorld({ limits: { attempts: 2 } });
    await act('POST', '/issues', [{ title: 'a' }]);
    sim.addFault({ path: '/issues', action: 'reset' });

    expect((await tracker.findByMarker(everything)).issues).toHaveLength(1);
  });
});

describe('a pause that GitHub asks for', () => {
  test.each([
    ['403', { retryAfter: 8, status: 403 }],
    ['429', { retryAfter: 8, status: 429 }],
  ])('is waited for once, if it is short: %s', async (_, fault) => {
    const { tracker, sim, calls, issue } = await startWorld();
    sim.addFault({ method: 'POST', action: 'secondary', ...fault });

    await tracker.open(draft);

    expect(calls()).toEqual(['POST /issues', 'POST /issues']);
    expect(issue(1).title).toBe(draft.title);
  });

  test('is not waited for twice', async () => {
    const { tracker, sim, calls } = await startWorld();
    sim.addFault({ method: 'POST', action: 'secondary', retryAfter: 8, times: -1 });

    expect(await refusalOf(tracker.open(draft))).toMatchObject({ trouble: 'limited', mayBeDone: false });
    expect(calls()).toEqual(['POST /issues', 'POST /issues']);
  });

  test.each([
    ['with its length', { retryAfter: 90, status: 403 }, { seconds: 90 }],
    ['with its length', { retryAfter: 90, status: 429 }, { seconds: 90 }],
    ['without one', { retryAfter: null, status: 403 }, { minutes: 1 }],
    ['without one', { retryAfter: null, status: 429 }, { minutes: 1 }],
  ])('ends the run if it is long, %s: %o', async (_, fault, pause) => {
    const { tracker, sim, calls } = await startWorld();
    sim.addFault({ method: 'POST', action: 'secondary', ...fault });
    const retryAt = `${beginning.add(pause).toString().slice(0, 19)}.000Z`;

    const refusal = await refusalOf(tracker.open(draft));

    expect(refusal).toEqual({
      name: 'TrackerError',
      trouble: 'limited',
      mayBeDone: false,
      retryAt,
      message: `GitHub asks for a pause until ${retryAt}, for too much was asked of it; the next run goes on.`,
    });
    expect(calls()).toEqual(['POST /issues']);
  });

  test('is kept to: nothing more is asked until it is over', async () => {
    let now = beginning;
    const { tracker, sim, calls } = await startWorld({ clock: () => now });
    sim.addFault({ method: 'POST', action: 'secondary', retryAfter: 90 });
    await refusalOf(tracker.open(draft));
    calls();

    const early = await refusalOf(tracker.open(draft));
    const sent = calls();
    now = now.add({ seconds: 90 });
    await tracker.open(draft);

    expect(early).toMatchObject({ trouble: 'limited' });
    expect(sent).toEqual([]);
    expect(calls()).toEqual(['POST /issues']);
  });

  test('lasts until the hour is over where all calls of it are used up', async () => {
    const { tracker, sim } = await startWorld();
    sim.addFault({ path: '/issues', action: 'primary' });

    const { trouble, retryAt } = await refusalOf(tracker.findByMarker(everything));

    const away = Date.parse(String(retryAt)) - Date.now();
    expect(trouble).toBe('limited');
    expect(away > 3_500_000 && away <= 3_601_000).toBe(true);
  });

  test('ends with the signal', async () => {
    const { tracker, sim } = await startWorld({ secondMs: 1000 });
    sim.addFault({ method: 'POST', action: 'secondary', retryAfter: 15 });
    const enough = new AbortController();
    const opening = tracker.open(draft, enough.signal);
    await expect.poll(() => sim.log.some(({ method }) => method === 'POST')).toBe(true);

    enough.abort(new Error('Enough.'));

    await expect(opening).rejects.toThrow('Enough.');
  });
});

describe('a refusal says what to do', () => {
  test.each([
    ['Bad credentials', 401, {}, 'The token has expired, was revoked, or is another one'],
    [
      'Resource not accessible by personal access token',
      403,
      { 'x-accepted-github-permissions': 'issues=write' },
      'The token lacks the right (issues=write) in octo/infra',
    ],
    ['Must have admin rights', 403, {}, 'The token lacks the right to read and write issues in octo/infra'],
    ['Not Found', 404, {}, 'is not there, or the token may not see it'],
    ['Issues has been disabled in this repository.', 410, {}, 'Switch issues on in the settings of octo/infra'],
    ['Repository was archived so is read-only.', 403, {}, 'Take octo/infra out of the archive'],
    ['Validation Failed', 422, {}, 'what is written there has to change'],
  ])('%s', async (message, status, headers, words) => {
    const { tracker, sim, calls } = await startWorld();
    sim.addFault({ method: 'POST', action: 'status', status, message, headers, times: -1 });

    const refusal = await refusalOf(tracker.open(draft));

    expect(refusal).toMatchObject({ trouble: 'refused', mayBeDone: false });
    expect(refusal.message).toContain(`POST /repos/octo/infra/issues with ${status}: ${message.replace(/\.$/, '')}. `);
    expect(refusal.message).toContain(words);
    expect(calls()).toEqual(['POST /issues']);
  });

  test('with each fault that is named', async () => {
    const { tracker } = await startWorld();

    const { message } = await refusalOf(tracker.open({ ...draft, title: 'x'.repeat(300) }));

    expect(message).toContain('422: Validation Failed; title is too long (maximum is 256 characters). ');
  });

  test.each([
    ['switched off', { hasIssues: false }, 'octo/infra keeps no issues.'],
    ['archived', { archived: true }, 'octo/infra is archived, and takes no issues. Take it out of the archive'],
    [
      'not for the token',
      { issuesPermission: 'none' as const },
      'The token lacks the right (issues=read) in octo/infra',
    ],
  ])('where issues are %s', async (_, sim, words) => {
    const { tracker } = await startWorld({ sim });

    const refusal = await refusalOf(tracker.findByMarker({ ...everything, numbers: [1] }));

    expect(refusal).toMatchObject({ trouble: 'refused', message: expect.stringContaining(words) as string });
  });

  test.each(['update', 'close'] as const)('and no issue is gone because the token may not see it: %s', async (verb) => {
    const { tracker, sim, act } = await startWorld();
    await act('POST', '/issues', [{ title: 'a' }]);
    await tracker.findByMarker(everything);
    sim.addFault({ action: 'status', status: 404, message: 'Not Found', times: -1 });

    const work = verb === 'close' ? tracker.close(1, { reason: 'completed' }) : tracker.update(1, { title: 'b' });

    expect(await refusalOf(work)).toMatchObject({ trouble: 'refused' });
    expect(await refusalOf(tracker.findByMarker({ ...everything, numbers: [1] }))).toMatchObject({
      trouble: 'refused',
    });
  });

  test('of labels and comments, and the rest is done', async () => {
    const { tracker, sim, act, issue } = await startWorld();
    await act('POST', '/issues', [{ title: 'a' }]);
    sim.addFault({ path: '/labels', action: 'status', status: 403, message: 'No.' });
    sim.addFault({ path: '/comments', action: 'status', status: 403, message: 'Issue is locked.' });

    const told = await tracker.update(1, {
      title: 'b',
      addLabels: ['due'],
      comment,
    });

    expect(issue(1).title).toBe('b');
    expect(told.map((sentence) => sentence.split('.')[0])).toEqual([
      'Its labels were not changed',
      'It was not commented on',
    ]);
  });

  test('of labels alone, unless it is the issue that is gone', async () => {
    const { tracker, act } = await startWorld();
    await act('POST', '/issues', [{ title: 'a' }]);
    await act('DELETE', '/issues/1');

    expect(await refusalOf(tracker.update(1, { addLabels: ['due'] }))).toMatchObject({ trouble: 'gone' });
    expect(await refusalOf(tracker.update(1, { removeLabels: ['due'] }))).toMatchObject({ trouble: 'gone' });
  });
});

describe('a repository that was renamed', () => {
  test('is found under its new name, and written to', async () => {
    const { tracker, act, sim } = await startWorld();
    await tracker.open(draft);
    await act('POST', '/rename', { name: 'estate' });

    await tracker.open({ ...draft, title: 'another' });
    const { issues, gone } = await tracker.findByMarker({ ...everything, numbers: [1, 2] });
    await tracker.close(1, { reason: 'completed' });

    expect(sim.issues('octo/estate').map(({ title, state }) => [title, state])).toEqual([
      [draft.title, 'closed'],
      ['another', 'open'],
    ]);
    expect(issues).toHaveLength(2);
    expect(gone).toEqual([]);
  });

  test('is written to once', async () => {
    const { tracker, act, sent } = await startWorld();
    await tracker.findByMarker(everything);
    await act('POST', '/rename', { name: 'estate' });
    sent();

    await tracker.open(draft);

    expect(sent().map(({ method, status }) => [method, status])).toEqual([
      ['POST', 307],
      ['POST', 201],
    ]);
  });
});

test.each([
  ['by its number', '/repositories/999999/issues/1'],
  ['by its name', '/repos/octo/other/issues/1'],
])('an issue that was moved to another repository is not written to there, told %s', async (_, to) => {
  const { tracker, act, sim, sent } = await startWorld({ sim: { repos: ['octo/infra', 'octo/other'] } });
  await act('POST', '/issues', [{ title: 'a' }]);
  await act('POST', '/issues?repo=octo/other', [{ title: 'theirs' }]);
  await act('POST', '/issues/1/transfer', { to: sim.url + to });

  expect(await refusalOf(tracker.close(1, { reason: 'completed' }))).toMatchObject({ trouble: 'gone' });
  expect(sim.issues('octo/other')).toMatchObject([{ title: 'theirs', state: 'open' }]);
  expect(sent().filter(({ path }) => path === to)).toEqual([]);
});

describe('the token', () => {
  test.each([301, 302, 307, 308])('goes to no other server, whatever %i says', async (status) => {
    let heard = 0;
    const other = createServer((_, response) => {
      heard += 1;
      response.end('[]');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/repos/octo/infra`;
    const { tracker, sim } = await startWorld();
    sim.addFault({ action: 'status', status, headers: { location }, body: {}, times: -1 });

    expect(await refusalOf(tracker.open(draft))).toMatchObject({ trouble: 'refused' });
    expect(heard).toBe(0);
  });

  test('is in no message, even if the server repeats it', async () => {
    const { tracker, sim } = await startWorld();
    sim.addFault({ action: 'status', status: 422, message: `What is ${token}?` });

    const { message } = await refusalOf(tracker.open(draft));

    expect(message).toContain('What is [secret]?');
  });

  test('that its keeper does not give is no outage of the tracker', async () => {
    const { sim } = await startWorld();
    const tracker = trackerAt(sim.url, { tokenOf: () => Promise.reject(new Error('The vault is locked.')) });

    expect(await refusalOf(tracker.open(draft))).toMatchObject({
      trouble: 'refused',
      mayBeDone: false,
      message: 'The token of github.token is not to be had: The vault is locked.',
    });
    expect(sim.log).toEqual([]);
  });
});
