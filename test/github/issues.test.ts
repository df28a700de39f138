/** The five verbs against GitHub: what is sent, what is found again, and what people said that stays. */

import { describe, expect, test } from 'vitest';
import { draft, everything, marker, numbersOf, refusalOf, startWorld, token } from './world.ts';

const label = { name: 'credential', colour: 'd93f0b', description: 'A credential is due' };

describe('labels', () => {
  test('that are missing are made, and those that are there stay as they are', async () => {
    const { tracker, sent, labels } = await startWorld();

    const first = await tracker.ensureLabels([label, { ...label, name: 'Bug' }]);
    const second = await tracker.ensureLabels([label]);

    expect([first, second]).toEqual([[], []]);
    expect(sent().filter(({ method }) => method !== 'GET')).toMatchObject([
      { method: 'POST', body: { name: 'credential', color: 'd93f0b', description: 'A credential is due' } },
    ]);
    expect(labels()).toContain('credential');
  });

  test('that somebody else made in the same moment are fine', async () => {
    const { tracker, sim } = await startWorld();
    sim.addFault({ method: 'GET', path: 'labels', action: 'status', status: 200, body: [] });

    expect(await tracker.ensureLabels([{ ...label, name: 'bug' }])).toEqual([]);
  });

  test('that may not be made are told, and hinder nothing', async () => {
    const { tracker } = await startWorld({ sim: { issuesPermission: 'read' } });

    expect(await tracker.ensureLabels([label])).toEqual([
      'The label credential was not made. GitHub answered POST /repos/octo/infra/labels with 403: Resource not accessible by personal access token. The token lacks the right (issues=write) in octo/infra: give it that right, or make another token.',
    ]);
  });
});

describe('an issue is opened', () => {
  test('with one call, and is found again by its marker', async () => {
    const { tracker, calls } = await startWorld();

    const opened = await tracker.open({ ...draft, assignees: ['alice'] });
    const made = calls();
    const { issues } = await tracker.findByMarker({ isWanted: ({ body }) => body.includes(marker) });

    expect(made).toEqual(['GET /assignees/alice', 'POST /issues']);
    expect(opened).toMatchObject({ shortcomings: [], isLabelled: true });
    expect(issues).toEqual([opened.issue]);
    expect(opened.issue).toMatchObject({
      number: 1,
      url: 'https://github.com/octo/infra/issues/1',
      author: 'rollcall-bot',
      isOurs: true,
      labels: ['credential'],
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/) as string,
      closed_at: null,
    });
  });

  test('without whom the repository does not know, and says so', async () => {
    const { tracker, issue } = await startWorld();

    const { shortcomings } = await tracker.open({ ...draft, assignees: ['nobody', 'bob'] });

    expect(issue(1).assignees.map(({ login }) => login)).toEqual(['bob']);
    expect(shortcomings).toEqual([
      'It is not given to nobody, for nobody of that name works on octo/infra: see to github.owners and github.default_assignees, or invite them.',
    ]);
  });

  test('and it is told where its labels were dropped without a word', async () => {
    const { tracker, issue } = await startWorld({ sim: { push: false } });

    const { isLabelled, shortcomings } = await tracker.open({ ...draft, assignees: ['alice'] });

    expect(issue(1).labels).toEqual([]);
    expect(isLabelled).toBe(false);
    expect(shortcomings).toEqual([
      'GitHub left out the labels credential: the token may not label issues of octo/infra.',
      'GitHub left out alice: the token may not give issues of octo/infra to people.',
    ]);
  });

  test('by who asks with a version and a name', async () => {
    const { tracker, sent } = await startWorld();

    await tracker.open(draft);

    expect(sent().at(-1)).toMatchObject({
      apiVersion: '2022-11-28',
      userAgent: expect.stringContaining('rollcall') as string,
    });
  });
});

describe('issues are found', () => {
  test('on all pages, without the pull requests among them, the oldest first', async () => {
    const { tracker, act, calls } = await startWorld();
    const seeded = Array.from({ length: 250 }, (_, index) => ({ title: `issue ${index + 1}`, pull: index % 10 === 0 }));
    await act('POST', '/issues', seeded);
    calls();

    const { issues } = await tracker.findByMarker(everything);

    expect(calls()).toEqual(['GET /issues', 'GET /issues', 'GET /issues']);
    expect(numbersOf(issues)).toEqual(seeded.flatMap(({ pull }, index) => (pull ? [] : [index + 1])));
  });

  test('and only those that are wanted are kept', async () => {
    const { tracker, act } = await startWorld();
    await act('POST', '/issues', [
      { title: 'a' },
      { title: 'b', body: marker, user: 'mallory' },
      { title: 'c', body: marker },
    ]);

    const { issues } = await tracker.findByMarker({ isWanted: ({ body }) => body.includes(marker) });

    expect(issues.map(({ title, author, isOurs, body }) => [title, author, isOurs, body])).toEqual([
      ['b', 'mallory', false, marker],
      ['c', 'rollcall-bot', true, marker],
    ]);
  });

  test('closed ones too that were touched since then', async () => {
    const { tracker, act } = await startWorld();
    await act('POST', '/issues', [
      { title: 'long closed', state: 'closed', updated_at: '2026-01-01T00:00:00Z' },
      { title: 'closed', state: 'closed', updated_at: '2026-03-01T00:00:00Z' },
      { title: 'open', updated_at: '2026-01-01T00:00:00Z' },
    ]);

    const { issues } = await tracker.findByMarker({ ...everything, since: '2026-02-01T00:00:00.000Z' });

    expect(issues.map(({ title }) => title)).toEqual(['closed', 'open']);
  });

  test('by number, whatever became of them', async () => {
    const { tracker, act, calls } = await startWorld();
    await act(
      'POST',
      '/issues',
      ['open', 'closed', 'deleted', 'moved'].map((title) => ({ title })),
    );
    await act('PATCH', '/issues/2', { state: 'closed' });
    await act('DELETE', '/issues/3');
    await act('POST', '/issues/4/transfer');
    calls();

    const { issues, gone } = await tracker.findByMarker({ isWanted: () => false, numbers: [1, 2, 3, 4, 99] });

    expect(issues.map(({ title, state }) => [title, state])).toEqual([
      ['open', 'open'],
      ['closed', 'closed'],
    ]);
    expect(gone).toEqual([3, 4, 99]);
    // The list has the open ones.
    expect(calls().filter((call) => call === 'GET /issues/1')).toEqual([]);
  });

  test('by an App, to which it is not told who it is', async () => {
    const { tracker, sim, act } = await startWorld();
    await act('POST', '/issues', [{ title: 'a' }]);
    sim.addFault({ path: '^/user$', action: 'status', status: 403, message: 'Resource not accessible by integration' });

    const { issues, knowsOwn } = await tracker.findByMarker(everything);

    expect([issues.map(({ isOurs }) => isOurs), knowsOwn]).toEqual([[undefined], false]);
  });
});

describe('an issue is updated', () => {
  test('and keeps the labels and people that others gave it', async () => {
    const { tracker, act, issue } = await startWorld();
    await act('POST', '/issues', [{ title: 'a', labels: ['theirs', 'due'], assignees: ['bob'] }]);

    const told = await tracker.update(1, {
      title: 'b',
      body: 'new',
      addLabels: ['overdue'],
      removeLabels: ['due', 'never there'],
      assignees: ['alice'],
    });

    expect(told).toEqual([]);
    expect(issue(1)).toMatchObject({
      title: 'b',
      body: 'new',
      labels: [{ name: 'theirs' }, { name: 'overdue' }],
      assignees: [{ login: 'bob' }, { login: 'alice' }],
    });
  });

  test('and opened again, with a comment', async () => {
    const { tracker, act, issue, comments, calls } = await startWorld();
    await act('POST', '/issues', [{ title: 'a' }]);
    await act('PATCH', '/issues/1', { state: 'closed' });
    calls();

    await tracker.update(1, { reopen: true, comment: { marker, body: `Still due. ${marker}`, mayBeThere: false } });

    expect(issue(1)).toMatchObject({ state: 'open', state_reason: 'reopened' });
    expect(comments()).toEqual([`Still due. ${marker}`]);
    expect(calls()).toEqual(['PATCH /issues/1', 'POST /issues/1/comments']);
  });

  test('and a comment that may be there is looked for first, on all pages', async () => {
    const { tracker, act, comments } = await startWorld();
    await act('POST', '/issues', [{ title: 'a' }]);
    for (let written = 0; written < 120; written += 1) await act('POST', '/issues/1/comments', { body: 'talk' });
    const comment = { marker, body: `Due. ${marker}`, mayBeThere: true };

    await tracker.update(1, { comment });
    await tracker.update(1, { comment });

    expect(comments().filter((body) => body.includes(marker))).toHaveLength(1);
  });
});

describe('an issue is closed', () => {
  test('with its comment first, and once more does no harm', async () => {
    const { tracker, act, issue, calls } = await startWorld();
    await act('POST', '/issues', [{ title: 'a' }]);
    calls();
    const comment = { marker, body: `Rotated. ${marker}`, mayBeThere: false };

    await tracker.close(1, { reason: 'completed', comment });
    const first = calls();
    await tracker.close(1, { reason: 'completed', comment: { ...comment, mayBeThere: true } });

    expect(first).toEqual(['POST /issues/1/comments', 'PATCH /issues/1']);
    expect(issue(1)).toMatchObject({ state: 'closed', state_reason: 'completed', comments: 1 });
  });

  test('as a duplicate, or as not planned where that is not known', async () => {
    const { tracker, sim, act, issue } = await startWorld();
    await act('POST', '/issues', [{ title: 'a' }, { title: 'b' }]);

    await tracker.close(1, { reason: 'duplicate' });
    sim.addFault({ method: 'PATCH', action: 'status', status: 422, message: 'Invalid request.' });
    await tracker.close(2, { reason: 'duplicate' });

    expect([issue(1).state_reason, issue(2).state_reason]).toEqual(['duplicate', 'not_planned']);
  });

  test.each([
    ['deleted', 'DELETE', '/issues/1'],
    ['moved to another repository', 'POST', '/issues/1/transfer'],
  ])('and it is told that it was %s', async (_, method, path) => {
    const { tracker, act } = await startWorld();
    await act('POST', '/issues', [{ title: 'a' }]);
    await act(method, path);

    expect(await refusalOf(tracker.close(1, { reason: 'completed' }))).toMatchObject({
      trouble: 'gone',
      message: expect.stringContaining('Issue 1 is not in octo/infra any more') as string,
    });
  });
});

test('an Enterprise Server is asked beneath /api/v3', async () => {
  const { tracker, sent } = await startWorld({ prefix: '/api/v3' });

  await tracker.open(draft);
  const { issues } = await tracker.findByMarker(everything);

  expect(numbersOf(issues)).toEqual([1]);
  expect(sent().filter(({ path }) => !path.startsWith('/api/v3/'))).toEqual([]);
  expect(token).not.toBe('');
});
